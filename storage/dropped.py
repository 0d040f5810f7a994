"""What retention or a rule dropped, remembered so that it does not come back as new.

An entry may stay in its feed for years after its article was dropped, and another feed may link to
that article: neither is new. What is remembered is short, and forgotten when its feed has brought
other things for ``REMEMBERED`` without it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, select

from storage.chunks import chunks
from storage.columns import storable_key
from storage.database import Database
from storage.tables.article import dropped_articles, dropped_entries
from storage.tables.source import sources
from storage.upsert import insert
from storage.values.poll import EntryWrite, PollCommit
from storage.values.push import PushCommit

REMEMBERED = timedelta(days=180)
SLICES = 64
"""Parts in which the articles are gone through, so that no transaction is a long one."""
# Made once: every poll that brings something asks for them.
_FIRSTS = tuple(
    select(one).limit(1) for one in (dropped_articles.c.key_hash, dropped_entries.c.guid_hash)
)


def hashed(key: str) -> int:
    """What stands for a guid or key: 64 bits, signed."""
    digest = blake2b(storable_key(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def dropped_among(db: Database, source_id: int, keys: Mapping[str, str]) -> frozenset[str]:
    """Which of a source's entries were dropped: guids, of guids by the key of their article."""
    with db.read() as connection:
        return _among(connection, source_id, keys) if anything_dropped(connection) else frozenset()


def anything_dropped(connection: Connection) -> bool:
    """Whether anything was dropped that is remembered: in most places, never."""
    return any(connection.execute(one).first() is not None for one in _FIRSTS)


def _among(connection: Connection, source_id: int, keys: Mapping[str, str]) -> frozenset[str]:
    by_guid = {hashed(guid): guid for guid in keys}
    by_key = {guid: hashed(key) for guid, key in keys.items()}
    guids = _held(connection, dropped_entries, by_guid, source_id)
    gone = _held(connection, dropped_articles, by_key.values())
    return frozenset(
        {by_guid[one] for one in guids} | {guid for guid, key in by_key.items() if key in gone}
    )


def _held(
    connection: Connection,
    table: Any,  # noqa: ANN401 - one of two tables
    hashes: Iterable[int],
    source_id: int | None = None,
) -> set[int]:
    column = table.c.key_hash if source_id is None else table.c.guid_hash
    wanted = select(column)
    if source_id is not None:
        wanted = wanted.where(table.c.source_id == source_id)
    found: set[int] = set()
    for some in chunks(hashes):
        found.update(connection.execute(wanted.where(column.in_(some))).scalars())
    return found


def without_dropped(
    connection: Connection, commit: PollCommit | PushCommit, writes: Sequence[EntryWrite]
) -> tuple[EntryWrite, ...]:
    """``writes`` less what was dropped since somebody looked, as part of the transaction."""
    gone = _among(connection, commit.source_id, {w.entry.guid: w.article_key for w in writes})
    return tuple(write for write in writes if write.entry.guid not in gone)


def remember_entries(connection: Connection, seen: Iterable[tuple[int, str]], on: datetime) -> None:
    """That these entries (source, guid) were dropped, or seen again in their feeds since."""
    rows = [
        {"source_id": source_id, "guid_hash": number, "seen_on": on.date()}
        for source_id, number in sorted({(source, hashed(guid)) for source, guid in seen})
    ]
    statement = insert(connection, dropped_entries)
    statement = statement.on_conflict_do_update(
        index_elements=["source_id", "guid_hash"],
        set_={"seen_on": statement.excluded.seen_on},
        where=dropped_entries.c.seen_on != statement.excluded.seen_on,
    )
    for some in chunks(rows):
        connection.execute(statement, some)


def remember_articles(connection: Connection, keys: Iterable[str], on: datetime) -> None:
    """That the articles with these keys were dropped."""
    rows = [{"key_hash": number, "dropped_on": on.date()} for number in {*map(hashed, keys)}]
    statement = insert(connection, dropped_articles).on_conflict_do_nothing()
    for some in chunks(rows):
        connection.execute(statement, some)


def forget_entries(db: Database, source_ids: Sequence[int]) -> None:
    """Let go of some sources' dropped entries that their feeds have long been without.

    As told by what they brought since: one that brings nothing may still hold them all.
    """
    heard = select(sources.c.id, sources.c.last_entry_at).where(
        sources.c.id.in_(source_ids), sources.c.last_entry_at.is_not(None)
    )
    with db.write() as connection:
        for row in connection.execute(heard).all():
            connection.execute(
                delete(dropped_entries).where(
                    dropped_entries.c.source_id == row.id,
                    dropped_entries.c.seen_on < (row.last_entry_at - REMEMBERED).date(),
                )
            )


def forget_articles(db: Database, part: int, today: date) -> None:
    """Let go of the articles of one of ``SLICES`` parts that were dropped long ago.

    What a feed still shows is remembered with its entry.
    """
    width = 2**64 // SLICES
    least = -(2**63) + part * width
    with db.write() as connection:
        connection.execute(
            delete(dropped_articles).where(
                dropped_articles.c.key_hash.between(least, least + width - 1),
                dropped_articles.c.dropped_on < today - REMEMBERED,
            )
        )
