"""What a poll writes: entries, the articles they are appearances of, and the source's new state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select, update

from feeds.model import FeedEntry
from storage.chunks import chunks
from storage.columns import storable_key
from storage.database import Database
from storage.incidents import record_incidents
from storage.locks import lock_articles
from storage.tables import Article, Entry, Fetch, articles, entries, fetches, new_row, sources
from storage.upsert import insert
from storage.values import EntryWrite, KnownEntry, PollCommit, PushCommit

_KEEP = ("id", "source_id", "guid", "first_seen_at")


def known_entries(
    db: Database, source_id: int, guids: Iterable[str] = (), newest: int = 0
) -> dict[str, KnownEntry]:
    """What this source has shown before, by guid: all of ``guids``, and its ``newest`` entries."""
    given = {storable_key(guid): guid for guid in guids}
    columns = select(
        entries.c.guid,
        entries.c.content_hash,
        entries.c.raw_digest,
        entries.c.published_at,
        entries.c.published_guessed,
    ).where(entries.c.source_id == source_id)
    latest = columns.order_by(entries.c.id.desc()).limit(newest)
    known: dict[str, KnownEntry] = {}
    with db.read() as connection:
        rows = list(connection.execute(latest)) if newest else []
        for some in chunks(given):
            rows += connection.execute(columns.where(entries.c.guid.in_(some)))
    for row in rows:
        digest = bytes.fromhex(row.raw_digest) if row.raw_digest else None
        published = None if row.published_guessed else row.published_at
        known[given.get(row.guid, row.guid)] = KnownEntry(row.content_hash, digest, published)
    return known


def commit_poll(db: Database, commit: PollCommit) -> None:
    """Write one poll's outcome in one transaction."""
    with db.write() as connection:
        write_entries(connection, commit)
        _update_source(connection, commit)
        record_incidents(connection, commit.source_id, commit.incidents, commit.at)
        connection.execute(insert(connection, fetches).values(**_fetch_row(commit)))


def write_entries(connection: Connection, commit: PollCommit | PushCommit) -> None:
    """Write what is new and changed; changed entries' articles are to be read again."""
    writes = commit.new + commit.changed
    if writes:
        ids = _ensure_articles(connection, commit, writes)
        _upsert_entries(connection, commit, writes, ids)
        _read_again(connection, {ids[storable_key(write.article_key)] for write in commit.changed})


def _ensure_articles(
    connection: Connection, commit: PollCommit | PushCommit, writes: Sequence[EntryWrite]
) -> dict[str, int]:
    first: dict[str, FeedEntry] = {}
    for write in writes:
        first.setdefault(storable_key(write.article_key), write.entry)
    rows = [
        new_row(
            Article,
            key=key,
            source_id=commit.source_id,
            url=entry.url,
            title=entry.title,
            arrived_at=commit.at,
        )
        # In one order everywhere: two polls that show the same articles would else lock each other
        # out.
        for key, entry in sorted(first.items(), key=itemgetter(0))
    ]
    statement = insert(connection, articles).on_conflict_do_nothing(index_elements=["key"])
    connection.execute(statement, rows)
    ids: dict[str, int] = {}
    for some in chunks(first):
        found = connection.execute(
            select(articles.c.id, articles.c.key).where(articles.c.key.in_(some))
        )
        ids.update((row.key, row.id) for row in found)
    return ids


def _upsert_entries(
    connection: Connection,
    commit: PollCommit | PushCommit,
    writes: Sequence[EntryWrite],
    ids: Mapping[str, int],
) -> None:
    statement = insert(connection, entries)
    columns = [column.name for column in entries.c if column.name not in _KEEP]
    statement = statement.on_conflict_do_update(
        index_elements=["source_id", "guid"],
        set_={name: statement.excluded[name] for name in columns},
    )
    rows = [_entry_row(commit, write, ids[storable_key(write.article_key)]) for write in writes]
    connection.execute(statement, rows)


def _entry_row(
    commit: PollCommit | PushCommit, write: EntryWrite, article_id: int
) -> dict[str, Any]:
    entry = write.entry
    return new_row(
        Entry,
        source_id=commit.source_id,
        guid=storable_key(entry.guid),
        article_id=article_id,
        url=entry.url,
        title=entry.title,
        summary_html=entry.summary_html,
        content_html=entry.content_html,
        authors=list(entry.authors),
        categories=list(entry.categories),
        published_at=entry.published,
        updated_at=entry.updated,
        published_guessed=entry.published_guessed,
        language=entry.language,
        image=entry.image,
        enclosures=[asdict(enclosure) for enclosure in entry.enclosures],
        content_hash=entry.content_hash,
        raw_digest=entry.raw_digest.hex() if entry.raw_digest else None,
        first_seen_at=commit.at,
        changed_at=commit.at,
    )


def _read_again(connection: Connection, article_ids: Iterable[int]) -> None:
    for some in chunks(sorted(article_ids)):
        lock_articles(connection, some)
        connection.execute(
            update(articles)
            .where(articles.c.id.in_(some))
            .values(state="new", attempts=0, claimed_until=None, version=articles.c.version + 1)
        )


def _update_source(connection: Connection, commit: PollCommit) -> None:
    values: dict[str, Any] = {
        "next_poll_at": commit.next_poll_at,
        "schedule": dict(commit.schedule),
        "failures": commit.failures,
        "gone": commit.gone,
        "last_poll_at": commit.at,
        "last_error": commit.error,
        "trouble": commit.trouble,
    }
    if commit.error is None:
        values["last_success_at"] = commit.at
    if commit.new:
        values["last_entry_at"] = commit.at
    if commit.feed_url:
        values["feed_url"] = commit.feed_url
    if commit.feed:
        values |= asdict(commit.feed)
    if commit.body_hash:
        values["body_hash"] = commit.body_hash
    if commit.drop_validators:
        values |= {"validators_url": None, "etag": None, "last_modified": None}
    if commit.validators:
        values |= {
            "validators_url": commit.validators.url,
            "etag": commit.validators.etag,
            "last_modified": commit.validators.last_modified,
        }
    connection.execute(update(sources).where(sources.c.id == commit.source_id).values(values))


def _fetch_row(commit: PollCommit) -> dict[str, Any]:
    return new_row(
        Fetch,
        source_id=commit.source_id,
        at=commit.at,
        outcome=commit.outcome,
        status=commit.status,
        seconds=commit.seconds,
        wire_bytes=commit.wire_bytes,
        new_entries=len(commit.new),
        changed_entries=len(commit.changed),
        detail=commit.error or "",
    )
