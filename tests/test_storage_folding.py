from dataclasses import replace
from datetime import timedelta

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_story,
    as_write,
    commit_poll,
    decision,
    entry_write,
    fold,
    poll_commit,
    read_articles,
    story_write,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storage.articles import count_by_state
from storage.corrections import add_corrections, all_corrections, pending_corrections
from storage.database import Database
from storage.folding import (
    commit_fold,
    ended_stories_of,
    folded_since,
    members_by_id,
    stories_of,
    waiting_to_fold,
)
from storage.publishing import revision, story_by_slug
from storage.tables.article import articles
from storage.tables.story import stories, story_events
from storage.values.fold import FoldCommit

PATIENCE = 10 * MINUTE


@pytest.fixture
def source_id(database: Database) -> int:
    return add_source(database, priority=5).id


def read_all(db: Database, source_id: int, *guids: str) -> list[int]:
    ids = add_articles(db, source_id, *guids)
    read_articles(db, *ids)
    return ids


def events_of(db: Database, story_id: int) -> list[tuple[str, str]]:
    with db.read() as connection:
        rows = connection.execute(
            select(story_events)
            .where(story_events.c.story_id == story_id)
            .order_by(story_events.c.id)
        )
        return [(row.kind, row.detail) for row in rows]


# --- waiting ----------------------------------------------------------------------------------


def test_articles_wait_for_those_that_arrived_before(database: Database, source_id: int) -> None:
    first, second, third = sorted(add_articles(database, source_id, "a", "b", "c"))
    read_articles(database, first, third)

    assert [a.id for a in waiting_to_fold(database, NOW, PATIENCE, 10)] == [first]
    read_articles(database, second)
    assert [a.id for a in waiting_to_fold(database, NOW, PATIENCE, 10)] == [first, second, third]


def test_patience_ends(database: Database, source_id: int) -> None:
    _, second = sorted(add_articles(database, source_id, "a", "b"))
    read_articles(database, second)

    assert waiting_to_fold(database, NOW + PATIENCE - MINUTE, PATIENCE, 10) == ()
    assert [a.id for a in waiting_to_fold(database, NOW + PATIENCE, PATIENCE, 10)] == [second]
    assert len(waiting_to_fold(database, NOW, timedelta(0), 10)) == 1


def test_nobody_waits_for_an_article_that_is_only_read_again(
    database: Database, source_id: int
) -> None:
    (old,) = read_all(database, source_id, "a")
    add_story(database, 1, old)
    (young,) = read_all(database, source_id, "b")

    changed = entry_write("a", content_hash="changed")
    commit_poll(database, poll_commit(source_id, changed=(changed,)))

    assert [a.id for a in waiting_to_fold(database, NOW, PATIENCE, 10)] == [young]


def test_nobody_waits_for_an_article_that_nobody_shows(database: Database, source_id: int) -> None:
    add_articles(database, source_id, "a")
    (young,) = read_all(database, source_id, "b")
    moved = entry_write("a", "https://times.example/b", content_hash="moved")
    commit_poll(database, poll_commit(source_id, changed=(moved,)))
    read_articles(database, young)

    assert [a.id for a in waiting_to_fold(database, NOW, PATIENCE, 10)] == [young]


def test_waiting_articles_come_in_order_of_publication(database: Database, source_id: int) -> None:
    ids = sorted(add_articles(database, source_id, "a", "b", "c"))
    for number, article_id in enumerate(ids):
        read_articles(database, article_id, published=NOW - number * HOUR)

    waiting = waiting_to_fold(database, NOW, PATIENCE, 10)

    assert [a.id for a in waiting] == ids[::-1]
    assert [a.published for a in waiting] == [NOW - 2 * HOUR, NOW - HOUR, NOW]
    assert len(waiting_to_fold(database, NOW, PATIENCE, 2)) == 2


def test_a_guessed_date_is_not_shown_to_the_matcher(database: Database, source_id: int) -> None:
    (article_id,) = add_articles(database, source_id, "a")
    read_articles(database, article_id, published_guessed=True, matching_text="words", title="T")

    (waiting,) = waiting_to_fold(database, NOW, PATIENCE, 10)

    assert waiting.published is None
    assert (waiting.title, waiting.matching_text, waiting.language) == ("T", "words", "en")
    assert (waiting.publisher, waiting.arrived_at) == ("times.example", NOW)
    assert (waiting.story_key, waiting.copy_of, waiting.score) == (None, None, None)
    assert waiting.reason == {}


# --- what was folded --------------------------------------------------------------------------


def test_the_folded_come_back_in_the_order_of_folding(database: Database, source_id: int) -> None:
    a, b, c = read_all(database, source_id, "a", "b", "c")
    reason = {"kind": "event", "score": 1.25, "parts": {"title": 0.5}, "partner": a}
    commit_fold(
        database,
        FoldCommit(
            NOW,
            (decision(c), decision(a, copy_of=c, score=1.25, reason=reason)),
            stories=(story_write(9, c, a),),
        ),
    )
    add_story(database, 4, b)

    found = list(folded_since(database, NOW))

    assert [(f.id, f.story_key) for f in found] == [(c, 9), (a, 9), (b, 4)]
    assert (found[1].copy_of, found[1].score, found[1].reason) == (c, 1.25, reason)
    assert list(folded_since(database, NOW + MINUTE)) == []


def test_more_are_folded_than_are_fetched_at_once(database: Database, source_id: int) -> None:
    ids = sorted(read_all(database, source_id, *(f"{n:04}" for n in range(510))))
    commit_fold(database, FoldCommit(NOW, tuple(decision(i) for i in ids)))

    assert [article.id for article in folded_since(database, NOW)] == ids


def test_reading_the_folded_may_stop_half_way(database: Database, source_id: int) -> None:
    ids = read_all(database, source_id, "a", "b")
    add_story(database, 1, *ids)

    assert next(folded_since(database, NOW)).id == ids[0]
    add_story(database, 2, *ids, uri="tag:other", slug="other")


def test_the_place_in_the_order_is_given_once(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    fold(database, story_write(1, b), story_write(2, a))
    before = [f.id for f in folded_since(database, NOW)]

    commit_fold(database, FoldCommit(NOW + HOUR, (decision(a, score=2.0), decision(b))))

    assert [f.id for f in folded_since(database, NOW)] == before == [b, a]


# --- stories ----------------------------------------------------------------------------------


def test_everything_a_story_is_comes_back(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    written = story_write(
        7,
        a,
        b,
        lead_article_id=b,
        title="A title",
        lead_text_hash="hash",
        published_at=NOW - 3 * HOUR,
        updated_at=NOW - 2 * HOUR,
        events=(("founded", "Times"), ("lead", "Post")),
    )
    fold(database, written)

    (story,) = stories_of(database, [7], [])

    assert (story.uri, story.slug, story.key) == (written.uri, written.slug, 7)
    assert (story.first_article_id, story.lead_article_id) == (a, b)
    assert (story.title, story.lead_text_hash) == ("A title", "hash")
    assert (story.published_at, story.updated_at) == (NOW - 3 * HOUR, NOW - 2 * HOUR)
    assert [m.id for m in story.members] == [a, b]
    assert [m.fold_order for m in story.members] == [1, 2]
    member = story.members[0]
    assert (member.priority, member.outlet, member.publisher) == (5, "Times", "times.example")
    assert (member.text_source, member.text_length) == ("page", len("The text."))
    assert (member.text_hash, member.published) == (f"text hash {a}", NOW - HOUR)
    assert events_of(database, story.id) == [("founded", "Times"), ("lead", "Post")]
    assert count_by_state(database) == {"new": 0, "read": 0, "folded": 2}


def test_stories_by_many_keys(database: Database, source_id: int) -> None:
    ids = read_all(database, source_id, *(f"{n}" for n in range(5)))
    for key, article_id in enumerate(ids):
        add_story(database, key, article_id)

    found = stories_of(database, [3, 1, *range(100, 40_000)], [])

    assert [s.key for s in found] == [1, 3]
    assert stories_of(database, [], []) == ()


def test_a_story_keeps_its_identity_whatever_becomes_of_it(
    database: Database, source_id: int
) -> None:
    a, b = read_all(database, source_id, "a", "b")
    story = add_story(database, 1, a)

    changed = as_write(
        story, key=2, title="New", members=(a, b), lead_article_id=b, uri="ignored", slug="ignored"
    )
    fold(database, changed, at=NOW + HOUR)

    (after,) = stories_of(database, [2], [])
    assert stories_of(database, [1], []) == ()
    assert (after.id, after.uri, after.slug) == (story.id, story.uri, story.slug)
    assert (after.title, after.lead_article_id, len(after.members)) == ("New", b, 2)
    view = story_by_slug(database, story.slug)
    assert view is not None
    assert (view.created_at, view.changed_at) == (NOW, NOW + HOUR)


def test_keys_may_pass_between_stories_in_a_ring(database: Database, source_id: int) -> None:
    ids = read_all(database, source_id, "a", "b", "c")
    one, two, three = (add_story(database, key, i) for key, i in enumerate(ids))

    fold(
        database,
        as_write(one, key=1),
        as_write(two, key=2),
        as_write(three, key=0),
    )

    assert [s.id for s in stories_of(database, [0], [])] == [three.id]
    assert [s.id for s in stories_of(database, [1], [])] == [one.id]
    assert [s.id for s in stories_of(database, [2], [])] == [two.id]


def test_a_key_may_pass_from_a_retired_story_to_its_survivor(
    database: Database, source_id: int
) -> None:
    a, b = read_all(database, source_id, "a", "b")
    old, young = add_story(database, 1, a), add_story(database, 2, b)

    fold(database, as_write(old, key=2, members=(a, b)), retired={young.id: 0}, at=NOW + HOUR)

    (after,) = stories_of(database, [1, 2], [])
    assert (after.id, [m.id for m in after.members]) == (old.id, [a, b])
    assert events_of(database, old.id) == [("joined", str(young.id))]
    with database.read() as connection:
        row = connection.execute(select(stories).where(stories.c.id == young.id)).one()
    assert (row.retired_at, row.retired_into) == (NOW + HOUR, old.id)


def test_a_new_story_may_survive_an_old_one(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    old = add_story(database, 1, a)

    fold(database, story_write(2, b), story_write(3, a), retired={old.id: 1})

    survivor = story_by_slug(database, old.slug)
    assert survivor is not None
    assert survivor.slug == "story-3"


def test_a_story_written_again_lives_again(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    one, two = add_story(database, 1, a), add_story(database, 2, b)
    fold(database, as_write(one, members=(a, b)), retired={two.id: 0})

    fold(database, as_write(one, members=(a,)), as_write(two))

    view = story_by_slug(database, two.slug)
    assert view is not None
    assert view.id == two.id
    assert [s.id for s in stories_of(database, [1, 2], [])] == [one.id, two.id]


def test_what_ended_is_found_by_its_first_article(database: Database, source_id: int) -> None:
    a, b, c = read_all(database, source_id, "a", "b", "c")
    one, two = add_story(database, 1, a), add_story(database, 2, b, c)
    assert ended_stories_of(database, [a, b, c]) == ()

    fold(database, as_write(one, members=(a, b, c)), retired={two.id: 0})

    (ended,) = ended_stories_of(database, [a, b, *range(100, 40_000)])
    assert ended == replace(two, members=())
    assert ended_stories_of(database, [a, c]) == ()


def test_a_key_belongs_to_one_living_story(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    add_story(database, 1, a)
    before = revision(database)

    with pytest.raises(IntegrityError):
        fold(database, story_write(1, b, uri="tag:other", slug="other"))

    assert count_by_state(database) == {"new": 0, "read": 1, "folded": 1}
    assert revision(database) == before


@pytest.mark.parametrize("field", ["uri", "slug"])
def test_an_identity_is_never_given_twice(database: Database, source_id: int, field: str) -> None:
    a, b = read_all(database, source_id, "a", "b")
    story = add_story(database, 1, a)

    with pytest.raises(IntegrityError):
        fold(database, story_write(2, b, **{field: getattr(story, field)}))


def test_large_keys(database: Database, source_id: int) -> None:
    (a,) = read_all(database, source_id, "a")

    assert add_story(database, 2**40, a).key == 2**40


def test_a_very_large_story(database: Database, source_id: int) -> None:
    ids = read_all(database, source_id, *(f"{n:04}" for n in range(700)))

    assert len(add_story(database, 1, *ids).members) == 700
    assert len(members_by_id(database, ids)) == 700


def test_members_whatever_story_they_are_in(database: Database, source_id: int) -> None:
    a, b, c = read_all(database, source_id, "a", "b", "c")
    add_story(database, 1, a)
    add_story(database, 2, b)

    members = members_by_id(database, [a, b, c, 4711])

    assert set(members) == {a, b, c}
    assert members[a].id == a
    assert members_by_id(database, []) == {}


def test_corrections_come_back_in_the_order_given(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    assert add_corrections(database, [(a, b, True), (a, b, False)], NOW) == ()
    assert add_corrections(database, [(a, b, True), (a, 4711, True)], NOW) == (4711,)

    one, two = pending_corrections(database)

    assert (one.article_a, one.article_b, one.together) == (a, b, True)
    assert not two.together
    commit_fold(database, FoldCommit(NOW, corrections=(one.id,)))
    assert pending_corrections(database) == (two,)
    assert all_corrections(database) == (one, two)


def test_every_fold_moves_the_revision(database: Database, source_id: int) -> None:
    a, b = read_all(database, source_id, "a", "b")
    seen = {revision(database)}

    story = add_story(database, 1, a)
    seen.add(revision(database))
    fold(database, as_write(story, title="New"))  # at the same time
    seen.add(revision(database))
    fold(database, story_write(2, b), at=NOW - HOUR)  # the clock was set back
    seen.add(revision(database))

    assert len(seen) == 4
    with database.read() as connection:
        orders = connection.execute(select(articles.c.fold_order).order_by(articles.c.id))
        assert [row[0] for row in orders] == [1, 2]


def test_only_the_last_of_the_folded_are_read_where_that_is_asked(
    database: Database, source_id: int
) -> None:
    ids = read_all(database, source_id, "a", "b", "c")
    commit_fold(
        database,
        FoldCommit(NOW, tuple(map(decision, ids)), stories=(story_write(1, *ids),)),
    )
    for newest, expected in ((1, ids[2:]), (2, ids[1:]), (3, ids), (9, ids)):
        assert [article.id for article in folded_since(database, NOW, newest)] == list(expected)
