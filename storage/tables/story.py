"""Stories, the parts of the front page they stand in, and corrections."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.columns import BigId, UtcDateTime
from storage.tables.rows import core_table


class Story(SQLModel, table=True):
    """An event: its lead, its published identity, and what lists need to know of it."""

    __table_args__ = (
        Index(
            "ix_story_key_live",
            "key",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index(
            "ix_story_latest",
            "created_at",
            "id",
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index(
            "ix_story_published",
            "published_at",
            "id",
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index(
            "ix_story_ended",
            "first_article_id",
            sqlite_where=text("retired_at IS NOT NULL"),
            postgresql_where=text("retired_at IS NOT NULL"),
        ),
        Index(
            "ix_story_rank",
            "rank",
            "id",
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index(
            "ix_story_retired_into",
            "retired_into",
            sqlite_where=text("retired_into IS NOT NULL"),
            postgresql_where=text("retired_into IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    uri: str = Field(unique=True, description="tag: URI; minted once, never derived, never reused.")
    slug: str = Field(unique=True, description="The story's own page is /story/SLUG.")
    key: int = Field(sa_type=BigId, description="What the matcher calls this story.")
    # No foreign keys: articles point at stories, and retention may drop an article first.
    first_article_id: int = Field(sa_type=BigId)
    lead_article_id: int = Field(sa_type=BigId)
    lead_text_hash: str = ""
    title: str
    language: str | None = None
    articles: int = 1
    outlets: int = 1
    copies: int = 0
    rank: float = Field(default=0.0, description="Higher is nearer to the top of the front page.")
    published_at: datetime = Field(sa_type=UtcDateTime)
    latest_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When it was last reported."
    )
    updated_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime, index=True)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retired_into: int | None = Field(default=None, foreign_key="story.id", sa_type=BigId)


class StorySection(SQLModel, table=True):
    """A part of the front page that a living story stands in: a category, or a language.

    Rank and publication are the story's own, kept here too so that each part is read off an index.
    """

    __tablename__ = "story_section"
    __table_args__ = (
        Index("ix_story_section_rank", "kind", "name", "rank", "story_id"),
        Index("ix_story_section_published", "kind", "name", "published_at", "story_id"),
    )

    story_id: int = Field(primary_key=True, foreign_key="story.id", sa_type=BigId)
    kind: str = Field(primary_key=True, description="category or language")
    name: str = Field(primary_key=True)
    rank: float
    published_at: datetime = Field(sa_type=UtcDateTime)


class StoryEvent(SQLModel, table=True):
    """What happened to a story's title, lead and identity, for people who ask why."""

    __tablename__ = "story_event"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    story_id: int = Field(foreign_key="story.id", index=True, sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    detail: str = ""


class Correction(SQLModel, table=True):
    """An operator's word that two articles do (``together``) or do not (``apart``) belong."""

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    article_a: int = Field(foreign_key="article.id", sa_type=BigId)
    article_b: int = Field(foreign_key="article.id", sa_type=BigId)
    created_at: datetime = Field(sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Day(SQLModel, table=True):
    """How much of what was published on a day (UTC) was folded, and into what."""

    day: date = Field(primary_key=True)
    articles: int = 0
    copies: int = 0
    stories: int = 0


stories = core_table(Story)
story_sections = core_table(StorySection)
story_events = core_table(StoryEvent)
corrections = core_table(Correction)
days = core_table(Day)
