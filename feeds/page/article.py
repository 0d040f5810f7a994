"""Everything that is worked out of an article's page and its feed's text, in one piece.

Runs in a child process: HTML of either may be made to harm.
"""

from dataclasses import dataclass

from feeds.clean import plain_text
from feeds.model import PageReading
from feeds.page.choose import (
    Choice,
    FeedText,
    choose_text,
    readable_text,
    truncation,
    without_invitation,
)
from feeds.page.extract import read_page
from feeds.page.matching_text import matching_text_of

_SUMMARY = 400
_LEAST = 40


@dataclass(frozen=True, slots=True)
class PageBytes:
    """A fetched page: its final address, its bytes, and the Content-Type it came with."""

    url: str
    body: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class ArticleMaterial:
    """The chosen text, a plain summary, and what the page said of itself (None without one)."""

    choice: Choice
    summary: str
    page: PageReading | None


@dataclass(frozen=True, slots=True)
class FeedMaterial:
    """What a feed says of an article: a plain title and sanitised HTML."""

    title: str
    url: str | None
    summary_html: str
    content_html: str


def read_article(feed: FeedMaterial, fetched: PageBytes | None) -> ArticleMaterial:
    """Read the page if there is one, choose the better text, and make the summary."""
    page = (
        read_page(fetched.body, fetched.url, content_type=fetched.content_type, headline=feed.title)
        if fetched
        else None
    )
    choice = choose_text(_feed_text(feed), page)
    return ArticleMaterial(choice, summarise(feed, choice), page)


def _feed_text(feed: FeedMaterial) -> FeedText:
    html = max(feed.content_html, feed.summary_html, key=lambda part: len(plain_text(part)))
    text = readable_text(html, feed.url or "")
    matching = matching_text_of(html, feed.title)
    return FeedText(feed.title, text, html, matching, truncation(text))


def summarise(feed: FeedMaterial, choice: Choice) -> str:
    """The feed's own summary as plain text; where it has none, how the text begins."""
    own = without_invitation(" ".join(plain_text(feed.summary_html).split()))
    if len(own) < _LEAST:
        own = " ".join(choice.text.split()) or own
    return shortened(own, _SUMMARY)


def shortened(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters at the end of a sentence or, failing that, of a word."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    sentence = max(head.rfind(mark) for mark in (". ", "! ", "? ", "。"))
    if sentence > limit // 2:
        return head[: sentence + 1]
    return head.rsplit(" ", 1)[0].rstrip(" ,;:\N{EN DASH}\N{EM DASH}-") + "…"
