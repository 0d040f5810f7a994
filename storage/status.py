"""How much is remembered, for summaries."""

from dataclasses import dataclass

from sqlalchemy import func, select

from storage.database import Database
from storage.tables.article import articles, entries
from storage.tables.source import sources
from storage.tables.story import stories


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of what is in the database; ``stories`` are the living ones."""

    sources: int
    entries: int
    articles: int
    stories: int
    copies: int


def totals(db: Database) -> Totals:
    """Count everything. Reads whole indexes: for summaries, not for every request."""
    counted = [
        select(func.count()).select_from(sources).where(sources.c.removed_at.is_(None)),
        select(func.count()).select_from(entries),
        select(func.count()).select_from(articles),
        select(func.count()).select_from(stories).where(stories.c.retired_at.is_(None)),
        select(func.count()).select_from(articles).where(articles.c.copy_of.is_not(None)),
    ]
    with db.read() as connection:
        return Totals(*(connection.execute(statement).scalar_one() for statement in counted))
