"""Sources: what is subscribed, how their polls went, what happened to them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.columns import BigId, Json, UtcDateTime
from storage.tables.rows import core_table


class Source(SQLModel, table=True):
    """A subscribed feed: what the operator said, its HTTP state, health and schedule."""

    __table_args__ = (
        Index(
            "ix_source_due",
            "next_poll_at",
            "id",
            # SQLite uses it only for a condition spelled exactly so.
            sqlite_where=text("enabled = 1 AND removed_at IS NULL"),
            postgresql_where=text("enabled AND removed_at IS NULL"),
        ),
        Index("ix_source_host", "host"),
    )

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True, description="As configured; identifies the source.")
    feed_url: str = Field(description="Where it is read now; differs after an adopted redirect.")
    host: str = Field(default="", description="Of ``feed_url``.")
    name: str
    publisher: str
    category: str | None = None
    language: str | None = None
    priority: int = 0
    full_text: str = "auto"
    enabled: bool = True
    added_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    title: str = Field(default="", description="As the feed calls itself.")
    site_url: str | None = None
    icon: str | None = None
    rights: str | None = None

    etag: str | None = None
    last_modified: str | None = None
    validators_url: str | None = None
    body_hash: str | None = None

    next_poll_at: datetime = Field(sa_type=UtcDateTime)
    schedule: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    failures: int = 0
    gone: bool = False
    last_poll_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_success_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_entry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
    page_trials: list[str] = Field(
        default_factory=list, sa_type=Json, description="What its latest article pages were worth."
    )
    pages_passed: int = Field(default=0, description="Entries since, whose pages were not fetched.")
    trouble: str | None = Field(default=None, description="The incident it has not recovered from.")
    claim: int = Field(default=0, description="Rises with every claim: whose poll counts.")
    claimed_by: str | None = Field(default=None, description="The process that polls it now.")


class Fetch(SQLModel, table=True):
    """The outcome of one poll, for health and plots."""

    __table_args__ = (Index("ix_fetch_source_at", "source_id", "at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    source_id: int = Field(foreign_key="source.id")
    at: datetime = Field(sa_type=UtcDateTime)
    outcome: str
    status: int | None = None
    seconds: float = 0.0
    wire_bytes: int = 0
    new_entries: int = 0
    changed_entries: int = 0
    dropped_entries: int = Field(default=0, description="By the operator's rules.")
    detail: str = ""


class SourceDay(SQLModel, table=True):
    """How many of a source's entries were published on a day (UTC): its rhythm."""

    __tablename__ = "source_day"

    source_id: int = Field(primary_key=True, foreign_key="source.id")
    day: date = Field(primary_key=True)
    entries: int = 0


class Incident(SQLModel, table=True):
    """What happened to a source: it began to fail, moved, fell silent, recovered, is gone."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    source_id: int
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    name: str
    feed_url: str
    detail: str = ""


sources = core_table(Source)
fetches = core_table(Fetch)
source_days = core_table(SourceDay)
incidents = core_table(Incident)
