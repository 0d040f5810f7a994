"""A feed document, from bytes to values: RSS, RDF, Atom and JSON Feed, well-formed or not.

The steps, each in a module of its own: bytes to text (:mod:`feeds.parsing.decode`); in XML, the
items that
are known already set aside (:mod:`feeds.parsing.known`; :mod:`feeds.parsing.mend` where it is
almost well-formed);
text to what the document says (:mod:`feeds.parsing.read_feedparser`,
:mod:`feeds.parsing.parse_json`); what it says
to what a reader sees (:mod:`feeds.parsing.entries`). Pure: no network, no clock. Meant to run in a
process
that can be killed: what was found to take ``feedparser`` long is kept from it, but there may be
more.
"""

import re
from collections.abc import Collection
from datetime import datetime

from feeds.model import NotAFeed, ParseOutcome
from feeds.parsing.decode import decode_document
from feeds.parsing.discover import feed_links
from feeds.parsing.entries import finish_feed
from feeds.parsing.known import Apart, Item, batches, document_of, take_apart
from feeds.parsing.mend import mend
from feeds.parsing.parse_json import read_json
from feeds.parsing.raw import RawEntry, RawFeed, mark_known, newest
from feeds.parsing.read_feedparser import (
    read_document,
    read_head,
    read_items,
    read_plain_items,
)
from feeds.parsing.xml_tree import root_name

_FEED_START = re.compile(
    r"(?:<\?xml\s[^>]{0,200}>\s{0,99})?<(?:rss|feed|(?:\w{1,20}:)?RDF|\w{1,20}:feed)[\s>]"
)
_FEEDS = frozenset({"rss", "feed", "rdf", "channel"})
_FORMATS = {"feed": "atom", "rdf": "rdf"}


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
    (:func:`feeds.parsing.identity.ambiguous_guids`). Never raises for content.
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
        root = root_name(text).lower()
    kind = _FORMATS.get(root.rpartition(":")[2], "rss")
    apart = take_apart(text)
    if apart is not None:
        return _read_apart(apart, kind, url, known, limit)
    mended = text if "<!ENTITY" in text else mend(text)
    apart = take_apart(mended)
    if apart is not None:
        feed = _read_apart(apart, kind, url, known, limit)
        if isinstance(feed, RawFeed):
            feed.problems.append("not well-formed XML; the usual mistakes in it were mended")
        return feed
    feed = read_document(mended, kind, limit)
    if isinstance(feed, RawFeed):
        return feed
    try:
        apart = take_apart(mend(text), recover=True)
        return _read_apart(apart, kind, url, known, limit) if apart else feed
    except UnicodeError:  # recovering, libxml2 lets half a surrogate pair through
        return feed


def _read_apart(
    apart: Apart, kind: str, url: str, known: Collection[bytes], limit: int
) -> RawFeed | str:
    """The head, and each item that is not known by itself, so that it reads the same always."""
    feed = read_head(apart.head, kind)
    if not isinstance(feed, RawFeed):
        return feed
    feed.language = feed.language or apart.language
    items = newest(apart.items, limit, lambda item: item.date, feed.problems)
    surroundings = repr((url, kind, feed.link, feed.language, feed.authors))
    heads = [item.head(surroundings) for item in items]
    mark_known(heads, known)
    new = [item for item, head in zip(items, heads, strict=True) if not head.skip]
    read = iter(_read_items(new, kind))
    for head in heads:
        entry = head if head.skip else next(read)
        if entry is None:
            feed.problems.append("an item that cannot be read was dropped")
        else:
            entry.digest = head.digest
            feed.entries.append(entry)
    return feed


def _read_items(items: list[Item], kind: str) -> list[RawEntry | None]:
    """What ``items`` say, in their order; None for those that cannot be read."""
    found: dict[int, RawEntry] = {}
    for batch in batches(items):
        entries = _read_batch(batch, kind)
        if len(entries) != len(batch):
            entries_of_each = ((item, read_items(document_of(item), kind)) for item in batch)
            found |= {id(item): entries[0] for item, entries in entries_of_each if entries}
        else:
            found |= {id(item): entry for item, entry in zip(batch, entries, strict=True)}
    return [found.get(id(item)) for item in items]


def _read_batch(batch: list[Item], kind: str) -> list[RawEntry]:
    if batch[0].is_plain:
        return read_plain_items(batch[0].around, [item.element for item in batch], kind)
    return read_items(document_of(batch[0]), kind)
