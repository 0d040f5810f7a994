"""Letting go of articles and stories, and remembering that they were dropped; on both engines."""

from datetime import datetime, timedelta

import pytest
from builders import (
    HOUR,
    NOW,
    add_articles,
    add_source,
    add_sources,
    add_story,
    commit_poll,
    entry_write,
    fold,
    poll_commit,
    read_articles,
    source_config,
    story_write,
)
from sqlalchemy import Table, func, select, text

from storage.articles import claim_new
from storage.corrections import add_corrections, all_corrections
from storage.database import Database
from storage.dropped import (
    REMEMBERED,
    SLICES,
    dropped_among,
    forget_articles,
    forget_entries,
    hashed,
)
from storage.folding import folded_since, stories_of
from storage.polling import known_entries
from storage.publications import Unjudged, archive_of, close_archive, eldest_archive, publish
from storage.publishing import revision, story_by_slug
from storage.retention import (
    Drop,
    StoryCounts,
    commit_drop,
    drop_archives,
    first_matched,
    forget_days,
    match_from,
    newest_kept,
    newest_kept_of,
    old_articles,
    old_articles_of,
    old_stories,
    source_ids,
)
from storage.tables.article import articles, dropped_articles, dropped_entries, entries
from storage.tables.output import publications
from storage.tables.source import source_days
from storage.tables.story import stories, story_events, story_sections
from storage.values.publish import ClosedArchive

EVER = NOW - timedelta(days=10_000)


def count(db: Database, table: Table) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def drop(db: Database, *ids: int, at: datetime = NOW, **more: object) -> None:
    commit_drop(db, Drop(at, ids, **more))  # type: ignore[arg-type]  # by name


def folded(db: Database, *guids: str, source_id: int, at: datetime = NOW) -> list[int]:
    """Articles that each are a story of their own, keyed by their number."""
    ids = add_articles(db, source_id, *guids, at=at)
    read_articles(db, *ids, at=at)
    for number in ids:
        add_story(db, number, number, at=at)
    return ids


def test_what_is_dropped_leaves_nothing_behind_but_that_it_was(database: Database) -> None:
    source = add_source(database, category="World")
    first, second, last = folded(database, "a", "b", "c", source_id=source.id)
    (story,) = stories_of(database, [first], [])
    publish(database, "feed", [story.id], "all", Unjudged((), None, 0))
    add_corrections(database, [(first, second, False)], NOW)
    before = revision(database)

    drop(
        database,
        first,
        second,
        stories=[story.id, stories_of(database, [second], [])[0].id],
        of_stories=["feed"],
    )

    assert count(database, articles) == count(database, entries) == count(database, stories) == 1
    assert count(database, publications) == 0
    assert count(database, story_events) == 0
    assert count(database, story_sections) <= 2
    assert all_corrections(database) == ()
    assert story_by_slug(database, story.slug) is None
    with database.read() as connection:
        words = connection.execute(text("SELECT count(*) FROM article_search")).scalar_one()
    assert words == 1
    assert revision(database) != before
    assert [one.id for one in folded_since(database, EVER)] == [last]


def test_it_does_not_come_back_as_new_by_its_guid_nor_by_its_address(database: Database) -> None:
    times, post = add_sources(database, source_config("times"), source_config("post"))
    ids = add_articles(database, times.id, "a", "b")
    drop(database, ids[0])
    keys = {"a": "https://times.example/other", "x": "https://times.example/a", "y": "z"}
    assert dropped_among(database, times.id, keys) == {"a", "x"}
    assert dropped_among(database, post.id, keys) == {"x"}, "a guid is its source's own"

    again = entry_write("a")
    commit_poll(database, poll_commit(times.id, again, entry_write("new")))
    commit_poll(database, poll_commit(post.id, again))
    commit_poll(database, poll_commit(times.id, changed=(again,)))

    assert set(known_entries(database, times.id, newest=9)) == {"b", "new"}
    assert known_entries(database, post.id, newest=9) == {}
    with database.read() as connection:
        assert (
            "https://times.example/a"
            not in connection.execute(select(articles.c.key)).scalars().all()
        )


def test_an_article_read_while_it_was_dropped_stays_dropped(database: Database) -> None:
    source = add_source(database)
    first, _ = add_articles(database, source.id, "a", "b")
    claimed = claim_new(database, NOW, NOW, 10)
    drop(database, first)
    read_articles(database, *(one.id for one in claimed))
    assert count(database, articles) == 1


def test_what_is_seen_still_is_remembered_and_the_rest_forgotten(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a", "b", "z")
    drop(database, *ids[:2])
    late = NOW + REMEMBERED + timedelta(days=2)
    commit_poll(database, poll_commit(source.id, at=late, dropped=("a",)))
    forget_entries(database, [source.id])
    assert count(database, dropped_entries) == 2, "it has brought nothing since: both may be there"

    commit_poll(database, poll_commit(source.id, entry_write("c"), at=late))
    forget_entries(database, [source.id])
    for part in range(SLICES):
        forget_articles(database, part, late.date())
    assert count(database, dropped_articles) == 0
    with database.read() as connection:
        left = connection.execute(select(dropped_entries.c.guid_hash)).scalars().all()
    assert left == [hashed("a")]


def test_old_articles_are_found_in_pages_the_eldest_first(database: Database) -> None:
    times, post = add_sources(database, source_config("times"), source_config("post"))
    for hour, guid in enumerate("abcde"):
        add_articles(database, times.id, guid, at=NOW + hour * HOUR)
    (last,) = add_articles(database, post.id, "z", at=NOW - HOUR)
    until = NOW + 3 * HOUR
    first = old_articles_of(database, times.id, until, None, 3)
    assert [one.arrived_at for one in first] == [NOW, NOW + HOUR, NOW + 2 * HOUR]
    after = first[-1].arrived_at, first[-1].id
    assert [one.arrived_at for one in old_articles_of(database, times.id, until, after, 3)] == [
        until
    ]
    assert [one.was_folded for one in first] == [False] * 3
    assert old_articles_of(database, post.id, until, None, 3) == (), "the newest number stays"
    assert [one.id for one in old_articles(database, last, 2, 10)] == [3, 4, 5]


def test_the_newest_article_place_and_story_stay(database: Database) -> None:
    source = add_source(database)
    a, b = folded(database, "a", "b", source_id=source.id)
    (c,) = add_articles(database, source.id, "c", at=NOW)
    assert [one.id for one in old_articles(database, c, 0, 10)] == [a], "b was folded last"
    assert b not in {one.id for one in old_articles_of(database, source.id, NOW, None, 10)}
    ids = [story.id for story in stories_of(database, [], [a, b])]
    assert [one.stays for one in old_stories(database, ids).values()] == [False, True]


def test_a_story_that_the_newest_became_part_of_stays_for_its_number(database: Database) -> None:
    source = add_source(database)
    a, b, c = folded(database, "a", "b", "c", source_id=source.id)
    first, second, third = stories_of(database, [], [a, b, c])
    fold(database, story_write(a, a, c, id=first.id, uri=first.uri), retired={third.id: 0})
    found = old_stories(database, [first.id, second.id])
    assert {one.id: one.stays for one in found.values()} == {first.id: True, second.id: False}


def test_what_became_part_of_a_story_goes_with_it(database: Database) -> None:
    source = add_source(database)
    a, b, c, _ = folded(database, "a", "b", "c", "d", source_id=source.id)
    one, two, three, _ = stories_of(database, [], [a, b, c, c + 1])
    fold(database, story_write(b, b, a, id=two.id, uri=two.uri), retired={one.id: 0})
    fold(database, story_write(c, c, b, a, id=three.id, uri=three.uri), retired={two.id: 0})
    drop(database, a, b, c, stories=[three.id])
    assert count(database, stories) == 1


def test_a_story_that_lost_some_tells_how_many_are_left(database: Database) -> None:
    source = add_source(database)
    a, b, _ = add_articles(database, source.id, "a", "b", "c")
    read_articles(database, a, b)
    story = add_story(database, a, a, b)
    drop(
        database, b, shrunk=[StoryCounts(story.id, articles=1, outlets=1, copies=0)], at=NOW + HOUR
    )
    found = story_by_slug(database, story.slug)
    assert found is not None
    assert (found.outlets, len(found.articles), found.updated_at) == (1, 1, story.updated_at)
    assert found.changed_at == NOW + HOUR


def test_numbers_to_keep(database: Database) -> None:
    times, post = add_sources(database, source_config("times"), source_config("post"))
    ids = [
        add_articles(database, times.id, guid, at=NOW + n * HOUR)[0] for n, guid in enumerate("abc")
    ]
    assert newest_kept(database, 3) == 0
    assert newest_kept(database, 1) == ids[1]
    assert newest_kept_of(database, times.id, 2) == NOW
    assert newest_kept_of(database, times.id, 3) is None
    assert newest_kept_of(database, post.id, 1) is None
    assert [number for number, _ in source_ids(database)] == [times.id, post.id]


def test_the_matchers_memory_begins_behind_a_place(database: Database) -> None:
    source = add_source(database)
    ids = folded(database, "a", "b", "c", source_id=source.id)
    places = first_matched(database, 2)
    assert [place.id for place in places] == ids[:2]
    match_from(database, places[1].fold_order)
    assert [place.id for place in first_matched(database, 5)] == ids[2:]
    assert [one.id for one in folded_since(database, EVER)] == ids[2:]


@pytest.mark.parametrize(
    ("keep", "before", "left"),
    [
        (2, None, 3),
        (0, None, 1),
        (0, NOW + 3 * HOUR, 3),
        (1, NOW + 3 * HOUR, 4),
        (9, NOW + 9 * HOUR, 4),
    ],
)
def test_archives_go_by_number_and_by_age_but_for_the_last(
    database: Database, keep: int, before: datetime | None, left: int
) -> None:
    publish(database, "feed", [1, 2, 3, 4], "all", Unjudged((), None, 0))
    for number in range(1, 5):
        archive = ClosedArchive(number, NOW + number * HOUR, full=False, body=b"")
        assert close_archive(database, "feed", archive, after=number - 1, to=number, kept=[number])
    drop_archives(database, "feed", keep, before)
    drop_archives(database, "other", keep, before)
    eldest = eldest_archive(database, "feed")
    assert eldest is not None
    assert eldest.number == left
    assert archive_of(database, "feed", 4) is not None


def test_counts_by_day_do_not_pile_up(database: Database) -> None:
    source = add_source(database)
    add_articles(database, source.id, "a")
    forget_days(database, NOW)
    assert count(database, source_days) == 1
    forget_days(database, NOW + timedelta(days=90))
    assert count(database, source_days) == 0
