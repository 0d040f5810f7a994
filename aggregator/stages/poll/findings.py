"""What a poll found out: pure reading of what came against what was known."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.children import ChildFailure
from feeds.model import (
    FeedEntry,
    FetchFailure,
    FetchOutcome,
    NotAFeed,
    ParsedFeed,
    ParseOutcome,
    PollHints,
    Response,
    Validators,
)
from feeds.parsing.identity import recognise
from feeds.websub import Advert, advert
from storage.values.poll import EntryWrite, FeedFacts, KnownEntry

_NAMED = 3
"""Feeds of a page that are named in its error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one answer brought. ``error`` is in words, for operators; None where all is well.

    ``validators`` is None where those that are remembered stay. ``hints`` and ``published`` (the
    trusted times in the document) are None where no document was read. ``advert`` is what the
    document that was read at ``url`` says of its hubs. ``dropped`` are the guids of entries that
    retention or a rule dropped and the feed still shows, ``ruled_out`` how many a rule dropped now.
    """

    error: str | None = None
    feed: FeedFacts | None = None
    hints: PollHints | None = None
    published: tuple[datetime, ...] | None = None
    url: str | None = None
    advert: Advert | None = None
    validators: Validators | None = None
    body_hash: str | None = None
    new: tuple[EntryWrite, ...] = ()
    changed: tuple[EntryWrite, ...] = ()
    dropped: tuple[str, ...] = ()
    ruled_out: int = 0


def body_hash(response: Response) -> str:
    """Names the bytes of a document."""
    return hashlib.sha256(response.body).hexdigest()


def is_to_be_read(outcome: FetchOutcome, known_hash: str | None) -> bool:
    """Whether ``outcome`` is a document of other bytes than the last, whatever its headers say."""
    if not isinstance(outcome, Response) or outcome.status != 200:
        return False
    return body_hash(outcome) != known_hash


def unread(outcome: FetchOutcome) -> Finding:
    """What an answer means that holds no new document."""
    match outcome:
        case FetchFailure():
            return Finding(error=outcome.detail)
        case Response(status=200):
            return Finding(validators=validators_of(outcome))
        case Response(status=304):
            return Finding(validators=_resent(outcome))
        case Response(status=410):
            return Finding(error="410: the publisher has given this feed up for good")
        case _:
            return Finding(error=f"the server answered {outcome.status}")


def read(
    response: Response,
    parsed: ParseOutcome | ChildFailure,
    known: Mapping[str, KnownEntry],
    source_id: int,
    dropped: Collection[str] = frozenset(),
) -> Finding:
    """What a new document brought. One that cannot be read leaves no trace but its error.

    ``dropped`` are the guids of those of its entries that retention dropped.
    """
    match parsed:
        case ChildFailure():
            return Finding(error=f"the feed could not be read: {parsed.detail}")
        case NotAFeed():
            return Finding(error=f"not a feed: {parsed.detail}{offered(parsed.feed_links)}")
    entries = _recognised(parsed, known)
    return Finding(
        feed=FeedFacts(parsed.title, parsed.site_url, parsed.icon, parsed.rights),
        hints=parsed.hints,
        published=tuple(_published(parsed, known)),
        url=response.url,
        advert=advert(response.headers, response.url, parsed.hubs, parsed.self_url),
        validators=validators_of(response),
        body_hash=body_hash(response),
        new=_writes(
            [e for e in entries if e.guid not in known and e.guid not in dropped], source_id
        ),
        changed=_writes([e for e in entries if _is_changed(e, known)], source_id),
        dropped=tuple(e.guid for e in entries if e.guid in dropped and e.guid not in known),
    )


def unknown(
    parsed: ParseOutcome | ChildFailure, known: Mapping[str, KnownEntry], source_id: int
) -> dict[str, str]:
    """The entries of a document that look new: the keys of their articles, by guid."""
    if not isinstance(parsed, ParsedFeed):
        return {}
    entries = _recognised(parsed, known)
    return {e.guid: article_key(e, source_id) for e in entries if e.guid not in known}


def offered(feed_links: Sequence[str]) -> str:
    """What to do where a page stands in a feed's place, by the feeds that it names."""
    if not feed_links:
        return ""
    more = len(feed_links) - _NAMED
    others = f" and {more} more" if more > 0 else ""
    return f"; it offers {', '.join(feed_links[:_NAMED])}{others}: list that address instead"


def _published(parsed: ParsedFeed, known: Mapping[str, KnownEntry]) -> Iterator[datetime]:
    """The trusted times of the document's entries, those that were not read again included."""
    for entry in parsed.entries:
        if entry.published and not entry.published_guessed:
            yield entry.published
    for before in known.values():
        if before.published and before.raw_digest in parsed.known_seen:
            yield before.published


def _recognised(parsed: ParsedFeed, known: Mapping[str, KnownEntry]) -> list[FeedEntry]:
    """The entries under the guids they are known by, where only the spelling changed."""
    by_digest = {entry.raw_digest: guid for guid, entry in known.items()}
    skipped = [by_digest[digest] for digest in parsed.known_seen if digest in by_digest]
    arrived = [entry.guid for entry in parsed.entries]
    respelled = recognise([*arrived, *skipped], known)
    if not respelled:
        return list(parsed.entries)
    return [replace(e, guid=respelled.get(e.guid, e.guid)) for e in parsed.entries]


def _is_changed(entry: FeedEntry, known: Mapping[str, KnownEntry]) -> bool:
    before = known.get(entry.guid)
    return before is not None and before.content_hash != entry.content_hash


def _writes(entries: Sequence[FeedEntry], source_id: int) -> tuple[EntryWrite, ...]:
    return tuple(EntryWrite(entry, article_key(entry, source_id)) for entry in entries)


def article_key(entry: FeedEntry, source_id: int) -> str:
    """What identifies the document that an entry names: its address, else the entry itself."""
    return entry.canonical_url or f"urn:newsfold:{source_id}:{entry.guid}"


def validators_of(response: Response) -> Validators:
    """The validators of a 200: those it carried, and no others."""
    headers = response.headers
    return Validators(response.url, headers.get("etag"), headers.get("last-modified"))


def _resent(response: Response) -> Validators | None:
    """Those of a 304 that carries any (RFC 9111, 4.3.4); else the remembered ones stay."""
    again = validators_of(response)
    return again if again.etag or again.last_modified else None
