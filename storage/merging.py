"""Articles that turned out to be another: everything that pointed at one points at the other.

The row stays, for its key leads to the other from now on, and history may name it.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Connection, Row, delete, select, update

from storage.search_index import index_article
from storage.tables.article import article_texts, articles, entries
from storage.tables.story import corrections

_WORDS = (
    *("url", "title", "authors", "categories", "language", "image", "published_at"),
    *("published_guessed", "agency", "place", "text_source", "text_reasons", "text_length"),
    *("text_hash", "wall", "page_key"),
)
_TEXTS = ("summary", "text", "html")


def merge_articles(connection: Connection, merged: Mapping[int, int]) -> None:
    """Make one article of two, by id → id of the one that stays. The caller holds both.

    The better text stays too: where only the page of the one that goes could be read, the other is
    to be looked at as if its own text had changed.
    """
    for gone, stays in merged.items():
        _take_text(connection, gone, stays)
        _point(connection, entries.c.article_id, gone, stays)
        _point(connection, articles.c.merged_into, gone, stays)
        _point(connection, articles.c.copy_of, gone, stays)
        _point_corrections(connection, gone, stays)
        connection.execute(delete(article_texts).where(article_texts.c.article_id == gone))
        connection.execute(
            update(articles)
            .where(articles.c.id == gone)
            .values(
                state="merged", merged_into=stays, story_id=None, copy_of=None, claimed_until=None
            )
        )
        nobody = (articles.c.id == stays) & (articles.c.copy_of == stays)
        connection.execute(update(articles).where(nobody).values(copy_of=None))


def _point(connection: Connection, column: Column[int], gone: int, stays: int) -> None:
    statement = update(column.table).where(column == gone).values({column.name: stays})
    connection.execute(statement)


def _point_corrections(connection: Connection, gone: int, stays: int) -> None:
    """What was said of one was said of the other; the folder is to hear of it."""
    for column in (corrections.c.article_a, corrections.c.article_b):
        connection.execute(
            update(corrections)
            .where(column == gone)
            .values({column.name: stays, "applied_at": None})
        )
    itself = corrections.c.article_a == corrections.c.article_b
    connection.execute(delete(corrections).where(itself))


def _take_text(connection: Connection, gone: int, stays: int) -> None:
    rows = {row.id: row for row in _read(connection, [gone, stays])}
    if gone not in rows or stays not in rows or not _is_better(rows[gone], rows[stays]):
        return
    better = rows[gone]
    values = {name: getattr(better, name) for name in _WORDS}
    settled = (articles.c.id == stays) & (articles.c.state != "new")
    connection.execute(update(articles).where(settled).values(values | {"state": "read"}))
    texts = {name: getattr(better, name) for name in _TEXTS}
    own = article_texts.c.article_id == stays
    connection.execute(update(article_texts).where(own).values(texts))
    index_article(connection, stays, f"{better.title}\n{better.text}")


def _read(connection: Connection, ids: Sequence[int]) -> Sequence[Row[tuple[object, ...]]]:
    return connection.execute(
        select(
            articles.c.id,
            *(articles.c[name] for name in _WORDS),
            *(article_texts.c[name] for name in _TEXTS),
        )
        .join(article_texts, article_texts.c.article_id == articles.c.id)
        .where(articles.c.id.in_(ids))
    ).all()


def _is_better(one: Row[tuple[object, ...]], other: Row[tuple[object, ...]]) -> bool:
    of_page = one.text_source == "page" != other.text_source
    return bool(of_page and one.text_length > other.text_length)
