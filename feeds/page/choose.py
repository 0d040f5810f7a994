"""The feed's text or the page's, for one entry.

Decisions only, on what has been read: what the feed carried against what the page gave. Every
choice keeps its reasons, in words. Nothing is fetched or stored here; whether a source's pages are
worth fetching at all is decided in feeds/page/worth.py.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from feeds.clean import plain_text
from feeds.model import PageReading
from feeds.page.blocks import blocks_of
from feeds.page.display import shown, with_pictures
from feeds.page.furniture import words
from feeds.page.html_tree import UnreadablePageError, parse_html
from feeds.page.matching_text import matching_text_of
from feeds.page.phrases import phrases

Source = Literal["feed", "page"]

_FULL = 150
"""Words from which a feed's text may be the whole article."""
_CLEARLY = 1.25

_CUT = phrases("cut")
_APPEARED = phrases("appeared_first")
_FINISHED = re.compile(r"[.!?\u3002\uff01\uff1f\u2026\"\u201d\u00bb\u2019)\]]\s*$")


@dataclass(frozen=True, slots=True)
class FeedMaterial:
    """What a feed says of an article: a plain title and sanitised HTML."""

    title: str
    url: str | None
    summary_html: str
    content_html: str


@dataclass(frozen=True, slots=True)
class FeedText:
    """What a feed carried of an entry, as text and as sanitised HTML.

    ``truncated`` says in words why it is not the whole; None where it may be.
    """

    title: str
    text: str
    html: str
    matching_text: str
    truncated: str | None

    @property
    def size(self) -> int:
        """Its length in words."""
        return len(words(self.text))

    @property
    def whole(self) -> bool:
        """Whether it may well be the whole article."""
        return self.truncated is None and self.size >= _FULL


@dataclass(frozen=True, slots=True)
class Choice:
    """The text that serves for an entry, where it came from and why.

    ``full`` is whether it is believed to be the whole article.
    """

    text: str
    html: str
    matching_text: str
    source: Source
    full: bool
    reasons: tuple[str, ...]


def feed_text(feed: FeedMaterial) -> FeedText:
    """The longer of an entry's content and summary, and whether it is cut short."""
    html = max(feed.content_html, feed.summary_html, key=lambda part: len(plain_text(part)))
    text = readable_text(html, feed.url or "")
    return FeedText(feed.title, text, html, matching_text_of(html, feed.title), truncation(text))


def readable_text(html: str, url: str) -> str:
    """Sanitised HTML as plain text with paragraphs split by blank lines."""
    try:
        blocks = blocks_of(parse_html(html))
    except UnreadablePageError:
        return ""
    return shown(with_pictures([block for block in blocks if block.text], blocks), url).text


def truncation(text: str) -> str | None:
    """Why a feed's text is not the whole article, in words; None where nothing says so.

    "The post ... appeared first on ..." alone closes whole texts as well as summaries, so it counts
    only where the text is short.
    """
    appeared = _APPEARED.search(text[-600:])
    tail = _APPEARED.sub("", text[-600:]).rstrip() if appeared else text[-300:].rstrip()
    cut = _CUT.search(tail)
    if cut:
        return f"the feed's text ends in {cut.group().strip()[:40]!r}"
    if appeared and len(words(text)) < _FULL:
        return "the feed carries a summary that says where the post appeared first"
    if tail and len(words(text)) < _FULL and not _FINISHED.search(tail):
        return "the feed's text ends in the middle of a sentence"
    return None


def without_invitation(text: str) -> str:
    """``text`` without what invites to read on at its end ("Read more", "Weiterlesen")."""
    cut = _CUT.search(text[-300:])
    return text[: len(text) - len(text[-300:]) + cut.start()].rstrip() if cut else text


def choose_text(feed: FeedText, page: PageReading | None) -> Choice:
    """The better of the two texts of one entry.

    Whole beats cut, and where both are whole the page's wins only when it holds clearly more that
    the feed's does not; of two that are nearly the same the feed's own is the publisher's choice.
    """
    if page is None:
        return _feed(feed, "no page was read")
    trouble = _trouble(page, feed)
    if trouble:
        return _feed(feed, trouble)
    page_size = len(words(page.text))
    shared = _shared(feed.matching_text, page.matching_text)
    if feed.truncated:
        return _page(page, feed.truncated, "the page has more")
    if feed.size < _FULL <= page_size or page_size > _CLEARLY * feed.size:
        return _page(page, f"the page has {page_size} words, the feed {feed.size}")
    if shared > 0.9:
        return replace(_feed(feed, "the page has the same text"), full=not feed.truncated)
    return _feed(feed, f"the feed has {feed.size} words, the page {page_size}")


def _trouble(page: PageReading, feed: FeedText) -> str | None:
    """Why a page's text cannot serve in place of the feed's."""
    size = len(words(page.text))
    if page.wall == "paywall" and size > _CLEARLY * feed.size:
        return None  # a paywall's first paragraphs are still the article's
    if page.wall:
        return f"the page is a wall ({page.wall})"
    if not size:
        return "nothing could be read from the page"
    if size < feed.size / _CLEARLY and size < _FULL:
        return f"the page's text is short ({size} words against the feed's {feed.size})"
    if size < 0.8 * feed.size and not feed.truncated:
        return f"the page's text is cut against the feed's ({size} words against {feed.size})"
    if (
        feed.size >= 40
        and _shared(feed.matching_text, page.matching_text) < 0.15
        and size < 2 * _FULL
    ):
        return "the page's text has nothing to do with the feed's"
    return None


def _shared(part: str, whole: str) -> float:
    """The share of one text's word triples that are in the other, 0 to 1."""
    small, large = (_triples(text) for text in (part, whole))
    return len(small & large) / len(small) if small else 1.0


def _triples(text: str) -> set[tuple[str, str, str]]:
    tokens = words(text)
    return set(zip(tokens, tokens[1:], tokens[2:], strict=False))


def _feed(feed: FeedText, *reasons: str) -> Choice:
    why = (*reasons, *((feed.truncated,) if feed.truncated else ()))
    return Choice(feed.text, feed.html, feed.matching_text, "feed", feed.whole, why)


def _page(page: PageReading, *reasons: str) -> Choice:
    full = page.wall is None
    why = reasons if full else (*reasons, f"behind a wall ({page.wall})")
    return Choice(page.text, page.html, page.matching_text, "page", full, why)
