"""Articles on their way from an entry to a text: what is to be read, and what reading settled."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, exists, func, or_, select, update

from storage.columns import storable_key
from storage.database import Database
from storage.locks import lock_articles
from storage.search_index import index_article
from storage.sources import ALONE
from storage.tables.article import article_texts, articles, entries
from storage.tables.source import sources
from storage.upsert import insert
from storage.values.extract import (
    Appearance,
    ArticleReading,
    ArticleToRead,
    EarlierReading,
    PageTrial,
)

_TEXTS = ("summary", "text", "html", "matching_text")

_LONGEST_LEASE = timedelta(hours=1)
"""A claim that ends later was made by a clock that was wrong."""

is_shown = exists().where(entries.c.article_id == articles.c.id)
"""That an entry still points at the article. One whose link changed points at another since."""


def claim_new(
    db: Database, now: datetime, lease_until: datetime, limit: int, by: str = ALONE
) -> tuple[ArticleToRead, ...]:
    """Take up to ``limit`` articles to be read, in order of arrival, until ``lease_until``.

    For the process called ``by``.
    """
    free = or_(
        articles.c.claimed_until.is_(None),
        articles.c.claimed_until <= now,
        articles.c.claimed_until > now + _LONGEST_LEASE,
    )
    waiting = (
        select(articles.c.id)
        .where(articles.c.state == "new", free, is_shown)
        .order_by(articles.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True, of=articles)
        # A common table expression runs once; as a plain subquery PostgreSQL may run it once for
        # every row, and take more than the limit.
        .cte("waiting")
    )
    with db.write() as connection:
        rows = connection.execute(
            update(articles)
            .where(articles.c.id.in_(select(waiting.c.id)))
            .values(claimed_until=lease_until, claimed_by=by, attempts=articles.c.attempts + 1)
            .returning(
                articles.c.id,
                articles.c.url,
                articles.c.key,
                articles.c.attempts,
                articles.c.arrived_at,
                articles.c.version,
                articles.c.claimed_until,
            )
        ).all()
        ids = [row.id for row in rows]
        appearances, earlier = _appearances(connection, ids), _earlier(connection, ids)
    return tuple(
        ArticleToRead(
            id=row.id,
            url=row.url,
            key=row.key,
            attempts=row.attempts,
            arrived_at=row.arrived_at,
            appearances=tuple(appearances[row.id]),
            claimed_until=row.claimed_until,
            version=row.version,
            earlier=earlier.get(row.id),
        )
        for row in sorted(rows, key=lambda row: row.id)
    )


def release_new(db: Database, claimed: Sequence[ArticleToRead]) -> None:
    """Give claimed articles back unread; it does not count as an attempt."""
    with db.write() as connection:
        for article in sorted(claimed, key=attrgetter("id")):  # in one order everywhere
            connection.execute(
                update(articles)
                .where(
                    articles.c.id == article.id,
                    articles.c.state == "new",
                    articles.c.claimed_until == article.claimed_until,
                )
                .values(claimed_until=None, claimed_by=None, attempts=articles.c.attempts - 1)
            )


def _appearances(
    connection: Connection, article_ids: Sequence[int]
) -> defaultdict[int, list[Appearance]]:
    found: defaultdict[int, list[Appearance]] = defaultdict(list)
    rows = connection.execute(
        select(
            entries,
            sources.c.url.label("source_url"),
            sources.c.name,
            sources.c.publisher,
            sources.c.priority,
            sources.c.full_text,
            sources.c.page_trials,
            sources.c.pages_passed,
            sources.c.language.label("source_language"),
        )
        .join(sources, sources.c.id == entries.c.source_id)
        .where(entries.c.article_id.in_(article_ids))
        .order_by(entries.c.id)
    )
    for row in rows:
        found[row.article_id].append(_appearance(row))
    return found


def _earlier(connection: Connection, article_ids: Sequence[int]) -> dict[int, EarlierReading]:
    rows = connection.execute(
        select(articles.c.id, articles.c.title, articles.c.text_hash, article_texts.c.text)
        .join(article_texts, article_texts.c.article_id == articles.c.id)
        .where(articles.c.id.in_(article_ids))
    )
    return {row.id: EarlierReading(row.title, row.text, row.text_hash or "") for row in rows}


def _appearance(row: Row[Any]) -> Appearance:
    return Appearance(
        source_id=row.source_id,
        source_url=row.source_url,
        source_name=row.name,
        publisher=row.ruled_publisher or row.publisher,
        priority=row.priority,
        full_text=row.full_text,
        source_language=row.source_language,
        url=row.url,
        title=row.title,
        summary_html=row.summary_html,
        content_html=row.content_html,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        published=row.published_at,
        published_guessed=row.published_guessed,
        language=row.language,
        image=row.image,
        page_trials=tuple(row.page_trials),
        pages_passed=row.pages_passed,
        category=row.ruled_category,
        never_fold=row.never_fold,
    )


def commit_reading(db: Database, reading: ArticleReading) -> bool:
    """Write what reading an article settled; it is then to be folded. Whether it was wanted.

    It is not where somebody else read the article after the lease had ended, or an entry changed
    meanwhile: then the article is waiting to be read again. The matching text that was read first
    stays what it was (see ``ArticleText``).
    """
    values = asdict(reading)
    del values["trial"]
    texts = {name: values.pop(name) for name in _TEXTS}
    article_id, version = values.pop("article_id"), values.pop("version")
    values["published_at"] = values.pop("published")
    if reading.canonical_key is not None:
        values["canonical_key"] = storable_key(reading.canonical_key)
    expected = articles.c.version if version is None else version
    with db.write() as connection:
        written = connection.execute(
            update(articles)
            .where(
                articles.c.id == article_id,
                articles.c.state == "new",
                articles.c.version == expected,
            )
            .values(
                **values,
                text_length=len(reading.text),
                state="read",
                claimed_until=None,
                claimed_by=None,
            )
        )
        if not written.rowcount:
            return False
        row = {"article_id": article_id, "matching_title": reading.title} | texts
        shown = {name: texts[name] for name in ("summary", "text", "html")}
        connection.execute(
            insert(connection, article_texts)
            .values(row)
            .on_conflict_do_update(index_elements=["article_id"], set_=shown)
        )
        index_article(connection, article_id, f"{reading.title}\n{reading.text}")
        if reading.trial:
            _remember(connection, reading.trial)
    return True


def _remember(connection: Connection, trial: PageTrial) -> None:
    own = sources.c.id == trial.source_id
    if trial.worth is None:
        passed = sources.c.pages_passed + 1
        connection.execute(update(sources).where(own).values(pages_passed=passed))
        return
    known = connection.execute(select(sources.c.page_trials).where(own).with_for_update()).scalar()
    trials = [*(known or ()), trial.worth][-trial.keep :]
    connection.execute(update(sources).where(own).values(page_trials=trials, pages_passed=0))


def read_alike_again(db: Database, page_key: str) -> int:
    """Let those who took this text from a page before it was known for a wall be read again.

    How many there were.
    """
    alike = select(articles.c.id).where(
        articles.c.page_key == page_key, articles.c.text_source == "page"
    )
    with db.write() as connection:
        ids = list(connection.execute(alike.order_by(articles.c.id)).scalars())
        lock_articles(connection, ids)
        connection.execute(
            update(articles)
            .where(articles.c.id.in_(ids))
            .values(
                state="new",
                attempts=0,
                claimed_until=None,
                claimed_by=None,
                version=articles.c.version + 1,
            )
        )
    return len(ids)


def titles_alike(db: Database, page_key: str, article_id: int) -> tuple[str, ...]:
    """The titles of other articles whose pages gave the same text at the same host."""
    with db.read() as connection:
        rows = connection.execute(
            select(articles.c.title).where(
                articles.c.page_key == page_key, articles.c.id != article_id
            )
        )
        return tuple(row.title for row in rows)


def count_by_state(db: Database) -> dict[str, int]:
    """How many articles are in each state; a state nobody is in is 0."""
    with db.read() as connection:
        rows = connection.execute(
            select(articles.c.state, func.count())
            .where(or_(articles.c.state.in_(["read", "folded"]), is_shown))
            .group_by(articles.c.state)
        ).all()
    return {"new": 0, "read": 0, "folded": 0} | {row[0]: row[1] for row in rows}
