"""What waits at each stage, for status and metrics. The state in the database is the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from storage.articles import is_shown
from storage.database import Database
from storage.tables.article import articles, entries
from storage.tables.push import deliveries, pings, subscriptions
from storage.tables.source import sources
from storage.tables.story import stories


@dataclass(frozen=True, slots=True)
class Queue:
    """How much waits, and since when the oldest of it (None: nothing does)."""

    length: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is remembered; ``stories`` are the living ones, ``sources`` the configured ones."""

    sources: int
    entries: int
    articles: int
    stories: int


def queues(db: Database, now: datetime) -> Mapping[str, Queue]:
    """What waits, by stage: what is due, what is new, what hubs sent and are to be told."""
    due = (sources.c.enabled, sources.c.removed_at.is_(None), sources.c.next_poll_at <= now)
    with db.read() as connection:
        return {
            "poll": _read(connection, sources.c.next_poll_at, *due),
            "extract": _articles(connection, "new"),
            "fold": _articles(connection, "read"),
            "deliver": _read(connection, deliveries.c.received_at),
            "announce": _read(
                connection,
                pings.c.next_attempt_at,
                pings.c.told.is_distinct_from(pings.c.wanted),
                pings.c.next_attempt_at <= now,
            ),
            "subscribe": _read(
                connection,
                subscriptions.c.next_attempt_at,
                subscriptions.c.next_attempt_at <= now,
            ),
        }


def sizes(db: Database) -> Sizes:
    """Count everything. Reads whole indexes, so remember the answer for a while."""
    counted = [
        select(func.count()).select_from(sources).where(sources.c.removed_at.is_(None)),
        select(func.count()).select_from(entries),
        select(func.count()).select_from(articles),
        select(func.count()).select_from(stories).where(stories.c.retired_at.is_(None)),
    ]
    with db.read() as connection:
        return Sizes(*(connection.execute(statement).scalar_one() for statement in counted))


def _read(
    connection: Connection, since: ColumnElement[datetime], *conditions: ColumnElement[bool]
) -> Queue:
    statement = select(func.count(), func.min(since)).where(*conditions)
    length, oldest = connection.execute(statement).one()
    return Queue(length, oldest)


def _articles(connection: Connection, state: str) -> Queue:
    # The oldest by number, not by time: that is a look at the index.
    waiting = [articles.c.state == state, *([is_shown] if state == "new" else [])]
    length = connection.execute(select(func.count(articles.c.id)).where(*waiting)).scalar_one()
    oldest = connection.execute(
        select(articles.c.arrived_at).where(*waiting).order_by(articles.c.id).limit(1)
    ).scalar()
    return Queue(length, oldest)
