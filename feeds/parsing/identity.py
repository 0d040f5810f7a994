"""Which entry is which: guids made, told apart, and recognised after they flipped.

Pure functions over text. An entry is known within its source by its guid; these rules are for the
publishers who forget it, repeat it, or change it with their address.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from feeds.urls import address_key, canonical_url

MAX_GUID = 512
"""Characters. Longer guids are known by their hash, so that an index can hold them."""

_APART = "#newsfold-"
"""Stands between a guid that its feed gives to several entries and what tells them apart."""


def entry_key(guid: str, link: str) -> str:
    """The guid a document gives an entry: its guid, else its link; empty if it gives neither.

    Whitespace at the ends goes and within is one space. A link is taken without its tracking
    parameters. What is longer than :data:`MAX_GUID` becomes its hash.
    """
    key = " ".join(guid.split()) or canonical_url(link, keep_fragment=True) or link.strip()
    return key if len(key) <= MAX_GUID else f"urn:sha256:{_digest(key)}"


def hashed_guid(*parts: str) -> str:
    """A guid for an entry that has neither guid nor link, from what it says."""
    return f"urn:sha256:{_digest(*parts)}"


def tell_apart(
    entries: Sequence[tuple[str, str, str]], ambiguous: Collection[str] = frozenset()
) -> list[str | None]:
    """Guids for ``entries`` (guid, link, title) of one document, no two alike.

    A guid that occurs once stays, unless it is in ``ambiguous``: then this source has given it to
    several entries before. Entries that share a guid are told apart by their link, or by link and
    title where the link is shared too: not by their place, so that each keeps its guid while others
    come and go. Where all three agree the later ones repeat the first, and get None.
    """
    count = Counter(guid for guid, _, _ in entries)
    shared = [
        (guid, canonical_url(link, keep_fragment=True) or link, title)
        if count[guid] > 1 or guid in ambiguous
        else None
        for guid, link, title in entries
    ]
    links = Counter((head[0], head[1]) for head in shared if head)
    first: dict[str, int] = {}
    for index, (head, (guid, _, _)) in enumerate(zip(shared, entries, strict=True)):
        first.setdefault(_told_apart(*head, links) if head else guid, index)
    by_index = {index: guid for guid, index in first.items()}
    return [by_index.get(index) for index in range(len(entries))]


def _told_apart(guid: str, link: str, title: str, links: Counter[tuple[str, str]]) -> str:
    own_link = link and links[guid, link] == 1
    return f"{guid}{_APART}{_digest(link if own_link else f'{link} {title}')[:16]}"


def ambiguous_guids(known: Iterable[str]) -> frozenset[str]:
    """The guids a source has given to several entries, by what :func:`tell_apart` made of them."""
    return frozenset(guid.partition(_APART)[0] for guid in known if _APART in guid)


def same_guid_key(guid: str) -> str:
    """What stays of a guid when its site moves to https, adds ``www.`` or tracks its readers.

    Two guids of *one source* with one key are one entry. Guids that are no addresses are their own
    key.
    """
    return address_key(guid)


def recognise(arrived: Iterable[str], known: Iterable[str]) -> Mapping[str, str]:
    """For each guid in ``arrived`` that is new only by its spelling, the known guid it stands for.

    ``arrived`` are all guids of one document, ``known`` those of the same source. A site that flips
    does so everywhere: nothing is recognised unless half of the document is new. A flip of scheme,
    ``www.`` or tracking parameters is recognised guid by guid (:func:`same_guid_key`); a new host
    where the old one is gone from the document and at least three, and half of the guids with the
    new one, have a known guid's path and query. A key that two guids share recognises nothing.
    """
    arrived = list(dict.fromkeys(arrived))
    known_guids = set(known)
    new = [guid for guid in arrived if guid not in known_guids]
    if not known_guids or 2 * len(new) < len(arrived):
        return {}
    gone = sorted(known_guids.difference(arrived))
    found = _matched(new, gone, same_guid_key)
    present = {_host(guid) for guid in arrived}
    moved = _by_host(guid for guid in new if guid not in found)
    for candidates in moved.values():
        claimed = set(found.values())
        old = _by_host(guid for guid in gone if guid not in claimed and _host(guid) not in present)
        for left_behind in old.values():
            matched = _matched(candidates, left_behind, _tail)
            if len(matched) >= 3 and 2 * len(matched) >= len(candidates):
                found |= matched
                break
    return found


def _by_host(guids: Iterable[str]) -> dict[str, list[str]]:
    by_host = defaultdict(list)
    for guid in guids:
        by_host[_host(guid)].append(guid)
    return by_host


def _matched(new: Iterable[str], known: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """Pairs of a new and a known guid that nobody else shares a non-empty key with."""
    known_by_key, new_by_key = defaultdict(list), defaultdict(list)
    for guid in known:
        known_by_key[key(guid)].append(guid)
    for guid in new:
        new_by_key[key(guid)].append(guid)
    return {
        guids[0]: known_by_key[shared][0]
        for shared, guids in new_by_key.items()
        if shared and len(guids) == 1 == len(known_by_key.get(shared, ()))
    }


def _host(guid: str) -> str:
    """The host of a guid that is an http(s) address, else empty."""
    key = address_key(guid)
    return key.partition("/")[0].partition("?")[0] if key != guid else ""


def _tail(guid: str) -> str:
    """A guid's path and query, empty where they are too common to recognise anything by."""
    tail = address_key(guid).removeprefix(_host(guid))
    return tail if any(character.isdigit() for character in tail) or "-" in tail else ""


def _digest(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()
