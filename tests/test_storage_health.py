"""How sources are doing, what came of their polls, and what was published when."""

from datetime import date, timedelta

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_sources,
    commit_poll,
    decision,
    entry_write,
    fold,
    poll_commit,
    read_articles,
    source_config,
    story_write,
)

from storage.database import Database
from storage.days import DayCount, days_since
from storage.fetches import KEPT, recent_fetches
from storage.folding import commit_fold
from storage.health import DAYS, figures_of, latest_articles, source_figures, sources_standing
from storage.sources import sync_sources
from storage.story_details import NO_DETAILS, story_details
from storage.values.fold import FoldCommit

DAY = timedelta(days=1)
LONG_AGO = date(2020, 1, 1)


# --- polls ------------------------------------------------------------------------------------


def test_the_last_polls_are_kept_and_no_more(database: Database) -> None:
    one, two = add_sources(database, source_config("one"), source_config("two"))
    commit_poll(database, poll_commit(two.id, outcome="failed", error="no answer", status=None))
    for number in range(KEPT + 5):
        commit_poll(database, poll_commit(one.id, at=NOW + number * MINUTE, seconds=0.5))
    kept = recent_fetches(database, one.id, 1000)
    assert len(kept) == KEPT
    assert kept[0].at == NOW + (KEPT + 4) * MINUTE
    assert kept[-1].at == NOW + 5 * MINUTE
    assert len(recent_fetches(database, one.id, 7)) == 7
    (other,) = recent_fetches(database, two.id, 10)
    assert (other.outcome, other.detail, other.status) == ("failed", "no answer", None)


# --- days -------------------------------------------------------------------------------------


def test_a_source_has_a_rhythm_by_day_of_publication(database: Database) -> None:
    source = add_source(database)
    published = [NOW, NOW - HOUR, NOW - 2 * DAY, NOW - 100 * DAY, None]
    writes = [entry_write(f"g{n}", published=at) for n, at in enumerate(published)]
    commit_poll(database, poll_commit(source.id, *writes))
    commit_poll(database, poll_commit(source.id, entry_write("h", published=NOW)))
    figures = figures_of(database, source.id, NOW)
    assert figures is not None
    assert figures.days == (0,) * (DAYS - 3) + (1, 0, 4)
    assert figures.entries_per_day == pytest.approx(5 / DAYS)


def test_what_is_folded_is_counted_once_by_day_of_publication(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a", "b", "c")
    read_articles(database, *ids)
    yesterday = NOW - DAY
    story = story_write(1, *ids, published_at=yesterday)
    decisions = (decision(ids[0]), decision(ids[1], copy_of=ids[0]), decision(ids[2]))
    commit_fold(database, FoldCommit(at=NOW, decisions=decisions, stories=(story,)))
    today = (NOW - HOUR).date()
    counted = (DayCount(yesterday.date(), 0, 0, 1), DayCount(today, 3, 1, 0))
    assert days_since(database, LONG_AGO) == counted
    # Folded anew: the same articles in stories of other names.
    commit_fold(database, FoldCommit(at=NOW + HOUR, decisions=decisions))
    assert days_since(database, LONG_AGO) == counted
    assert days_since(database, today) == counted[1:]


# --- sources ----------------------------------------------------------------------------------


def test_failing_sources_come_first_then_by_name(database: Database) -> None:
    sources = add_sources(
        database,
        source_config("b", name="beta"),
        source_config("a", name="Alpha"),
        source_config("off", name="Aardvark", enabled=True),
        source_config("gone", name="Zeta"),
        source_config("bad", name="Yota"),
    )
    commit_poll(database, poll_commit(sources[3].id, outcome="gone", gone=True))
    commit_poll(database, poll_commit(sources[4].id, outcome="failed", failures=2, error="no"))
    sync_sources(
        database,
        [
            source_config("b", name="beta"),
            source_config("a", name="Alpha"),
            source_config("off", name="Aardvark", enabled=False),
            source_config("gone", name="Zeta"),
            source_config("bad", name="Yota"),
        ],
        NOW,
    )
    listed = source_figures(database, NOW)
    assert [source.name for source in listed] == ["Zeta", "Yota", "Aardvark", "Alpha", "beta"]
    assert [source.is_failing for source in listed] == [True, True, False, False, False]
    assert [s.name for s in source_figures(database, NOW, limit=2, offset=1)] == [
        "Yota",
        "Aardvark",
    ]
    standing = sources_standing(database)
    assert (standing.all, standing.failing, standing.off, standing.unread) == (5, 2, 1, 2)


def test_without_sources_nothing_stands(database: Database) -> None:
    standing = sources_standing(database)
    assert (standing.all, standing.failing, standing.off, standing.unread) == (0, 0, 0, 0)
    assert source_figures(database, NOW) == ()
    assert figures_of(database, 1, NOW) is None
    assert days_since(database, LONG_AGO) == ()


def test_the_share_of_full_texts_and_the_delay(database: Database) -> None:
    source = add_source(database)  # added at NOW
    ids = add_articles(database, source.id, "a", "b", "c", "d", at=NOW + HOUR)
    figures = figures_of(database, source.id, NOW)
    assert figures is not None
    assert (figures.full_share, figures.delay) == (None, None)
    for number, article in enumerate(ids):
        before_us = NOW - DAY if number == 3 else NOW + (10 + number) * MINUTE
        read_articles(
            database,
            article,
            at=NOW + HOUR,
            published=before_us,
            text_source="page" if number == 0 else "feed",
        )
    fold(database, story_write(1, *ids), at=NOW + HOUR)
    figures = figures_of(database, source.id, NOW)
    assert figures is not None
    assert figures.full_share == 0.25
    assert figures.delay == 49 * MINUTE  # of what was published since the source is here


def test_the_articles_of_a_source_newest_first(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a", "b")
    read_articles(database, ids[0], published_guessed=True)
    add = story_write(1, ids[0])
    fold(database, add)
    listed = latest_articles(database, source.id, 10)
    assert [article.id for article in listed] == sorted(ids, reverse=True)
    known = {article.id: article for article in listed}
    assert (known[ids[0]].story_slug, known[ids[0]].state) == ("story-1", "folded")
    assert known[ids[0]].published is None
    assert (known[ids[1]].story_slug, known[ids[1]].state) == (None, "new")
    assert len(latest_articles(database, source.id, 1)) == 1


# --- a story ----------------------------------------------------------------------------------


def test_what_nearly_belonged_stands_with_the_decisions(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a", "b", "c", "d")
    a, b, c, d = sorted(ids)
    read_articles(database, *ids)
    evidence = ((a, -500, 20), (b, -100, 10), (c, -2000, 5), (999, -50, 1))
    commit_fold(
        database,
        FoldCommit(
            at=NOW,
            decisions=(
                decision(a),
                decision(b),
                decision(c, evidence=((a, 4000, 900),)),
                decision(d, evidence=evidence),
            ),
            stories=(story_write(1, a), story_write(2, b), story_write(3, c, d)),
        ),
    )
    details = story_details(database, 3, [c, d])
    near = [(miss.article_id, miss.member_id, miss.log_odds) for miss in details.near_misses]
    assert near == [(a, c, 4000), (b, d, -100)]
    assert details.near_misses[0].story_slug == "story-1"
    assert story_details(database, 3, [c, d], most_misses=1).near_misses == details.near_misses[:1]
    assert story_details(database, 999, []) == NO_DETAILS


def test_what_happened_to_a_story_oldest_first(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a")
    read_articles(database, *ids)
    fold(database, story_write(1, *ids, events=(("founded", "x" * 900), ("title", "a → b"))))
    changes = story_details(database, 1, ids).history
    assert [(change.kind, len(change.detail)) for change in changes] == [
        ("founded", 500),
        ("title", 5),
    ]
