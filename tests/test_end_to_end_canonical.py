"""Pages that name their canonical address, over loopback HTTP: one document is one article."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pages
from newsroom_runs import FEED, all_stories, opened, serve, settings_for
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from aggregator.operating.explaining import articles_named
from aggregator.operating.passes import full_pass
from aggregator.running.application import Application
from storage.tables.article import articles, entries
from storage.values.publish import StoryView

TITLE = "Harbour bridge closed until spring"
OTHER = [
    f"Volcano {number} threw ash over village {number * 3} and its airport closed for day {number}."
    for number in range(2, 30)
]


@dataclass
class Site:
    """Feeds (path → links of their items) and pages (path → what they name as canonical)."""

    feeds: dict[str, list[str]]
    canonical: dict[str, str | None]
    titles: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    summary: str = "The bridge is closed."
    base: str = ""
    asked: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{name:path}", self.answer)])

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        if path in self.feeds:
            return Response(self.feed(path), media_type="application/rss+xml")
        if path not in self.canonical:
            return Response("no", 404)
        named = self.canonical[path]
        head = f"<link rel='canonical' href='{named}'>" if named else ""
        title, text = self.titles.get(path, TITLE), self.texts.get(path, pages.PARAGRAPHS)
        return HTMLResponse(pages.article(text, title=title, head=head))

    def feed(self, path: str) -> str:
        items = "".join(
            f"<item><title>{self.titles.get(link, TITLE)}</title>"
            f"<guid isPermaLink='false'>{link}</guid><link>{self.base}{link}</link>"
            f"<description>{self.summary}</description></item>"
            for link in self.feeds[path]
        )
        return f"<rss version='2.0'><channel><title>{path}</title>{items}</channel></rss>"


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


async def passed(application: Application, clock: Clock) -> tuple[StoryView, ...]:
    clock.moment += timedelta(hours=1)
    await full_pass(application, everything=True)
    return await all_stories(application)


def leads(application: Application) -> set[int]:
    """The articles that entries lead to."""
    with application.ledger.database.read() as connection:
        return set(connection.execute(select(entries.c.article_id)).scalars())


def states(application: Application) -> list[str]:
    with application.ledger.database.read() as connection:
        rows = connection.execute(select(articles.c.state).order_by(articles.c.id))
        return list(rows.scalars())


async def test_a_page_and_the_address_it_names_are_one_article_whichever_came_first(
    database_url: str,
) -> None:
    site, clock = Site({"/front": ["/s7"], "/world": []}, {"/s7": "/news/bridge"}), Clock()
    site.canonical["/news/bridge"] = "/news/bridge"
    async with serve(site.app()) as url:
        site.base = url
        outputs = [{"name": "all", "fold": False}]
        sources = [{"url": f"{url}/front"}, {"url": f"{url}/world"}]
        async with opened(settings_for(database_url, sources, output=outputs), clock) as daemon:
            (first,) = await passed(daemon, clock)
            document = daemon.publisher.document(*FEED)
            site.feeds["/world"] = ["/news/bridge"]  # the canonical address becomes an article
            (again,) = await passed(daemon, clock)
            assert [article.id for article in again.articles] == [first.lead.id]
            assert (again.uri, again.updated_at) == (first.uri, first.updated_at)
            assert daemon.publisher.document(*FEED) == document, "nothing shows twice"
            listed = daemon.publisher.document("all", "atom")
            assert listed is not None
            assert listed.body.count(b"<entry>") == 1
            assert leads(daemon) == {first.lead.id}
            assert states(daemon) == ["folded", "merged"]

            site.summary = "The bridge is closed, says the city."
            (later,) = await passed(daemon, clock)
            assert [article.id for article in later.articles] == [first.lead.id]
            assert leads(daemon) == {first.lead.id}, "a changed entry does not part them again"
            named = articles_named(daemon.ledger.database, f"{url}/news/bridge")
            assert named == (first.lead.id,)


async def test_two_new_addresses_of_one_page_are_one_article(database_url: str) -> None:
    """Neither is the address that both name; and pages across sites stay two."""
    site, clock = (
        Site({"/front": ["/a1"], "/world": ["/b1"]}, dict.fromkeys(["/a1", "/b1"])),
        Clock(),
    )
    site.canonical |= {"/a1": "/news/bridge", "/b1": "/news/bridge"}
    async with serve(site.app()) as url:
        site.base = url
        sources = [{"url": f"{url}/front"}, {"url": f"{url}/world"}]
        async with opened(settings_for(database_url, sources), clock) as daemon:
            (story,) = await passed(daemon, clock)
            assert len(story.articles) == 1
            assert states(daemon) == ["folded", "merged"]


async def test_articles_that_have_their_places_become_one_when_their_page_says_so(
    database_url: str,
) -> None:
    site, clock = Site({"/front": ["/a1"], "/world": ["/b1"]}, {"/a1": None, "/b1": None}), Clock()
    async with serve(site.app()) as url:
        site.base = url
        sources = [{"url": f"{url}/front"}, {"url": f"{url}/world"}]
        async with opened(settings_for(database_url, sources), clock) as daemon:
            (first,) = await passed(daemon, clock)
            assert len(first.articles) == 2
            site.canonical["/b1"] = "/a1"
            site.summary = "The bridge is closed, says the city."
            (again,) = await passed(daemon, clock)
            assert [article.id for article in again.articles] == [first.lead.id]
            assert (again.uri, again.updated_at) == (first.uri, first.updated_at)
        async with opened(settings_for(database_url, sources), clock) as daemon:
            (after,) = await passed(daemon, clock)
            assert after == again, "after a restart nothing is otherwise"


async def test_a_site_whose_every_page_names_one_address_stays_many_articles(
    database_url: str,
) -> None:
    links = ["/a1", "/a2"]
    titles = {"/a1": TITLE, "/a2": "Volcano closes the airport of Lowen again"}
    site = Site({"/front": links}, dict.fromkeys(links, "/news/the-latest"), titles)
    site.texts = {"/a2": tuple(OTHER)}
    async with serve(site.app()) as url:
        site.base = url
        settings = settings_for(database_url, [{"url": f"{url}/front"}])
        async with opened(settings, clock := Clock()) as daemon:
            assert len(await passed(daemon, clock)) == 2
            assert states(daemon) == ["folded", "folded"]


async def test_across_sites_it_is_evidence_of_syndication(database_url: str) -> None:
    site, clock = Site({"/front": ["/copy"]}, {"/copy": None, "/original": None}), Clock()
    async with serve(site.app()) as url:
        site.base = url
        elsewhere = url.replace("127.0.0.1", "localhost")
        site.canonical["/copy"] = f"{elsewhere}/original"
        settings = settings_for(database_url, [{"url": f"{url}/front"}])
        async with opened(settings, clock) as daemon:
            (story,) = await passed(daemon, clock)
            with daemon.ledger.database.read() as connection:
                (row,) = connection.execute(select(articles)).all()
    assert row.original_url == f"{elsewhere}/original"
    assert (row.canonical_key, row.state) == (None, "folded")
    assert story.lead.url == f"{url}/copy", "the page keeps its own address"
