"""What every output has published, in its own sequence, and the archives closed over it.

An output's sequence only grows: what it once published keeps its place. So a filter judges each
story once for each change of it, and a document is read off the end of the sequence, however rare
what it holds is among everything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from storage.chunks import chunks
from storage.database import Database
from storage.publishing import story_conditions
from storage.sections import category_of, speaks
from storage.tables.article import article_texts, articles
from storage.tables.output import archives, output_progress, publications
from storage.tables.source import sources
from storage.tables.story import stories
from storage.upsert import insert
from storage.values.publish import ClosedArchive, Listed, Progress, StoryFilter, Window, Wording

_OVERLAP = timedelta(minutes=1)
"""What changed so shortly before the last look is judged again: clocks are corrected."""
_EVER = datetime(1970, 2, 1, tzinfo=UTC)


def output_progress_of(db: Database, output: str) -> Progress:
    """How far the output called so has come."""
    with db.read() as connection:
        return _progress(connection, output)


def _progress(connection: Connection, output: str) -> Progress:
    row = connection.execute(
        select(output_progress).where(output_progress.c.output == output)
    ).one_or_none()
    if row is None:
        return Progress()
    return Progress(
        admits=row.admits,
        looked_at=row.looked_at,
        looked_to=row.looked_to,
        next_position=row.next_position,
        archived_to=row.archived_to,
        archives=row.archives,
    )


# --- what is new ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unjudged:
    """What an output has not published and may, first seen first, and how far that looks.

    ``looked_at`` and ``looked_to`` are where the next look begins.
    """

    ids: tuple[int, ...]
    looked_at: datetime | None
    looked_to: int


def unjudged_stories(
    db: Database, output: str, wanted: StoryFilter, before: Progress | None, patience: timedelta
) -> Unjudged:
    """Stories that ``wanted`` admits, not published yet, new or changed since the last look.

    ``before`` is None for a first look, which goes back as far as ``wanted.limit`` says, whatever
    was published. ``patience`` is how long the output waits for coverage: a story may have become
    ripe without any change.
    """
    statement = (
        select(stories.c.id)
        .where(*story_conditions(wanted))
        .order_by(stories.c.created_at.desc(), stories.c.id.desc())
    )
    if before is None:
        statement = statement.limit(wanted.limit)
    else:
        since = (before.looked_at or _EVER) - patience - _OVERLAP
        statement = statement.where(
            # By its number too: what comes after a clock was set back is new all the same.
            or_(stories.c.changed_at >= since, stories.c.id > before.looked_to),
            ~_is_published(output, stories.c.id),
        )
    with db.read() as connection:
        latest = connection.execute(select(func.max(stories.c.changed_at))).scalar()
        last = connection.execute(select(func.max(stories.c.id))).scalar() or 0
        found = connection.execute(statement).scalars().all()
    return Unjudged(tuple(reversed(found)), latest, last)


def unjudged_articles(
    db: Database, output: str, wanted: StoryFilter, before: Progress | None
) -> Unjudged:
    """Folded articles that ``wanted`` admits, of those in the same words the first.

    Two of one source with the same title and no text are two all the same: "The weather today".
    ``before`` is None for a first look, as with stories.
    """
    elder = aliased(articles, name="elder")
    said_before = (
        exists()
        .where(elder.c.text_hash == articles.c.text_hash, elder.c.fold_order.is_not(None))
        .where(elder.c.fold_order < articles.c.fold_order)
        .where(or_(elder.c.text_length > 0, elder.c.source_id != articles.c.source_id))
        .where(*_article_conditions(wanted, elder))
    )
    statement = (
        select(articles.c.id)
        .where(articles.c.fold_order.is_not(None), *_article_conditions(wanted))
        .where(~said_before)
        .order_by(articles.c.fold_order.desc())
    )
    if before is None:
        statement = statement.limit(wanted.limit)
    else:
        statement = statement.where(
            articles.c.fold_order > before.looked_to, ~_is_published(output, articles.c.id)
        )
    with db.read() as connection:
        latest = connection.execute(select(func.max(articles.c.fold_order))).scalar() or 0
        found = connection.execute(statement).scalars().all()
    return Unjudged(tuple(reversed(found)), None, latest)


def _is_published(output: str, item_id: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(publications.c.output == output).where(publications.c.item_id == item_id)


def _article_conditions(
    wanted: StoryFilter,
    article: Any = articles,  # noqa: ANN401 - the table, or an alias of it
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [article.c.merged_into.is_(None)]
    if wanted.languages:
        conditions.append(speaks(article.c.language, wanted.languages))
    of_source = exists().where(sources.c.id == article.c.source_id)
    if wanted.categories:
        conditions.append(of_source.where(category_of(article).in_(wanted.categories)))
    if wanted.sources:
        conditions.append(of_source.where(sources.c.url.in_(wanted.sources)))
    if wanted.without_leads:
        conditions.append(~of_source.where(sources.c.url.in_(wanted.without_leads)))
    return conditions


def wordings(db: Database, ids: Iterable[int], *, of_articles: bool) -> dict[int, Wording]:
    """What these stories (their leads), or articles, say."""
    if of_articles:
        item, title, lead = articles.c.id, articles.c.title, articles.c.id
    else:
        item, title, lead = stories.c.id, stories.c.title, stories.c.lead_article_id
    found: dict[int, Wording] = {}
    with db.read() as connection:
        for some in chunks(ids):
            rows = connection.execute(
                select(item.label("id"), title.label("title"), article_texts.c.text)
                .outerjoin(article_texts, article_texts.c.article_id == lead)
                .where(item.in_(some))
            )
            found.update((row.id, Wording(row.title, row.text or "")) for row in rows)
    return found


# --- the sequence -----------------------------------------------------------------------------


def publish(
    db: Database, output: str, ids: Sequence[int], admits: str, unjudged: Unjudged
) -> Progress:
    """Append items to an output's sequence and remember how far was looked.

    Where ``admits`` is not what it was, the filter changed: the sequence begins anew, behind what
    was archived.
    """
    with db.write() as connection:
        before = _held(connection, output)
        if before.admits != admits:
            connection.execute(delete(publications).where(publications.c.output == output))
        rows = [
            {"output": output, "item_id": item, "position": position}
            for position, item in enumerate(ids, before.next_position)
        ]
        for some in chunks(rows):
            statement = insert(connection, publications).on_conflict_do_nothing()
            connection.execute(statement, some)
        values = {
            "admits": admits,
            "looked_at": unjudged.looked_at,
            "looked_to": unjudged.looked_to,
            "next_position": before.next_position + len(rows),
            "archived_to": before.archived_to
            if before.admits == admits
            else before.next_position - 1,
        }
        connection.execute(
            update(output_progress).where(output_progress.c.output == output).values(values)
        )
        return _progress(connection, output)


def _held(connection: Connection, output: str) -> Progress:
    """The progress, and nobody else's to write until the transaction ends."""
    connection.execute(
        insert(connection, output_progress)
        .values(output=output, admits="", looked_to=0, next_position=1, archived_to=0, archives=0)
        .on_conflict_do_nothing()
    )
    connection.execute(
        select(output_progress.c.output).where(output_progress.c.output == output).with_for_update()
    ).all()
    return _progress(connection, output)


def published(
    db: Database, output: str, window: Window, *, of_articles: bool
) -> tuple[Listed, ...]:
    """What an output published, the newest first."""
    statement = _articles_listed(window) if of_articles else _stories_listed(window)
    with db.read() as connection:
        rows = connection.execute(
            statement.where(publications.c.output == output, publications.c.position > window.after)
            .order_by(publications.c.position.desc())
            .limit(window.newest)
        ).all()
    return tuple(Listed(row.id, row.position, row.source_id, row.outlets) for row in rows)


def open_publications(
    db: Database, output: str, after: int, limit: int, *, of_articles: bool
) -> tuple[Listed, ...]:
    """What an output published behind the position ``after``, the eldest first."""
    everything = Window(newest=limit)
    statement = _articles_listed(everything) if of_articles else _stories_listed(everything)
    with db.read() as connection:
        rows = connection.execute(
            statement.where(publications.c.output == output, publications.c.position > after)
            .order_by(publications.c.position)
            .limit(limit)
        ).all()
    return tuple(Listed(row.id, row.position, row.source_id, row.outlets) for row in rows)


def _stories_listed(window: Window) -> Select[Any]:
    lead = aliased(articles, name="lead")
    statement = (
        select(stories.c.id, publications.c.position, lead.c.source_id, stories.c.outlets)
        .join(stories, stories.c.id == publications.c.item_id)
        .outerjoin(lead, lead.c.id == stories.c.lead_article_id)
    )
    wanted = StoryFilter(categories=window.categories, languages=window.languages)
    statement = statement.where(*story_conditions(wanted))
    return statement.where(stories.c.published_at >= window.since) if window.since else statement


def _articles_listed(window: Window) -> Select[Any]:
    wanted = StoryFilter(categories=window.categories, languages=window.languages)
    statement = (
        select(
            articles.c.id,
            publications.c.position,
            articles.c.source_id,
            literal(1).label("outlets"),
        )
        .join(articles, articles.c.id == publications.c.item_id)
        .where(*_article_conditions(wanted))
    )
    moment = case(
        (articles.c.published_guessed, articles.c.arrived_at),
        else_=func.coalesce(articles.c.published_at, articles.c.arrived_at),
    )
    return statement.where(moment >= window.since) if window.since else statement


# --- archives ---------------------------------------------------------------------------------


def close_archive(
    db: Database,
    output: str,
    archive: ClosedArchive,
    *,
    after: int,
    to: int,
    kept: Sequence[int],
) -> bool:
    """Close ``archive`` over the positions behind ``after`` up to ``to``; False if another did.

    What is not ``kept`` there ended before it was archived and leaves the sequence: should it come
    back to life, it is published again.
    """
    with db.write() as connection:
        before = _held(connection, output)
        if (before.archived_to, before.archives) != (after, archive.number - 1):
            return False
        connection.execute(
            insert(connection, archives).values(
                output=output,
                number=archive.number,
                closed_at=archive.closed_at,
                full=archive.full,
                body=archive.body,
            )
        )
        connection.execute(
            delete(publications)
            .where(publications.c.output == output)
            .where(publications.c.position > after, publications.c.position <= to)
            .where(publications.c.item_id.not_in(kept))
        )
        connection.execute(
            update(output_progress)
            .where(output_progress.c.output == output)
            .values(archived_to=to, archives=archive.number)
        )
    return True


def archive_of(db: Database, output: str, number: int) -> ClosedArchive | None:
    """A closed archive of an output."""
    with db.read() as connection:
        row = connection.execute(
            select(archives).where(archives.c.output == output, archives.c.number == number)
        ).one_or_none()
    return ClosedArchive(row.number, row.closed_at, row.full, row.body) if row else None


def eldest_archive(db: Database, output: str) -> ClosedArchive | None:
    """The first archive of an output that is kept still."""
    with db.read() as connection:
        row = connection.execute(
            select(archives).where(archives.c.output == output).order_by(archives.c.number).limit(1)
        ).one_or_none()
    return ClosedArchive(row.number, row.closed_at, row.full, row.body) if row else None
