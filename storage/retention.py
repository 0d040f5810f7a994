"""What retention looks at, and how it lets go: of articles, of stories with none left, of the rest.

What goes is decided elsewhere. The newest article and the newest story always stay: SQLite would
give their numbers to others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, or_, select, update

from storage.chunks import chunks
from storage.database import Database
from storage.days import REMEMBERED as DAYS_REMEMBERED
from storage.dropped import remember_articles, remember_entries
from storage.duties import ALONE, FOLD, stay_on_duty
from storage.locks import lock_articles
from storage.revision import move_revision
from storage.sections import file_stories
from storage.tables.article import article_texts, articles, entries
from storage.tables.output import archives, publications
from storage.tables.process import settings
from storage.tables.source import source_days, sources
from storage.tables.story import corrections, days, stories, story_events, story_sections
from storage.upsert import insert

_MATCHED_FROM = "matched from"
"""Setting: the place in the order of folding up to which the matcher has let go of articles."""


@dataclass(frozen=True, slots=True)
class OldArticle:
    """An article that may go. ``was_folded`` and ``waits`` (to be folded) tell how far it got."""

    id: int
    source_id: int
    arrived_at: datetime
    story_id: int | None
    was_folded: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class OldStory:
    """A story that an old article is in: its lead, and how many articles it has.

    ``stays`` is one that has to, for its number.
    """

    id: int
    lead_article_id: int
    articles: int
    stays: bool = False


@dataclass(frozen=True, slots=True)
class StoryCounts:
    """What lists say of a story that lost some of its articles."""

    story_id: int
    articles: int
    outlets: int
    copies: int


@dataclass(frozen=True, slots=True)
class Drop:
    """What goes, in one transaction: articles, whole stories, and what others come to.

    ``of_stories`` and ``of_articles`` are the outputs that publish these. ``term`` is that of the
    duty to fold under which it was decided (storage/duties.py).
    """

    at: datetime
    articles: Sequence[int]
    stories: Sequence[int] = ()
    shrunk: Sequence[StoryCounts] = ()
    of_stories: Sequence[str] = ()
    of_articles: Sequence[str] = ()
    term: int = ALONE


# --- what may go ------------------------------------------------------------------------------


def source_ids(db: Database) -> tuple[tuple[int, str], ...]:
    """Every source that ever was, with its address."""
    with db.read() as connection:
        rows = connection.execute(select(sources.c.id, sources.c.url).order_by(sources.c.id))
        return tuple((row.id, row.url) for row in rows)


def newest_kept(db: Database, count: int) -> int:
    """The number of the last article that is not among the newest ``count``; 0 where all are."""
    beyond = select(articles.c.id).order_by(articles.c.id.desc()).offset(count).limit(1)
    with db.read() as connection:
        return connection.execute(beyond).scalar() or 0


def newest_kept_of(db: Database, source_id: int, count: int) -> datetime | None:
    """When the last article of a source arrived that is not among its newest ``count``."""
    beyond = (
        select(articles.c.arrived_at)
        .where(articles.c.source_id == source_id)
        .order_by(articles.c.arrived_at.desc())
        .offset(count)
        .limit(1)
    )
    with db.read() as connection:
        return connection.execute(beyond).scalar()


def old_articles_of(
    db: Database, source_id: int, until: datetime, after: tuple[datetime, int] | None, limit: int
) -> tuple[OldArticle, ...]:
    """A source's articles that arrived by ``until``, the eldest first, from behind a place."""
    statement = _old().where(articles.c.source_id == source_id, articles.c.arrived_at <= until)
    if after is not None:
        moment, number = after
        statement = statement.where(
            articles.c.arrived_at >= moment,
            or_(articles.c.arrived_at > moment, articles.c.id > number),
        )
    return _found(db, statement.order_by(articles.c.arrived_at, articles.c.id).limit(limit))


def old_articles(db: Database, until: int, after: int, limit: int) -> tuple[OldArticle, ...]:
    """The articles with numbers behind ``after`` and up to ``until``, in that order."""
    statement = _old().where(articles.c.id <= until, articles.c.id > after)
    return _found(db, statement.order_by(articles.c.id).limit(limit))


def _old() -> Select[Any]:
    newest = select(func.max(articles.c.id)).scalar_subquery()
    last = select(func.max(articles.c.fold_order)).scalar_subquery()
    # What turned out to be another article goes with that one.
    kept = select(func.coalesce(articles.c.merged_into, articles.c.id)).where(
        or_(articles.c.id == newest, articles.c.fold_order == last)
    )
    return select(articles).where(articles.c.merged_into.is_(None), articles.c.id.not_in(kept))


def _found(db: Database, statement: Select[Any]) -> tuple[OldArticle, ...]:
    with db.read() as connection:
        return tuple(_old_article(row) for row in connection.execute(statement))


def _old_article(row: Row[Any]) -> OldArticle:
    return OldArticle(
        id=row.id,
        source_id=row.source_id,
        arrived_at=row.arrived_at,
        story_id=row.story_id,
        was_folded=row.fold_order is not None,
        waits=row.state == "read",
    )


def old_stories(db: Database, story_ids: Sequence[int]) -> dict[int, OldStory]:
    """These stories, by id. The newest there is stays, and what it became part of."""
    held = (
        select(articles.c.story_id, func.count().label("articles"))
        .where(articles.c.story_id.in_(story_ids))
        .group_by(articles.c.story_id)
    )
    with db.read() as connection:
        kept = _kept_for_their_number(connection)
        counts = {row.story_id: row.articles for row in connection.execute(held)}
        rows = connection.execute(
            select(stories.c.id, stories.c.lead_article_id).where(stories.c.id.in_(story_ids))
        )
        return {
            row.id: OldStory(
                row.id, row.lead_article_id, counts.get(row.id, 0), stays=row.id in kept
            )
            for row in rows
        }


def _kept_for_their_number(connection: Connection) -> set[int]:
    found: set[int] = set()
    newest = connection.execute(select(func.max(stories.c.id))).scalar()
    while newest is not None and newest not in found:
        found.add(newest)
        newest = connection.execute(
            select(stories.c.retired_into).where(stories.c.id == newest)
        ).scalar()
    return found


# --- what the matcher remembers ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A folded article's place in the order of folding, and when it arrived."""

    fold_order: int
    id: int
    arrived_at: datetime


def matched_from(connection: Connection) -> int:
    """The place in the order of folding behind which the matcher's memory begins."""
    value = connection.execute(
        select(settings.c.value).where(settings.c.name == _MATCHED_FROM)
    ).scalar()
    return int(value or 0)


def first_matched(db: Database, limit: int) -> tuple[Place, ...]:
    """The first articles that the matcher remembers, in the order of folding."""
    with db.read() as connection:
        rows = connection.execute(
            select(articles.c.fold_order, articles.c.id, articles.c.arrived_at)
            .where(
                articles.c.fold_order > matched_from(connection), articles.c.merged_into.is_(None)
            )
            .order_by(articles.c.fold_order)
            .limit(limit)
        )
        return tuple(Place(row.fold_order, row.id, row.arrived_at) for row in rows)


def match_from(db: Database, fold_order: int) -> None:
    """Let the matcher's memory begin behind ``fold_order``, in every life to come."""
    with db.write() as connection:
        connection.execute(
            insert(connection, settings)
            .values(name=_MATCHED_FROM, value=str(fold_order))
            .on_conflict_do_update(index_elements=["name"], set_={"value": str(fold_order)})
        )


# --- letting go -------------------------------------------------------------------------------


def commit_drop(db: Database, drop: Drop) -> None:
    """Let go of articles and stories; what may come back as new is remembered.

    Raises:
        DutyLostError: another folds by now. Nothing was written.
    """
    with db.write() as connection:
        stay_on_duty(connection, FOLD, drop.term)
        for some in chunks(drop.articles):
            _drop_articles(connection, some, drop)
        for some in chunks(drop.stories):
            _drop_stories(connection, some, drop.of_stories)
        for one in drop.shrunk:
            connection.execute(
                update(stories)
                .where(stories.c.id == one.story_id)
                .values(
                    articles=one.articles,
                    outlets=one.outlets,
                    copies=one.copies,
                    changed_at=drop.at,
                )
            )
        file_stories(connection, [one.story_id for one in drop.shrunk])
        move_revision(connection)


def _drop_articles(connection: Connection, some: Sequence[int], drop: Drop) -> None:
    """Articles, and what turned out to be them."""
    merged = select(articles.c.id).where(articles.c.merged_into.in_(some))
    ids = sorted([*connection.execute(merged).scalars(), *some])
    # A poll of another process may just let an entry point at one: that entry goes too.
    lock_articles(connection, ids, wholly=True)
    shown = connection.execute(
        select(entries.c.source_id, entries.c.guid).where(entries.c.article_id.in_(ids))
    ).all()
    remember_entries(connection, [(row.source_id, row.guid) for row in shown], drop.at)
    keys = connection.execute(select(articles.c.key).where(articles.c.id.in_(ids))).scalars()
    remember_articles(connection, keys.all(), drop.at)
    told = or_(corrections.c.article_a.in_(ids), corrections.c.article_b.in_(ids))
    connection.execute(delete(corrections).where(told))
    connection.execute(delete(entries).where(entries.c.article_id.in_(ids)))
    connection.execute(delete(article_texts).where(article_texts.c.article_id.in_(ids)))
    connection.execute(delete(articles).where(articles.c.id.in_(ids)))
    _unpublish(connection, ids, drop.of_articles)


def _drop_stories(connection: Connection, ids: Sequence[int], outputs: Sequence[str]) -> None:
    """Stories, and those that became part of them."""
    every = list(ids)
    found = every
    while found:
        became = select(stories.c.id).where(stories.c.retired_into.in_(found))
        found = list(connection.execute(became).scalars())
        every += found
    _unpublish(connection, every, outputs)
    for some in chunks(reversed(every)):  # those that point at others first
        for table in (story_sections, story_events):
            connection.execute(delete(table).where(table.c.story_id.in_(some)))
        connection.execute(delete(stories).where(stories.c.id.in_(some)))


def _unpublish(connection: Connection, ids: Sequence[int], outputs: Sequence[str]) -> None:
    for some in chunks(ids):
        connection.execute(
            delete(publications).where(
                publications.c.output.in_(outputs), publications.c.item_id.in_(some)
            )
        )


def drop_archives(db: Database, output: str, keep: int, closed_before: datetime | None) -> None:
    """Let go of an output's archives beyond the last ``keep``, and of those closed before then.

    The last one always stays: it tells where the next begins.
    """
    of_output = archives.c.output == output
    with db.write() as connection:
        last = connection.execute(select(func.max(archives.c.number)).where(of_output)).scalar()
        if last is None:
            return
        gone = archives.c.number <= last - keep if keep else archives.c.number < 0
        if closed_before is not None:
            gone = or_(gone, archives.c.closed_at < closed_before)
        connection.execute(delete(archives).where(of_output, archives.c.number < last, gone))


def forget_days(db: Database, now: datetime) -> None:
    """Let go of counts by day that nothing shows any more."""
    first = (now - DAYS_REMEMBERED - timedelta(days=1)).date()
    with db.write() as connection:
        connection.execute(delete(source_days).where(source_days.c.day < first))
        connection.execute(delete(days).where(days.c.day < first))


def shrink(db: Database, pages: int) -> bool:
    """Give up to ``pages`` free pages of an SQLite file back to the disk; whether there are more.

    A tenth of the file stays free for what comes next. PostgreSQL's autovacuum sees to its own.
    """
    if db.dialect != "sqlite":
        return False
    with db.write() as connection:
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        surplus = free - connection.exec_driver_sql("PRAGMA page_count").scalar_one() // 10
        if surplus <= 0:
            return False
        for _ in range(min(surplus, pages)):
            # One page each: the driver takes the first for all that there is to do.
            connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return bool(surplus > pages)
