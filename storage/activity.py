"""How much was done of late, and how large it all is: for the operator's status."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from storage.database import Database
from storage.exclusive import sqlite_path
from storage.tables.article import articles
from storage.tables.source import fetches
from storage.tables.story import stories

MOST_COUNTED = 50_000
"""Folded articles that are counted: those of an hour, several times over."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done since a moment: polls and what they brought, articles folded, stories begun."""

    polls: int
    failed: int
    new_entries: int
    changed_entries: int
    wire_bytes: int
    folded: int
    stories: int


def activity(db: Database, since: datetime) -> Activity:
    """What was done since then; of each source as far as its polls are remembered."""
    polls = select(
        func.count(),
        func.count().filter(fetches.c.outcome.in_(("failed", "gone"))),
        func.coalesce(func.sum(fetches.c.new_entries), 0),
        func.coalesce(func.sum(fetches.c.changed_entries), 0),
        func.coalesce(func.sum(fetches.c.wire_bytes), 0),
    ).where(fetches.c.at >= since)
    latest = (
        select(articles.c.folded_at)
        .where(articles.c.fold_order.is_not(None))
        .order_by(articles.c.fold_order.desc())
        .limit(MOST_COUNTED)
        .subquery()
    )
    folded = select(func.count()).select_from(latest).where(latest.c.folded_at >= since)
    begun = select(func.count()).where(
        stories.c.created_at >= since, stories.c.retired_at.is_(None)
    )
    with db.read() as connection:
        counts = connection.execute(polls).one()
        return Activity(
            polls=counts[0],
            failed=counts[1],
            new_entries=int(counts[2]),
            changed_entries=int(counts[3]),
            wire_bytes=int(counts[4]),
            folded=connection.execute(folded).scalar_one(),
            stories=connection.execute(begun).scalar_one(),
        )


def size_on_disk(db: Database) -> int:
    """Bytes that the database takes; on SQLite with its write-ahead log."""
    url = db.engine.url.render_as_string(hide_password=False)
    path = sqlite_path(url)
    if path is not None:
        sides = (path, path.with_name(f"{path.name}-wal"))
        return sum(side.stat().st_size for side in sides if side.exists())
    with db.read() as connection:
        found = connection.execute(text("SELECT pg_database_size(current_database())"))
        return int(found.scalar_one())


def integrity(db: Database) -> str:
    """What is wrong inside an SQLite file, which is read through; empty where nothing is."""
    if db.dialect != "sqlite":
        return ""
    with db.read() as connection:
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    return "" if found == "ok" else f"damaged: {found}"
