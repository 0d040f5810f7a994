"""The tables. SQLModel's only home; no row leaves this package.

``table=True`` models do not validate: what comes in was validated at the border. Times are aware
UTC. Every change here needs a migration (a test compares the two).
"""

from collections.abc import Collection
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Index, Table, UniqueConstraint, literal_column, text
from sqlmodel import AutoString, Field, SQLModel

from storage.columns import BigId, CleanText, Json, UtcDateTime, dump_json


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
    detail: str = ""


class SourceDay(SQLModel, table=True):
    """How many of a source's entries were published on a day (UTC): its rhythm."""

    __tablename__ = "source_day"

    source_id: int = Field(primary_key=True, foreign_key="source.id")
    day: date = Field(primary_key=True)
    entries: int = 0


class Day(SQLModel, table=True):
    """How much of what was published on a day (UTC) was folded, and into what."""

    day: date = Field(primary_key=True)
    articles: int = 0
    copies: int = 0
    stories: int = 0


class Publication(SQLModel, table=True):
    """That an output has published a story (or an article), and its place in that sequence.

    Places are never given twice. No foreign key: retention may take the item first.
    """

    __table_args__ = (
        UniqueConstraint("output", "item_id"),
        UniqueConstraint("output", "position"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    output: str
    item_id: int = Field(sa_type=BigId, description="Story or article.")
    position: int = Field(sa_type=BigId)


class OutputProgress(SQLModel, table=True):
    """How far an output has looked through what there is, and what it has archived."""

    __tablename__ = "output_progress"

    id: int | None = Field(default=None, primary_key=True)
    output: str = Field(unique=True)
    admits: str = Field(description="Names the filter that decided what is in its sequence.")
    looked_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="Latest change of a story that was judged."
    )
    looked_to: int = Field(
        default=0, sa_type=BigId, description="Last story, or article in fold order."
    )
    next_position: int = Field(default=1, sa_type=BigId)
    archived_to: int = Field(default=0, sa_type=BigId, description="Last position in an archive.")
    archives: int = 0


class Archive(SQLModel, table=True):
    """A closed archive of an output (RFC 5005, 4): its entries as they stood then, frozen."""

    __table_args__ = (UniqueConstraint("output", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    output: str
    number: int
    closed_at: datetime = Field(sa_type=UtcDateTime)
    full: bool = Field(description="Whether it holds whole articles.")
    body: bytes


class Rendition(SQLModel, table=True):
    """Since when a document of an output has had the bytes that ``digest`` names."""

    __table_args__ = (UniqueConstraint("output", "page", "form"),)

    id: int | None = Field(default=None, primary_key=True)
    output: str
    page: int
    form: str
    digest: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Incident(SQLModel, table=True):
    """What happened to a source: it began to fail, moved, fell silent, recovered, is gone."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    source_id: int
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    name: str
    feed_url: str
    detail: str = ""


class Setting(SQLModel, table=True):
    """Small facts of the installation itself, such as the authority its ids are minted under."""

    name: str = Field(primary_key=True)
    value: str


class Subscription(SQLModel, table=True):
    """What we asked a hub to tell us of a source's feed (WebSub), and what came of it.

    ``state`` is ``waiting`` (nothing is under way), ``asked``, ``active`` or ``denied``. A new hub
    or topic is a new subscription: another token, another secret.
    """

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", unique=True)
    hub: str
    topic: str
    document_url: str = Field(description="Where the document was read that named the hub.")
    callback_base: str = Field(description="The public address that the hub was given.")
    token: str = Field(unique=True)
    secret: str
    state: str = "waiting"
    created_at: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_attempt_at: datetime = Field(sa_type=UtcDateTime, index=True)
    failures: int = 0
    last_error: str | None = None
    last_delivery_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    missed_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When a poll found what no delivery brought."
    )
    deliveries: int = 0
    ignored: int = Field(default=0, description="Deliveries without our signature.")
    recent: list[str] = Field(default_factory=list, sa_type=Json)
    busy_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(SQLModel, table=True):
    """What a hub sent and we signed for, until it is read."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    subscription_id: int = Field(foreign_key="subscription.id", index=True)
    received_at: datetime = Field(sa_type=UtcDateTime)
    content_type: str | None = None
    body: bytes


class Ping(SQLModel, table=True):
    """What a hub was last told of a document of ours: ``told`` and ``wanted`` are its ETags."""

    __table_args__ = (UniqueConstraint("hub", "url"),)

    id: int | None = Field(default=None, primary_key=True)
    hub: str
    url: str
    wanted: str
    told: str | None = None
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    failures: int = 0
    last_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None


class Host(SQLModel, table=True):
    """When a registrable domain was last asked, and how long a host is to be left alone.

    For several processes that share a database; one alone remembers it in memory.
    """

    name: str = Field(primary_key=True)
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Process(SQLModel, table=True):
    """A running process among those that share the database."""

    name: str = Field(primary_key=True)
    roles: str
    config: str = Field(description="Of what configuration, as a hash.")
    version: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime, description="Its latest sign of life.")


class Duty(SQLModel, table=True):
    """What one process at a time does for all. ``term`` rises whenever another takes over."""

    name: str = Field(primary_key=True)
    term: int


_OF_THE_MOMENT = ("host", "process", "duty")
"""Tables about what runs now: no copy of a database holds them."""

for _table in SQLModel.metadata.tables.values():
    for _column in _table.c:
        if isinstance(_column.type, AutoString):
            _column.type = CleanText()

# The same tables for SQLAlchemy Core, which upserts a row in 20 µs where the ORM takes 450.
sources = SQLModel.metadata.tables["source"]
entries = SQLModel.metadata.tables["entry"]
articles = SQLModel.metadata.tables["article"]
dropped_entries = SQLModel.metadata.tables["dropped_entry"]
dropped_articles = SQLModel.metadata.tables["dropped_article"]
article_texts = SQLModel.metadata.tables["article_text"]
stories = SQLModel.metadata.tables["story"]
story_sections = SQLModel.metadata.tables["story_section"]
story_events = SQLModel.metadata.tables["story_event"]
corrections = SQLModel.metadata.tables["correction"]
fetches = SQLModel.metadata.tables["fetch"]
source_days = SQLModel.metadata.tables["source_day"]
days = SQLModel.metadata.tables["day"]
publications = SQLModel.metadata.tables["publication"]
output_progress = SQLModel.metadata.tables["output_progress"]
archives = SQLModel.metadata.tables["archive"]
renditions = SQLModel.metadata.tables["rendition"]
incidents = SQLModel.metadata.tables["incident"]
settings = SQLModel.metadata.tables["setting"]
subscriptions = SQLModel.metadata.tables["subscription"]
deliveries = SQLModel.metadata.tables["delivery"]
pings = SQLModel.metadata.tables["ping"]
hosts = SQLModel.metadata.tables["host"]
processes = SQLModel.metadata.tables["process"]
duties = SQLModel.metadata.tables["duty"]


def every_table() -> list[Table]:
    """Every table that holds something to keep, those that others point at first."""
    return [table for table in SQLModel.metadata.sorted_tables if table.name not in _OF_THE_MOMENT]


def new_row(model: type[SQLModel], **values: Any) -> dict[str, Any]:  # noqa: ANN401 - of any column
    """What to insert: ``values`` and the model's defaults; the engine gives the id.

    No instance of the model is made for it: that alone takes a millisecond.
    """
    return _defaults(model) | values


def constant_values(model: type[SQLModel], varying: Collection[str]) -> dict[str, Any]:
    """The model's defaults, without those of ``varying``, as SQL that needs no parameters."""
    defaults = _defaults(model).items()
    return {
        name: literal_column(_as_sql(value))
        for name, value in defaults
        if name not in varying and value is not None
    }


def _as_sql(value: object) -> str:
    if isinstance(value, str | list | dict):
        text = value if isinstance(value, str) else dump_json(value)
        return "'" + text.replace("'", "''") + "'"
    return str(value)  # numbers, TRUE and FALSE


@cache
def _defaults(model: type[SQLModel]) -> dict[str, Any]:
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if name != "id" and not field.is_required()
    }
