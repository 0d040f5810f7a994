"""The parts of the front page: which categories and languages each living story stands in."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select

from storage.chunks import chunks
from storage.columns import storable
from storage.database import Database
from storage.tables.article import articles
from storage.tables.source import sources
from storage.tables.story import stories, story_sections
from storage.upsert import insert

CATEGORY, LANGUAGE = "category", "language"


def category_of(article: Any) -> ColumnElement[str]:  # noqa: ANN401 - the table, or an alias of it
    """An article's own category, by a rule, or else that of its source, which has to be joined."""
    return func.coalesce(article.c.category, sources.c.category)


category_of_article = category_of(articles)
_FIRST = (
    select(story_sections.c.name)
    .where(story_sections.c.kind == bindparam("kind"))
    .order_by(story_sections.c.name)
    .limit(1)
)
_NEXT = _FIRST.where(story_sections.c.name > bindparam("name"))


def main_language(tag: str | None) -> str | None:
    """The language of a BCP 47 tag without script and region: ``en`` of ``en-GB``."""
    return tag.replace("_", "-").partition("-")[0].lower() or None if tag else None


def speaks(language: ColumnElement[str], wanted: Iterable[str]) -> ColumnElement[bool]:
    """Whether it is one of the languages ``wanted``: ``en`` is ``en-GB`` too (RFC 4647, 3.3.1)."""
    said = func.lower(language)
    ranges = [storable(one).replace("_", "-").lower() for one in wanted]
    within = (said.startswith(f"{one}-", autoescape=True) for one in ranges)
    return or_(said.in_(ranges), *within)


def file_stories(connection: Connection, story_ids: Iterable[int]) -> None:
    """Put these stories, as they stand now, into their parts; retired ones into none."""
    for some in chunks(sorted(set(story_ids))):
        connection.execute(delete(story_sections).where(story_sections.c.story_id.in_(some)))
        if rows := _rows(connection, some):
            connection.execute(insert(connection, story_sections), rows)


def file_stories_of(connection: Connection, source_urls: Sequence[str]) -> None:
    """Put the stories that these sources tell into their parts anew."""
    for some in chunks(source_urls):
        told = (
            select(articles.c.story_id)
            .distinct()
            .join(sources, sources.c.id == articles.c.source_id)
            .where(sources.c.url.in_(some), articles.c.story_id.is_not(None))
        )
        file_stories(connection, connection.execute(told).scalars())


def _rows(connection: Connection, story_ids: Sequence[int]) -> list[dict[str, Any]]:
    names: defaultdict[int, set[str]] = defaultdict(set)
    told = (
        select(articles.c.story_id, category_of_article.label("category"))
        .distinct()
        .join(sources, sources.c.id == articles.c.source_id)
        .where(articles.c.story_id.in_(story_ids), category_of_article.is_not(None))
    )
    for row in connection.execute(told):
        names[row.story_id].add(row.category)
    living = select(stories.c.id, stories.c.language, stories.c.rank, stories.c.published_at).where(
        stories.c.id.in_(story_ids), stories.c.retired_at.is_(None)
    )
    rows = []
    for story in connection.execute(living).all():
        parts = [(CATEGORY, name) for name in sorted(names[story.id])]
        if language := main_language(story.language):
            parts.append((LANGUAGE, language))
        rows += [
            {
                "story_id": story.id,
                "kind": kind,
                "name": name,
                "rank": story.rank,
                "published_at": story.published_at,
            }
            for kind, name in parts
        ]
    return rows


def section_names(db: Database, kind: str) -> tuple[str, ...]:
    """The names of the parts of a kind that hold a story, in their order.

    One look at the index for each of them: it is not gone through.
    """
    names: list[str] = []
    with db.read() as connection:
        name = connection.execute(_FIRST, {"kind": kind}).scalar()
        while name is not None:
            names.append(name)
            name = connection.execute(_NEXT, {"kind": kind, "name": name}).scalar()
    return tuple(names)
