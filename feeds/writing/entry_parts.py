"""The parts of an entry that every format shows, cleaned and bounded in one place.

Every writer takes its titles, names and texts from here, so that the formats agree, and so that
this page says what is changed on the way out:

- One-line texts are cleaned by :func:`feeds.writing.xml_text.one_line` and bounded by the
  limits below.
- A missing title becomes the beginning of the summary, else the outlet's name.
- Missing authors become the outlet's name: Atom demands one (RFC 4287, 4.1.2).
- Content longer than ``MAX_CONTENT`` gives way to the summary, a missing summary to the title.
- The list of who else tells the story follows the content (:mod:`feeds.writing.coverage`).
"""

import re
from collections.abc import Iterable
from html import escape

from feeds.model import OutputEntry, OutputFeed, OutputSource
from feeds.writing.coverage import MAX_LISTED, coverage_html
from feeds.writing.output_values import web_url
from feeds.writing.xml_text import clean_text, one_line

MAX_TITLE = 500
MAX_NAME = 200
MAX_SUMMARY = 5_000
MAX_CONTENT = 500_000
MAX_AUTHORS = 20
MAX_CATEGORIES = 50

_NO_NAME = re.compile(r"\s*<[^<>\s]+@[^<>\s]+>|^\s*[Bb]y:?\s+(?=\S)")


def feed_title(feed: OutputFeed) -> str:
    """Return the feed's title in plain text, never empty."""
    return one_line(feed.title, MAX_TITLE) or "Untitled"


def title(entry: OutputEntry) -> str:
    """Return the entry's title in plain text, never empty."""
    return (
        one_line(entry.title, MAX_TITLE)
        or one_line(entry.summary, 100)
        or one_line(entry.source.title, MAX_NAME)
        or "Untitled"
    )


def summary(entry: OutputEntry) -> str:
    """Return the summary as one line of plain text, perhaps empty."""
    return one_line(entry.summary, MAX_SUMMARY)


def authors(entry: OutputEntry) -> list[str]:
    """Return whom the entry names as its authors, else its outlet.

    Mail addresses are left out, and a leading "By".
    """
    named = (name[: 4 * MAX_NAME] for name in entry.authors[:MAX_AUTHORS])
    return _distinct(_NO_NAME.sub("", name) for name in named) or [outlet(entry)]


def outlet(entry: OutputEntry) -> str:
    """Return the name of the outlet whose text leads, never empty."""
    name = entry.coverage[0].outlet if entry.coverage else entry.source.title
    return one_line(name, MAX_NAME) or source_title(entry.source)


def source_title(source: OutputSource) -> str:
    """Return the title of the feed that the lead came from, else its address."""
    return one_line(source.title, MAX_NAME) or one_line(source.feed_url, MAX_TITLE)


def categories(entry: OutputEntry) -> list[str]:
    """Return the categories in order, each once."""
    return _distinct(entry.categories[:MAX_CATEGORIES])


def _distinct(names: Iterable[str]) -> list[str]:
    lines = [line for name in names if (line := one_line(name, MAX_NAME))]
    return list(dict.fromkeys(lines))


def image(entry: OutputEntry) -> str | None:
    """Return the address of the entry's image."""
    return web_url(entry.image)


def other_tellings(entry: OutputEntry) -> dict[str, str]:
    """Return the headline by address of everyone else who tells the story, copies after theirs."""
    outlets = entry.coverage[: MAX_LISTED + 1]
    tellings = (telling for outlet in outlets for telling in (outlet, *outlet.copies[:MAX_LISTED]))
    headlines = {
        url: one_line(telling.title, MAX_TITLE)
        for telling in tellings
        if (url := web_url(telling.url))
    }
    headlines.pop(web_url(entry.url) or "", None)
    return headlines


def content(entry: OutputEntry) -> str:
    """Return what readers show as HTML: the text, or else the summary, and who else tells it."""
    text = entry.content_html
    if not text or len(text) > MAX_CONTENT:
        text = f"<p>{escape(summary(entry) or title(entry))}</p>"
    return clean_text(text) + coverage_html(entry)
