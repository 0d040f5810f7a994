"""Sources: what is configured, what is due, and how they are doing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, func, or_, select, update

from feeds.model import Validators
from storage.chunks import chunks
from storage.database import Database
from storage.revision import move_revision
from storage.sections import file_stories_of
from storage.tables.rows import new_row
from storage.tables.source import Source, sources
from storage.upsert import insert
from storage.values.source import OverdueSource, SourceConfig, SourceHealth, SourceState, SyncReport

ALONE = "alone"
"""The name of a process that shares its database with nobody."""
_CONFIGURED = ("name", "publisher", "category", "language", "priority", "full_text", "enabled")


def sync_sources(db: Database, configured: Sequence[SourceConfig], now: datetime) -> SyncReport:
    """Make the remembered sources those of the configuration.

    A removed source is no longer polled; its entries and articles stay. One that comes back goes
    on where it was.
    """
    wanted = {source.url: source for source in configured}
    with db.write() as connection:
        known = {row.url: row for row in connection.execute(select(sources))}
        removed = [u for u, row in known.items() if u not in wanted and row.removed_at is None]
        added = [u for u in wanted if u not in known or known[u].removed_at is not None]
        changed = [
            u for u in wanted if u in known and u not in added and _differs(known[u], wanted[u])
        ]
        _lock(connection, [known[url].id for url in (*removed, *added, *changed) if url in known])
        _upsert(connection, [wanted[url] for url in added + changed], now)
        for some in chunks(removed):
            connection.execute(
                update(sources).where(sources.c.url.in_(some)).values(removed_at=now)
            )
        if changed:
            file_stories_of(connection, [url for url in changed if _moved(known[url], wanted[url])])
            move_revision(connection)
    return SyncReport(tuple(added), tuple(changed), tuple(removed))


def _lock(connection: Connection, ids: Sequence[int]) -> None:
    """Hold these sources, in the order in which everybody locks: others may be polling them."""
    for some in chunks(sorted(ids)):
        connection.execute(
            select(sources.c.id)
            .where(sources.c.id.in_(some))
            .order_by(sources.c.id)
            .with_for_update(key_share=True)
        ).all()


def _upsert(connection: Connection, some: Sequence[SourceConfig], now: datetime) -> None:
    if not some:
        return
    statement = insert(connection, sources)
    statement = statement.on_conflict_do_update(
        index_elements=["url"],
        set_={name: statement.excluded[name] for name in (*_CONFIGURED, "removed_at")},
    )
    rows = [
        new_row(
            Source,
            **asdict(source),
            feed_url=source.url,
            host=host_of(source.url),
            next_poll_at=now,
            added_at=now,
        )
        for source in some
    ]
    connection.execute(statement, rows)


def _moved(row: Row[Any], source: SourceConfig) -> bool:
    return bool(row.category != source.category)


def _differs(row: Row[Any], source: SourceConfig) -> bool:
    return any(getattr(row, key) != getattr(source, key) for key in _CONFIGURED)


def claim_due(
    db: Database, now: datetime, lease_until: datetime, limit: int, by: str = ALONE
) -> tuple[SourceState, ...]:
    """Take up to ``limit`` due sources, longest due first, for the process called ``by``.

    Their next time moves to ``lease_until`` at once, so nobody else takes them, and they come back
    by themselves if whoever took them dies.
    """
    due = (
        select(sources.c.id)
        .where(
            sources.c.enabled,
            sources.c.removed_at.is_(None),
            sources.c.next_poll_at <= now,
        )
        .order_by(sources.c.next_poll_at, sources.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .cte("due")  # not a plain subquery: see claim_new
    )
    with db.write() as connection:
        rows = connection.execute(
            update(sources)
            .where(sources.c.id.in_(select(due.c.id)))
            .values(next_poll_at=lease_until, claim=sources.c.claim + 1, claimed_by=by)
            .returning(sources)
        ).all()
    return tuple(sorted((state_of(row) for row in rows), key=lambda source: source.id))


def source_by_id(db: Database, source_id: int) -> SourceState | None:
    """A source as a poll would get it; None for one that is not to be read (any more)."""
    with db.read() as connection:
        row = connection.execute(
            select(sources).where(
                sources.c.id == source_id, sources.c.enabled, sources.c.removed_at.is_(None)
            )
        ).one_or_none()
    return state_of(row) if row else None


def poll_earlier(db: Database, source_id: int, at: datetime) -> None:
    """Let a source be due at ``at`` where it would be later; one that is gone for good stays so."""
    with db.write() as connection:
        connection.execute(
            update(sources)
            .where(sources.c.id == source_id, sources.c.next_poll_at > at, ~sources.c.gone)
            .values(next_poll_at=at)
        )


def state_of(row: Row[Any]) -> SourceState:
    """A source as a poll needs it, of its row."""
    has_validators = row.validators_url and (row.etag or row.last_modified)
    return SourceState(
        id=row.id,
        url=row.url,
        feed_url=row.feed_url,
        name=row.name,
        publisher=row.publisher,
        category=row.category,
        language=row.language,
        priority=row.priority,
        full_text=row.full_text,
        validators=Validators(row.validators_url, row.etag, row.last_modified)
        if has_validators
        else None,
        body_hash=row.body_hash,
        schedule=row.schedule,
        failures=row.failures,
        claimed_until=row.next_poll_at,
        claim=row.claim,
        last_entry_at=row.last_entry_at,
        trouble=row.trouble,
    )


def release(db: Database, claimed: Sequence[SourceState], now: datetime) -> None:
    """Give claimed sources back unpolled. Whose poll was written meanwhile keeps its new time."""
    with db.write() as connection:
        for source in sorted(claimed, key=attrgetter("id")):  # in one order everywhere
            connection.execute(
                update(sources)
                .where(
                    sources.c.id == source.id,
                    sources.c.claim == source.claim,
                    sources.c.claimed_by.is_not(None),
                )
                .values(next_poll_at=now, claimed_by=None)
            )


def postpone(db: Database, source_id: int, claim: int, until: datetime) -> None:
    """Give a claimed source back unpolled, to be due at ``until``."""
    with db.write() as connection:
        connection.execute(
            update(sources)
            .where(sources.c.id == source_id, sources.c.claim == claim)
            .values(next_poll_at=until, claimed_by=None)
        )


def hold_host(db: Database, host: str, until: datetime) -> int:
    """Let no source that is read from ``host`` be due before ``until``; how many were put off."""
    with db.write() as connection:
        of_host = (
            select(sources.c.id)
            .where(sources.c.host == host.lower())
            .where(sources.c.removed_at.is_(None), sources.c.next_poll_at < until)
            .order_by(sources.c.id)  # in one order everywhere: see _ensure_articles
            .with_for_update(key_share=True)
        )
        held = connection.execute(of_host).scalars().all()
        for some in chunks(held):
            connection.execute(
                update(sources).where(sources.c.id.in_(some)).values(next_poll_at=until)
            )
    return len(held)


def host_of(url: str) -> str:
    """The host of an address, in lower case; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def make_all_due(db: Database, now: datetime) -> int:
    """Let every enabled source be due now; how many there are."""
    with db.write() as connection:
        every = (
            select(sources.c.id)
            .where(sources.c.enabled, sources.c.removed_at.is_(None))
            .order_by(sources.c.id)  # in one order everywhere: see _ensure_articles
            .with_for_update(key_share=True)
            .cte("every")
        )
        made = connection.execute(
            update(sources)
            .where(sources.c.id.in_(select(every.c.id)))
            .values(next_poll_at=now)
            .returning(sources.c.id)  # SQLite does not count what begins with WITH
        ).all()
        return len(made)


def overdue(db: Database, now: datetime) -> tuple[OverdueSource, ...]:
    """The sources that were due before ``now`` and have been polled before, longest due first."""
    with db.read() as connection:
        rows = connection.execute(
            select(sources.c.id, sources.c.next_poll_at, sources.c.schedule)
            .where(
                sources.c.enabled,
                sources.c.removed_at.is_(None),
                sources.c.next_poll_at < now,
                sources.c.last_poll_at.is_not(None),
            )
            .order_by(sources.c.next_poll_at, sources.c.id)
        ).all()
    return tuple(
        OverdueSource(row.id, row.next_poll_at, row.schedule.get("interval")) for row in rows
    )


@dataclass(frozen=True, slots=True)
class PlannedAhead:
    """A source, by address, that was polled or is due later than a moment."""

    id: int
    url: str
    next_poll_at: datetime
    last_poll_at: datetime | None


def planned_beyond(db: Database, moment: datetime) -> tuple[PlannedAhead, ...]:
    """The sources that were polled or are due later than ``moment``, but for those that are gone.

    Of the polled ones those that are due still.
    """
    with db.read() as connection:
        rows = connection.execute(
            select(sources.c.id, sources.c.url, sources.c.next_poll_at, sources.c.last_poll_at)
            .where(
                sources.c.removed_at.is_(None),
                ~sources.c.gone,
                or_(sources.c.next_poll_at > moment, sources.c.last_poll_at > moment),
            )
            .order_by(sources.c.id)
        ).all()
    return tuple(PlannedAhead(row.id, row.url, row.next_poll_at, row.last_poll_at) for row in rows)


def set_next_polls(db: Database, moments: Mapping[int, datetime]) -> None:
    """Let these sources (by id) be due at these moments, unless somebody polls them now."""
    with db.write() as connection:
        for source_id, moment in sorted(moments.items()):  # in one order everywhere
            connection.execute(
                update(sources)
                .where(sources.c.id == source_id, sources.c.claimed_by.is_(None))
                .values(next_poll_at=moment)
            )


def count_due(db: Database, now: datetime) -> int:
    """How many sources are due."""
    with db.read() as connection:
        return connection.execute(
            select(func.count())
            .select_from(sources)
            .where(
                sources.c.enabled,
                sources.c.removed_at.is_(None),
                sources.c.next_poll_at <= now,
            )
        ).scalar_one()


def source_health(db: Database) -> tuple[SourceHealth, ...]:
    """Every configured source, failing ones first, then by name."""
    with db.read() as connection:
        rows = connection.execute(
            select(sources)
            .where(sources.c.removed_at.is_(None))
            .order_by(sources.c.failures.desc(), sources.c.name, sources.c.id)
        ).all()
    return tuple(
        SourceHealth(
            id=row.id,
            url=row.url,
            feed_url=row.feed_url,
            name=row.name,
            category=row.category,
            enabled=row.enabled,
            gone=row.gone,
            failures=row.failures,
            next_poll_at=row.next_poll_at,
            last_poll_at=row.last_poll_at,
            last_success_at=row.last_success_at,
            last_entry_at=row.last_entry_at,
            last_error=row.last_error,
            site_url=row.site_url,
            trouble=row.trouble,
        )
        for row in rows
    )
