"""What operators said of articles that do or do not belong together."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select

from storage.database import Database
from storage.tables.article import articles
from storage.tables.rows import new_row
from storage.tables.story import Correction, corrections
from storage.upsert import insert
from storage.values.fold import CorrectionRecord


def add_corrections(
    db: Database, said: Sequence[tuple[int, int, bool]], now: datetime
) -> tuple[int, ...]:
    """Keep (article, article, together?); which of the articles are not there, if any.

    Nothing is kept where one is missing.
    """
    wanted = {article for a, b, _ in said for article in (a, b)}
    with db.write() as connection:
        found = connection.execute(select(articles.c.id).where(articles.c.id.in_(wanted)))
        missing = wanted - set(found.scalars())
        if not missing:
            rows = [
                new_row(
                    Correction,
                    kind="together" if together else "apart",
                    article_a=a,
                    article_b=b,
                    created_at=now,
                )
                for a, b, together in said
            ]
            connection.execute(insert(connection, corrections), rows)
    return tuple(sorted(missing))


def pending_corrections(db: Database) -> tuple[CorrectionRecord, ...]:
    """Those that no story follows yet, in the order given."""
    return _read(db, _all().where(corrections.c.applied_at.is_(None)))


def all_corrections(db: Database) -> tuple[CorrectionRecord, ...]:
    """Every correction, in the order given."""
    return _read(db, _all())


def _all() -> Select[tuple[int, str, int, int]]:
    return select(
        corrections.c.id, corrections.c.kind, corrections.c.article_a, corrections.c.article_b
    ).order_by(corrections.c.id)


def _read(
    db: Database, statement: Select[tuple[int, str, int, int]]
) -> tuple[CorrectionRecord, ...]:
    with db.read() as connection:
        return tuple(
            CorrectionRecord(row.id, row.article_a, row.article_b, together=row.kind == "together")
            for row in connection.execute(statement)
        )
