"""What a poll found, as it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feeds.model import FeedEntry, Validators


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry that was shown before.

    ``raw_digest`` names the bytes it was read from; ``published`` is None where it is a guess.
    """

    content_hash: str
    raw_digest: bytes | None = None
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the operator's rules say of an entry, in place of what its source's settings say."""

    category: str | None = None
    publisher: str | None = None
    never_fold: bool = False


@dataclass(frozen=True, slots=True)
class EntryWrite:
    """A new or changed entry, and the article that it is an appearance of."""

    entry: FeedEntry
    article_key: str
    ruling: Ruling = field(default_factory=Ruling)


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What a feed says of itself."""

    title: str
    site_url: str | None
    icon: str | None
    rights: str | None


@dataclass(frozen=True, slots=True)
class IncidentWrite:
    """What happened to a source, in words: ``failing``, ``recovered``, ``moved`` ..."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PollCommit:
    """Everything one poll changes. Written in one transaction: no ETag without its entries.

    ``dropped`` are the guids of entries that were there still, though retention or a rule dropped
    them; ``ruled_out`` is how many of them a rule dropped now.
    ``feed`` and ``validators`` are None where the poll did not bring new ones (they stay);
    ``drop_validators`` forgets them. ``outcome`` is ``new``, ``unchanged``, ``failed`` or ``gone``.
    It counts only while ``claim`` is the source's latest; None for who needs no claim.
    """

    source_id: int
    at: datetime
    outcome: str
    next_poll_at: datetime
    schedule: Mapping[str, Any]
    failures: int = 0
    gone: bool = False
    error: str | None = None
    status: int | None = None
    seconds: float = 0.0
    wire_bytes: int = 0
    feed_url: str | None = None
    feed: FeedFacts | None = None
    validators: Validators | None = None
    drop_validators: bool = False
    body_hash: str | None = None
    new: tuple[EntryWrite, ...] = ()
    changed: tuple[EntryWrite, ...] = ()
    dropped: tuple[str, ...] = ()
    ruled_out: int = 0
    incidents: tuple[IncidentWrite, ...] = ()
    trouble: str | None = None
    claim: int | None = None
