"""Subscription lists of other readers: OPML 1 and 2, and newsboat's ``urls`` file.

Untrusted like any feed: no DTD, no entities, no network, bounded. Whether what is found is really a
feed, and may be fetched at all, shows when it is fetched.
"""

import re
from dataclasses import dataclass, field

from feeds.clean import one_line
from feeds.parsing.decode import decode_document
from feeds.parsing.mend import mend
from feeds.parsing.xml_tree import Element, parse_xml
from feeds.urls import absolute_http_url

MAX_ROWS = 20_000
"""Outlines or lines that are looked at."""

_MAX_TEXT = 200
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_NOT_ADDRESSES = ("query:", "filter:", "exec:", "file:")


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed that a subscription list names. ``categories`` are its folders, outermost first."""

    url: str
    title: str = ""
    site_url: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that names no feed that can be read. ``line`` counts from 1; 0 is the whole list."""

    line: int
    reason: str


@dataclass(slots=True)
class SubscriptionList:
    """What a list holds: every feed once, by its address, and what was wrong."""

    feeds: list[ListedFeed] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """Where each feed was listed first."""

    def add(self, line: int, address: str, title: str, site: str, categories: list[str]) -> None:
        """Adds a row, to ``bad`` if its address is none or stands in the list already."""
        url = absolute_http_url(address)
        if url is None:
            self.bad.append(BadRow(line, f"no http(s) address: {_short(address)!r}"))
        elif url in self.lines:
            self.bad.append(BadRow(line, f"listed already in line {self.lines[url]}: {url}"))
        else:
            self.lines[url] = line
            named = tuple(dict.fromkeys(filter(None, map(_short, categories))))
            site_url = absolute_http_url(site) if site else None
            self.feeds.append(ListedFeed(url, _short(title), site_url, named))


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
        return SubscriptionList(bad=[BadRow(0, "neither OPML nor a list of addresses")])
    outlines = [node for node in root.iterdescendants() if str(node.tag).lower() == "outline"]
    for outline in outlines[:MAX_ROWS]:
        _read_outline(outline, found)
    if len(outlines) > MAX_ROWS:
        found.bad.append(BadRow(0, f"{len(outlines)} rows, of which {MAX_ROWS} were read"))
    return found


def _read_outline(outline: Element, found: SubscriptionList) -> None:
    row = _attributes(outline)
    line = outline.sourceline or 0
    title = row.get("title") or row.get("text", "")
    if "xmlurl" in row:
        folders = [_attributes(folder) for folder in reversed(list(outline.iterancestors()))]
        names = [folder.get("text") or folder.get("title", "") for folder in folders]
        names += re.split(r"[/,]", row.get("category", ""))
        found.add(line, row["xmlurl"], title, row.get("htmlurl", ""), names)
    elif row.get("type", "").lower() in {"rss", "atom", "feed"}:
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
        if words[0].startswith(_NOT_ADDRESSES):
            found.bad.append(BadRow(number, f"newsboat's own, not an address: {_short(words[0])}"))
            continue
        titles = [word[1:] for word in words[1:] if word.startswith("~")]
        tags = [word for word in words[1:] if not word.startswith(("~", "!"))]
        found.add(number, words[0], "".join(titles[:1]), "", tags)
    if len(lines) > MAX_ROWS:
        found.bad.append(BadRow(0, f"{len(lines)} lines, of which {MAX_ROWS} were read"))
    return found


def _short(text: str) -> str:
    return one_line(text[: 4 * _MAX_TEXT])[:_MAX_TEXT]
