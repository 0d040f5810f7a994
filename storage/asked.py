"""A source that an operator asks for by name: found, and polled out of turn.

The database is how a command speaks to a running daemon: a source that is due is polled by whoever
claims it first, the daemon or the command itself.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update

from storage.database import Database
from storage.sources import ALONE, state_of
from storage.tables.source import sources
from storage.values.source import SourceState


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source by what it is called. ``url`` as configured, ``feed_url`` where it is read now."""

    id: int
    name: str
    url: str
    feed_url: str
    enabled: bool
    removed: bool


@dataclass(frozen=True, slots=True)
class PollTimes:
    """When a source is polled next, and was last."""

    next: datetime
    last: datetime | None


def named_sources(db: Database, wanted: str) -> tuple[NamedSource, ...]:
    """The sources of this name (in any case) or address; configured ones where there are any."""
    is_it = or_(
        sources.c.url == wanted,
        sources.c.feed_url == wanted,
        func.lower(sources.c.name) == wanted.lower(),
    )
    with db.read() as connection:
        rows = connection.execute(select(sources).where(is_it).order_by(sources.c.id)).all()
    found = tuple(
        NamedSource(
            row.id, row.name, row.url, row.feed_url, row.enabled, row.removed_at is not None
        )
        for row in rows
    )
    return tuple(one for one in found if not one.removed) or found


def ask_for_poll(db: Database, source_id: int, at: datetime) -> None:
    """Let a source be due at ``at``, even one that is gone for good."""
    with db.write() as connection:
        connection.execute(update(sources).where(sources.c.id == source_id).values(next_poll_at=at))


def claim_asked(
    db: Database, source_id: int, asked: datetime, lease_until: datetime
) -> SourceState | None:
    """Take the source whose poll was asked for at ``asked``; None where somebody else has it."""
    with db.write() as connection:
        row = connection.execute(
            update(sources)
            .where(sources.c.id == source_id, sources.c.next_poll_at == asked)
            .values(next_poll_at=lease_until, claim=sources.c.claim + 1, claimed_by=ALONE)
            .returning(sources)
        ).one_or_none()
    return state_of(row) if row else None


def poll_times(db: Database, source_id: int) -> PollTimes:
    """When a source is polled next, and was last."""
    with db.read() as connection:
        row = connection.execute(
            select(sources.c.next_poll_at, sources.c.last_poll_at).where(sources.c.id == source_id)
        ).one()
    return PollTimes(row.next_poll_at, row.last_poll_at)
