"""How sources are doing, in figures: for the sources page, a source's own page, and programs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select

from storage.database import Database
from storage.tables.article import articles
from storage.tables.source import source_days, sources
from storage.tables.story import stories

SAMPLE = 20
"""Latest articles of a source that its share of full texts and its delay are taken from."""
DAYS = 14
"""Days of a source's rhythm."""
_LATEST = (
    select(
        articles.c.text_source,
        articles.c.published_at,
        articles.c.published_guessed,
        articles.c.folded_at,
    )
    .where(articles.c.source_id == bindparam("source"))
    .order_by(articles.c.id.desc())
    .limit(SAMPLE)
)


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """A source as an operator looks at it.

    ``days`` are its entries by day of publication, for the last ``DAYS`` days, today last.
    ``full_share`` (0 to 1) of its latest articles were read from their page; ``delay`` is the
    median from publication to our feed, of those published since the source is here. Both are
    None where there is nothing to tell them from. ``redirect_target`` is a permanent redirect
    that is being watched.
    """

    id: int
    url: str
    feed_url: str
    site_url: str | None
    name: str
    publisher: str
    category: str | None
    language: str | None
    enabled: bool
    gone: bool
    failures: int
    added_at: datetime | None
    next_poll_at: datetime
    last_poll_at: datetime | None
    last_success_at: datetime | None
    last_entry_at: datetime | None
    last_error: str | None
    interval: float | None
    redirect_target: str | None
    days: tuple[int, ...]
    full_share: float | None
    delay: timedelta | None

    @property
    def entries_per_day(self) -> float:
        """The mean of the last days."""
        return sum(self.days) / len(self.days)

    @property
    def is_failing(self) -> bool:
        """Something is wrong that an operator may want to look at."""
        return self.gone or (self.enabled and self.failures > 0)


@dataclass(frozen=True, slots=True)
class SourceArticle:
    """One of a source's latest articles, with the story it is in."""

    id: int
    url: str | None
    title: str
    published: datetime | None
    arrived_at: datetime
    state: str
    text_source: str | None
    text_length: int
    story_slug: str | None
    is_copy: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How many configured sources are failing, off, never read yet, and in all."""

    failing: int
    off: int
    unread: int
    all: int


def sources_standing(db: Database) -> Standing:
    """How the sources are doing as a whole."""
    failing = sources.c.gone | (sources.c.enabled & (sources.c.failures > 0))
    unread = sources.c.enabled & sources.c.last_poll_at.is_(None)
    counted = [
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
        for condition in (
            failing,
            ~sources.c.enabled,
            unread,
        )
    ]
    statement = select(*counted, func.count()).where(sources.c.removed_at.is_(None))
    with db.read() as connection:
        row = connection.execute(statement).one()
    return Standing(failing=row[0], off=row[1], unread=row[2], all=row[3])


def source_figures(
    db: Database, now: datetime, *, limit: int = 100, offset: int = 0
) -> tuple[SourceFigures, ...]:
    """The configured sources, gone and failing ones first, then by name."""
    worst_first = case((sources.c.gone, 2), (sources.c.enabled & (sources.c.failures > 0), 1))
    statement = (
        select(sources)
        .where(sources.c.removed_at.is_(None))
        .order_by(func.coalesce(worst_first, 0).desc(), func.lower(sources.c.name), sources.c.id)
        .limit(limit)
        .offset(offset)
    )
    with db.read() as connection:
        return _figures(connection, connection.execute(statement).all(), now)


def numbered_sources(
    db: Database,
    now: datetime,
    *,
    after: int = 0,
    limit: int = 100,
    category: str | None = None,
    failing: bool | None = None,
) -> tuple[SourceFigures, ...]:
    """The configured sources with a higher number than ``after``, in the order of their numbers.

    ``failing`` asks for those that are, or are not (None: either).
    """
    statement = (
        select(sources)
        .where(sources.c.removed_at.is_(None), sources.c.id > after)
        .order_by(sources.c.id)
        .limit(limit)
    )
    if category is not None:
        statement = statement.where(sources.c.category == category)
    if failing is not None:
        is_failing = sources.c.gone | (sources.c.enabled & (sources.c.failures > 0))
        statement = statement.where(is_failing if failing else ~is_failing)
    with db.read() as connection:
        return _figures(connection, connection.execute(statement).all(), now)


def figures_of(db: Database, source_id: int, now: datetime) -> SourceFigures | None:
    """One source, configured still or not."""
    with db.read() as connection:
        rows = connection.execute(select(sources).where(sources.c.id == source_id)).all()
        found = _figures(connection, rows, now)
    return found[0] if found else None


def latest_articles(db: Database, source_id: int, limit: int) -> tuple[SourceArticle, ...]:
    """The articles that a source showed first, the latest first."""
    statement = (
        select(
            articles.c.id,
            articles.c.url,
            func.substr(articles.c.title, 1, 500).label("title"),
            articles.c.published_at,
            articles.c.published_guessed,
            articles.c.arrived_at,
            articles.c.state,
            articles.c.text_source,
            articles.c.text_length,
            articles.c.copy_of,
            stories.c.slug,
        )
        .outerjoin(stories, stories.c.id == articles.c.story_id)
        .where(articles.c.source_id == source_id)
        .order_by(articles.c.id.desc())
        .limit(limit)
    )
    with db.read() as connection:
        return tuple(
            SourceArticle(
                row.id,
                row.url,
                row.title,
                None if row.published_guessed else row.published_at,
                row.arrived_at,
                row.state,
                row.text_source,
                row.text_length,
                row.slug,
                row.copy_of is not None,
            )
            for row in connection.execute(statement)
        )


def _figures(
    connection: Connection, rows: Sequence[Row[Any]], now: datetime
) -> tuple[SourceFigures, ...]:
    first = now.date() - timedelta(days=DAYS - 1)
    per_day: defaultdict[int, dict[date, int]] = defaultdict(dict)
    for row in connection.execute(
        select(source_days).where(
            source_days.c.source_id.in_([row.id for row in rows]), source_days.c.day >= first
        )
    ):
        per_day[row.source_id][row.day] = row.entries
    return tuple(_source(row, per_day[row.id], first, *_reading(connection, row)) for row in rows)


def _reading(connection: Connection, row: Row[Any]) -> tuple[float | None, timedelta | None]:
    """The share of full texts, and the delay, of the latest articles."""
    latest = connection.execute(_LATEST, {"source": row.id}).all()
    read = [one.text_source for one in latest if one.text_source]
    since = row.added_at
    delays = [
        (one.folded_at - one.published_at).total_seconds()
        for one in latest
        if one.folded_at and one.published_at and not one.published_guessed
        if since is None or one.published_at >= since
    ]
    share = sum(source == "page" for source in read) / len(read) if read else None
    return share, timedelta(seconds=max(0.0, median(delays))) if delays else None


def _source(
    row: Row[Any],
    per_day: Mapping[date, int],
    first: date,
    share: float | None,
    delay: timedelta | None,
) -> SourceFigures:
    return SourceFigures(
        id=row.id,
        url=row.url,
        feed_url=row.feed_url,
        site_url=row.site_url,
        name=row.name,
        publisher=row.publisher,
        category=row.category,
        language=row.language,
        enabled=row.enabled,
        gone=row.gone,
        failures=row.failures,
        added_at=row.added_at,
        next_poll_at=row.next_poll_at,
        last_poll_at=row.last_poll_at,
        last_success_at=row.last_success_at,
        last_entry_at=row.last_entry_at,
        last_error=row.last_error,
        interval=row.schedule.get("interval"),
        redirect_target=row.schedule.get("redirect_target"),
        days=tuple(per_day.get(first + timedelta(days=n), 0) for n in range(DAYS)),
        full_share=share,
        delay=delay,
    )
