"""What hubs were told of our own documents, and are to be told."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, or_, select, update

from storage.database import Database
from storage.tables.push import pings
from storage.upsert import insert
from storage.values.push import Ping

_NAMES = tuple(field.name for field in fields(Ping))
_LONGEST_WAIT = timedelta(days=1)
"""What is due later was planned by a clock that was wrong, unless it is given up."""
_GIVEN_UP = datetime(9000, 1, 1, tzinfo=UTC)
_DUE = or_(pings.c.told.is_(None), pings.c.told != pings.c.wanted)


def all_pings(db: Database) -> tuple[Ping, ...]:
    """Every hub and document, in order."""
    with db.read() as connection:
        rows = connection.execute(select(pings).order_by(pings.c.hub, pings.c.url)).all()
    return tuple(map(_value, rows))


def want_pings(
    db: Database, wanted: Iterable[Ping], unwanted: Iterable[tuple[str, str]] = ()
) -> None:
    """Remember what hubs are to be told, and when; forget ``unwanted`` (hub, address) pairs.

    What they were told, and what came of it, stays.
    """
    with db.write() as connection:
        statement = insert(connection, pings)
        statement = statement.on_conflict_do_update(
            index_elements=["hub", "url"],
            set_={name: statement.excluded[name] for name in ("wanted", "next_attempt_at")},
        )
        # In one order everywhere, so that two processes do not lock each other out.
        rows = sorted((asdict(ping) for ping in wanted), key=lambda row: (row["hub"], row["url"]))
        if rows:
            connection.execute(statement, rows)
        for hub, url in unwanted:
            connection.execute(delete(pings).where(pings.c.hub == hub, pings.c.url == url))


def claim_pings(db: Database, now: datetime, lease_until: datetime, limit: int) -> tuple[Ping, ...]:
    """Take up to ``limit`` that are due."""
    due = (
        select(pings.c.id)
        .where(
            _DUE,
            or_(
                pings.c.next_attempt_at <= now,
                pings.c.next_attempt_at.between(now + _LONGEST_WAIT, _GIVEN_UP),
            ),
        )
        .order_by(pings.c.next_attempt_at, pings.c.hub, pings.c.url)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # not a plain subquery: see claim_new
    )
    with db.write() as connection:
        rows = connection.execute(
            update(pings)
            .where(pings.c.id.in_(select(due.c.id)))
            .values(next_attempt_at=lease_until)
            .returning(*(pings.c[name] for name in _NAMES))
        ).all()
    return tuple(sorted(map(_value, rows), key=lambda ping: (ping.hub, ping.url)))


def finish_ping(db: Database, ping: Ping) -> None:
    """Write what came of telling a hub; what it is to be told may be something else by now."""
    values = {name: getattr(ping, name) for name in _NAMES if name not in {"hub", "url", "wanted"}}
    with db.write() as connection:
        connection.execute(
            update(pings).where(pings.c.hub == ping.hub, pings.c.url == ping.url).values(values)
        )


def _value(row: Row[Any]) -> Ping:
    return Ping(**{name: getattr(row, name) for name in _NAMES})
