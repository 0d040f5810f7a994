"""What the folder reads and writes: articles waiting, the window, stories and their identities."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, func, select, update

from storage.articles import is_shown
from storage.chunks import chunks
from storage.database import Database
from storage.days import count_folded
from storage.duties import FOLD, stay_on_duty
from storage.fold_writing import release_keys, retire, write_decisions, write_stories
from storage.locks import lock_articles
from storage.merging import merge_articles
from storage.retention import matched_from
from storage.revision import move_revision
from storage.sections import file_stories
from storage.tables.article import article_texts, articles
from storage.tables.source import sources
from storage.tables.story import corrections, stories
from storage.values.fold import FoldArticle, FoldCommit, Member, StoryState

_NOT_YET = 2**62  # sorts after everything that was folded before


def waiting_to_fold(
    db: Database, now: datetime, patience: timedelta, limit: int
) -> tuple[FoldArticle, ...]:
    """Articles to be folded next, in the order of their publication.

    One waits for those that arrived before it to be read too, for at most ``patience``, so that
    the order of folding does not depend on which page answered first. It does not wait for one
    that has its place already and is only read again.
    """
    elder = select(func.min(articles.c.id)).where(
        articles.c.state == "new",
        articles.c.fold_order.is_(None),
        articles.c.arrived_at > now - patience,
        articles.c.arrived_at <= now + patience,  # a clock may have been wrong
        is_shown,
    )
    with db.read() as connection:
        eldest = connection.execute(elder).scalar()
        statement = _fold_articles().where(articles.c.state == "read")
        if eldest is not None:
            statement = statement.where(articles.c.id < eldest)
        rows = connection.execute(statement.order_by(articles.c.id).limit(limit)).all()
    found = [_fold_article(row) for row in rows]
    return tuple(sorted(found, key=lambda a: (a.published or a.arrived_at, a.url or "", a.id)))


def folded_since(db: Database, since: datetime, newest: int | None = None) -> Iterator[FoldArticle]:
    """The folded articles that arrived since, in the order in which they were folded.

    With ``newest`` at most the so many that were folded last; never those that retention took out
    of the matcher's memory.
    """
    place = articles.c.fold_order
    statement = (
        _fold_articles()
        .where(place.is_not(None), articles.c.arrived_at >= since)
        .order_by(place)
        .execution_options(yield_per=500)
    )
    last = select(place).where(place.is_not(None)).order_by(place.desc()).offset(newest).limit(1)
    with db.read() as connection:
        statement = statement.where(place > matched_from(connection))
        if newest is not None and (before := connection.execute(last).scalar()) is not None:
            statement = statement.where(place > before)
        with connection.execute(statement) as rows:
            for row in rows:
                yield _fold_article(row)


def folded_near(db: Database, article_ids: Sequence[int], later: int) -> tuple[FoldArticle, ...]:
    """What stood near some articles: whole stories, in the order in which they were folded.

    Their own stories and those of all that they were compared with, among them the ``later``
    articles folded after each of them.
    """
    with db.read() as connection:
        near = {one for some in chunks(article_ids) for one in _compared(connection, some, later)}
        near.update(article_ids)
        held: set[int] = set()
        for some in chunks(sorted(near)):
            held.update(
                connection.execute(
                    select(articles.c.story_id).where(
                        articles.c.id.in_(some), articles.c.story_id.is_not(None)
                    )
                ).scalars()
            )
        found = [
            (row.fold_order, _fold_article(row))
            for some in chunks(sorted(held))
            for row in connection.execute(
                _fold_articles().where(
                    articles.c.story_id.in_(some), articles.c.fold_order.is_not(None)
                )
            )
        ]
    return tuple(one for _, one in sorted(found, key=itemgetter(0)))


def _compared(connection: Connection, article_ids: Sequence[int], later: int) -> Iterator[int]:
    """The articles that some were compared with when they came, or when the others came."""
    rows = connection.execute(
        select(articles.c.id, articles.c.fold_order, article_texts.c.evidence)
        .join(article_texts, article_texts.c.article_id == articles.c.id)
        .where(articles.c.id.in_(article_ids), articles.c.fold_order.is_not(None))
    ).all()
    for row in rows:
        yield from (item[0] for item in row.evidence)
        after = articles.c.fold_order.between(row.fold_order + 1, row.fold_order + later)
        yield from connection.execute(
            select(articles.c.id)
            .join(article_texts, article_texts.c.article_id == articles.c.id)
            .where(after, cast(article_texts.c.evidence, Text).like(f"%[{row.id}, %"))
        ).scalars()


def twins_of(db: Database, batch: Sequence[FoldArticle]) -> dict[int, FoldArticle]:
    """For each article the one folded first, if any, that has an address with it in common."""
    addresses = {address for article in batch for address in article.addresses}
    claimed = {address for article in batch for address in article.addresses[1:]}
    with db.read() as connection:
        ids: set[int] = set()
        for column, some in (
            *((articles.c.key, some) for some in chunks(sorted(claimed))),
            *((articles.c.canonical_key, some) for some in chunks(sorted(addresses))),
        ):
            folded = select(articles.c.id).where(
                column.in_(some), articles.c.fold_order.is_not(None)
            )
            ids.update(connection.execute(folded).scalars())
        found = [
            _fold_article(row)
            for some in chunks(sorted(ids))
            for row in connection.execute(_fold_articles().where(articles.c.id.in_(some)))
        ]
    found.sort(key=lambda one: one.fold_order or 0)
    twins = (
        (article.id, other)
        for article in batch
        for other in reversed(found)
        if other.id != article.id and not set(other.addresses).isdisjoint(article.addresses)
    )
    return dict(twins)


def article_at(db: Database, url: str) -> int | None:
    """The article of an address, canonical or as an entry had it."""
    with db.read() as connection:
        for column in (articles.c.key, articles.c.url):
            found = connection.execute(
                select(func.coalesce(articles.c.merged_into, articles.c.id))
                .where(column == url)
                .order_by(articles.c.id)
                .limit(1)
            ).scalar()
            if found is not None:
                return int(found)
    return None


_MATCHED = (
    "id", "url", "key", "canonical_key", "publisher", "language", "published_at",
    "published_guessed", "arrived_at", "copy_of", "score", "reason", "never_fold", "version",
    "fold_order",
)  # fmt: skip
"""What the matcher needs of an article; to read all of a row takes longer."""


def _fold_articles() -> Select[Any]:
    return (
        select(
            *(articles.c[name] for name in _MATCHED),
            article_texts.c.matching_text,
            article_texts.c.matching_title,
            article_texts.c.evidence,
            article_texts.c.recurring,
            stories.c.key.label("story_key"),
        )
        .join(article_texts, article_texts.c.article_id == articles.c.id)
        .outerjoin(stories, stories.c.id == articles.c.story_id)
    )


def _fold_article(row: Row[Any]) -> FoldArticle:
    return FoldArticle(
        id=row.id,
        url=row.url,
        title=row.matching_title,
        matching_text=row.matching_text,
        publisher=row.publisher,
        language=row.language,
        published=None if row.published_guessed else row.published_at,
        arrived_at=row.arrived_at,
        story_key=row.story_key,
        copy_of=row.copy_of,
        score=row.score,
        reason=row.reason,
        evidence=tuple(tuple(item) for item in row.evidence),
        recurring=row.recurring,
        never_fold=row.never_fold,
        version=row.version,
        addresses=tuple(address for address in (row.key, row.canonical_key) if address),
        fold_order=row.fold_order,
    )


def stories_of(
    db: Database, keys: Sequence[int], article_ids: Sequence[int]
) -> tuple[StoryState, ...]:
    """The living stories that the matcher calls so or that hold any of these, oldest first."""
    living = select(stories).where(stories.c.retired_at.is_(None))
    rows: dict[int, Row[Any]] = {}
    with db.read() as connection:
        for some in chunks(keys):
            found = connection.execute(living.where(stories.c.key.in_(some)))
            rows.update((row.id, row) for row in found)
        for some in chunks(article_ids):
            holding = select(articles.c.story_id).where(articles.c.id.in_(some))
            found = connection.execute(living.where(stories.c.id.in_(holding)))
            rows.update((row.id, row) for row in found)
        members = _members_of(connection, sorted(rows))
    return tuple(_story_state(rows[story_id], members[story_id]) for story_id in sorted(rows))


def ended_stories_of(db: Database, article_ids: Sequence[int]) -> tuple[StoryState, ...]:
    """The retired stories whose first article is one of these, oldest first. None has members."""
    ended = select(stories).where(stories.c.retired_at.is_not(None))
    found: list[StoryState] = []
    with db.read() as connection:
        for some in chunks(article_ids):
            rows = connection.execute(ended.where(stories.c.first_article_id.in_(some)))
            found.extend(_story_state(row, ()) for row in rows)
    return tuple(sorted(found, key=lambda story: story.id))


def _members_of(connection: Connection, story_ids: Sequence[int]) -> dict[int, tuple[Member, ...]]:
    found: dict[int, tuple[Member, ...]] = {}
    for some in chunks(story_ids):
        by_story = _members(connection, articles.c.story_id.in_(some))
        found.update((story_id, tuple(by_story[story_id])) for story_id in some)
    return found


def members_by_id(db: Database, article_ids: Sequence[int]) -> dict[int, Member]:
    """These articles as members, whatever story they are in."""
    found: dict[int, Member] = {}
    with db.read() as connection:
        for some in chunks(article_ids):
            for members in _members(connection, articles.c.id.in_(some)).values():
                found.update((member.id, member) for member in members)
    return found


def _members(connection: Connection, condition: Any) -> defaultdict[int, list[Member]]:  # noqa: ANN401 - any SQL condition
    found: defaultdict[int, list[Member]] = defaultdict(list)
    rows = connection.execute(
        select(articles, sources.c.priority)
        .join(sources, sources.c.id == articles.c.source_id)
        .where(condition)
        .order_by(articles.c.fold_order, articles.c.id)
    )
    for row in rows:
        found[row.story_id].append(_member(row))
    return found


def _member(row: Row[Any]) -> Member:
    return Member(
        id=row.id,
        title=row.title,
        outlet=row.outlet,
        publisher=row.publisher,
        language=row.language,
        priority=row.priority,
        text_source=row.text_source,
        text_length=row.text_length,
        text_hash=row.text_hash,
        copy_of=row.copy_of,
        published=None if row.published_guessed else row.published_at,
        arrived_at=row.arrived_at,
        fold_order=row.fold_order or _NOT_YET,
        key=row.key,
        original_url=row.original_url,
    )


def _story_state(row: Row[Any], members: tuple[Member, ...]) -> StoryState:
    return StoryState(
        id=row.id,
        uri=row.uri,
        slug=row.slug,
        key=row.key,
        first_article_id=row.first_article_id,
        lead_article_id=row.lead_article_id,
        title=row.title,
        lead_text_hash=row.lead_text_hash,
        published_at=row.published_at,
        updated_at=row.updated_at,
        members=members,
    )


def commit_fold(db: Database, commit: FoldCommit) -> None:
    """Write one step of folding in one transaction: decisions, stories, identities, history.

    Raises:
        DutyLostError: another folds by now. Nothing was written.
    """
    touched = {decision.article_id for decision in commit.decisions}
    touched.update(member for story in commit.stories for member in story.members)
    touched.update(*commit.merged.items())
    with db.write() as connection:
        stay_on_duty(connection, FOLD, commit.term)
        for some in chunks(sorted(touched)):
            lock_articles(connection, some, wholly=bool(commit.merged))
        merge_articles(connection, commit.merged)
        write_decisions(connection, commit)
        # A key may pass from one row to another: every row lets go before any takes hold.
        release_keys(connection, commit)
        ids = write_stories(connection, commit.stories, commit.at)
        for some in chunks(commit.corrections):
            connection.execute(
                update(corrections).where(corrections.c.id.in_(some)).values(applied_at=commit.at)
            )
        for story_id, position in commit.retired.items():
            retire(connection, story_id, ids[position], commit.at)
        file_stories(connection, [*ids, *commit.retired])
        count_folded(connection, commit)
        move_revision(connection)
