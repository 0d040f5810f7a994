"""The plain values that go into and come out of storage. All times are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feeds.model import FeedEntry, Validators

# --- sources ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A source as the operator configured it. ``url`` identifies it."""

    url: str
    name: str
    publisher: str
    category: str | None = None
    language: str | None = None
    priority: int = 0
    full_text: str = "auto"
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a new configuration changed: addresses of sources."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as a poll needs it. ``schedule`` is the scheduler's own, opaque here."""

    id: int
    url: str
    feed_url: str
    name: str
    publisher: str
    category: str | None
    language: str | None
    priority: int
    full_text: str
    validators: Validators | None
    body_hash: str | None
    schedule: Mapping[str, Any]
    failures: int
    claimed_until: datetime
    claim: int = 0
    last_entry_at: datetime | None = None
    trouble: str | None = None
    """The incident it has not recovered from: ``failing``, ``silent`` or ``gone``."""


@dataclass(frozen=True, slots=True)
class OverdueSource:
    """A source whose time has passed. ``interval`` is its rhythm in seconds, None without one."""

    id: int
    next_poll_at: datetime
    interval: float | None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A source as an operator looks at it."""

    id: int
    url: str
    feed_url: str
    name: str
    category: str | None
    enabled: bool
    gone: bool
    failures: int
    next_poll_at: datetime
    last_poll_at: datetime | None
    last_success_at: datetime | None
    last_entry_at: datetime | None
    last_error: str | None
    site_url: str | None
    trouble: str | None = None
    """The incident it has not recovered from: ``failing``, ``silent`` or ``gone``."""


# --- poll -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry that was shown before.

    ``raw_digest`` names the bytes it was read from; ``published`` is None where it is a guess.
    """

    content_hash: str
    raw_digest: bytes | None = None
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the operator's rules say of an entry, in place of what its source's settings say."""

    category: str | None = None
    publisher: str | None = None
    never_fold: bool = False


@dataclass(frozen=True, slots=True)
class EntryWrite:
    """A new or changed entry, and the article that it is an appearance of."""

    entry: FeedEntry
    article_key: str
    ruling: Ruling = field(default_factory=Ruling)


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What a feed says of itself."""

    title: str
    site_url: str | None
    icon: str | None
    rights: str | None


@dataclass(frozen=True, slots=True)
class IncidentWrite:
    """What happened to a source, in words: ``failing``, ``recovered``, ``moved`` ..."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PollCommit:
    """Everything one poll changes. Written in one transaction: no ETag without its entries.

    ``dropped`` are the guids of entries that were there still, though retention dropped them.
    ``feed`` and ``validators`` are None where the poll did not bring new ones (they stay);
    ``drop_validators`` forgets them. ``outcome`` is ``new``, ``unchanged``, ``failed`` or ``gone``.
    It counts only while ``claim`` is the source's latest; None for who needs no claim.
    """

    source_id: int
    at: datetime
    outcome: str
    next_poll_at: datetime
    schedule: Mapping[str, Any]
    failures: int = 0
    gone: bool = False
    error: str | None = None
    status: int | None = None
    seconds: float = 0.0
    wire_bytes: int = 0
    feed_url: str | None = None
    feed: FeedFacts | None = None
    validators: Validators | None = None
    drop_validators: bool = False
    body_hash: str | None = None
    new: tuple[EntryWrite, ...] = ()
    changed: tuple[EntryWrite, ...] = ()
    dropped: tuple[str, ...] = ()
    incidents: tuple[IncidentWrite, ...] = ()
    trouble: str | None = None
    claim: int | None = None


# --- push -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we asked a hub for. ``state`` is ``waiting``, ``asked``, ``active`` or ``denied``.

    ``asked_at`` is None where no answer is awaited and none is welcome. ``missed_at`` is when a
    poll last found what the hub should have delivered.
    """

    id: int
    source_id: int
    hub: str
    topic: str
    document_url: str
    callback_base: str
    token: str
    secret: str
    state: str
    created_at: datetime
    next_attempt_at: datetime
    asked_at: datetime | None = None
    verified_at: datetime | None = None
    lease_until: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    last_delivery_at: datetime | None = None
    missed_at: datetime | None = None
    deliveries: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A hub that a source names, to be asked."""

    source_id: int
    hub: str
    topic: str
    document_url: str
    callback_base: str
    token: str
    secret: str


@dataclass(frozen=True, slots=True)
class DeliveryToRead:
    """What a hub sent: a document as a poll of ``document_url`` would have brought it."""

    id: int
    subscription_id: int
    source_id: int
    document_url: str
    content_type: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class PushCommit:
    """Everything one delivery changes.

    ``body_hash`` is None where it brought nothing new; then the validators of the last poll stay.
    Where it did they are forgotten, so that the next poll is told whatever the feed says by then.
    ``dropped`` as in ``PollCommit``.
    """

    source_id: int
    at: datetime
    error: str | None = None
    seconds: float = 0.0
    wire_bytes: int = 0
    body_hash: str | None = None
    new: tuple[EntryWrite, ...] = ()
    changed: tuple[EntryWrite, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ping:
    """What a hub was told, and is to be told, of a document of ours, by entity tags."""

    hub: str
    url: str
    wanted: str
    next_attempt_at: datetime
    told: str | None = None
    failures: int = 0
    last_attempt_at: datetime | None = None
    last_told_at: datetime | None = None
    last_error: str | None = None


# --- extract ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appearance:
    """An entry as the extractor needs it, with the source that showed it."""

    source_id: int
    source_url: str
    source_name: str
    publisher: str
    priority: int
    full_text: str
    source_language: str | None
    url: str | None
    title: str
    summary_html: str
    content_html: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published: datetime | None
    published_guessed: bool
    language: str | None
    image: str | None
    page_trials: tuple[str, ...] = ()
    pages_passed: int = 0
    category: str | None = None
    """As the operator's rules say; None for that of the source."""
    never_fold: bool = False


@dataclass(frozen=True, slots=True)
class EarlierReading:
    """What an article said when it was read before."""

    title: str
    text: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class ArticleToRead:
    """An article to be read: its address and every appearance in a feed."""

    id: int
    url: str | None
    attempts: int
    arrived_at: datetime
    appearances: tuple[Appearance, ...]
    claimed_until: datetime
    version: int = 0
    """Rises when an entry of it changes; goes back with the reading."""
    earlier: EarlierReading | None = None
    key: str = ""
    """What identifies the document, by the entry's link."""


@dataclass(frozen=True, slots=True)
class PageTrial:
    """What a source's page was worth, to be remembered of it; ``worth`` None: it was not fetched.

    ``keep`` is how many are remembered.
    """

    source_id: int
    worth: str | None
    keep: int


@dataclass(frozen=True, slots=True)
class ArticleReading:
    """What reading an article settled. ``text_source`` is ``feed`` or ``page``.

    ``version`` is that of the ``ArticleToRead``; None stands for whichever there is now.
    ``canonical_key`` is the address that the page says it has, where that is another than the
    article's; ``original_url`` where on another site it says that it appeared first.
    """

    article_id: int
    title: str
    outlet: str
    publisher: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    language: str | None
    image: str | None
    published: datetime | None
    published_guessed: bool
    agency: str | None
    place: str | None
    summary: str
    text: str
    html: str
    matching_text: str
    text_source: str
    text_reasons: tuple[str, ...]
    text_hash: str
    wall: str | None
    version: int | None = None
    category: str | None = None
    """In place of its source's."""
    never_fold: bool = False
    page_key: str | None = None
    trial: PageTrial | None = None
    canonical_key: str | None = None
    original_url: str | None = None


# --- fold -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoldArticle:
    """An article as the matcher sees it, with what was decided of it before, if anything.

    ``published`` is None where the date is a guess. ``evidence`` and ``recurring`` are the
    matcher's own, opaque here. ``addresses`` identify its document: its key, and what its page
    says; ``fold_order`` is None where it was not folded yet.
    """

    id: int
    url: str | None
    title: str
    matching_text: str
    publisher: str
    language: str | None
    published: datetime | None
    arrived_at: datetime
    story_key: int | None = None
    copy_of: int | None = None
    score: float | None = None
    reason: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[tuple[int, ...], ...] = ()
    recurring: bool = False
    never_fold: bool = False
    version: int = 0
    addresses: tuple[str, ...] = ()
    fold_order: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """An operator's word on two articles."""

    id: int
    article_a: int
    article_b: int
    together: bool


@dataclass(frozen=True, slots=True)
class Member:
    """An article as the choice of a story's lead needs it. ``priority`` is its source's.

    ``original_url`` is where, on another site, its page says it appeared first.
    """

    id: int
    title: str
    outlet: str
    publisher: str
    language: str | None
    priority: int
    text_source: str
    text_length: int
    text_hash: str
    copy_of: int | None
    published: datetime | None
    arrived_at: datetime
    fold_order: int
    key: str = ""
    original_url: str | None = None


@dataclass(frozen=True, slots=True)
class StoryState:
    """A story as it stands, with its members in the order they were folded."""

    id: int
    uri: str
    slug: str
    key: int
    first_article_id: int
    lead_article_id: int
    title: str
    lead_text_hash: str
    published_at: datetime
    updated_at: datetime
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ArticleDecision:
    """Where the folder put an article that came, and why.

    ``evidence`` and ``recurring`` are the matcher's own. ``version`` is that of the
    ``FoldArticle``; None stands for whichever there is now.
    """

    article_id: int
    copy_of: int | None
    score: float
    reason: Mapping[str, Any]
    evidence: tuple[tuple[int, ...], ...] = ()
    recurring: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ArticleMove:
    """A second look at an article that was folded before, and why."""

    article_id: int
    copy_of: int | None
    score: float
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoryWrite:
    """A story as it shall be. ``id`` is None for a new one. ``events`` are (kind, detail).

    ``rank`` is its place on the front page; higher is nearer to the top. ``latest_at`` is when it
    was last reported (None: when it was published).
    """

    id: int | None
    uri: str
    slug: str
    key: int
    first_article_id: int
    lead_article_id: int
    title: str
    lead_text_hash: str
    language: str | None
    outlets: int
    published_at: datetime
    updated_at: datetime
    members: tuple[int, ...]
    events: tuple[tuple[str, str], ...] = ()
    rank: float = 0.0
    copies: int = 0
    latest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoldCommit:
    """Everything one step of folding changes.

    ``revised`` are articles (and versions) folded before whose text was read anew. ``retired`` maps
    a story's id to the position in ``stories`` of the one it became part of. ``corrections`` are
    followed with this. ``merged`` maps articles to those that they turned out to be.
    ``term`` is the duty's under which it was decided (storage/duties.py).
    """

    at: datetime
    decisions: tuple[ArticleDecision, ...] = ()
    moves: tuple[ArticleMove, ...] = ()
    revised: tuple[tuple[int, int], ...] = ()
    stories: tuple[StoryWrite, ...] = ()
    retired: Mapping[int, int] = field(default_factory=dict)
    corrections: tuple[int, ...] = ()
    merged: Mapping[int, int] = field(default_factory=dict)
    term: int | None = None


# --- publish ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article as readers see it. The texts are empty except for a lead's."""

    id: int
    url: str | None
    title: str
    outlet: str
    publisher: str
    source_id: int
    source_url: str
    source_title: str
    source_site_url: str | None
    source_icon: str | None
    source_rights: str | None
    category: str | None
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    language: str | None
    image: str | None
    published: datetime | None
    arrived_at: datetime
    copy_of: int | None
    score: float | None
    reason: Mapping[str, Any]
    text_source: str | None
    agency: str | None
    summary: str = ""
    text: str = ""
    html: str = ""
    guid: str = ""
    """Its source's own id of it. Empty except where an article is shown by itself."""


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story as readers see it, its lead first."""

    id: int
    uri: str
    slug: str
    title: str
    language: str | None
    outlets: int
    published_at: datetime
    updated_at: datetime
    created_at: datetime
    changed_at: datetime
    articles: tuple[ArticleView, ...]

    @property
    def lead(self) -> ArticleView:
        """The article whose title and text the story shows."""
        return self.articles[0]


@dataclass(frozen=True, slots=True)
class StoryFilter:
    """Which stories an output holds. Empty tuples mean any.

    The story first seen last comes first; with ``by_publication`` the one published last.
    """

    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    min_outlets: int = 1
    limit: int = 100
    offset: int = 0
    by_publication: bool = False
    sources: tuple[str, ...] = ()
    """Addresses of sources, one of which tells the story."""
    without_leads: tuple[str, ...] = ()
    """Addresses of sources, none of which leads it."""
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an output has come. ``admits`` names the filter that decided on its sequence."""

    admits: str = ""
    looked_at: datetime | None = None
    looked_to: int = 0
    next_position: int = 1
    archived_to: int = 0
    archives: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """What an output published, in short: enough to choose by. ``source_id`` is the lead's."""

    id: int
    position: int
    source_id: int | None
    outlets: int


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of what an output published is asked for: the ``newest`` so many.

    They are looked for behind position ``after``, among what was published ``since``, is told in
    one of ``categories`` and in one of ``languages``.
    """

    newest: int
    after: int = 0
    since: datetime | None = None
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """What an item says, for filters by words."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ClosedArchive:
    """A closed archive: its frozen entries, and whether they are whole articles."""

    number: int
    closed_at: datetime
    full: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as subscribers of the source health feed see it."""

    id: int
    at: datetime
    kind: str
    name: str
    feed_url: str
    detail: str
