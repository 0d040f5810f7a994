"""Entries as feeds showed them, for trying rules on."""

from dataclasses import dataclass

from sqlalchemy import select

from feeds.model import FeedEntry
from storage.database import Database
from storage.tables.article import entries
from storage.tables.source import sources


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry, and which source showed it. Enclosures and digest are left out."""

    source_url: str
    source_name: str
    entry: FeedEntry


def latest_entries(db: Database, limit: int) -> tuple[ShownEntry, ...]:
    """The entries of configured sources that came last, the latest first."""
    statement = (
        select(entries, sources.c.url.label("source_url"), sources.c.name)
        .join(sources, sources.c.id == entries.c.source_id)
        .where(sources.c.removed_at.is_(None))
        .order_by(entries.c.id.desc())
        .limit(limit)
    )
    with db.read() as connection:
        rows = connection.execute(statement).all()
    return tuple(
        ShownEntry(
            row.source_url,
            row.name,
            FeedEntry(
                guid=row.guid,
                url=row.url,
                canonical_url=None,
                title=row.title,
                summary_html=row.summary_html,
                content_html=row.content_html,
                authors=tuple(row.authors),
                categories=tuple(row.categories),
                published=row.published_at,
                updated=row.updated_at,
                published_guessed=row.published_guessed,
                language=row.language,
                image=row.image,
                enclosures=(),
                content_hash=row.content_hash,
            ),
        )
        for row in rows
    )
