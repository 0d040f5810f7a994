"""Counts per day, by day of publication (UTC), for plots. Kept up by what is written anyway."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from sqlalchemy import Connection, Table, select

from storage.chunks import chunks
from storage.database import Database
from storage.tables.article import articles
from storage.tables.source import source_days
from storage.tables.story import days
from storage.upsert import insert
from storage.values.fold import FoldCommit
from storage.values.poll import PollCommit
from storage.values.push import PushCommit

REMEMBERED = timedelta(days=60)
"""What was published longer ago is not counted: a feed may carry its whole archive."""


@dataclass(frozen=True, slots=True)
class DayCount:
    """What was published on a day and folded: articles, copies among them, stories founded."""

    day: date
    articles: int
    copies: int
    stories: int


def count_entries(connection: Connection, commits: Sequence[PollCommit | PushCommit]) -> None:
    """Add new entries to their days."""
    counts: Counter[tuple[int, date]] = Counter()
    for commit in commits:
        first = (commit.at - REMEMBERED).date()
        for write in commit.new:
            day = (write.entry.published or commit.at).astimezone(UTC).date()
            if day >= first:
                counts[commit.source_id, day] += 1
    rows = [
        {"source_id": source_id, "day": day, "entries": count}
        for (source_id, day), count in sorted(counts.items())
    ]
    _add(connection, source_days, rows, ("source_id", "day"))


def count_folded(connection: Connection, commit: FoldCommit) -> None:
    """Add what a step of folding decided for the first time, and founded, to its days."""
    per_day: defaultdict[date, Counter[str]] = defaultdict(Counter)
    copies = {one.article_id for one in commit.decisions if one.copy_of is not None}
    for some in chunks([one.article_id for one in commit.decisions]):
        rows = connection.execute(
            select(articles.c.id, articles.c.published_at, articles.c.arrived_at).where(
                articles.c.id.in_(some), articles.c.folded_at == commit.at
            )
        )
        for row in rows:
            counts = per_day[(row.published_at or row.arrived_at).date()]
            counts.update(articles=1, copies=int(row.id in copies))
    for story in commit.stories:
        if story.id is None:
            per_day[story.published_at.astimezone(UTC).date()].update(stories=1)
    first = (commit.at - REMEMBERED).date()
    _add(
        connection,
        days,
        [
            {"day": day} | {name: counts[name] for name in ("articles", "copies", "stories")}
            for day, counts in sorted(per_day.items())
            if day >= first
        ],
        ("day",),
    )


def _add(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    key: tuple[str, ...],
) -> None:
    if not rows:
        return
    statement = insert(connection, table)
    added = {
        column.name: column + statement.excluded[column.name]
        for column in table.c
        if column.name not in key
    }
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=added), list(rows))


def days_since(db: Database, first: date) -> tuple[DayCount, ...]:
    """The days from ``first`` on which anything was published, in order."""
    with db.read() as connection:
        rows = connection.execute(select(days).where(days.c.day >= first).order_by(days.c.day))
        return tuple(DayCount(row.day, row.articles, row.copies, row.stories) for row in rows)
