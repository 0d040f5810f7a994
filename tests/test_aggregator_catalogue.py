"""What outputs hold over time: sequences, filters, pages and archives, over a real database."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_sources,
    add_story,
    as_write,
    fold,
    read_articles,
    source_config,
)
from conftest import ONE_ENGINE
from feed_rules import atom_complaints, rss_complaints
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.catalogue import Asked
from aggregator.stages.publish.masthead import Identity
from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.publish.requested import Requested
from storage.database import Database, open_database
from storage.folding import stories_of
from storage.values.fold import StoryState
from storage.values.source import SourceState

COMPLAINTS: dict[str, Callable[[bytes], list[str]]] = {
    "atom": atom_complaints,
    "rss": rss_complaints,
    "json": lambda _: [],
}
TOKEN = "0123456789abcdef-token"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


class Newsroom:
    """Stories that come one after another, and the outputs that publish them."""

    def __init__(self, url: str) -> None:
        self.ledger = Ledger(open_database(url))
        self.now = NOW
        self.sources = add_sources(
            self.db,
            source_config("times", category="world"),
            source_config("post", category="sport"),
        )
        self._keys = count()
        self._guids = count()

    @property
    def db(self) -> Database:
        return self.ledger.database

    @property
    def times(self) -> SourceState:
        return self.sources[0]

    @property
    def post(self) -> SourceState:
        return self.sources[1]

    def article(self, source: SourceState | None = None, **reading: Any) -> int:
        guid = f"g{next(self._guids)}"
        (number,) = add_articles(self.db, (source or self.times).id, guid, at=self.now)
        reading.setdefault("text_hash", guid)
        reading.setdefault("published", self.now)
        read_articles(self.db, number, at=self.now, **reading)
        return number

    def story(
        self, source: SourceState | None = None, *, reading: Any = None, **changes: Any
    ) -> StoryState:
        self.now += MINUTE
        number = self.article(source, **(reading or {}))
        changes.setdefault("published_at", self.now)
        changes.setdefault("updated_at", self.now)
        return add_story(self.db, next(self._keys), number, at=self.now, **changes)

    def joined_by(self, story: StoryState, source: SourceState) -> None:
        """Another outlet tells ``story``."""
        self.now += MINUTE
        (current,) = stories_of(self.db, [story.key], [])
        members = [member.id for member in current.members] + [self.article(source)]
        fold(self.db, replace(as_write(current), members=tuple(members), outlets=2), at=self.now)

    def publisher(self, *outputs: dict[str, Any], settings: Any = None) -> Publisher:
        self.settings = Settings.model_validate(
            {
                "server": {"base_url": "https://news.example", "title": "News"},
                "source": [
                    {"url": "https://times.example/feed.xml", "name": "Times"},
                    {"url": "https://post.example/feed.xml", "name": "Post"},
                ],
                "output": outputs,
            }
            | (settings or {})
        )
        identity = Identity("news.example", NOW)
        return Publisher(self.ledger, self.settings, identity, lambda: self.now)

    async def published(self, **output: Any) -> list[str]:
        """The titles that an output shows, by a publisher that is started for that."""
        publisher = self.publisher({"name": "feed"} | output)
        await publisher.refresh()
        return titles(publisher)


@pytest.fixture
def room(database_url: str) -> Iterator[Newsroom]:
    room = Newsroom(database_url)
    yield room
    room.ledger.close()


def items(publisher: Publisher, page: int = 1) -> list[dict[str, Any]]:
    document = publisher.document("feed", "json", page)
    assert document
    found: list[dict[str, Any]] = json.loads(document.body)["items"]
    return found


def titles(publisher: Publisher) -> list[str]:
    pages = range(1, publisher.pages("feed") + 1)
    return [item["title"] for page in pages for item in items(publisher, page)]


# --- the sequence -----------------------------------------------------------------------------


async def test_what_was_published_last_comes_first_new_or_not(room: Newsroom) -> None:
    elder = room.story()
    wanted = {"min_outlets": 2}
    room.story(outlets=2)
    assert await room.published(**wanted) == ["Story 1"]
    room.story(outlets=2)
    assert await room.published(**wanted) == ["Story 2", "Story 1"]
    room.joined_by(elder, room.post)
    assert await room.published(**wanted) == ["Story 0", "Story 2", "Story 1"]


async def test_the_limit_counts_what_passed_the_filters(room: Newsroom) -> None:
    rare = room.story(room.post)
    for _ in range(10):
        room.story()
    assert await room.published(categories=["sport"], limit=2) == [rare.title]
    assert await room.published(sources=["Post"], limit=2) == [rare.title]
    assert await room.published(sources=["https://post.example/feed.xml"]) == [rare.title]
    assert rare.title not in await room.published(exclude_sources=["Post"], limit=100)


async def test_a_story_waits_for_its_coverage_and_then_comes_by_itself(room: Newsroom) -> None:
    story = room.story()
    publisher = room.publisher({"name": "feed", "settle": "30m"}, {"name": "now"})
    await publisher.refresh()
    assert titles(publisher) == []
    room.now += 29 * MINUTE
    await publisher.refresh()
    assert titles(publisher) == []
    room.now += MINUTE
    assert await publisher.refresh(), "time alone makes it ripe"
    assert titles(publisher) == [story.title]
    assert not await publisher.refresh()


async def test_a_story_that_ripened_while_nobody_looked_is_not_missed(room: Newsroom) -> None:
    room.story()
    assert await room.published(settle="30m") == []
    room.now += 5 * HOUR
    room.story()
    room.now += 5 * HOUR
    assert await room.published(settle="30m") == ["Story 1", "Story 0"]


async def test_what_is_too_old_goes_by_itself(room: Newsroom) -> None:
    room.story()
    publisher = room.publisher({"name": "feed", "max_age": "2h"})
    await publisher.refresh()
    assert titles(publisher) == ["Story 0"]
    room.now += 3 * HOUR
    await publisher.refresh()
    assert titles(publisher) == []
    assert not publisher.progress("feed").archives


async def test_most_covered_first_and_a_share_for_each_source(room: Newsroom) -> None:
    for outlets in (1, 3, 2, 3):
        room.story(outlets=outlets)
    assert await room.published(order="covered") == ["Story 3", "Story 1", "Story 2", "Story 0"]
    room.story(room.post)
    assert await room.published(per_source=1) == ["Story 4", "Story 3"]


async def test_words_decide_and_are_judged_once(room: Newsroom) -> None:
    room.story(title="Quakes shake town")
    room.story(title="Weather", reading={"text": "There was an earthquake."})
    room.story(title="Quake of the season", reading={"text": "A football match."})
    wanted = {"include": ["quakes", "earthquake", {"regex": "^quake", "in": "title"}]}
    assert len(await room.published(**wanted)) == 3
    shown = await room.published(**wanted, exclude=[{"keyword": "football", "in": "text"}])
    assert shown == ["Weather", "Quakes shake town"]


async def test_another_filter_begins_anew_and_back_again(room: Newsroom) -> None:
    room.story(room.times)
    room.story(room.post)
    assert await room.published() == ["Story 1", "Story 0"]
    assert await room.published(categories=["world"]) == ["Story 0"]
    assert await room.published(title="Renamed", categories=["world"]) == ["Story 0"]
    assert await room.published() == ["Story 1", "Story 0"]


async def test_a_story_that_ended_goes_and_may_come_back(room: Newsroom) -> None:
    one, two = room.story(), room.story()
    publisher = room.publisher({"name": "feed"})
    await publisher.refresh()
    members = (one.members[0].id, two.members[0].id)
    fold(room.db, as_write(one, members=members), at=room.now, retired={two.id: 0})
    await publisher.refresh()
    assert titles(publisher) == ["Story 0"]
    fold(room.db, as_write(one), as_write(two), at=room.now + MINUTE)
    await publisher.refresh()
    assert titles(publisher) == ["Story 1", "Story 0"]


async def test_what_a_filter_could_not_tell_is_logged(room: Newsroom) -> None:
    import regex
    from structlog.testing import capture_logs

    from aggregator.text_rules import Rule

    publisher = room.publisher({"name": "feed", "exclude": ["x"]})
    slow = Rule(regex.compile("(z+)+$"), "text")
    rules = publisher._catalogue._rules
    rules["feed"] = replace(rules["feed"], exclude=(slow,))
    room.story(reading={"text": "z" * 5000 + "!"})
    with capture_logs() as logs:
        await publisher.refresh()
    assert titles(publisher) == ["Story 0"]
    assert [(log["output"], log["items"]) for log in logs] == [("feed", 1)]


# --- when a document changed ------------------------------------------------------------------


async def test_last_modified_moves_with_the_configuration_and_not_with_a_restart(
    room: Newsroom,
) -> None:
    room.story()
    modified: list[datetime] = []
    for title in ("One", "One", "Two", "Two", "One"):
        publisher = room.publisher({"name": "feed", "title": title})
        await publisher.refresh()
        document = publisher.document("feed", "atom")
        assert document
        modified.append(document.last_modified)
        room.now += HOUR
    assert modified == sorted(modified)
    assert [a == b for a, b in pairwise(modified)] == [
        True,
        False,
        True,
        False,
    ]


async def test_two_changes_within_a_second_differ(room: Newsroom) -> None:
    publisher = room.publisher({"name": "feed"})
    seen = set()
    for _ in range(3):
        await publisher.refresh()
        document = publisher.document("feed", "atom")
        assert document
        seen.add(document.last_modified)
        number = room.article()
        add_story(room.db, next(room._keys), number, at=NOW + timedelta(milliseconds=5))
    assert len(seen) == 3


# --- pages and archives -----------------------------------------------------------------------


def links(body: bytes, form: str) -> dict[str, str]:
    if form == "json":
        return {"next": url} if (url := json.loads(body).get("next_url")) else {}
    root = etree.fromstring(body)
    found = root.findall(ATOM + "link") or root.findall(f"channel/{ATOM}link")
    return {str(link.get("rel")): str(link.get("href")) for link in found}


async def everything(
    publisher: Publisher, requested: Requested, form: str
) -> list[tuple[str, bytes]]:
    """Every document of the output, by its links alone: pages, then archives."""
    addresses = [f"https://news.example/feed.{form}"]
    documents: list[tuple[str, bytes]] = []
    while addresses:
        address = addresses.pop(0)
        body = await fetched(address, publisher, requested)
        assert address not in dict(documents)
        documents.append((address, body))
        onward = links(body, form)
        following = [onward[name] for name in ("next", "prev-archive") if name in onward]
        addresses += [address for address in following if address not in addresses]
    return documents


async def fetched(address: str, publisher: Publisher, requested: Requested) -> bytes:
    path, _, form = address.removeprefix("https://news.example/").rpartition(".")
    parts = path.split("/")
    if "archive" in parts:
        output = requested_output(publisher)
        document = await requested.archive(output, int(parts[-1]), form)
    else:
        document = publisher.document("feed", form, int(parts[1]) if len(parts) > 1 else 1)
    assert document, address
    return document.body


def requested_output(publisher: Publisher) -> Any:
    return publisher._settings.output[0]


def ids(body: bytes, form: str) -> list[str]:
    if form == "json":
        return [item["id"] for item in json.loads(body)["items"]]
    root = etree.fromstring(body)
    path = f"{ATOM}entry/{ATOM}id" if form == "atom" else "channel/item/guid"
    return [str(element.text) for element in root.findall(path)]


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
async def test_pages_and_archives_hold_every_story_once_in_order(room: Newsroom, form: str) -> None:
    output = {"name": "feed", "limit": 6, "max_bytes": 20_000}
    publisher = room.publisher(output)
    told: list[str] = []
    for _ in range(25):
        told.append(room.story().uri)
        await publisher.refresh()
    requested = Requested(room.ledger, room.settings, publisher)
    documents = await everything(publisher, requested, form)
    assert len(documents) > 5
    unique = dict.fromkeys(one for _, body in documents for one in ids(body, form))
    archived = [one for url, body in documents if "archive" in url for one in ids(body, form)]
    assert sorted(unique) == sorted(told), "all of them"
    assert archived == sorted(archived, key=told.index, reverse=True), "in order"
    assert len(archived) == len(set(archived)), "each once"
    first = ids(documents[0][1], form)
    assert first == list(reversed(told))[: len(first)]
    assert set(told) - set(archived) <= set(first), "what is in no archive is in the first"
    for url, body in documents:
        assert len(body) < 25_000
        assert COMPLAINTS[form](body) == []
        if form != "json":
            assert (b"fh:archive" in body.split(b"xmlns")[-1].partition(b">")[2]) == (
                "archive" in url
            )


@hypothesis_settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    batches=st.lists(st.integers(1, 8), min_size=1, max_size=4),
    limit=st.integers(1, 7),
    lengths=st.lists(st.integers(0, 6000), min_size=3, max_size=3),
)
async def test_any_output_is_complete(
    batches: Sequence[int], limit: int, lengths: Sequence[int], tmp_path_factory: Any
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('any') / 'n.db'}"
    open_database(url).close()
    room = Newsroom(url)
    publisher = room.publisher(
        {"name": "feed", "limit": limit, "max_bytes": 10_000, "content": "full", "republish": True}
    )
    told: list[str] = []
    for batch in batches:
        for number in range(batch):
            html = "<p>" + "word " * (lengths[number % 3] // 5) + "</p>"
            told.append(room.story(reading={"html": html}).uri)
        await publisher.refresh()
    requested = Requested(room.ledger, room.settings, publisher)
    documents = await everything(publisher, requested, "atom")
    pages = [one for url, body in documents if "archive" not in url for one in ids(body, "atom")]
    archived = [one for url, body in documents if "archive" in url for one in ids(body, "atom")]
    assert pages == list(reversed(told))[: len(pages)]
    assert len(pages) == min(limit, len(told)), "the pages share the newest, each once, in order"
    assert archived == sorted(set(archived), key=told.index, reverse=True)
    assert set(pages) | set(archived) == set(told)
    room.ledger.close()


async def test_a_closed_archive_never_changes(room: Newsroom) -> None:
    output = {"name": "feed", "limit": 4}
    stories = [room.story() for _ in range(10)]
    publisher = room.publisher(output)
    await publisher.refresh()
    requested = Requested(room.ledger, room.settings, publisher)
    closed = publisher.progress("feed").archives
    assert closed >= 3
    before = {
        (number, form): (await requested.archive(requested_output(publisher), number, form))
        for number in range(1, closed + 1)
        for form in ("atom", "rss", "json")
    }
    one, two = stories[0], stories[1]
    members = (one.members[0].id, two.members[0].id)
    fold(
        room.db,
        as_write(one, members=members, title="Other", updated_at=room.now),
        at=room.now + MINUTE,
        retired={two.id: 0},
    )
    for _ in range(5):
        room.story()
    again = room.publisher(output | {"title": "Renamed", "subtitle": "x"})
    await again.refresh()
    requested = Requested(room.ledger, room.settings, again)
    for (number, form), document in before.items():
        assert await requested.archive(requested_output(again), number, form) == document
        assert document
        assert document.last_modified <= NOW + 2 * HOUR


async def test_archives_know_their_place(room: Newsroom) -> None:
    for _ in range(9):
        room.story()
    publisher = room.publisher({"name": "feed", "limit": 4, "token": TOKEN})
    await publisher.refresh()
    closed = publisher.progress("feed").archives
    requested = Requested(room.ledger, room.settings, publisher)
    document = publisher.document("feed", "atom")
    assert document
    at = f"https://news.example/feed/archive/{{}}.atom?token={TOKEN}"
    assert links(document.body, "atom")["prev-archive"] == at.format(closed)
    last = await requested.archive(requested_output(publisher), closed, "atom")
    assert last
    found = links(last.body, "atom")
    assert found["current"] == f"https://news.example/feed.atom?token={TOKEN}"
    assert found["prev-archive"] == at.format(closed - 1)
    assert found["next-archive"] == at.format(closed + 1)
    assert found["self"] == at.format(closed)
    eldest = await requested.archive(requested_output(publisher), 1, "atom")
    assert eldest
    assert "prev-archive" not in links(eldest.body, "atom")
    assert await requested.archive(requested_output(publisher), closed + 1, "atom") is None


async def test_whole_articles_in_an_archive_stay_guarded(room: Newsroom) -> None:
    for _ in range(5):
        room.story()
    full = room.publisher({"name": "feed", "limit": 2, "content": "full", "token": TOKEN})
    await full.refresh()
    assert full.progress("feed").archives
    for later, seen in (
        ({"limit": 2}, False),
        ({"limit": 2, "token": TOKEN}, True),
        ({"limit": 2, "republish": True}, True),
    ):
        publisher = room.publisher({"name": "feed"} | later)
        await publisher.refresh()
        requested = Requested(room.ledger, room.settings, publisher)
        document = await requested.archive(requested_output(publisher), 1, "atom")
        assert (document is not None) is seen


# --- articles ---------------------------------------------------------------------------------


async def test_an_output_of_articles_leaves_out_only_what_is_the_same(room: Newsroom) -> None:
    one = room.story(reading={"title": "A", "text_hash": "same"})
    two = room.story(room.post, reading={"title": "A", "text_hash": "same"})
    three = room.story(room.post, reading={"title": "B"})
    members = tuple(story.members[0].id for story in (one, two, three))
    fold(room.db, as_write(one, members=members), at=room.now, retired={two.id: 0, three.id: 0})
    publisher = room.publisher({"name": "feed", "fold": False})
    await publisher.refresh()
    assert titles(publisher) == ["B", "A"]
    for item in items(publisher):
        assert item["id"].startswith("tag:news.example,2026-11-22:entry/"), "g0 is no URI"
        assert item["id"].endswith(("/g0", "/g2"))
        assert item["_newsfold"]["outlets"] == 1
    room.story(reading={"title": "C"})
    await publisher.refresh()
    assert titles(publisher) == ["C", "B", "A"]
    assert await room.published(fold=False, sources=["Post"]) == ["B", "A"]
    assert await room.published(fold=False, exclude_sources=["Post"]) == ["C", "A"]
    sport = await room.published(fold=False, categories=["sport"], languages=["en"])
    assert sport == ["B", "A"], "what it does not show leaves nothing out of it"
    assert await room.published(fold=False, include=["b"]) == ["B"]
    assert await room.published(fold=False, max_age="1s") == ["C"]


async def test_an_output_of_articles_has_pages_and_archives_too(room: Newsroom) -> None:
    for _ in range(9):
        room.story()
    publisher = room.publisher({"name": "feed", "limit": 4, "fold": False})
    await publisher.refresh()
    requested = Requested(room.ledger, room.settings, publisher)
    documents = await everything(publisher, requested, "rss")
    assert len({one for _, body in documents for one in ids(body, "rss")}) == 9


# --- a part of an output ----------------------------------------------------------------------


async def test_a_part_of_an_output(room: Newsroom) -> None:
    room.story(title="A flood", reading={"text": "Water."})
    room.story(room.post, title="A match", reading={"text": "The flood of goals."}, language="de")
    room.story(title="Rain")
    publisher = room.publisher({"name": "feed", "limit": 2})
    await publisher.refresh()
    requested = Requested(room.ledger, room.settings, publisher)
    output = requested_output(publisher)

    async def part(**asked: Any) -> list[str]:
        document = await requested.part(output, "json", 1, Asked(**asked))
        assert document
        return [item["title"] for item in json.loads(document.body)["items"]]

    assert await part(words=("flood",)) == ["A match", "A flood"]
    assert await part(words=("flood", "water")) == ["A flood"]
    assert await part(categories=("sport",)) == ["A match"]
    assert await part(languages=("de",)) == ["A match"]
    assert await part(limit=3) == ["Rain", "A match", "A flood"]
    assert await part(words=("nothing",)) == []
    assert titles(publisher) == ["Rain", "A match"], "the output itself is as it was"
    asked = Asked(words=("flood",))
    document = await requested.part(output, "json", 1, asked)
    assert document is await requested.part(output, "json", 1, asked), "it is kept"
    assert document
    assert json.loads(document.body)["feed_url"].endswith("/feed.json?q=flood")
    assert await requested.part(output, "json", 2, asked) is None
    room.story(title="More flood")
    await publisher.refresh()
    assert await part(words=("flood",)) == ["More flood", "A match"]


async def test_what_was_asked_for_longest_ago_is_let_go(room: Newsroom) -> None:
    room.story()
    publisher = room.publisher({"name": "feed"})
    await publisher.refresh()
    requested = Requested(room.ledger, room.settings, publisher)
    output = requested_output(publisher)
    first = await requested.part(output, "atom", 1, Asked(limit=1))
    for limit in range(2, 40):
        await requested.part(output, "atom", 1, Asked(limit=limit))
    again = await requested.part(output, "atom", 1, Asked(limit=1))
    assert again == first
    assert again is not first
