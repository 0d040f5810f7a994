"""An article to be read, and what reading it gave."""

from dataclasses import dataclass
from datetime import datetime


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
