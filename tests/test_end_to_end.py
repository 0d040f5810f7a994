"""The main job over loopback HTTP: the demonstration newsroom in, one entry per story out."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import feedparser
import pytest
from newsroom_runs import (
    FEED,
    all_stories,
    identities,
    newsroom_settings,
    on_stage,
    opened,
    serve,
    settings_for,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregator.errors import ApplicationError
from aggregator.matching.evaluate import score
from aggregator.matching.jsonl import read_rows
from aggregator.newsroom import load_newsroom
from aggregator.operating.correcting import (
    join_stories,
    labelled_articles,
    refold_since,
    split_story,
)
from aggregator.operating.explaining import explanation
from aggregator.operating.passes import full_pass
from storage.status import totals
from storage.values.publish import StoryView

NEWSROOM = load_newsroom()
LATER = datetime(2023, 4, 30, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


async def test_the_newsroom_becomes_its_events_and_a_second_pass_changes_nothing(
    database_url: str,
) -> None:
    async with on_stage(NEWSROOM, LATER) as stage:
        settings = newsroom_settings(database_url, stage)
        async with opened(settings) as first:
            await full_pass(first, everything=True)
            assert first.tally.failed == {}
            found = await first.ledger.read(totals)
            stories = await all_stories(first)
            document = first.publisher.document(*FEED)
        async with opened(settings) as second:
            await full_pass(second, everything=True)
            assert second.tally.entries == 0
            assert second.tally.read == 0
            assert await second.ledger.read(totals) == found
            again = second.publisher.document(*FEED)

    assert found.sources == len(NEWSROOM.outlets)
    assert found.articles == len(NEWSROOM.articles)
    assert document is not None
    assert document == again, "the feed is byte for byte what it was before the restart"
    truth = {article.id: article.event for article in NEWSROOM.articles}
    groups = list(identities(NEWSROOM, stories).values())
    check_copies(stories, found.copies)
    check_hard_cases(groups, truth)
    story_of = {article: number for number, group in enumerate(groups) for article in group}
    quality = score([truth[id_] for id_ in truth], [story_of[id_] for id_ in truth])
    assert quality.bcubed.f1 > 0.95
    assert quality.pairwise.f1 > 0.90


def check_copies(stories: tuple[StoryView, ...], count: int) -> None:
    """Every reprint is known as one, and nothing else is; which of them came first may differ."""
    reprints = [article for article in NEWSROOM.articles if article.copy_of]
    assert count == len(reprints)
    texts = {article.title for article in reprints}
    originals = {article.copy_of for article in reprints}
    texts |= {article.title for article in NEWSROOM.articles if article.id in originals}
    copies = {a.title for story in stories for a in story.articles if a.copy_of}
    assert copies <= texts


def check_hard_cases(groups: list[set[str]], truth: dict[str, str]) -> None:
    """What the newsroom was written to be hard about."""
    events = [{truth[article] for article in group} for group in groups]
    visit = {article for article, event in truth.items() if event == "kherson-luhansk-visit"}
    assert visit in groups, "the visit is one story, and nothing else is in it"
    for article in NEWSROOM.articles:
        if article.event.startswith(("briefing-", "de-morgen-")):
            assert {article.id} in groups, "a round-up stands alone"
    for event in NEWSROOM.events:
        if event.resembles:
            assert not any({event.key, event.resembles} <= told for told in events)


async def test_the_feed_names_and_links_every_outlet(database_url: str) -> None:
    async with on_stage(NEWSROOM, LATER) as stage:
        settings = newsroom_settings(database_url, stage)
        async with opened(settings) as application:
            await full_pass(application, everything=True)
            stories = await all_stories(application)
            document = application.publisher.document(*FEED)
    assert document is not None
    parsed = feedparser.parse(document.body)
    assert not parsed.bozo
    entries = {entry.id: entry for entry in parsed.entries}
    assert set(entries) == {story.uri for story in stories}
    for story in stories:
        entry = entries[story.uri]
        assert entry.title == story.lead.title
        linked = {link.href for link in entry.links}
        assert {article.url for article in story.articles} <= linked
        for article in story.articles:
            assert escape(article.outlet) in entry.content[0].value


async def test_three_days_bring_nothing_twice_and_lose_nothing(database_url: str) -> None:
    """Polled every two hours while the news comes in, with a restart in between each time."""
    begin = min(article.published for article in NEWSROOM.articles)
    end = max(article.published for article in NEWSROOM.articles) + timedelta(hours=2)
    seen: dict[str, datetime] = {}
    async with on_stage(NEWSROOM, begin) as stage:
        settings = newsroom_settings(database_url, stage)
        while stage.moment < end:
            stage.moment += timedelta(hours=8)
            async with opened(settings, lambda: stage.moment) as application:
                await full_pass(application, everything=True)
                stories = await all_stories(application)
            for story in stories:
                assert story.updated_at >= seen.get(story.uri, story.updated_at)
                seen[story.uri] = story.updated_at
    shown = {article for group in identities(NEWSROOM, stories).values() for article in group}
    assert shown == {article.id for article in NEWSROOM.articles}
    assert {story.uri for story in stories} <= set(seen)


class Outlets:
    """A handful of scripted feeds on one loopback server."""

    def __init__(self) -> None:
        self.hung = asyncio.Event()
        self.items: dict[str, str] = {}
        self.requests: list[tuple[str, str | None]] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{name}", self.answer)])

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.requests.append((name, request.headers.get("if-none-match")))
        if name == "hangs":
            await self.hung.wait()
        if name == "fails":
            return Response("no", 500)
        if name == "page":
            return Response("<html><body>Hello", media_type="text/html")
        if name not in self.items:
            return Response("gone", 404)
        body = (
            f"<rss version='2.0'><channel><title>{name}</title>{self.items[name]}</channel></rss>"
        )
        etag = f'"{hash(body)}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304)
        return Response(body, media_type="application/rss+xml", headers={"ETag": etag})


def item(number: int, words: str) -> str:
    return (
        f"<item><title>{words}</title><guid isPermaLink='false'>{number}</guid>"
        f"<description>{words} and more about it, in a few words.</description></item>"
    )


async def test_sources_that_fail_are_listed_and_stop_nobody(database_url: str) -> None:
    outlets = Outlets()
    outlets.items = {"good": item(1, "Harbour bridge reopens after repairs")}
    async with serve(outlets.app()) as url:
        sources: list[dict[str, object]] = [
            {"url": f"{url}/{name}", "name": name}
            for name in ("good", "fails", "missing", "page", "hangs")
        ]
        sources.append({"url": "http://10.255.255.1/feed", "name": "private"})
        settings = settings_for(database_url, sources, fetch={"timeout": "500ms"})
        async with opened(settings) as application:
            await full_pass(application, everything=True)
            failed = application.tally.failed
            found = await application.ledger.read(totals)
        outlets.hung.set()
    assert found.entries == found.stories == 1
    assert set(failed) == {"fails", "missing", "page", "hangs", "private"}
    assert "500" in failed["fails"]
    assert "404" in failed["missing"]
    assert "not a feed" in failed["page"]
    assert "10.255.255.1" in failed["private"]


async def test_a_changed_entry_is_read_again_and_keeps_its_story(database_url: str) -> None:
    outlets = Outlets()
    outlets.items = {"good": item(1, "Harbour bridge reopens")}
    async with serve(outlets.app()) as url:
        settings = settings_for(database_url, [{"url": f"{url}/good", "name": "Good"}])
        async with opened(settings) as application:
            await full_pass(application, everything=True)
            (before,) = await all_stories(application)
            outlets.items = {"good": item(1, "Harbour bridge reopens, then closes again")}
            await full_pass(application, everything=True)
            (after,) = await all_stories(application)
            document = application.publisher.document(*FEED)
    assert after.uri == before.uri
    assert after.title == "Harbour bridge reopens, then closes again"
    assert after.updated_at > before.updated_at
    assert document is not None
    assert b"then closes again" in document.body
    assert outlets.requests[-1][1] is not None, "the second request was conditional"


async def test_an_unchanged_feed_is_asked_for_with_its_validators(database_url: str) -> None:
    outlets = Outlets()
    outlets.items = {"good": item(1, "Harbour bridge reopens")}
    async with serve(outlets.app()) as url:
        settings = settings_for(database_url, [{"url": f"{url}/good", "name": "Good"}])
        for _ in range(2):
            async with opened(settings) as application:
                await full_pass(application, everything=True)
                assert application.tally.failed == {}
    assert [conditional is not None for _, conditional in outlets.requests] == [False, True]


@pytest.mark.parametrize("everything", [True, False])
async def test_only_what_is_due_is_polled_unless_all_is_asked_for(
    tmp_path: object, everything: bool
) -> None:
    outlets = Outlets()
    outlets.items = {"good": item(1, "Harbour bridge reopens")}
    url_of_database = f"sqlite:///{tmp_path}/n.db"
    async with serve(outlets.app()) as url:
        settings = settings_for(
            url_of_database, [{"url": f"{url}/good"}], fetch={"min_interval": "1h"}
        )
        async with opened(settings) as application:
            await full_pass(application, everything=False)
            await full_pass(application, everything=everything)
    assert len(outlets.requests) == 1 + everything


async def test_an_operators_word_holds_across_restarts_and_refolds(
    database_url: str, tmp_path: Path
) -> None:
    outlets = Outlets()
    outlets.items = {
        "good": item(1, "Harbour bridge reopens after repairs")
        + item(2, "Parliament votes on the new fishing quota")
    }
    async with serve(outlets.app()) as url:
        settings = settings_for(database_url, [{"url": f"{url}/good", "name": "Good"}])
        async with opened(settings) as application:
            await full_pass(application, everything=True)
            one, other = sorted(await all_stories(application), key=lambda story: story.id)
        join_stories(settings, one.slug, other.slug)
        with pytest.raises(ApplicationError, match="1 correction waits to be obeyed"):
            list(labelled_articles(settings))
        async with opened(settings) as application:
            await full_pass(application, everything=False)
            (joined,) = await all_stories(application)
        assert joined.uri == one.uri, "the older keeps its identity"
        dry = refold_since(settings, EVER, dry_run=True)
        assert dry.startswith("2 articles folded anew. 1 stories stay as they are, 0 change")
        assert refold_since(settings, EVER, dry_run=False) == dry
        assert "0 are new" in refold_since(settings, LATER, dry_run=False)
        async with opened(settings) as application:
            (refolded,) = await all_stories(application)
        assert (refolded.uri, refolded.updated_at) == (joined.uri, joined.updated_at)
        assert {a.id for a in refolded.articles} == {a.id for a in joined.articles}
        exported = list(labelled_articles(settings))
        assert {row["cluster"] for row in exported} == {joined.slug}
        labelled = tmp_path / "labelled.jsonl"
        labelled.write_text("".join(f"{json.dumps(row)}\n" for row in exported), "utf-8")
        rows, bad = read_rows(labelled)
        assert (len(rows), bad) == (2, []), "what train and evaluate read"
        assert {row.cluster for row in rows} == {joined.slug}
        assert "operator" in explanation(settings, str(joined.articles[1].id))

        split_story(settings, joined.slug, [joined.articles[1].id])
        async with opened(settings) as application:
            await full_pass(application, everything=False)
            apart = await all_stories(application)
        assert {story.uri: story.title for story in apart} == {
            one.uri: one.title,
            other.uri: other.title,
        }, "each is again what subscribers have read it as"
        for wrong in ([4711], [article.id for article in joined.articles]):
            with pytest.raises(ApplicationError, match=r"does not hold|would be empty"):
                split_story(settings, one.slug, wrong)
        with pytest.raises(ApplicationError, match="there is no story"):
            join_stories(settings, one.slug, "nothing")
