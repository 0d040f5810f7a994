"""How a step of folding is written: many rows by one statement each.

A statement of its own for each row costs more than deciding where the article belongs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, case, func, select, update

from storage.chunks import chunks
from storage.columns import UtcDateTime
from storage.tables.article import article_texts, articles
from storage.tables.rows import new_row
from storage.tables.story import Story, StoryEvent, stories, story_events
from storage.upsert import insert
from storage.values.fold import ArticleDecision, ArticleMove, FoldCommit, StoryWrite


def write_decisions(connection: Connection, commit: FoldCommit) -> None:
    """Write where articles stand, and why: those that came, that moved, that were read again."""
    highest = connection.execute(select(func.max(articles.c.fold_order))).scalar() or 0
    decided = [
        {
            "article": one.article_id,
            "seen": one.version,
            "order": order,
            "at": commit.at,
            **_placing(one),
        }
        for order, one in enumerate(commit.decisions, highest + 1)
    ]
    compared = [
        {
            "article": one.article_id,
            "evidence": [list(item) for item in one.evidence],
            "recurring": one.recurring,
        }
        for one in commit.decisions
    ]
    moved = [{"article": one.article_id, **_placing(one)} for one in commit.moves]
    revised = [{"article": article, "seen": version} for article, version in commit.revised]
    for statement, rows in (
        (_DECIDE, decided),
        (_COMPARE, compared),
        (_MOVE, moved),
        (_REVISE, revised),
    ):
        if rows:
            connection.execute(statement, rows)


def _placing(one: ArticleDecision | ArticleMove) -> dict[str, Any]:
    return {"copy_of": one.copy_of, "score": one.score, "reason": dict(one.reason)}


_READ_AS_SEEN = (articles.c.state == "read") & (
    articles.c.version == func.coalesce(bindparam("seen", type_=Integer), articles.c.version)
)
_SETTLED = case((_READ_AS_SEEN, "folded"), else_=articles.c.state)
"""Folded, unless an entry changed meanwhile: then the article waits to be read again."""
_ONE = articles.c.id == bindparam("article")
_PLACED: dict[str, Any] = {name: bindparam(name) for name in ("copy_of", "score", "reason")}
_MOVE = update(articles).where(_ONE).values(_PLACED)
_REVISE = update(articles).where(_ONE).values(state=_SETTLED)
_DECIDE = (
    update(articles)
    .where(_ONE)
    .values(
        state=_SETTLED,
        fold_order=func.coalesce(articles.c.fold_order, bindparam("order")),
        folded_at=func.coalesce(articles.c.folded_at, bindparam("at", type_=UtcDateTime)),
        **_PLACED,
    )
)
_COMPARE = (
    update(article_texts)
    .where(article_texts.c.article_id == bindparam("article"))
    .values({name: bindparam(name) for name in ("evidence", "recurring")})
)


def release_keys(connection: Connection, commit: FoldCommit) -> None:
    """Let every story that is written go of its key, which another may take."""
    ids = [story.id for story in commit.stories if story.id is not None] + list(commit.retired)
    for some in chunks(ids):
        connection.execute(
            update(stories).where(stories.c.id.in_(some)).values(retired_at=commit.at)
        )


def write_stories(connection: Connection, written: Sequence[StoryWrite], at: datetime) -> list[int]:
    """Write stories with their members and history; their ids, in the order given."""
    fresh = [
        new_row(Story, uri=one.uri, slug=one.slug, created_at=at, **_story_values(one, at))
        for one in written
        if one.id is None
    ]
    kept = [{"story": one.id, **_story_values(one, at)} for one in written if one.id is not None]
    new_ids = iter(_inserted_stories(connection, fresh))
    if kept:
        revived = update(stories).values(retired_at=None, retired_into=None)
        named: dict[str, Any] = {name: bindparam(name) for name in kept[0] if name != "story"}
        of_story = stories.c.id == bindparam("story")
        connection.execute(revived.where(of_story).values(named), kept)
    ids = [next(new_ids) if one.id is None else one.id for one in written]
    members = [
        {"article": member, "story": story_id}
        for story_id, one in zip(ids, written, strict=True)
        for member in one.members
    ]
    if members:
        joined = update(articles).where(_ONE).values(story_id=bindparam("story"))
        connection.execute(joined, members)
    events = [
        new_row(StoryEvent, story_id=story_id, at=at, kind=kind, detail=detail)
        for story_id, one in zip(ids, written, strict=True)
        for kind, detail in one.events
    ]
    if events:
        connection.execute(insert(connection, story_events), events)
    return ids


def _inserted_stories(connection: Connection, rows: list[dict[str, Any]]) -> Sequence[int]:
    if not rows:
        return ()
    statement = insert(connection, stories).returning(stories.c.id, sort_by_parameter_order=True)
    ids: Sequence[int] = connection.execute(statement, rows).scalars().all()
    return ids


def _story_values(story: StoryWrite, at: datetime) -> dict[str, Any]:
    return {
        "key": story.key,
        "first_article_id": story.first_article_id,
        "lead_article_id": story.lead_article_id,
        "title": story.title,
        "lead_text_hash": story.lead_text_hash,
        "language": story.language,
        "articles": len(story.members),
        "outlets": story.outlets,
        "rank": story.rank,
        "copies": story.copies,
        "latest_at": story.latest_at or story.published_at,
        "published_at": story.published_at,
        "updated_at": story.updated_at,
        "changed_at": at,
    }


def retire(connection: Connection, story_id: int, survivor: int, at: datetime) -> None:
    """End a story, with a pointer to the one that it turned out to be."""
    connection.execute(
        update(stories)
        .where(stories.c.id == story_id)
        .values(retired_at=at, retired_into=survivor, changed_at=at)
    )
    event = new_row(StoryEvent, story_id=survivor, at=at, kind="joined", detail=str(story_id))
    connection.execute(insert(connection, story_events).values(event))
