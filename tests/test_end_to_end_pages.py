"""Article pages over loopback HTTP: fetched once, read again when the entry changes."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from newsroom_runs import all_stories, newsroom_settings, on_stage, opened, serve, settings_for
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from aggregator.newsroom import load_newsroom
from aggregator.operating.passes import full_pass
from aggregator.running.application import Application
from storage.tables.article import articles
from storage.values.publish import StoryView

SENTENCES = [
    f"The harbour bridge carried {number} lorries and {number * 7} cars on its first day, "
    f"engineer number {number} told the council's transport committee."
    for number in range(2, 22)
]


class Outlet:
    """A feed of one article and its page, both of which can change; counts who asks."""

    def __init__(self) -> None:
        self.summary = "The bridge is open."
        self.sentences = list(SENTENCES)
        self.asked: list[str] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{name}", self.answer)])

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        if name == "feed":
            link = request.url.replace(path="/article")
            return Response(
                f"<rss version='2.0'><channel><title>T</title><item><title>Bridge reopens</title>"
                f"<guid isPermaLink='false'>1</guid><link>{link}</link>"
                f"<description>{self.summary}</description></item></channel></rss>",
                media_type="application/rss+xml",
            )
        if name == "article":
            text = "".join(f"<p>{sentence}</p>" for sentence in self.sentences)
            return HTMLResponse(f"<html lang='en'><body><article>{text}</article></body></html>")
        return Response("no", 404)

    @property
    def pages(self) -> int:
        return self.asked.count("article")


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


async def passed(application: Application, clock: Clock) -> StoryView:
    clock.moment += timedelta(hours=1)
    await full_pass(application, everything=True)
    (story,) = await all_stories(application)
    return story


async def test_a_changed_entry_has_its_page_read_again_and_the_lead_follows(
    database_url: str,
) -> None:
    outlet, clock = Outlet(), Clock()
    async with serve(outlet.app()) as url:
        settings = settings_for(database_url, [{"url": f"{url}/feed", "name": "Times"}])
        async with opened(settings, clock) as application:
            first = await passed(application, clock)
            again = await passed(application, clock)
            assert outlet.pages == 1, "a page is fetched once per article"
            assert again.updated_at == first.updated_at
            assert SENTENCES[-1] in again.lead.text

            outlet.summary = "The bridge is open!"
            outlet.sentences[3] = SENTENCES[3].replace("engineer", "the engineer")
            slight = await passed(application, clock)
            assert outlet.pages == 2
            assert outlet.sentences[3] in slight.lead.text, "the text follows"
            assert slight.updated_at == first.updated_at, "a word is no news"

            outlet.summary = "The bridge is closed again."
            outlet.sentences.insert(
                0,
                "The bridge was closed again at noon after a lorry of 40 "
                "tonnes broke through the new railing.",
            )
            changed = await passed(application, clock)
            assert outlet.pages == 3
            assert outlet.sentences[0] in changed.lead.text
            assert changed.updated_at > first.updated_at
            assert changed.uri == first.uri
        async with opened(settings, clock) as application:
            after = await passed(application, clock)
    assert outlet.pages == 3
    assert after.updated_at == changed.updated_at
    assert after.lead.text == changed.lead.text


async def test_the_newsrooms_walls_are_caught_and_no_article_is_taken_for_one(
    database_url: str,
) -> None:
    newsroom = load_newsroom()
    async with on_stage(newsroom, datetime(2023, 4, 30, tzinfo=UTC)) as stage:
        settings = newsroom_settings(database_url, stage, extract={"full_text": "always"})
        async with opened(settings) as application:
            await full_pass(application, everything=True)
            with application.ledger.database.read() as connection:
                rows = connection.execute(articles.select()).all()
    found = {urlsplit(row.url).path: row for row in rows}
    walls = {article.path: article.wall for article in newsroom.articles}
    assert {path: row.wall for path, row in found.items()} == walls
    assert {found[path].text_source for path, wall in walls.items() if wall} == {"feed"}
