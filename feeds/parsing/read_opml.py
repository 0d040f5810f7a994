"""Subscription lists of other readers: OPML 1 and 2, and newsboat's ``urls`` file.

OPML as Miniflux, FreshRSS, Feedly, Inoreader, NetNewsWire and others write it: with folders or the
``category`` attribute, ``text`` or ``title``, types or none, and a feed again in each of its
folders.

Untrusted like any feed: no DTD, no entities, no network, bounded. Whether what is found is really a
feed, and may be fetched at all, shows when it is fetched.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from feeds.clean import one_line
from feeds.parsing.decode import decode_document
from feeds.parsing.mend import mend
from feeds.parsing.xml_tree import Element, parse_xml
from feeds.urls import absolute_http_url, address_key

MAX_ROWS = 20_000
"""Outlines or lines that are looked at."""

_MAX_TEXT = 200
_USERINFO = re.compile(r"[a-z]+://[^/?#]*@", re.IGNORECASE)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_NEWSBOATS_OWN = {
    "query:": "a query over newsboat's own articles",
    "filter:": "the output of a program",
    "exec:": "the output of a program",
    "file:": "a file of that machine",
}
_TYPES = {"", "rss", "rss1", "rss2", "atom", "rdf", "json", "jsonfeed", "feed", "link", "include"}
"""Types of outlines whose ``xmlUrl`` is a feed. FreshRSS has others, which are pages it reads."""
_MANY_BAD = 20
"""Bad lines, without one that is good, from which it is no list at all."""
_NO_LIST = "neither OPML nor a list of addresses"


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed that a list names, and in which ``line`` (from 1).

    ``folders`` are those it stands in, outermost first; ``tags`` what else it is filed under.
    """

    line: int
    url: str
    title: str = ""
    site_url: str | None = None
    folders: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def category(self) -> str | None:
        """The one category that says most: the folder it is in, or else its first tag."""
        return self.folders[-1] if self.folders else next(iter(self.tags), None)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that names no feed that can be read. ``line`` counts from 1; 0 is the whole list."""

    line: int
    reason: str


@dataclass(slots=True)
class SubscriptionList:
    """What a list holds: every feed once, what was wrong, and what stood there ``again``."""

    feeds: list[ListedFeed] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    again: list[BadRow] = field(default_factory=list)
    _lines: dict[str, int] = field(default_factory=dict)

    def add(self, row: ListedFeed) -> None:
        """Adds a row as it stands in the list.

        To ``bad`` if its address is none, to ``again`` if it is there already.
        """
        url = absolute_http_url(row.url)
        if url and _USERINFO.match(row.url.strip()):
            reason = "a user name or password stands in the address, which many would be shown"
            self.bad.append(BadRow(row.line, f"{reason}: {_short(url)!r}"))
            return
        if url is None:
            self.bad.append(BadRow(row.line, f"no http(s) address: {_short(row.url)!r}"))
            return
        key = address_key(url)
        if key in self._lines:
            where = f"listed already in line {self._lines[key]}"
            self.again.append(BadRow(row.line, f"{where}: {_short(url)}"))
            return
        self._lines[key] = row.line
        site = absolute_http_url(row.site_url) if row.site_url else None
        folders, tags = _names(row.folders), _names(row.tags)
        self.feeds.append(ListedFeed(row.line, url, _short(row.title), site, folders, tags))


def read_subscriptions(body: bytes) -> SubscriptionList:
    """The feeds in an OPML document or a newsboat ``urls`` file, whichever ``body`` is.

    Never raises: what cannot be read is listed in ``bad`` with its line and the reason.
    """
    text = decode_document(body, None)
    return _read_opml(text) if text.lstrip().startswith("<") else _read_newsboat(text)


def _read_opml(text: str) -> SubscriptionList:
    found = SubscriptionList()
    root = parse_xml(text)
    if root is None:
        root = parse_xml(mend(text), recover=True)
        found.bad.append(BadRow(0, "not well-formed XML; rows may be missing"))
    if root is None or not str(root.tag).lower().endswith("opml"):
        return SubscriptionList(bad=[BadRow(0, _NO_LIST)])
    outlines = [node for node in root.iterdescendants() if str(node.tag).lower() == "outline"]
    for outline in outlines[:MAX_ROWS]:
        try:
            _read_outline(outline, found)
        except UnicodeError:  # recovering, libxml2 lets half a surrogate pair through
            found.bad.append(BadRow(outline.sourceline or 0, "holds characters that are none"))
    if len(outlines) > MAX_ROWS:
        found.bad.append(BadRow(0, f"{len(outlines)} rows, of which {MAX_ROWS} were read"))
    return found


def _read_outline(outline: Element, found: SubscriptionList) -> None:
    row = _attributes(outline)
    line = outline.sourceline or 0
    title = row.get("title") or row.get("text", "")
    kind = row.get("type", "").lower()
    if "xmlurl" in row and kind in _TYPES:
        folders = [_attributes(folder) for folder in reversed(list(outline.iterancestors()))]
        names = tuple(folder.get("text") or folder.get("title", "") for folder in folders)
        tags = tuple(re.split(r"[/,]", row.get("category", "")))
        found.add(ListedFeed(line, row["xmlurl"], title, row.get("htmlurl"), names, tags))
    elif "xmlurl" in row:
        found.bad.append(BadRow(line, f"no feed, but of type {_short(kind)!r}: {_short(title)!r}"))
    elif kind and kind in _TYPES - {"link", "include"}:
        found.bad.append(BadRow(line, f"no xmlUrl: {_short(title)!r}"))


def _attributes(element: Element) -> dict[str, str]:
    return {str(name).lower(): str(value).strip() for name, value in element.attrib.items()}


def _read_newsboat(text: str) -> SubscriptionList:
    found = SubscriptionList()
    lines = text.splitlines()
    for number, line in enumerate(lines[:MAX_ROWS], start=1):
        words = [quoted or bare for quoted, bare in _WORD.findall(line[:8192])]
        if not words or words[0].startswith("#"):
            continue
        kind = next((kind for kind in _NEWSBOATS_OWN if words[0].startswith(kind)), None)
        if kind:
            found.bad.append(BadRow(number, f"{_NEWSBOATS_OWN[kind]}: {_short(words[0])!r}"))
            continue
        titles = [word[1:] for word in words[1:] if word.startswith("~")]
        tags = tuple(word for word in words[1:] if not word.startswith(("~", "!")))
        found.add(ListedFeed(number, words[0], "".join(titles[:1]), tags=tags))
    if len(lines) > MAX_ROWS:
        found.bad.append(BadRow(0, f"{len(lines)} lines, of which {MAX_ROWS} were read"))
    if not found.feeds and len(found.bad) > _MANY_BAD:
        return SubscriptionList(bad=[BadRow(0, _NO_LIST)])
    return found


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_short, texts))))


def _short(text: str) -> str:
    return one_line(text[: 4 * _MAX_TEXT])[:_MAX_TEXT]
