"""What a story's own page tells besides its articles: its history, and what nearly belonged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.chunks import chunks
from storage.database import Database
from storage.tables.article import article_texts, articles
from storage.tables.story import stories, story_events

_MOST_EVENTS, _LONGEST = 50, 500


@dataclass(frozen=True, slots=True)
class StoryChange:
    """What happened to a story: ``kind`` is founded, lead, text, title or joined."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An article of another story that was compared with a member of this one.

    ``log_odds`` that both tell one event, in thousandths.
    """

    article_id: int
    title: str
    outlet: str
    url: str | None
    story_slug: str
    member_id: int
    log_odds: int


@dataclass(frozen=True, slots=True)
class StoryDetails:
    """A story's changes, oldest first, and what nearly belonged, nearest first."""

    history: tuple[StoryChange, ...]
    near_misses: tuple[NearMiss, ...]


NO_DETAILS = StoryDetails((), ())


def story_details(
    db: Database, story_id: int, member_ids: Sequence[int], most_misses: int = 5
) -> StoryDetails:
    """The details of a story with these members.

    What was compared with a member stands with the decision on it; of each other story the nearest
    article counts.
    """
    changes = (
        select(story_events)
        .where(story_events.c.story_id == story_id)
        .order_by(story_events.c.id.desc())
        .limit(_MOST_EVENTS)
    )
    nearest: dict[int, tuple[int, int]] = {}
    with db.read() as connection:
        history = tuple(
            StoryChange(row.at, row.kind, row.detail[:_LONGEST])
            for row in connection.execute(changes)
        )
        for some in chunks(member_ids):
            compared = select(article_texts.c.article_id, article_texts.c.evidence).where(
                article_texts.c.article_id.in_(some)
            )
            for row in connection.execute(compared):
                for other, log_odds, *_ in row.evidence:
                    nearest[other] = max(nearest.get(other, (log_odds, 0)), (log_odds, row[0]))
    for member in member_ids:
        nearest.pop(member, None)
    return StoryDetails(history[::-1], _near_misses(db, story_id, nearest, most_misses))


def _near_misses(
    db: Database, story_id: int, nearest: Mapping[int, tuple[int, int]], most: int
) -> tuple[NearMiss, ...]:
    # Each other story once; so look at more articles than are wanted.
    others = sorted(nearest, key=lambda other: nearest[other], reverse=True)[: most * 8]
    statement = (
        select(articles.c.id, articles.c.title, articles.c.outlet, articles.c.url, stories.c.slug)
        .join(stories, stories.c.id == articles.c.story_id)
        .where(articles.c.id.in_(others), stories.c.retired_at.is_(None), stories.c.id != story_id)
    )
    with db.read() as connection:
        rows = {row.id: row for row in connection.execute(statement)} if others else {}
    found: dict[str, NearMiss] = {}
    for other in others:
        if row := rows.get(other):
            log_odds, member = nearest[other]
            found.setdefault(
                row.slug,
                NearMiss(
                    other, row.title[:_LONGEST], row.outlet, row.url, row.slug, member, log_odds
                ),
            )
    return tuple(found.values())[:most]
