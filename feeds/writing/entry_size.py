"""How large an entry is in a document, from above: what paging counts with.

Not what a document measures: that is known only when it is written, and differs between formats.
The largest of them is never larger than what is said here (a test holds any entry to that).
"""

from collections.abc import Iterator, Sequence

from feeds.model import Coverage, OutputEntry
from feeds.writing.entry_parts import MAX_CONTENT, MAX_SUMMARY

_ENTRY = 2_500  # tags, dates, and the source with its links
_TELLING = 700  # a link, a list item and a JSON object, without what stands in them
_SIGNS = "&<>\"'\n\r\t\\"
_PER_SIGN = 5  # ``&`` becomes ``&#x26;``


def entry_bytes(entry: OutputEntry) -> int:
    """Return how many bytes ``entry`` takes at most in any format."""
    text = entry.content_html or ""
    once = (text if len(text) <= MAX_CONTENT else "", *entry.authors, *entry.categories)
    often = (entry.title, entry.summary[:MAX_SUMMARY], entry.id, entry.url, entry.page_url)
    source = entry.source
    also = (source.id, source.title, source.feed_url, source.site_url, source.rights, source.icon)
    return (
        _ENTRY
        + sum(map(_escaped, once))
        + 50 * (len(entry.authors) + len(entry.categories))
        + 4 * sum(_escaped(part) for part in (*often, *also, entry.image) if part)
        + sum(map(_telling_bytes, _tellings(entry.coverage)))
    )


def _tellings(coverage: Sequence[Coverage]) -> Iterator[Coverage]:
    for telling in coverage:
        yield telling
        yield from telling.copies


def _telling_bytes(telling: Coverage) -> int:
    parts = (telling.outlet, telling.title, telling.url, telling.reason)
    return _TELLING + 4 * sum(map(_escaped, parts))


def _escaped(text: str) -> int:
    signs = sum(map(text.count, _SIGNS))
    # Four bytes at most for a character; what is ASCII takes one, which is worth asking.
    plain = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return plain + _PER_SIGN * signs
