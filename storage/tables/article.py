"""Articles, the entries they appeared in, their texts, and what was dropped."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.columns import BigId, Json, UtcDateTime
from storage.tables.rows import core_table


class Entry(SQLModel, table=True):
    """An item as one feed showed it. Its identity is source and guid, never guid alone."""

    __table_args__ = (
        UniqueConstraint("source_id", "guid"),
        Index("ix_entry_newest", "source_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    source_id: int = Field(foreign_key="source.id")
    guid: str
    article_id: int = Field(foreign_key="article.id", index=True, sa_type=BigId)
    url: str | None = None
    title: str = ""
    summary_html: str = ""
    content_html: str = ""
    authors: list[str] = Field(default_factory=list, sa_type=Json)
    categories: list[str] = Field(default_factory=list, sa_type=Json)
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    published_guessed: bool = False
    language: str | None = None
    image: str | None = None
    enclosures: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    content_hash: str
    raw_digest: str | None = Field(default=None, description="Of the bytes it was read from, hex.")
    ruled_category: str | None = Field(default=None, description="By the operator's rules.")
    ruled_publisher: str | None = None
    never_fold: bool = False
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Article(SQLModel, table=True):
    """One web document by canonical URL, whatever feeds it was in.

    ``state`` is the queue: ``new`` (to be read) → ``read`` (to be folded) → ``folded``. One that
    turned out to be another is ``merged``: its key leads to that one, nothing else is left of it.
    """

    __table_args__ = (
        Index("ix_article_queue", "state", "id"),
        Index("ix_article_newest", "source_id", "id"),
        Index("ix_article_page_key", "page_key"),
        Index(
            "ix_article_canonical",
            "canonical_key",
            sqlite_where=text("canonical_key IS NOT NULL"),
            postgresql_where=text("canonical_key IS NOT NULL"),
        ),
        Index(
            "ix_article_merged",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index("ix_article_age", "source_id", "arrived_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    key: str = Field(unique=True, description="Canonical URL, or source and guid without one.")
    canonical_key: str | None = Field(
        default=None, description="The address its page says it has, where that is another."
    )
    original_url: str | None = Field(
        default=None, description="Where, on another site, its page says it appeared first."
    )
    merged_into: int | None = Field(default=None, foreign_key="article.id", sa_type=BigId)
    state: str = "new"
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str | None = Field(default=None, description="The process that reads it now.")
    attempts: int = 0
    version: int = Field(default=0, description="Rises when a changed entry lets it be read again.")
    source_id: int = Field(foreign_key="source.id", description="Which showed it first")
    url: str | None = None
    title: str = ""
    outlet: str = ""
    publisher: str = ""
    category: str | None = Field(default=None, description="In place of its source's.")
    never_fold: bool = Field(default=False, description="It is a story of its own, by a rule.")
    authors: list[str] = Field(default_factory=list, sa_type=Json)
    categories: list[str] = Field(default_factory=list, sa_type=Json)
    language: str | None = None
    image: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    published_guessed: bool = False
    arrived_at: datetime = Field(sa_type=UtcDateTime)
    agency: str | None = None
    place: str | None = None
    text_source: str | None = Field(default=None, description="feed or page")
    text_reasons: list[str] = Field(default_factory=list, sa_type=Json)
    text_length: int = 0
    text_hash: str | None = Field(
        default=None, index=True, description="Of the displayed text and title."
    )
    wall: str | None = None
    page_key: str | None = Field(default=None, description="Of the page's host and its text.")

    fold_order: int | None = Field(default=None, index=True, sa_type=BigId)
    folded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    story_id: int | None = Field(default=None, foreign_key="story.id", index=True, sa_type=BigId)
    copy_of: int | None = Field(
        default=None,
        sa_type=BigId,
        description="Stays when retention drops the original: its copies are still of one text.",
    )
    score: float | None = None
    reason: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class ArticleText(SQLModel, table=True):
    """The texts of an article, apart from it so that the queue's rows stay small.

    ``matching_text`` is what was folded: it does not change afterwards, so that a rebuilt index is
    the same index.
    """

    __tablename__ = "article_text"

    article_id: int = Field(primary_key=True, foreign_key="article.id", sa_type=BigId)
    summary: str = ""
    text: str = ""
    html: str = ""
    matching_text: str = ""
    matching_title: str = ""
    evidence: list[list[int]] = Field(
        default_factory=list, sa_type=Json, description="What the matcher compared it with."
    )
    recurring: bool = Field(default=False, description="A title its source uses again and again.")


class DroppedEntry(SQLModel, table=True):
    """That retention dropped a source's entry, which may still be in its feed.

    A hash stands for the guid: there may be many more of these than entries.
    """

    __tablename__ = "dropped_entry"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source_id: int = Field(primary_key=True, foreign_key="source.id")
    guid_hash: int = Field(primary_key=True, sa_type=BigId)
    seen_on: date = Field(description="When it was dropped, or last seen in its feed since.")


class DroppedArticle(SQLModel, table=True):
    """That retention dropped an article, which feeds may still link to; by a hash of its key."""

    __tablename__ = "dropped_article"

    key_hash: int = Field(primary_key=True, sa_type=BigId)
    dropped_on: date


entries = core_table(Entry)
articles = core_table(Article)
article_texts = core_table(ArticleText)
dropped_entries = core_table(DroppedEntry)
dropped_articles = core_table(DroppedArticle)
