"""Titles that a source uses again and again ("Morning briefing"): they say nothing of the event."""

import re
from zlib import crc32

from aggregator.matching.document import Document
from aggregator.matching.fingerprint import MAX_TITLE

OFTEN = 3
"""From its this-many-th use in the window a source's title is no evidence any more."""
OFTEN_ANYWHERE = 30
"""The same for articles of which nobody knows the source."""
SHORTEST = 8
"""Characters below which a title is never compared."""
_DIGITS = re.compile(r"\d+")


class RecurringTitles:
    """How often each source has used each title, digits aside, in the window."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._keys: dict[int, int] = {}

    def recurs(self, document: Document) -> bool:
        """Whether the title of a document not yet added is to be left out of comparing."""
        title = document.title.strip()
        if len(title) < SHORTEST and title.isascii():
            return True
        often = OFTEN if document.publisher else OFTEN_ANYWHERE
        return self._counts.get(_key(document), 0) >= often - 1

    def add(self, slot: int, document: Document) -> None:
        """Count the title of an article that came."""
        if document.title.strip():
            key = self._keys[slot] = _key(document)
            self._counts[key] = self._counts.get(key, 0) + 1

    def drop(self, slot: int) -> None:
        """Forget the title of an article that leaves the window."""
        key = self._keys.pop(slot, None)
        if key is None:
            return
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]


def _key(document: Document) -> int:
    title = _DIGITS.sub("0", document.title.strip()[:MAX_TITLE].casefold())
    return crc32(f"{document.publisher or ''}\n{title}".encode("utf-8", "replace"))
