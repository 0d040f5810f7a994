"""Two articles that are one: nothing points at the one that goes, on either engine."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from builders import (
    HOUR,
    NOW,
    add_articles,
    add_source,
    add_story,
    commit_poll,
    decision,
    entry_write,
    poll_commit,
    read_articles,
)
from sqlalchemy import select

from storage.article_lists import ArticlesWanted, article_with_text, find_articles
from storage.articles import claim_new, count_by_state
from storage.corrections import add_corrections, all_corrections, pending_corrections
from storage.database import Database
from storage.folding import article_at, commit_fold, folded_since, twins_of, waiting_to_fold
from storage.publications import publish, published, unjudged_articles
from storage.search import find_stories, terms_of
from storage.tables.article import article_texts, articles, entries
from storage.values.fold import FoldCommit
from storage.values.publish import StoryFilter, Window

CANONICAL = "https://times.example/a"


@pytest.fixture
def source_id(database: Database) -> int:
    return add_source(database).id


def merge(db: Database, gone: int, stays: int) -> None:
    commit_fold(db, FoldCommit(at=NOW, merged={gone: stays}))


def pointed_at(db: Database) -> set[int]:
    with db.read() as connection:
        return set(connection.execute(select(entries.c.article_id)).scalars())


def test_entries_lead_to_the_one_that_stays_and_so_does_the_key(
    database: Database, source_id: int
) -> None:
    a, b = add_articles(database, source_id, "a", "b")
    read_articles(database, a, b)
    add_story(database, 1, a)

    merge(database, b, a)

    assert pointed_at(database) == {a}
    assert count_by_state(database) == {"new": 0, "read": 0, "folded": 1}
    assert article_at(database, "https://times.example/b") == a
    assert [one.id for one in find_articles(database, ArticlesWanted()).articles] == [a]
    shown = article_with_text(database, b)
    assert shown is not None
    assert shown.id == a

    changed = entry_write("b", title="Changed", content_hash="changed")
    commit_poll(database, poll_commit(source_id, entry_write("c", CANONICAL), changed=(changed,)))
    assert pointed_at(database) == {a}
    assert [one.id for one in claim_new(database, NOW, NOW + HOUR, 10)] == [a], "it is read again"


def test_merging_is_followed_through(database: Database, source_id: int) -> None:
    a, b, c = add_articles(database, source_id, "a", "b", "c")
    read_articles(database, a, b, c)
    add_story(database, 1, a)
    merge(database, c, b)
    merge(database, b, a)
    commit_poll(database, poll_commit(source_id, entry_write("d", "https://times.example/c")))
    assert pointed_at(database) == {a}


def test_one_that_had_its_place_leaves_no_trace_in_stories_and_outputs(
    database: Database, source_id: int
) -> None:
    a, b, c = add_articles(database, source_id, "a", "b", "c")
    read_articles(database, a, b, c)
    add_story(database, 1, a, b, c)
    copied = FoldCommit(at=NOW, decisions=(decision(a), decision(b), decision(c, copy_of=b)))
    commit_fold(database, copied)
    everything = unjudged_articles(database, "all", StoryFilter(), None)
    publish(database, "all", everything.ids, "all", everything)
    add_corrections(database, [(b, c, True), (a, b, True)], NOW)

    merge(database, b, a)

    assert [one.id for one in folded_since(database, NOW - HOUR)] == [a, c]
    with database.read() as connection:
        rows = {row.id: row for row in connection.execute(select(articles))}
        texts = set(connection.execute(select(article_texts.c.article_id)).scalars())
    assert (rows[b].story_id, rows[b].merged_into, rows[b].state) == (None, a, "merged")
    assert rows[c].copy_of == a
    assert texts == {a, c}
    listed = published(database, "all", Window(newest=10), of_articles=True)
    assert [one.id for one in listed] == [c, a]
    assert [(c.article_a, c.article_b) for c in all_corrections(database)] == [(a, c)]
    assert len(pending_corrections(database)) == 1, "the folder is to hear of it"


def test_the_text_of_a_page_is_not_lost_for_that_of_a_feed(
    database: Database, source_id: int
) -> None:
    a, b = add_articles(database, source_id, "a", "b")
    read_articles(database, a, text_source="feed", text="Short.", title="Bridge")
    add_story(database, 1, a)
    read_articles(database, b, text="Zanzibar has the whole text.", title="Bridge")

    merge(database, b, a)

    (again,) = waiting_to_fold(database, NOW, HOUR, 10)
    shown = article_with_text(database, a)
    assert again.id == a
    assert shown is not None
    assert (shown.text, shown.text_source) == ("Zanzibar has the whole text.", "page")
    hits = find_stories(database, terms_of("zanzibar"), limit=10).hits
    assert [hit.article_id for hit in hits] == [a]


def test_twins_are_found_by_any_address_in_common(database: Database, source_id: int) -> None:
    a, b, c, d = add_articles(database, source_id, "a", "b", "c", "d")
    read_articles(database, a)
    add_story(database, 1, a)
    read_articles(database, b, canonical_key=CANONICAL)
    read_articles(database, c, canonical_key="https://times.example/elsewhere")
    batch = waiting_to_fold(database, NOW + 2 * HOUR, HOUR, 10)
    assert {one: twin.id for one, twin in twins_of(database, batch).items()} == {b: a}

    add_story(database, 2, c)
    read_articles(database, d, canonical_key="https://times.example/elsewhere")
    batch = waiting_to_fold(database, NOW + 2 * HOUR, HOUR, 10)
    assert {one: twin.id for one, twin in twins_of(database, batch).items()} == {b: a, d: c}


def test_a_poll_beside_it_leaves_no_entry_behind(database: Database, source_id: int) -> None:
    guids = [f"{n}" for n in range(20)]
    stays, *others = add_articles(database, source_id, "a", *guids)
    read_articles(database, stays, *others)
    add_story(database, 1, stays)
    start = threading.Barrier(2)

    def poll() -> None:
        start.wait()
        for guid in guids:
            write = entry_write(f"new {guid}", f"https://times.example/{guid}")
            commit_poll(database, poll_commit(source_id, write))

    def fold() -> None:
        start.wait()
        for article_id in others:
            merge(database, article_id, stays)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(poll), pool.submit(fold)]:
            done.result()
    assert pointed_at(database) == {stays}
