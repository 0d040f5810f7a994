"""A feed document, from bytes to values: RSS, RDF, Atom and JSON Feed, well-formed or not.

The steps, each in a module of its own: bytes to text (:mod:`feeds.decode`); text to what the
document says (:mod:`feeds.read_xml` for well-formed XML, :mod:`feeds.mend` and once more for almost
well-formed, :mod:`feeds.read_broken` for the rest, :mod:`feeds.parse_json`); what it says to what a
reader sees (:mod:`feeds.entries`). Pure: no network, no clock. Meant to run in a process that can
be killed: what was found to take ``feedparser`` long is kept from it, but there may be more.
"""

import re
from collections.abc import Collection
from datetime import datetime

from feeds.decode import decode_document
from feeds.discover import feed_links
from feeds.entries import finish_feed
from feeds.mend import mend
from feeds.model import NotAFeed, ParseOutcome
from feeds.parse_json import read_json
from feeds.raw import RawFeed
from feeds.read_broken import read_broken
from feeds.read_xml import read_xml
from feeds.xmltree import root_name

_FEED_START = re.compile(
    r"(?:<\?xml\s[^>]{0,200}>\s{0,99})?<(?:rss|feed|(?:\w{1,20}:)?RDF|\w{1,20}:feed)[\s>]"
)
_FEEDS = frozenset({"rss", "feed", "rdf", "channel"})


def parse_feed(
    body: bytes,
    url: str,
    *,
    content_type: str | None,
    now: datetime,
    max_entries: int = 500,
    known: Collection[bytes] | None = None,
    ambiguous: Collection[str] = frozenset(),
) -> ParseOutcome:
    """The feed in ``body``, or why it is none and what feeds its HTML names instead.

    ``url`` is where it was read, after redirects; ``content_type`` the header as it came; ``now``
    tells future dates. ``known`` holds the ``raw_digest`` of entries that need not be read again:
    they are missing from ``entries`` and named in ``known_seen``; all others read exactly as they
    do without it. ``ambiguous`` holds guids that this source has given to several entries
    (:func:`feeds.identity.ambiguous_guids`). Never raises for content.
    """
    text = decode_document(body, content_type).strip()
    if text.startswith(("{", "[")):
        raw = read_json(text, url, known or frozenset(), max_entries)
    else:
        raw = _read_markup(text, url, known or frozenset(), max_entries)
    if isinstance(raw, RawFeed):
        return finish_feed(raw, url, now, ambiguous)
    return NotAFeed(raw, feed_links(text, url) if "<" in text else ())


def _read_markup(text: str, url: str, known: Collection[bytes], limit: int) -> RawFeed | str:
    root = root_name(text).lower()
    if root == "html":
        return "the document is an HTML page, not a feed"
    if root.rpartition(":")[2] not in _FEEDS:
        start = _FEED_START.search(text)
        if start is None:
            return f"the document is <{root}>, not a feed" if root else "the document is no feed"
        text = text[start.start() :]  # what a server's warnings left of it
    feed = read_xml(text, url, known, limit)
    if feed is not None:
        return feed
    mended = text if "<!ENTITY" in text else mend(text)
    feed = read_xml(mended, url, known, limit)
    if feed is not None:
        feed.problems.append("not well-formed XML; the usual mistakes in it were mended")
        return feed
    forgiven = read_broken(mended, limit)
    if isinstance(forgiven, RawFeed):
        return forgiven
    try:
        return read_xml(mend(text), url, known, limit, recover=True) or forgiven
    except UnicodeDecodeError:  # recovering, libxml2 lets half a surrogate pair through
        return forgiven
