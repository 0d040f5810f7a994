"""The plain values that travel between the packages.

Frozen, comparable and picklable (they cross process borders). No I/O, no behaviour beyond what a
value can answer about itself. All times are aware UTC; all URLs are absolute http(s).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# --- fetching ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Validators:
    """What a 200 carried to make the next request conditional (RFC 9110, 8.8).

    Opaque: kept and echoed byte for byte (as latin-1 text), never invented, and valid for ``url``
    only.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One polite GET, or the POST of a ``form`` where there is one.

    ``timeout`` is the total deadline in seconds, redirects and body included. ``max_bytes`` caps
    the *decoded* body. ``headers`` come from the operator's configuration and are not sent to
    another origin on a redirect; neither is ``basic_auth`` (user, password). ``verify_tls`` off
    lets off that origin only.
    """

    url: str
    validators: Validators | None = None
    accept: str = "*/*"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)
    user_agent: str | None = None
    proxy: str | None = field(default=None, repr=False)
    verify_tls: bool = True
    timeout: float = 30.0
    max_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 5
    form: Mapping[str, str] | None = None
    """Sent as ``application/x-www-form-urlencoded``; without validators."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed: the status, where from and where to."""

    status: int
    url: str
    target: str


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP response, whatever its status.

    ``headers`` are lower-cased and joined by ``", "`` where repeated. ``body`` is decoded (no
    content coding left). ``wire_bytes`` is the body's size as it came; ``seconds`` the whole
    exchange.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    hops: tuple[Hop, ...] = ()
    wire_bytes: int = 0
    seconds: float = 0.0


class FailureKind(StrEnum):
    """Why there is no response; each is worded for operators in ``FetchFailure.detail``."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECTS = "redirects"
    FORBIDDEN_ADDRESS = "forbidden_address"
    BAD_URL = "bad_url"
    PROTOCOL = "protocol"
    DECODING = "decoding"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """No usable response. A value, so that one bad server stops nobody else."""

    url: str
    kind: FailureKind
    detail: str
    hops: tuple[Hop, ...] = ()
    seconds: float = 0.0


FetchOutcome = Response | FetchFailure


# --- what a feed said -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an entry. ``length`` in bytes, None when unknown."""

    url: str
    type: str | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry as one feed showed it, cleaned.

    ``guid`` is the identity within the source (never empty: guid, else link, else a stable hash).
    ``title`` is plain text, ``summary_html`` and ``content_html`` are sanitised HTML. ``url`` is
    the entry's link as given (absolute), ``canonical_url`` what identifies the document it names.
    ``content_hash`` (hex) covers everything a reader would see: a different hash is a changed
    entry. ``published_guessed`` marks a date that was missing, absurd or in the future.
    """

    guid: str
    url: str | None
    canonical_url: str | None
    title: str
    summary_html: str
    content_html: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published: datetime | None
    updated: datetime | None
    published_guessed: bool
    language: str | None
    image: str | None
    enclosures: tuple[Enclosure, ...]
    content_hash: str
    raw_digest: bytes | None = None
    """Names the bytes this was read from; give it back as ``known`` to have them skipped."""
    source_title: str | None = None
    """The publication an aggregator took the entry from (RSS and Atom ``source``)."""
    source_url: str | None = None


@dataclass(frozen=True, slots=True)
class PollHints:
    """How often a feed asks to be read (RSS 2.0 ttl, skipHours, skipDays; mod_syndication).

    ``ttl`` in seconds. ``update_interval`` (sy:updatePeriod over sy:updateFrequency) in seconds.
    ``skip_hours`` 0 to 23 GMT; ``skip_days`` 0 (Monday) to 6.
    """

    ttl: float | None = None
    update_interval: float | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """What one feed document held.

    ``format`` is one of ``rss``, ``rdf``, ``atom``, ``json``. ``problems`` are in words, for
    operators; the document was readable in spite of them.
    """

    format: str
    title: str
    site_url: str | None
    language: str | None
    entries: tuple[FeedEntry, ...]
    hints: PollHints = PollHints()
    hubs: tuple[str, ...] = ()
    self_url: str | None = None
    icon: str | None = None
    rights: str | None = None
    problems: tuple[str, ...] = ()
    known_seen: frozenset[bytes] = frozenset()
    """The ``known`` digests whose items stood in the document and were not read again."""


@dataclass(frozen=True, slots=True)
class NotAFeed:
    """The document is no feed. ``feed_links`` are feeds its HTML advertises, best first."""

    detail: str
    feed_links: tuple[str, ...] = ()


ParseOutcome = ParsedFeed | NotAFeed


# --- what a page said -------------------------------------------------------------------------


class DateSource(StrEnum):
    """Where a time came from, most trusted first."""

    FEED = "feed"
    JSON_LD = "json-ld"
    META = "meta"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class WireEvidence:
    """A sign that the text came from a news agency.

    ``strength`` 0 to 1; ``sign`` in words (``dateline (AP)``). Photo credits are not evidence.
    """

    agency: str
    strength: float
    sign: str

    @property
    def likely(self) -> bool:
        """Whether it is more than a broadcaster's initials."""
        return self.strength >= 0.5


@dataclass(frozen=True, slots=True)
class PageReading:
    """What extraction made of one article page.

    ``text`` is for display (paragraphs split by blank lines), ``html`` the same as sanitised HTML,
    ``matching_text`` what the folder compares: no captions, credits, bylines, datelines or related
    links. ``wall`` names what stood in the way (``consent``, ``challenge``, ``paywall``,
    ``not_found``, ``video``, ``script``), None for a real article. ``quality`` 0 to 1. ``reasons``
    are in words, for people.
    """

    url: str
    title: str
    text: str
    html: str
    matching_text: str
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    published: datetime | None = None
    published_source: DateSource | None = None
    modified: datetime | None = None
    language: str | None = None
    canonical_url: str | None = None
    image: str | None = None
    wire: WireEvidence | None = None
    place: str | None = None
    wall: str | None = None
    quality: float = 0.0
    reasons: tuple[str, ...] = ()


# --- what goes out ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutputSource:
    """The feed an entry's lead came from, for ``atom:source`` and RSS ``<source>``.

    ``id`` is an IRI; ``feed_url`` where that feed is read; ``site_url`` its web page.
    """

    id: str
    title: str
    feed_url: str
    site_url: str | None = None
    updated: datetime | None = None
    rights: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """One outlet's article in a story.

    ``copies`` are the articles that carry the same text. ``reason`` says in words why it belongs.
    """

    outlet: str
    title: str
    url: str
    published: datetime | None
    copies: tuple["Coverage", ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutputEntry:
    """One story as subscribers see it.

    ``id`` is a stored ``tag:`` URI (RFC 4151). ``url`` is the lead article's address; ``page_url``
    the story's own page here. ``summary`` is plain text, ``content_html`` sanitised HTML or None
    where the output carries summaries only. ``coverage`` holds the lead first.
    """

    id: str
    url: str
    page_url: str | None
    title: str
    summary: str
    content_html: str | None
    published: datetime
    updated: datetime
    source: OutputSource
    coverage: tuple[Coverage, ...]
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    language: str | None = None
    image: str | None = None
    outlets: int = 1
    """Independent publishers; copies of one text count once."""


@dataclass(frozen=True, slots=True)
class Generator:
    """The program that wrote a document, as the document names it."""

    name: str = "Newsfold"
    uri: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFeed:
    """One feed document before it has a format.

    ``self_urls`` maps format (``atom``, ``rss``, ``json``) to the document's own address;
    ``page_links`` are RFC 5005 links by relation (``next``, ``prev-archive`` ...) per format.
    ``archive`` and ``complete`` are RFC 5005's. ``ttl`` is in seconds: how long a copy stays fresh.
    """

    id: str
    title: str
    subtitle: str
    home_url: str
    self_urls: Mapping[str, str]
    updated: datetime
    entries: tuple[OutputEntry, ...]
    language: str | None = None
    hubs: tuple[str, ...] = ()
    page_links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    archive: bool = False
    complete: bool = False
    rights: str | None = None
    icon: str | None = None
    ttl: int | None = None
    generator: Generator = Generator()


@dataclass(frozen=True, slots=True)
class OpmlSource:
    """One subscription as OPML lists it; the first of ``categories`` is its folder."""

    title: str
    feed_url: str
    site_url: str | None = None
    categories: tuple[str, ...] = ()
    language: str | None = None
