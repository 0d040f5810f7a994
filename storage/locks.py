"""Row locks taken in one order, so that transactions wait for one another instead of dying."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from storage.tables.article import articles


def lock_articles(connection: Connection, ids: Sequence[int], *, wholly: bool = False) -> None:
    """Hold these articles until the transaction ends. ``ids`` ascend.

    ``wholly``: nobody may point at them meanwhile either. On SQLite, where one transaction at a
    time writes, it is a cheap read.
    """
    connection.execute(
        select(articles.c.id)
        .where(articles.c.id.in_(ids))
        .order_by(articles.c.id)
        .with_for_update(key_share=not wholly)
    ).all()
