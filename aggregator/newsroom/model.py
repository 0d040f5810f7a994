"""The newsroom's values: outlets, articles, and the events that are the truth about them."""

import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal

Wall = Literal["consent", "paywall", "challenge", "not_found", "video", "script"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture's caption and its credit line, such as ``Lena Ortmann via MNA``."""

    caption: str
    credit: str


@dataclass(frozen=True, slots=True)
class NewsroomEvent:
    """An event that articles tell: the truth that folding is measured against.

    ``follows`` names the earlier event that this one grew out of, ``resembles`` another event of
    the same kind that must not be taken for it.
    """

    key: str
    what: str
    follows: str | None = None
    resembles: str | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """A fictional publisher and how its web site behaves.

    ``format`` and ``carries`` describe its feed; ``skeleton`` names the HTML template of its
    pages. ``path`` is the pattern of its article addresses. ``utc_offset`` in hours is what its
    printed times are in. ``disallow`` are path prefixes for robots.txt, below the outlet's own.
    """

    slug: str
    name: str
    domain: str
    tagline: str
    language: str
    category: str
    priority: int
    format: Literal["rss", "rdf", "atom", "json"]
    carries: Literal["full", "summary", "headline"]
    skeleton: str
    colour: str
    path: str
    utc_offset: int
    navigation: tuple[str, ...]
    newsletter: str
    footer: str
    comments: tuple[tuple[str, str], ...] = ()
    json_ld: bool = False
    open_graph: bool = False
    disallow: tuple[str, ...] = ()

    @property
    def feed_path(self) -> str:
        """Where the outlet's feed is, from the root of the server."""
        return f"/{self.slug}/feed.{'json' if self.format == 'json' else 'xml'}"

    def local(self, moment: datetime) -> datetime:
        """The moment on the outlet's own clock."""
        return moment.astimezone(timezone(timedelta(hours=self.utc_offset)))


@dataclass(frozen=True, slots=True)
class NewsroomArticle:
    """One article, with the truth about it.

    ``path`` starts at the root of the server. ``event`` is the gold label; ``copy_of`` and
    ``rewrite_of`` name the article whose text it repeats or retells. A paragraph that starts with
    ``## `` is a subheading. ``first_title`` and ``first_paragraphs`` (a number) are what stood
    there before ``updated``. ``wall`` is what a visitor meets instead of the text.
    """

    id: str
    outlet: str
    path: str
    title: str
    paragraphs: tuple[str, ...]
    published: datetime
    language: str
    event: str
    section: str
    summary: str
    categories: tuple[str, ...] = ()
    updated: datetime | None = None
    copy_of: str | None = None
    rewrite_of: str | None = None
    wall: Wall | None = None
    byline: str | None = None
    agency: str | None = None
    dateline: str | None = None
    figure: Figure | None = None
    pullquote: str | None = None
    endnote: str | None = None
    first_title: str | None = None
    first_paragraphs: int | None = None

    @property
    def modified(self) -> datetime:
        """When the article last changed."""
        return self.updated or self.published

    @property
    def number(self) -> int:
        """The article's number in its outlet's system."""
        return number_of(self.id)

    def at(self, now: datetime) -> "NewsroomArticle | None":
        """The article as it stood at a moment: None before it was published."""
        if now < self.published:
            return None
        if self.updated is None or now >= self.updated:
            return self
        return replace(
            self,
            updated=None,
            title=self.first_title or self.title,
            paragraphs=self.paragraphs[: self.first_paragraphs],
        )


@dataclass(frozen=True, slots=True)
class Newsroom:
    """Everything: ``articles`` in order of publication."""

    outlets: tuple[Outlet, ...]
    articles: tuple[NewsroomArticle, ...]
    events: tuple[NewsroomEvent, ...]


def number_of(article_id: str) -> int:
    """A stable eight-digit number, as content management systems put into addresses."""
    return 10_000_000 + zlib.crc32(article_id.encode()) % 90_000_000
