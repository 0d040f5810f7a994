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
    links = Counter((guid, link) for guid, link, _ in entries)
    guids: dict[str, int] = {}
    for index, (guid, link, title) in enumerate(entries):
        own = guid
        if count[guid] > 1 or guid in ambiguous:
            own_link = link and links[guid, link] == 1
            own += _APART + _digest(link if own_link else f"{link} {title}")[:16]
        guids.setdefault(own, index)
    by_index = {index: guid for guid, index in guids.items()}
    return [by_index.get(index) for index in range(len(entries))]


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

    Both are guids of one source. A flip of scheme, ``www.`` or tracking parameters is recognised
    guid by guid (:func:`same_guid_key`). A new host is recognised where the whole feed moved: no
    arrived guid has the old host any more, and at least three, and half of those with the new one,
    have a known guid's path and query. A key that two known guids share recognises nothing.
    """
    arrived, known_guids = list(dict.fromkeys(arrived)), set(known)
    new = [guid for guid in arrived if guid not in known_guids]
    if not new:
        return {}
    found = _matched(new, known_guids, same_guid_key)
    hosts = {_host(guid) for guid in arrived}
    left_behind = defaultdict(list)
    for guid in known_guids - set(found.values()):
        if _host(guid) and _host(guid) not in hosts:
            left_behind[_host(guid)].append(guid)
    moved = [guid for guid in new if guid not in found and _host(guid)]
    for host in {_host(guid) for guid in moved}:
        candidates = [guid for guid in moved if _host(guid) == host]
        for old in left_behind.values():
            matched = _matched(candidates, old, _tail)
            if len(matched) >= 3 and 2 * len(matched) >= len(candidates):
                found |= matched
    return found


def _matched(new: Iterable[str], known: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """``new`` guids by the one known guid with the same, non-empty key."""
    by_key = defaultdict(list)
    for guid in known:
        by_key[key(guid)].append(guid)
    pairs = ((guid, by_key.get(key(guid), [])) for guid in new if key(guid))
    return {guid: matches[0] for guid, matches in pairs if len(matches) == 1}


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
