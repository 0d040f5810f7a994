"""Which text of an article is the better one: the feed's or the page's. Pure."""

from dataclasses import dataclass

from feeds.clean import plain_text
from feeds.matching_text import matching_text_of
from feeds.model import PageReading

_SHORT = 200


@dataclass(frozen=True, slots=True)
class FeedText:
    """What a feed says of an article: sanitised HTML and a plain title."""

    title: str
    summary_html: str
    content_html: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen text. ``source`` is ``feed`` or ``page``; ``reasons`` are in words."""

    text: str
    html: str
    matching_text: str
    source: str
    reasons: tuple[str, ...]


def choose_text(feed: FeedText, page: PageReading | None) -> Choice:
    """The page's text, unless there is none, something stood in the way, or the feed has more."""
    html = max(feed.content_html, feed.summary_html, key=len)
    text = plain_text(html)
    own = Choice(text, html, matching_text_of(html, feed.title), "feed", ())
    if page is None:
        return own
    reasons = page.reasons
    if page.wall:
        return Choice(own.text, own.html, own.matching_text, "feed", reasons)
    if len(page.matching_text) < max(_SHORT, len(own.matching_text) // 2):
        why = (*reasons, "the page's text is shorter than the feed's")
        return Choice(own.text, own.html, own.matching_text, "feed", why)
    return Choice(page.text, page.html, page.matching_text, "page", reasons)
