"""Several workers on one database: nobody gets what another has, nobody kills another."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_sources,
    article_reading,
    commit_poll,
    decision,
    entry_write,
    known_hashes,
    latest_stories,
    poll_commit,
    source_config,
    story_write,
)
from sqlalchemy import func, select

from storage.articles import claim_new, commit_reading, count_by_state
from storage.database import Database
from storage.folding import commit_fold, waiting_to_fold
from storage.polling import commit_polls
from storage.publishing import revision
from storage.retention import Drop, commit_drop
from storage.sources import (
    claim_due,
    count_due,
    make_all_due,
    release,
    set_next_polls,
    sync_sources,
)
from storage.tables.article import articles
from storage.values.fold import FoldCommit

WORKERS = 4


def together(work: Callable[[int], list[int]], workers: int = WORKERS) -> list[list[int]]:
    """Do ``work`` in as many threads, started at one moment."""
    start = threading.Barrier(workers)

    def begin(number: int) -> list[int]:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(begin, range(workers)))


def test_no_source_is_claimed_twice(database: Database) -> None:
    sources = add_sources(database, *(source_config(f"s{n}") for n in range(100)))

    def claim(_: int) -> list[int]:
        mine: list[int] = []
        while count_due(database, NOW):
            mine += [source.id for source in claim_due(database, NOW, NOW + MINUTE, 3)]
        return mine

    claimed = Counter(source_id for mine in together(claim) for source_id in mine)

    assert claimed == Counter(source.id for source in sources)


def test_no_article_is_claimed_twice(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, *(f"{n}" for n in range(100)))

    def claim(_: int) -> list[int]:
        mine: list[int] = []
        while got := claim_new(database, NOW, NOW + MINUTE, 3):
            assert len(got) <= 3
            mine += [article.id for article in got]
        return mine

    claimed = Counter(article_id for mine in together(claim) for article_id in mine)

    assert claimed == Counter(ids)


def test_a_claim_passes_over_what_another_is_just_claiming(database: Database) -> None:
    """Without waiting for it: SKIP LOCKED. On SQLite claims stand in line."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no row locks")
    sources = add_sources(database, *(source_config(f"s{n}") for n in range(4)))
    articles_ids = add_articles(database, sources[0].id, "a", "b", "c", "d")
    with database.write() as connection:
        for table in ("source", "article"):
            connection.exec_driver_sql(
                f"SELECT id FROM {table} ORDER BY id LIMIT 2 FOR NO KEY UPDATE"
            )
        # Were they to wait, this would never end: the locks go when this block does.
        claimed_sources = claim_due(database, NOW + HOUR, NOW + HOUR, 10)
        claimed_articles = claim_new(database, NOW, NOW + MINUTE, 10)

    assert [source.id for source in claimed_sources] == [s.id for s in sources[2:]]
    assert [article.id for article in claimed_articles] == sorted(articles_ids)[2:]


def test_feeds_that_share_articles_are_polled_at_once(database: Database) -> None:
    """In different orders, new and changed: whoever locks in no order ends in a deadlock."""
    sources = add_sources(database, *(source_config(f"s{n}") for n in range(WORKERS)))
    turns, guids = 4, [f"{n}" for n in range(150)]
    abreast = threading.Barrier(WORKERS, timeout=20)

    def poll(worker: int) -> list[int]:
        order = random.Random(worker)
        for turn in range(turns):
            mixed = order.sample(guids, len(guids))
            writes = tuple(entry_write(f"{turn}-{g}", content_hash=f"{turn}") for g in mixed)
            changed = tuple(entry_write(f"{turn}-{g}", content_hash="again") for g in mixed[::-1])
            abreast.wait()
            commit_poll(database, poll_commit(sources[worker].id, *writes))
            commit_poll(database, poll_commit(sources[worker].id, changed=changed))
        return []

    together(poll)

    everything = [f"{turn}-{g}" for turn in range(turns) for g in guids]
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(articles)).scalar()
    assert count == len(everything)
    for source in sources:
        assert known_hashes(database, source.id, everything) == dict.fromkeys(everything, "again")


def poll_one_by_one(db: Database, source_id: int, guids: Sequence[str]) -> None:
    for guid in guids:
        commit_poll(db, poll_commit(source_id, entry_write(guid)))
        changed = entry_write(guid, content_hash="again")
        commit_poll(db, poll_commit(source_id, changed=(changed,)))


def read_until(db: Database, done: Callable[[], bool]) -> set[int]:
    read: set[int] = set()
    while not done():
        for article in claim_new(db, NOW, NOW + HOUR, 5):
            if commit_reading(db, article_reading(article.id, version=article.version)):
                read.add(article.id)
    return read


def fold_until(db: Database, done: Callable[[], bool]) -> list[int]:
    placed: list[int] = []
    while not done():
        waiting = waiting_to_fold(db, NOW, HOUR, 10)
        new = [article.id for article in waiting if article.story_key is None]
        decisions = tuple(decision(a.id, version=a.version) for a in waiting)
        stories = tuple(story_write(article_id, article_id) for article_id in new)
        commit_fold(db, FoldCommit(NOW, decisions, stories=stories))
        placed += new
    return placed


def publish_until(db: Database, done: Callable[[], bool]) -> list[int]:
    revisions: list[int] = []
    while not done():
        revisions.append(revision(db)[1])
        for story in latest_stories(db):
            assert story.lead.id == story.articles[0].id
    return revisions


def test_everything_at_once_loses_nothing(database: Database) -> None:
    """Pollers, readers, a folder and a publisher, until every article is folded."""
    sources = add_sources(database, source_config("s0"), source_config("s1"))
    guids = [f"{n}" for n in range(30)]
    total = len(sources) * len(guids)
    polled, broken = threading.Event(), threading.Event()

    def done() -> bool:
        all_folded = polled.is_set() and count_by_state(database)["folded"] == total
        return all_folded or broken.is_set()

    def stop_all_if_broken(future: Future[Any]) -> None:
        if future.exception():
            broken.set()

    with ThreadPoolExecutor(6) as pool:
        polls = [
            pool.submit(poll_one_by_one, database, source.id, [f"{source.id}-{g}" for g in guids])
            for source in sources
        ]
        readers = [pool.submit(read_until, database, done) for _ in range(2)]
        folder = pool.submit(fold_until, database, done)
        publisher = pool.submit(publish_until, database, done)
        for future in (*polls, *readers, folder, publisher):
            future.add_done_callback(stop_all_if_broken)
        for poll in polls:
            poll.result()
        polled.set()
        read = set().union(*(reader.result() for reader in readers))
        placed, revisions = folder.result(), publisher.result()

    assert Counter(placed) == Counter(read)
    assert len(placed) == total
    assert revisions == sorted(revisions)
    assert len(latest_stories(database)) == total
    assert count_by_state(database) == {"new": 0, "read": 0, "folded": total}


def test_sources_are_locked_in_one_order_everywhere(database: Database) -> None:
    """Many are written at once, in several ways: whoever locks in no order ends in a deadlock."""
    configs = [source_config(f"s{n}") for n in range(40)]
    ids = [source.id for source in add_sources(database, *configs)]

    def poll(order: random.Random) -> None:
        commit_polls(database, [poll_commit(one) for one in order.sample(ids, len(ids))])

    def plan(order: random.Random) -> None:
        set_next_polls(database, dict.fromkeys(order.sample(ids, len(ids)), NOW))

    def take(_: random.Random) -> None:
        release(database, claim_due(database, NOW + HOUR, NOW + HOUR, 20)[::-1], NOW)

    def all_due(_: random.Random) -> None:
        make_all_due(database, NOW)

    def again(order: random.Random) -> None:
        publisher = f"{order.random()}"
        changed = [replace(one, publisher=publisher) for one in order.sample(configs, len(configs))]
        sync_sources(database, changed, NOW)

    def work(number: int) -> list[int]:
        for _ in range(15):
            (poll, plan, take, all_due, again)[number](random.Random(number))
        return []

    together(work, 5)
    assert count_due(database, NOW + 2 * HOUR) == len(ids)


def test_what_is_dropped_while_feeds_show_it_anew(database: Database) -> None:
    """Each poll and each drop is written, in whichever order; nothing comes back as new."""
    first, second = add_sources(database, source_config("s0"), source_config("s1"))
    guids = [f"{n}" for n in range(60)]
    ids = add_articles(database, first.id, *guids)
    abreast = threading.Barrier(2, timeout=20)

    def work(number: int) -> list[int]:
        for guid, article in zip(guids, ids, strict=True):
            abreast.wait()
            if number:
                commit_drop(database, Drop(NOW, [article]))
            else:
                commit_poll(database, poll_commit(second.id, entry_write(guid)))
        return []

    together(work, 2)
    for source in (first, second):
        assert known_hashes(database, source.id, guids) == {}
    with database.read() as connection:
        left = set(connection.execute(select(articles.c.id)).scalars())
    assert left.isdisjoint(ids)
