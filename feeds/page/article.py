"""Everything that is worked out of an article's feed entry and its page.

Runs in a child process: HTML of either may be made to harm. The feed comes first and alone, so that
whether a page is wanted can be decided on what it carries, and its text serves whatever becomes of
the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from feeds.clean import plain_text
from feeds.model import PageReading
from feeds.page.choose import (
    Choice,
    FeedMaterial,
    FeedText,
    choose_text,
    feed_text,
    without_invitation,
)
from feeds.page.extract import joined, read_page
from feeds.page.page_rules import PageRules

_SUMMARY = 400
_LEAST = 40


@dataclass(frozen=True, slots=True)
class PageBytes:
    """A fetched page: its final address, its bytes, and the Content-Type it came with."""

    url: str
    body: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What a feed carries of an article: its text, and its own summary as plain text."""

    text: FeedText
    summary: str


@dataclass(frozen=True, slots=True)
class ArticleMaterial:
    """The chosen text, a plain summary, and what the page said of itself (None without one)."""

    choice: Choice
    summary: str
    page: PageReading | None


def read_feed(feed: FeedMaterial) -> FeedReading:
    """Read what the feed itself carries."""
    summary = without_invitation(" ".join(plain_text(feed.summary_html).split()))
    return FeedReading(feed_text(feed), summary)


def read_pages(
    pages: Sequence[PageBytes], headline: str, rules: PageRules | None = None
) -> PageReading:
    """Read an article's page, or its pages in order, as one. There is at least one."""
    return joined(
        [
            read_page(
                page.body, page.url, content_type=page.content_type, headline=headline, rules=rules
            )
            for page in pages
        ]
    )


def assemble(feed: FeedReading, page: PageReading | None) -> ArticleMaterial:
    """Choose the better text, and make the summary."""
    choice = choose_text(feed.text, page)
    return ArticleMaterial(choice, summarise(feed.summary, choice.text), page)


def summarise(own: str, text: str) -> str:
    """The feed's own summary; where it has none to speak of, how the text begins."""
    return shortened(own if len(own) >= _LEAST else " ".join(text.split()) or own, _SUMMARY)


def shortened(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters at the end of a sentence or, failing that, of a word."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    sentence = max(head.rfind(mark) for mark in (". ", "! ", "? ", "。"))
    if sentence > limit // 2:
        return head[: sentence + 1]
    return head.rsplit(" ", 1)[0].rstrip(" ,;:\N{EN DASH}\N{EM DASH}-") + "…"
