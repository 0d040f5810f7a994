"""The latest outcomes of each source's polls, for health and plots. So many, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from storage.columns import UtcDateTime
from storage.database import Database
from storage.tables.rows import new_row
from storage.tables.source import Fetch, fetches
from storage.upsert import insert
from storage.values.poll import PollCommit

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
    dropped_entries: int
    detail: str


_LAST_KEPT = (
    select(fetches.c.at)
    .where(fetches.c.source_id == bindparam("source"))
    .order_by(fetches.c.at.desc())
    .offset(KEPT)
    .limit(1)
    .scalar_subquery()
)
_LET_GO = delete(fetches).where(
    fetches.c.source_id == bindparam("source"), fetches.c.at <= _LAST_KEPT
)
_AHEAD = delete(fetches).where(
    fetches.c.source_id == bindparam("source"), fetches.c.at > bindparam("ahead", type_=UtcDateTime)
)
_SKEW = timedelta(hours=1)


def record_fetches(connection: Connection, commits: Sequence[PollCommit]) -> None:
    """Keep the outcomes of polls, and let go of each source's oldest beyond ``KEPT``."""
    connection.execute(insert(connection, fetches), [_row(commit) for commit in commits])
    # What a wrong clock dated ahead would stand first for as long.
    connection.execute(
        _AHEAD, [{"source": one.source_id, "ahead": one.at + _SKEW} for one in commits]
    )
    connection.execute(_LET_GO, [{"source": commit.source_id} for commit in commits])


def _row(commit: PollCommit) -> dict[str, Any]:
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
        dropped_entries=commit.ruled_out,
        detail=commit.error or "",
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
                row.dropped_entries,
                row.detail,
            )
            for row in connection.execute(statement)
        )
