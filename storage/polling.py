"""What a poll writes: entries, the articles they are appearances of, and the source's new state."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from feeds.model import FeedEntry
from storage.chunks import chunks
from storage.columns import storable_key
from storage.database import Database
from storage.days import count_entries
from storage.dropped import anything_dropped, remember_entries, without_dropped
from storage.fetches import record_fetches
from storage.incidents import record_incidents
from storage.locks import lock_articles
from storage.sources import host_of
from storage.tables.article import Article, Entry, articles, entries
from storage.tables.rows import constant_values, new_row
from storage.tables.source import sources
from storage.upsert import insert_for
from storage.values.poll import EntryWrite, KnownEntry, PollCommit
from storage.values.push import PushCommit

_OF_NEW_ARTICLES = {"key", "source_id", "url", "title", "arrived_at"}
_KEEP = ("id", "source_id", "guid", "first_seen_at")
# Made once: to make a statement takes longer than to run it.
_KNOWN = select(
    entries.c.guid,
    entries.c.content_hash,
    entries.c.raw_digest,
    entries.c.published_at,
    entries.c.published_guessed,
).where(entries.c.source_id == bindparam("source"))
_LATEST = _KNOWN.order_by(entries.c.id.desc()).limit(bindparam("newest"))
_ARTICLES_BY_KEY = (
    # Held until their entries are written, lest one be merged into another in between.
    select(func.coalesce(articles.c.merged_into, articles.c.id), articles.c.key)
    .order_by(articles.c.id)
    .with_for_update(read=True, key_share=True)
)


def known_entries(
    db: Database, source_id: int, guids: Iterable[str] = (), newest: int = 0
) -> dict[str, KnownEntry]:
    """What this source has shown before, by guid: all of ``guids``, and its ``newest`` entries."""
    given = {storable_key(guid): guid for guid in guids}
    of_source = {"source": source_id}
    known: dict[str, KnownEntry] = {}
    with db.read() as connection:
        rows = list(connection.execute(_LATEST, of_source | {"newest": newest})) if newest else []
        for some in chunks(given):
            rows += connection.execute(_KNOWN.where(entries.c.guid.in_(some)), of_source)
    for guid, content_hash, digest, published, guessed in rows:
        known[given.get(guid, guid)] = KnownEntry(
            content_hash,
            bytes.fromhex(digest) if digest else None,
            None if guessed else published,
        )
    return known


def commit_polls(db: Database, commits: Sequence[PollCommit]) -> None:
    """Write the outcomes of polls of different sources in one transaction.

    Of a source that somebody else has claimed since, nothing is written: theirs counts.
    """
    with suppress(_ClaimLostError):
        _commit_held(db, commits)
        return
    _commit_held(db, commits)


class _ClaimLostError(Exception):
    """Another process took a source over while its poll was being written."""


def _commit_held(db: Database, commits: Sequence[PollCommit]) -> None:
    with db.write() as connection:
        held = _held(connection, commits)
        if not held:
            return
        write_entries(connection, held)
        if _update_sources(connection, held) < len(held):
            raise _ClaimLostError
        for commit in held:
            record_incidents(connection, commit.source_id, commit.incidents, commit.at)
        record_fetches(connection, held)


def _held(connection: Connection, commits: Sequence[PollCommit]) -> Sequence[PollCommit]:
    """Those whose source is still the poller's. Not locked: articles are, before sources."""
    claims: dict[int, int] = {}
    for some in chunks(commit.source_id for commit in commits if commit.claim is not None):
        rows = connection.execute(
            select(sources.c.id, sources.c.claim).where(sources.c.id.in_(some))
        )
        claims.update((number, claim) for number, claim in rows)
    return [c for c in commits if c.claim is None or claims.get(c.source_id) == c.claim]


def write_entries(connection: Connection, commits: Sequence[PollCommit | PushCommit]) -> None:
    """Write what is new and changed; changed entries' articles are to be read again."""
    commits = [one for one in commits if one.new or one.changed or one.dropped]
    if not commits:
        return
    commits = _wanted(connection, commits)
    for commit in commits:
        if commit.dropped:
            again = [(commit.source_id, guid) for guid in commit.dropped]
            remember_entries(connection, again, commit.at)
    if not _writes(commits):
        return
    ids = _ensure_articles(connection, _writes(commits))
    if connection.dialect.name == "postgresql":
        # Another process may have dropped some since. Those that are held now it cannot.
        commits = _wanted(connection, commits)
    if writes := _writes(commits):
        _upsert_entries(connection, writes, ids)
        changed = (write for commit in commits for write in commit.changed)
        _read_again(connection, {ids[storable_key(write.article_key)] for write in changed})
        count_entries(connection, commits)


def _writes(
    commits: Sequence[PollCommit | PushCommit],
) -> list[tuple[PollCommit | PushCommit, EntryWrite]]:
    return [(commit, write) for commit in commits for write in commit.new + commit.changed]


def _wanted(
    connection: Connection, commits: Sequence[PollCommit | PushCommit]
) -> Sequence[PollCommit | PushCommit]:
    if not anything_dropped(connection):
        return commits
    return [_still_wanted(connection, commit) for commit in commits]


def _still_wanted(
    connection: Connection, commit: PollCommit | PushCommit
) -> PollCommit | PushCommit:
    """``commit`` without what retention dropped while it was being made."""
    if not (commit.new or commit.changed):
        return commit
    return replace(
        commit,
        new=without_dropped(connection, commit, commit.new),
        changed=without_dropped(connection, commit, commit.changed),
    )


def _ensure_articles(
    connection: Connection, writes: Iterable[tuple[PollCommit | PushCommit, EntryWrite]]
) -> dict[str, int]:
    first: dict[str, tuple[PollCommit | PushCommit, FeedEntry]] = {}
    for commit, write in writes:
        first.setdefault(storable_key(write.article_key), (commit, write.entry))
    rows = [
        {
            "key": key,
            "source_id": commit.source_id,
            "url": entry.url,
            "title": entry.title,
            "arrived_at": commit.at,
        }
        # In one order everywhere: two polls that show the same articles would else lock each other
        # out.
        for key, (commit, entry) in sorted(first.items(), key=itemgetter(0))
    ]
    connection.execute(_insert_articles(connection.dialect.name), rows)
    ids: dict[str, int] = {}
    for some in chunks(first):
        found = connection.execute(_ARTICLES_BY_KEY.where(articles.c.key.in_(some)))
        ids.update((key, number) for number, key in found)
    return ids


def _upsert_entries(
    connection: Connection,
    writes: Iterable[tuple[PollCommit | PushCommit, EntryWrite]],
    ids: Mapping[str, int],
) -> None:
    rows = [_entry_row(commit, w, ids[storable_key(w.article_key)]) for commit, w in writes]
    connection.execute(_upsert_entry(connection.dialect.name), rows)


@cache
def _insert_articles(dialect: str) -> Any:  # noqa: ANN401 - two unrelated Insert classes
    # What is the same of all new ones stands in the statement: a parameter of a row costs 2 µs.
    constants = constant_values(Article, _OF_NEW_ARTICLES)
    statement = insert_for(dialect, articles).values(constants)
    return statement.on_conflict_do_nothing(index_elements=["key"])


@cache
def _upsert_entry(dialect: str) -> Any:  # noqa: ANN401 - two unrelated Insert classes
    statement = insert_for(dialect, entries)
    columns = [column.name for column in entries.c if column.name not in _KEEP]
    return statement.on_conflict_do_update(
        index_elements=["source_id", "guid"],
        set_={name: statement.excluded[name] for name in columns},
    )


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
        ruled_category=write.ruling.category,
        ruled_publisher=write.ruling.publisher,
        never_fold=write.ruling.never_fold,
        first_seen_at=commit.at,
        changed_at=commit.at,
    )


def _read_again(connection: Connection, article_ids: Iterable[int]) -> None:
    for some in chunks(sorted(article_ids)):
        lock_articles(connection, some)
        connection.execute(
            update(articles)
            .where(articles.c.id.in_(some))
            .values(
                state="new",
                attempts=0,
                claimed_until=None,
                claimed_by=None,
                version=articles.c.version + 1,
            )
        )


def _update_sources(connection: Connection, commits: Iterable[PollCommit]) -> int:
    """Write the sources' new state; how many were still the poller's."""
    # One statement for all that set the same columns.
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for commit in sorted(commits, key=attrgetter("source_id")):
        values = _source_values(commit)
        whose = {"polled_id": commit.source_id, "polled_claim": commit.claim}
        alike.setdefault(tuple(values), []).append(values | whose)
    statement = update(sources).where(
        sources.c.id == bindparam("polled_id"),
        sources.c.claim == func.coalesce(bindparam("polled_claim", type_=Integer), sources.c.claim),
    )
    return sum(connection.execute(statement, rows).rowcount for rows in alike.values())


def _source_values(commit: PollCommit) -> dict[str, Any]:
    values: dict[str, Any] = {
        "next_poll_at": commit.next_poll_at,
        "schedule": dict(commit.schedule),
        "failures": commit.failures,
        "gone": commit.gone,
        "last_poll_at": commit.at,
        "last_error": commit.error,
        "trouble": commit.trouble,
        "claimed_by": None,
    }
    if commit.error is None:
        values["last_success_at"] = commit.at
    if commit.new:
        values["last_entry_at"] = commit.at
    if commit.feed_url:
        values |= {"feed_url": commit.feed_url, "host": host_of(commit.feed_url)}
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
    return values
