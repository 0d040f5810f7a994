import asyncio
import gzip
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import pytest
from builders import (
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_story,
    as_write,
    fold,
    latest_stories,
    read_articles,
)
from conftest import ONE_ENGINE

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.documents import Document, make_document
from aggregator.stages.publish.masthead import Identity
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from feeds.writing.http_cache import IDENTITY
from storage.database import open_database
from storage.publishing import stories_by_id
from storage.sources import sync_sources
from storage.values.source import SourceConfig

IDENTITY_OF_FEEDS = Identity("news.example", NOW)
TOKEN = "a token of some length"


class CountingLedger(Ledger):
    """Knows how often stories were read."""

    reads = 0

    async def read(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.reads += function is stories_by_id
        return await super().read(function, *args, **kwargs)


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
def ledger(database_url: str) -> Iterator[CountingLedger]:
    ledger = CountingLedger(open_database(database_url))
    yield ledger
    ledger.close()


def settings(*outputs: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {"server": {"base_url": "https://news.example", "title": "News"}, "output": outputs}
    )


def publisher(ledger: Ledger, *outputs: dict[str, Any]) -> Publisher:
    return Publisher(ledger, settings(*outputs), IDENTITY_OF_FEEDS)


def one_story(ledger: Ledger) -> Any:
    source = add_source(ledger.database)
    (article_id,) = add_articles(ledger.database, source.id, "a")
    read_articles(ledger.database, article_id)
    return add_story(ledger.database, 0, article_id)


def documents(publisher: Publisher, name: str = "feed") -> list[Document]:
    found = [publisher.document(name, form) for form in FORMATS]
    assert all(found)
    return [document for document in found if document]


async def test_before_the_first_refresh_there_is_nothing(ledger: CountingLedger) -> None:
    assert publisher(ledger).document("feed", "atom") is None


async def test_every_output_has_a_document_in_every_format(ledger: CountingLedger) -> None:
    one_story(ledger)
    one = publisher(ledger, {"name": "a"}, {"name": "b", "min_outlets": 2})
    assert await one.refresh()
    assert all(b"Story 0" in document.body for document in documents(one, "a"))
    assert all(b"Story 0" not in document.body for document in documents(one, "b"))
    assert one.document("feed", "atom") is None
    assert one.document("a", "xml") is None


async def test_nothing_is_rendered_while_nothing_changes(ledger: CountingLedger) -> None:
    one_story(ledger)
    one = publisher(ledger)
    assert await one.refresh()
    before = documents(one)
    assert not await one.refresh()
    assert ledger.reads == 1
    assert all(a is b for a, b in zip(before, documents(one), strict=True))


async def test_refreshing_together_renders_once(ledger: CountingLedger) -> None:
    one_story(ledger)
    one = publisher(ledger)
    did = await asyncio.gather(*(one.refresh() for _ in range(10)))
    assert sorted(did) == [False] * 9 + [True]
    assert ledger.reads == 1


async def test_a_restart_gives_the_same_documents(ledger: CountingLedger) -> None:
    one_story(ledger)
    first, second = publisher(ledger), publisher(ledger)
    await first.refresh()
    await second.refresh()
    assert documents(first) == documents(second)


async def test_an_output_without_stories_is_the_same_for_ever(ledger: CountingLedger) -> None:
    first, second = publisher(ledger), publisher(ledger)
    await first.refresh()
    await second.refresh()
    assert documents(first) == documents(second)
    assert documents(first)[0].last_modified == NOW


async def test_a_changed_story_changes_the_documents_and_their_tags(
    ledger: CountingLedger,
) -> None:
    story = one_story(ledger)
    one = publisher(ledger)
    await one.refresh()
    before = documents(one)
    changed = as_write(story, title="Another title", updated_at=NOW + MINUTE)
    fold(ledger.database, changed, at=NOW + MINUTE)
    assert await one.refresh()
    for old, new in zip(before, documents(one), strict=True):
        assert b"Another title" in new.body
        assert new.last_modified > old.last_modified
        assert not {tag for _, tag in old.codings.values()} & {
            tag for _, tag in new.codings.values()
        }


async def test_what_does_not_change_the_bytes_changes_no_document(ledger: CountingLedger) -> None:
    story = one_story(ledger)
    one = publisher(ledger)
    await one.refresh()
    before = documents(one)
    fold(ledger.database, as_write(story), at=NOW + MINUTE)
    assert await one.refresh(), "the story was written again"
    assert all(a is b for a, b in zip(before, documents(one), strict=True))


async def test_renaming_a_source_shows(ledger: CountingLedger) -> None:
    one_story(ledger)
    one = publisher(ledger)
    await one.refresh()
    config = SourceConfig("https://times.example/feed.xml", "The New Times", "times.example")
    sync_sources(ledger.database, [config], NOW)
    assert await one.refresh()
    assert b"The New Times" in documents(one)[0].body


async def test_full_text_stands_only_in_outputs_that_are_guarded(ledger: CountingLedger) -> None:
    one_story(ledger)
    one = publisher(ledger, {"name": "open"}, {"name": "full", "content": "full", "token": TOKEN})
    await one.refresh()
    for document in documents(one, "open"):
        assert b"The text." not in document.body
        assert TOKEN.encode() not in document.body
        assert b"a%20token" not in document.body
    assert all(b"The text." in document.body for document in documents(one, "full"))


def test_every_coding_holds_the_same_under_a_tag_of_its_own() -> None:
    document = make_document(b"abc" * 100, "text/plain", NOW.replace(microsecond=5))
    assert brotli.decompress(document.codings["br"][0]) == document.body
    assert gzip.decompress(document.codings["gzip"][0]) == document.body
    assert document.codings[IDENTITY][0] == document.body
    assert len({tag for _, tag in document.codings.values()}) == 3
    assert document.last_modified == NOW
    assert make_document(b"abc" * 100, "text/plain", NOW) == document


async def test_the_id_of_an_output_is_settled_at_the_first_start(
    ledger: CountingLedger,
) -> None:
    await (one := publisher(ledger)).refresh()
    assert b"tag:news.example,2026-11-22:feed/feed" in documents(one)[0].body
    latest = latest_stories(ledger.database)
    assert latest == ()
