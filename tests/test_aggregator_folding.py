"""The folder over a real database and the real matcher, on a handful of made-up articles."""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import (
    MINUTE,
    NOW,
    add_articles,
    add_sources,
    article_reading,
    commit_poll,
    latest_stories,
    source_config,
)
from conftest import ONE_ENGINE
from fakes import FakeClock

from aggregator.ledger import Ledger
from aggregator.matching.model import Model
from aggregator.stages.fold.folding import Folder
from aggregator.stages.tally import Tally
from storage.articles import claim_new, commit_reading
from storage.database import Database, open_database
from storage.folding import commit_fold
from storage.values.fold import FoldCommit
from storage.values.publish import StoryView

MODEL = Model.load()
BRIDGE = (
    "The harbour bridge in Northport reopened on Monday after eleven months of repairs. Mayor "
    "Ingrid Salo cut the ribbon before some two thousand people. The contractor Halvorsen had "
    "replaced forty steel cables and the whole deck, at a cost of 84 million crowns. Lorries over "
    "thirty tonnes stay banned until the spring, when inspectors will look at the eastern pier."
)
VOLCANO = (
    "Mount Takara threw ash six kilometres high on Tuesday and closed the airport of Lowen for the "
    "second time this month. Vulcanologists of the national survey raised the alert to orange. "
    "Some nine hundred people left three villages on the southern slope; nobody was hurt."
)


class LedgerThatFails(Ledger):
    """Refuses the next fold commits, as a full disk would."""

    failures = 0

    async def write(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if function is commit_fold and self.failures:
            self.failures -= 1
            raise OSError("disk full")
        return await super().write(function, *args, **kwargs)


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
def ledger(database_url: str) -> Iterator[LedgerThatFails]:
    ledger = LedgerThatFails(open_database(database_url))
    names = ("times", "post", "echo")
    add_sources(ledger.database, *(source_config(name) for name in names))
    yield ledger
    ledger.close()


def folder(ledger: Ledger, clock: FakeClock | None = None) -> Folder:
    numbers = itertools.count(len(latest_stories(ledger.database)))

    def mint(_: datetime) -> tuple[str, str]:
        number = next(numbers)
        return f"tag:news.example,2026-11-22:story/{number}", f"slug{number}"

    return Folder(ledger, MODEL, mint, clock or FakeClock(), Tally())


def add(  # noqa: PLR0917 - an article reads best as one line
    database: Database, source: int, guid: str, title: str, text: str, at: datetime = NOW
) -> int:
    """An article that has been read; its id."""
    (article_id,) = add_articles(database, source, guid, at=at)
    publisher = ("", "times", "post", "echo")[source]
    for article in claim_new(database, at, at, 100):
        if article.id == article_id:
            commit_reading(
                database,
                article_reading(
                    article_id,
                    title=title,
                    text=text,
                    matching_text=text,
                    publisher=f"{publisher}.example",
                    outlet=publisher.title(),
                    published=at,
                    text_hash=f"{title}{text}",
                ),
            )
    return article_id


def three_articles(database: Database) -> None:
    add(database, 1, "a", "Harbour bridge in Northport reopens", BRIDGE)
    add(database, 2, "b", "Mount Takara closes Lowen airport", VOLCANO, NOW + MINUTE)
    add(database, 3, "c", "Northport's harbour bridge opens again", BRIDGE, NOW + 2 * MINUTE)


async def fold_all(folder: Folder) -> None:
    for batch in await folder.claim(1):
        await folder.fold(batch)


def stories(ledger: Ledger) -> tuple[StoryView, ...]:
    return latest_stories(ledger.database)


def shape(ledger: Ledger) -> dict[str, tuple[int, ...]]:
    return {
        story.slug: tuple(article.id for article in story.articles) for story in stories(ledger)
    }


async def test_copies_join_and_other_events_do_not(ledger: LedgerThatFails) -> None:
    three_articles(ledger.database)
    await fold_all(folder(ledger))
    assert shape(ledger) == {"slug0": (1, 3), "slug1": (2,)}
    bridge = next(story for story in stories(ledger) if story.slug == "slug0")
    assert bridge.outlets == 1, "a copy is no independent voice"
    assert bridge.articles[1].copy_of == 1
    assert bridge.articles[1].reason["kind"] == "copy"


async def test_with_nothing_to_fold_there_is_no_batch(ledger: LedgerThatFails) -> None:
    assert await folder(ledger).claim(1) == ()


async def test_after_a_failed_commit_the_batch_is_folded_as_if_nothing_had_been(
    ledger: LedgerThatFails,
) -> None:
    three_articles(ledger.database)
    one = folder(ledger)
    ledger.failures = 1
    (batch,) = await one.claim(1)
    with pytest.raises(OSError, match="disk full"):
        await one.fold(batch)
    assert shape(ledger) == {}
    await fold_all(one)
    groups = sorted(shape(ledger).values())
    assert groups == [(1, 3), (2,)], "no article met its own shadow in the index"


async def test_interrupted_and_uninterrupted_folding_agree(
    ledger: LedgerThatFails, tmp_path: Path
) -> None:
    """A new folder for each article, and one for all of them."""
    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    whole = Ledger(other)
    add_sources(other, *(source_config(name) for name in ("times", "post", "echo")))
    steps = [
        (1, "a", "Harbour bridge in Northport reopens", BRIDGE),
        (2, "b", "Mount Takara closes Lowen airport", VOLCANO),
        (3, "c", "Northport's harbour bridge opens again", BRIDGE),
        (2, "d", "Ash from Takara grounds flights", VOLCANO.replace("six", "seven")),
    ]
    steady = folder(whole)
    for number, (source, guid, title, text) in enumerate(steps):
        at = NOW + number * MINUTE
        for database in (ledger.database, other):
            add(database, source, guid, title, text, at)
        await fold_all(folder(ledger))
        await fold_all(steady)
    assert shape(ledger) == shape(whole)
    scores = [
        [(a.id, a.score, a.reason) for story in stories(one) for a in story.articles]
        for one in (ledger, whole)
    ]
    assert scores[0] == scores[1]
    whole.close()


@pytest.mark.parametrize(
    ("text_hash", "moves"), [("another text", True), ("Harbour bridge" + BRIDGE, False)]
)
async def test_a_revised_lead_moves_updated_only_if_its_text_changed(
    ledger: LedgerThatFails, text_hash: str, moves: bool
) -> None:
    database = ledger.database
    clock = FakeClock()
    one = folder(ledger, clock)
    article_id = add(database, 1, "a", "Harbour bridge", BRIDGE)
    await fold_all(one)
    (before,) = stories(ledger)
    from builders import entry_write, poll_commit

    changed = (entry_write("a", content_hash="other"),)
    commit_poll(database, poll_commit(1, at=NOW + MINUTE, changed=changed))
    clock.move(timedelta(hours=1))
    (again,) = claim_new(database, NOW, NOW, 10)
    reading = article_reading(article_id, title="Harbour bridge", text_hash=text_hash)
    commit_reading(database, reading)
    assert again.id == article_id
    await fold_all(one)
    (after,) = stories(ledger)
    assert after.uri == before.uri
    assert (after.updated_at > before.updated_at) is moves
    assert await one.claim(1) == ()


async def test_one_more_outlet_does_not_move_updated(ledger: LedgerThatFails) -> None:
    one = folder(ledger)
    add(ledger.database, 1, "a", "Harbour bridge in Northport reopens", BRIDGE)
    await fold_all(one)
    (before,) = stories(ledger)
    add(ledger.database, 3, "c", "Northport's harbour bridge opens again", BRIDGE, NOW + MINUTE)
    await fold_all(one)
    (after,) = stories(ledger)
    assert len(after.articles) == 2
    assert (after.uri, after.updated_at, after.lead.id) == (
        before.uri,
        before.updated_at,
        before.lead.id,
    )


async def test_an_empty_step_writes_nothing_of_consequence(ledger: LedgerThatFails) -> None:
    commit_fold(ledger.database, FoldCommit(at=NOW))
    assert shape(ledger) == {}
