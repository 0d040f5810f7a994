"""The latest outcomes of each source's polls, for health and plots. So many, and no more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from storage.database import Database
from storage.tables import Fetch, fetches, new_row
from storage.upsert import insert
from storage.values import PollCommit

KEPT = 100
"""Outcomes kept of each source."""


@dataclass(frozen=True, slots=True)
class FetchOutcomeRow:
    """What came of one poll. ``seconds`` of the whole exchange; ``wire_bytes`` as they came."""

    at: datetime
    outcome: str
    status: int | None
    seconds: float
    wire_bytes: int
    new_entries: int
    changed_entries: int
    detail: str


def record_fetch(connection: Connection, commit: PollCommit) -> None:
    """Keep the outcome of a poll, and let go of the source's oldest beyond ``KEPT``."""
    row = new_row(
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
    connection.execute(insert(connection, fetches).values(row))
    last_kept = (
        select(fetches.c.at)
        .where(fetches.c.source_id == commit.source_id)
        .order_by(fetches.c.at.desc())
        .offset(KEPT)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(
        delete(fetches).where(fetches.c.source_id == commit.source_id, fetches.c.at <= last_kept)
    )


def recent_fetches(db: Database, source_id: int, limit: int) -> tuple[FetchOutcomeRow, ...]:
    """What came of a source's last polls, the latest first."""
    statement = (
        select(fetches)
        .where(fetches.c.source_id == source_id)
        .order_by(fetches.c.at.desc())
        .limit(limit)
    )
    with db.read() as connection:
        return tuple(
            FetchOutcomeRow(
                row.at,
                row.outcome,
                row.status,
                row.seconds,
                row.wire_bytes,
                row.new_entries,
                row.changed_entries,
                row.detail,
            )
            for row in connection.execute(statement)
        )
