"""Closed archives of an output (RFC 5005, section 4): what closes one, and how it is kept. Pure.

The open entries of an output are those in no archive yet. As soon as they no longer fit its first
document, by number or by size, the eldest of them are closed: half the document's number (a
hundred at most), or as many as fit one document. So the first document and the archives hold
everything, and whoever follows ``prev-archive`` misses nothing.

What is kept is not a document but its entries, frozen as they stood: a merge, a split, retention,
another title or a new token change nothing of them. From them the same writers make the same
bytes every time.
"""

import zlib
from dataclasses import dataclass

from pydantic import TypeAdapter

from feeds.model import OutputEntry

_MOST = 100


@dataclass(frozen=True, slots=True)
class Frozen:
    """What an archive keeps: the head of its document and its entries, as they stood."""

    title: str
    subtitle: str
    entries: tuple[OutputEntry, ...]


_FROZEN: TypeAdapter[Frozen] = TypeAdapter(Frozen)


def archive_size(limit: int) -> int:
    """How many entries an archive holds at most, for an output of ``limit`` entries."""
    return min(max(1, limit // 2), _MOST)


def is_to_close(open_entries: int, open_bytes: int, *, limit: int, max_bytes: int) -> bool:
    """Whether the open entries no longer fit the first document. A single one always does."""
    return open_entries > 1 and (open_entries > limit or open_bytes > max_bytes)


def freeze(frozen: Frozen) -> bytes:
    """``frozen`` to be kept for ever."""
    return zlib.compress(_FROZEN.dump_json(frozen), 6)


def thaw(body: bytes) -> Frozen:
    """What :func:`freeze` kept."""
    return _FROZEN.validate_json(zlib.decompress(body))
