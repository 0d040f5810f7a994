"""Remembers what a writer made of an entry, so that a changed feed costs what changed in it.

Of a hundred entries one changes from one writing to the next, and outputs with different filters
show the same entries. Entries are frozen values, so that an equal entry is written the same.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from feeds.model import OutputEntry

MAX_ENTRIES = 500
MAX_CONTENT = 50_000
"""Characters: longer entries are written anew each time rather than kept in memory."""

Written = TypeVar("Written")
Writer = Callable[[OutputEntry, str | None], Written]


def remembered(write: Writer[Written]) -> Writer[Written]:
    """Decorate ``write(entry, context)``, whose result nobody may change, to remember it."""
    write_once = lru_cache(maxsize=MAX_ENTRIES)(write)

    @wraps(write)
    def write_or_recall(entry: OutputEntry, context: str | None) -> Written:
        small = len(entry.content_html or "") <= MAX_CONTENT
        return write_once(entry, context) if small else write(entry, context)

    return write_or_recall
