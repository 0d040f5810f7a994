"""Articles for programs: lists of them, the last to arrive first, and one with its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Row, func, select

from storage.database import Database
from storage.sections import main_language
from storage.tables.article import article_texts, articles
from storage.tables.story import stories

SCANNED = 5_000
"""Articles that are looked at for one page. A page may hold fewer than wanted, and still go on."""
OUT_OF_ORDER = timedelta(hours=1)
"""How far apart two articles may have arrived that are written the other way round."""
_TITLE, _SUMMARY = 500, 1000
_NO_BOUND = 2**62


@dataclass(frozen=True, slots=True)
class ArticlesWanted:
    """Which articles: all of these hold. ``since`` is when they arrived, inclusive.

    ``story_id`` is a living story's. ``before`` is an article's id: older ones only.
    """

    source_id: int | None = None
    story_id: int | None = None
    language: str | None = None
    since: datetime | None = None
    before: int | None = None
    limit: int = 30


@dataclass(frozen=True, slots=True)
class ArticleItem:
    """An article as a list shows it. ``published`` is None where the date is a guess.

    ``state`` is ``new``, ``read`` or ``folded``; ``reason`` is the matcher's own.
    """

    id: int
    url: str | None
    title: str
    outlet: str
    publisher: str
    source_id: int
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    language: str | None
    image: str | None
    published: datetime | None
    arrived_at: datetime
    state: str
    text_source: str | None
    text_reasons: tuple[str, ...]
    text_length: int
    wall: str | None
    agency: str | None
    place: str | None
    story_slug: str | None
    copy_of: int | None
    reason: dict[str, Any]
    summary: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ArticlesFound:
    """A page of articles, and the id before which there are more (None: there are none)."""

    articles: tuple[ArticleItem, ...]
    before: int | None


def find_articles(db: Database, wanted: ArticlesWanted) -> ArticlesFound:
    """A page of the articles wanted."""
    with db.read() as connection:
        ids, before = _ids(connection, wanted)
        return ArticlesFound(_items(connection, ids), before)


def article_with_text(db: Database, article_id: int) -> ArticleItem | None:
    """One article, with its text; the one that it turned out to be."""
    merged = select(articles.c.merged_into).where(articles.c.id == article_id)
    with db.read() as connection:
        one = connection.execute(merged).scalar() or article_id
        found = _items(connection, [one], article_texts.c.text)
    return found[0] if found else None


def story_id_of(db: Database, slug: str) -> int | None:
    """The living story at ``slug``."""
    statement = select(stories.c.id).where(stories.c.slug == slug, stories.c.retired_at.is_(None))
    with db.read() as connection:
        return cast("int | None", connection.execute(statement).scalar())


def _ids(connection: Connection, wanted: ArticlesWanted) -> tuple[list[int], int | None]:
    statement = select(articles.c.id, articles.c.language, articles.c.arrived_at).where(
        articles.c.merged_into.is_(None)
    )
    if wanted.source_id is not None:
        statement = statement.where(articles.c.source_id == wanted.source_id)
    if wanted.story_id is not None:
        statement = statement.where(articles.c.story_id == wanted.story_id)
    # Always a bound: the walk down the index then shows as one in the plan.
    statement = statement.where(articles.c.id < (wanted.before or _NO_BOUND))
    plain = wanted.language is None and wanted.since is None
    scanned = wanted.limit + 1 if plain else SCANNED
    rows = connection.execute(statement.order_by(articles.c.id.desc()).limit(scanned)).all()
    found: list[int] = []
    last = None
    for row in rows:
        if wanted.since and row.arrived_at < wanted.since - OUT_OF_ORDER:
            return found, None
        if _admits(wanted, row):
            if len(found) == wanted.limit:
                return found, last
            found.append(row.id)
        last = row.id
    return found, last if len(rows) == scanned else None


def _admits(wanted: ArticlesWanted, row: Any) -> bool:  # noqa: ANN401 - a row of three columns
    if wanted.since and row.arrived_at < wanted.since:
        return False
    return wanted.language is None or main_language(row.language) == wanted.language


def _items(connection: Connection, ids: Sequence[int], *more: Any) -> tuple[ArticleItem, ...]:  # noqa: ANN401 - columns
    statement = (
        select(
            articles,
            stories.c.slug,
            func.substr(article_texts.c.summary, 1, _SUMMARY).label("summary"),
            *more,
        )
        .outerjoin(stories, stories.c.id == articles.c.story_id)
        .outerjoin(article_texts, article_texts.c.article_id == articles.c.id)
        .where(articles.c.id.in_(ids))
        .order_by(articles.c.id.desc())
    )
    return tuple(_item(row) for row in connection.execute(statement))


def _item(row: Row[Any]) -> ArticleItem:
    return ArticleItem(
        id=row.id,
        url=row.url,
        title=row.title[:_TITLE],
        outlet=row.outlet[:_TITLE],
        publisher=row.publisher[:_TITLE],
        source_id=row.source_id,
        authors=_short(row.authors),
        categories=_short(row.categories),
        language=row.language,
        image=row.image,
        published=None if row.published_guessed else row.published_at,
        arrived_at=row.arrived_at,
        state=row.state,
        text_source=row.text_source,
        text_reasons=_short(row.text_reasons),
        text_length=row.text_length,
        wall=row.wall,
        agency=row.agency,
        place=row.place,
        story_slug=row.slug,
        copy_of=row.copy_of,
        reason=row.reason,
        summary=row.summary or "",
        text=getattr(row, "text", None) or "",
    )


def _short(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text[:_TITLE] for text in texts[:20])
