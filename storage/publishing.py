"""Stories as readers see them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, select

from storage.chunks import chunks
from storage.database import Database
from storage.revision import current_revision
from storage.sections import category_of_article, speaks
from storage.tables.article import article_texts, articles, entries
from storage.tables.source import sources
from storage.tables.story import stories
from storage.values.publish import ArticleView, StoryFilter, StoryView


def revision(db: Database) -> tuple[datetime | None, int]:
    """Changes whenever any story does: the latest change, and a number that only grows."""
    with db.read() as connection:
        latest = connection.execute(select(func.max(stories.c.changed_at))).scalar()
        return latest, current_revision(connection)


def _is_told_where(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a source that meets ``condition`` tells the story.

    Not by EXISTS: PostgreSQL would turn that into a join, and may look for every story that such a
    source tells instead of asking it of the few that matter.
    """
    telling = (
        select(articles.c.id)
        .join(sources, sources.c.id == articles.c.source_id)
        .where(articles.c.story_id == stories.c.id, condition)
        .limit(1)
    )
    return telling.correlate(stories).scalar_subquery().is_not(None)


def stories_by_id(db: Database, ids: Sequence[int]) -> tuple[StoryView, ...]:
    """These stories in the order given, without those that are not there."""
    found: dict[int, StoryView] = {}
    with db.read() as connection:
        for some in chunks(ids):
            rows = connection.execute(select(stories).where(stories.c.id.in_(some))).all()
            found.update((view.id, view) for view in _views(connection, rows))
    return tuple(found[story_id] for story_id in ids if story_id in found)


def articles_by_id(db: Database, ids: Sequence[int]) -> tuple[ArticleView, ...]:
    """These articles with their texts and their sources' ids, in the order given."""
    found: dict[int, ArticleView] = {}
    with db.read() as connection:
        for some in chunks(ids):
            rows = connection.execute(_article_rows().where(articles.c.id.in_(some))).all()
            texts = _texts(connection, some)
            guids = _guids(connection, some)
            for row in rows:
                view = _article_view(row, texts.get(row.id))
                found[row.id] = replace(view, guid=guids.get((row.id, row.source_id), ""))
    return tuple(found[article_id] for article_id in ids if article_id in found)


def _guids(connection: Connection, ids: Sequence[int]) -> dict[tuple[int, int], str]:
    """The first id by which each source (article, source) showed it."""
    rows = connection.execute(
        select(entries.c.article_id, entries.c.source_id, entries.c.guid)
        .where(entries.c.article_id.in_(ids))
        .order_by(entries.c.id.desc())
    )
    return {(row.article_id, row.source_id): row.guid for row in rows}


def story_by_slug(db: Database, slug: str) -> StoryView | None:
    """The living story at ``slug``; for a retired one, the story it became part of."""
    with db.read() as connection:
        row = connection.execute(select(stories).where(stories.c.slug == slug)).one_or_none()
        while row is not None and row.retired_into is not None:
            row = connection.execute(
                select(stories).where(stories.c.id == row.retired_into)
            ).one_or_none()
        found = _views(connection, [row] if row else [])
    return found[0] if found else None


def story_conditions(wanted: StoryFilter) -> list[ColumnElement[bool]]:
    """What makes a story living and admitted by ``wanted``."""
    conditions: list[ColumnElement[bool]] = [stories.c.retired_at.is_(None)]
    if wanted.min_outlets > 1:
        conditions.append(stories.c.outlets >= wanted.min_outlets)
    if wanted.languages:
        conditions.append(speaks(stories.c.language, wanted.languages))
    if wanted.categories:
        conditions.append(_is_told_where(category_of_article.in_(wanted.categories)))
    if wanted.sources:
        conditions.append(_is_told_where(sources.c.url.in_(wanted.sources)))
    if wanted.without_leads:
        conditions.append(
            ~exists()
            .where(articles.c.id == stories.c.lead_article_id)
            .where(sources.c.id == articles.c.source_id)
            .where(sources.c.url.in_(wanted.without_leads))
        )
    if wanted.seen_before:
        conditions.append(stories.c.created_at <= wanted.seen_before)
    return conditions


def _views(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[StoryView, ...]:
    members: defaultdict[int, list[ArticleView]] = defaultdict(list)
    leads = {row.lead_article_id for row in rows}
    found = connection.execute(
        _article_rows()
        .where(articles.c.story_id.in_([row.id for row in rows]))
        .order_by(articles.c.fold_order)
    ).all()
    texts = _texts(connection, leads)
    for row in found:
        members[row.story_id].append(_article_view(row, texts.get(row.id)))
    return tuple(_story_view(row, members[row.id]) for row in rows)


def _article_rows() -> Select[Any]:
    return select(
        articles,
        sources.c.feed_url,
        sources.c.name,
        sources.c.site_url,
        sources.c.icon,
        sources.c.rights,
        category_of_article.label("shown_category"),
    ).join(sources, sources.c.id == articles.c.source_id)


def _texts(connection: Connection, article_ids: Collection[int]) -> dict[int, Any]:
    rows = connection.execute(
        select(
            article_texts.c.article_id,
            article_texts.c.summary,
            article_texts.c.text,
            article_texts.c.html,
        ).where(article_texts.c.article_id.in_(article_ids))
    )
    return {row.article_id: row for row in rows}


def _story_view(row: Row[Any], members: Sequence[ArticleView]) -> StoryView:
    lead_first = sorted(members, key=lambda article: article.id != row.lead_article_id)
    return StoryView(
        id=row.id,
        uri=row.uri,
        slug=row.slug,
        title=row.title,
        language=row.language,
        outlets=row.outlets,
        published_at=row.published_at,
        updated_at=row.updated_at,
        created_at=row.created_at,
        changed_at=row.changed_at,
        articles=tuple(lead_first),
    )


def _article_view(row: Row[Any], texts: Row[Any] | None) -> ArticleView:
    return ArticleView(
        id=row.id,
        url=row.url,
        title=row.title,
        outlet=row.outlet,
        publisher=row.publisher,
        source_id=row.source_id,
        source_url=row.feed_url,
        source_title=row.name,
        source_site_url=row.site_url,
        source_icon=row.icon,
        source_rights=row.rights,
        category=row.shown_category,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        language=row.language,
        image=row.image,
        published=None if row.published_guessed else row.published_at,
        arrived_at=row.arrived_at,
        copy_of=row.copy_of,
        score=row.score,
        reason=row.reason,
        text_source=row.text_source,
        agency=row.agency,
        summary=texts.summary if texts else "",
        text=texts.text if texts else "",
        html=texts.html if texts else "",
    )
