"""What happened to sources, for the feed of their health. Bounded: the eldest give way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from storage.database import Database
from storage.tables.source import incidents, sources
from storage.upsert import insert
from storage.values.poll import IncidentWrite
from storage.values.publish import IncidentView

KEPT = 1_000


def record_incidents(
    connection: Connection, source_id: int, happened: Sequence[IncidentWrite], at: datetime
) -> None:
    """Write what happened to a source, as part of a transaction."""
    if not happened:
        return
    source = connection.execute(select(sources).where(sources.c.id == source_id)).one()
    rows = [
        {
            "source_id": source_id,
            "at": at,
            "kind": incident.kind,
            "name": source.name,
            "feed_url": source.feed_url,
            "detail": incident.detail,
        }
        for incident in happened
    ]
    connection.execute(insert(connection, incidents), rows)
    newest = connection.execute(select(func.max(incidents.c.id))).scalar_one()
    connection.execute(delete(incidents).where(incidents.c.id <= newest - KEPT))


def last_incident(db: Database) -> int:
    """The number of the last incident, 0 where there was none."""
    with db.read() as connection:
        return connection.execute(select(func.max(incidents.c.id))).scalar() or 0


def incidents_of_source(db: Database, source_id: int, limit: int) -> tuple[IncidentView, ...]:
    """The last incidents of a source, the latest first."""
    return _latest(db, select(incidents).where(incidents.c.source_id == source_id), limit)


def latest_incidents(db: Database, limit: int) -> tuple[IncidentView, ...]:
    """The last incidents, the latest first."""
    return _latest(db, select(incidents), limit)


def _latest(db: Database, some: Select[Any], limit: int) -> tuple[IncidentView, ...]:
    with db.read() as connection:
        rows = connection.execute(some.order_by(incidents.c.id.desc()).limit(limit)).all()
    return tuple(
        IncidentView(row.id, row.at, row.kind, row.name, row.feed_url, row.detail) for row in rows
    )
