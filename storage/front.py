"""Lists of stories for the front page: a rank or a date to go by, and a place to go on from."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_

from storage.chunks import chunks
from storage.database import Database
from storage.sections import CATEGORY, LANGUAGE
from storage.tables.article import article_texts, articles
from storage.tables.story import stories, story_sections

_TITLE, _SUMMARY = 500, 1000
_MOST_OTHERS = 6


@dataclass(frozen=True, slots=True)
class Telling:
    """Another outlet's headline of a story."""

    outlet: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list is gone on from: a story's rank or time of publication, and its id."""

    at: float | datetime
    story_id: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Which stories, in which order, from where.

    The highest ranked come first, or the last published. ``after`` goes on behind a place,
    ``before`` gives those just before one.
    """

    newest: bool = False
    category: str | None = None
    language: str | None = None
    after: Place | None = None
    before: Place | None = None
    limit: int = 30


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A story as a list shows it. Texts are cut to what a list could ever show.

    ``outlets`` are independent ones; ``copies`` articles that carry another's text; ``others`` the
    first of the outlets besides the lead's. ``latest_at`` is the time of the latest report.
    """

    id: int
    slug: str
    title: str
    language: str | None
    outlets: int
    copies: int
    rank: float
    published_at: datetime
    updated_at: datetime
    lead_outlet: str
    lead_url: str | None
    summary: str
    others: tuple[Telling, ...]
    latest_at: datetime

    def place(self, *, newest: bool) -> Place:
        """Where the list goes on behind this story."""
        return Place(self.published_at if newest else self.rank, self.id)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list, and whether there are stories before and behind it."""

    stories: tuple[StoryCard, ...]
    is_first: bool
    is_last: bool


def list_stories(db: Database, listing: Listing) -> Listed:
    """A page of the front page. As cheap deep down as at the top."""
    with db.read() as connection:
        ids = list(connection.execute(listed_ids(listing)).scalars())
        more = len(ids) > listing.limit
        ids = ids[: listing.limit]
        if listing.before is not None:
            ids.reverse()
            return Listed(_cards(connection, ids), is_first=not more, is_last=False)
        return Listed(_cards(connection, ids), is_first=listing.after is None, is_last=not more)


def cards_of(db: Database, story_ids: Sequence[int]) -> tuple[StoryCard, ...]:
    """These stories, in this order; without those that are no more."""
    with db.read() as connection:
        return _cards(connection, story_ids)


def listed_ids(listing: Listing) -> Any:  # noqa: ANN401 - SQLAlchemy's Select of one of two shapes
    """The ids of a page of a list and one more, in its order; reversed ``before`` a place."""
    parts = [(CATEGORY, listing.category), (LANGUAGE, listing.language)]
    wanted = [(kind, name) for kind, name in parts if name is not None]
    if wanted:  # one part is read off its index; a second one is looked up for each story
        (kind, name), *others = wanted
        table = story_sections.c
        statement = select(table.story_id).where(table.kind == kind, table.name == name)
        story_id, moments = table.story_id, (table.published_at, table.rank)
        for other_kind, other_name in others:
            other = story_sections.alias()
            statement = statement.where(
                select(other.c.story_id)
                .where(
                    other.c.story_id == table.story_id,
                    other.c.kind == other_kind,
                    other.c.name == other_name,
                )
                .exists()
            )
    else:
        story_id, moments = stories.c.id, (stories.c.published_at, stories.c.rank)
        statement = select(story_id).where(stories.c.retired_at.is_(None))
    moment = moments[0] if listing.newest else moments[1]
    here = tuple_(moment, story_id)
    if listing.after is not None:
        statement = statement.where(here < tuple_(listing.after.at, listing.after.story_id))
    if listing.before is not None:
        statement = statement.where(here > tuple_(listing.before.at, listing.before.story_id))
        return statement.order_by(moment, story_id).limit(listing.limit + 1)
    return statement.order_by(moment.desc(), story_id.desc()).limit(listing.limit + 1)


def _cards(connection: Connection, story_ids: Sequence[int]) -> tuple[StoryCard, ...]:
    rows: dict[int, Row[Any]] = {}
    told: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for some in chunks(story_ids):
        for row in connection.execute(_with_leads(some)):
            rows[row.id] = row
        for row in connection.execute(_headlines(some)):
            told[row.story_id].append(row)
    return tuple(_card(rows[one], told[one]) for one in story_ids if one in rows)


def _headlines(story_ids: Sequence[int]) -> Any:  # noqa: ANN401 - a Select of these columns
    """The first articles of each story. A story may hold hundreds; a list shows a few."""
    place = func.row_number().over(
        partition_by=articles.c.story_id, order_by=(articles.c.fold_order, articles.c.id)
    )
    columns = ("id", "story_id", "outlet", "title", "url")
    members = (
        select(*(articles.c[name] for name in columns), place.label("place"))
        .where(articles.c.story_id.in_(story_ids))
        .subquery()
    )
    title = func.substr(members.c.title, 1, _TITLE).label("title")
    return (
        select(members.c.story_id, members.c.outlet, members.c.url, title)
        .where(members.c.place <= 2 * _MOST_OTHERS)
        .order_by(members.c.story_id, members.c.place)
    )


def _with_leads(story_ids: Sequence[int]) -> Any:  # noqa: ANN401 - a Select of these columns
    return (
        select(
            stories.c.id,
            stories.c.slug,
            func.substr(stories.c.title, 1, _TITLE).label("title"),
            stories.c.language,
            stories.c.outlets,
            stories.c.copies,
            stories.c.rank,
            stories.c.published_at,
            stories.c.latest_at,
            stories.c.updated_at,
            stories.c.lead_article_id,
            articles.c.outlet,
            articles.c.url,
            func.substr(article_texts.c.summary, 1, _SUMMARY).label("summary"),
        )
        .join(articles, articles.c.id == stories.c.lead_article_id)
        .outerjoin(article_texts, article_texts.c.article_id == articles.c.id)
        .where(stories.c.id.in_(story_ids), stories.c.retired_at.is_(None))
    )


def _card(row: Row[Any], told: Sequence[Row[Any]]) -> StoryCard:
    others: dict[str, Telling] = {}
    for member in told:
        if member.outlet != row.outlet and len(others) < _MOST_OTHERS:
            others.setdefault(member.outlet, Telling(member.outlet, member.title, member.url))
    return StoryCard(
        id=row.id,
        slug=row.slug,
        title=row.title,
        language=row.language,
        outlets=row.outlets,
        copies=row.copies,
        rank=row.rank,
        published_at=row.published_at,
        updated_at=row.updated_at,
        lead_outlet=row.outlet,
        lead_url=row.url,
        summary=row.summary or "",
        others=tuple(others.values()),
        latest_at=row.latest_at or row.published_at,
    )
