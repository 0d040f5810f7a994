"""What a feed document says, before any of it is cleaned, dated or given an identity.

The common tongue of the readers (:mod:`feeds.parsing.read_feedparser`,
:mod:`feeds.parsing.parse_json`), which know
one syntax each, and of :mod:`feeds.parsing.entries`, which makes :class:`~feeds.model.FeedEntry`
of it and
knows none. Text stands as the document had it.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from feeds.parsing.dates import read_date
from feeds.parsing.identity import entry_key

_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:[?#]|$)", re.IGNORECASE)
_WIDTH = re.compile(r"\d{1,6}")
_Item = TypeVar("_Item")


class Prose(NamedTuple):
    """A title, summary or content. ``base`` is its ``xml:base``, where the document gave one.

    ``is_html`` is None where the format does not say (titles in RSS). Without a value it is false.
    """

    value: str = ""
    is_html: bool | None = True
    base: str | None = None

    def __bool__(self) -> bool:
        return bool(self.value)


NOTHING = Prose()


class RawFile(NamedTuple):
    """An enclosure or an object of Media RSS, whose ``medium`` says what it is for."""

    url: str
    type: str = ""
    length: str = ""
    width: str = ""
    medium: str = ""

    @property
    def is_image(self) -> bool:
        """Whether it is a picture, by what is said of it or else by its name."""
        said = self.type or self.medium
        return said.lower().startswith("image") if said else bool(_PICTURE.search(self.url))


@dataclass(slots=True)
class RawEntry:
    """One item. Empty text stands for what the document did not say.

    ``digest`` names the item's bytes and surroundings. ``skip`` says that the caller knows
    it: then only ``guid``, ``link`` and ``digest`` are filled in, and no entry is made of it.
    ``images`` are the addresses of its own pictures, best first.
    """

    guid: str = ""
    guid_is_link: bool = False
    link: str = ""
    title: Prose = NOTHING
    summary: Prose = NOTHING
    content: Prose = NOTHING
    authors: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    published: str = ""
    updated: str = ""
    language: str = ""
    files: list[RawFile] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    source_title: Prose = NOTHING
    source_url: str = ""
    base: str | None = None
    digest: bytes | None = None
    skip: bool = False


@dataclass(slots=True)
class RawFeed:
    """One document. ``update_period`` and ``update_frequency`` are those of mod_syndication.

    ``authors`` are those of every entry that names none, where the format says so.
    """

    format: str
    title: Prose = NOTHING
    link: str = ""
    language: str = ""
    self_url: str = ""
    hubs: list[str] = field(default_factory=list)
    icon: str = ""
    rights: Prose = NOTHING
    ttl: str = ""
    update_period: str = ""
    update_frequency: str = ""
    skip_hours: list[str] = field(default_factory=list)
    skip_days: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    entries: list[RawEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def mark_known(entries: Iterable[RawEntry], known: Collection[bytes]) -> None:
    """Marks the entries to be skipped: those whose digest is known.

    Not those whose guid stands in the document more than once: what tells them apart has to be
    read from all of them.
    """
    keys = [(entry, entry_key(entry.guid, entry.link)) for entry in entries]
    count = Counter(key for _, key in keys)
    for entry, key in keys:
        entry.skip = bool(key) and count[key] == 1 and entry.digest in known


def newest(
    items: list[_Item], limit: int, date: Callable[[_Item], str], problems: list[str]
) -> list[_Item]:
    """At most ``limit`` of ``items``: the first, or the last in a feed whose oldest come first."""
    if len(items) <= limit:
        return items
    problems.append(f"{len(items)} items, of which the newest {limit} were read")
    first, last = read_date(date(items[0])), read_date(date(items[-1]))
    return items[-limit:] if first and last and first < last else items[:limit]


def add_media(entry: RawEntry, media: Collection[RawFile], thumbnails: Iterable[str]) -> None:
    """Sorts the objects of Media RSS into ``entry``'s images, widest first, and recordings."""
    pictures = [file for file in media if file.is_image]
    pictures.sort(key=lambda file: -int(file.width) if _WIDTH.fullmatch(file.width) else 0)
    entry.images = [picture.url for picture in pictures] + list(thumbnails)
    entry.files += [
        file for file in media if (file.type or file.medium).lower().startswith(("audio", "video"))
    ]
