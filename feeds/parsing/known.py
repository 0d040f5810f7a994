"""The items of a well-formed feed, taken out of it, so that the known ones need not be read again.

No parser of feeds: :mod:`feeds.parsing.read_feedparser` reads what this hands it, the feed without
its
items and the new items inside the start tags of what was around them. ``feedparser`` carries some
of its state from one item to the next, so those that may leave something behind are handed over one
by one: an item reads the same whatever stands beside it, and a bad one costs only itself.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin

from lxml import etree

from feeds.parsing.raw import RawEntry
from feeds.parsing.xml_tree import Element, local_name, parse_xml, text_of

MAX_PARTS = 1000
"""Elements of an item or channel; ``feedparser`` compares every category with all before it."""
MAX_ATTRIBUTES = 100
"""Attributes of an element, which it looks up one by one in a list: 7 s for 20,000."""

_overloaded = etree.XPath(f"//*[@*[{MAX_ATTRIBUTES + 1}]]")
_ROOTS = frozenset({"rss", "rdf", "feed"})
_ITEM = re.compile(r"<(?:[\w-]{1,40}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_GUIDS = frozenset({"guid", "id"})
_DATES = frozenset({"pubdate", "published", "updated", "date"})
_UNSETTLING = frozenset({"image", "source", "textinput"})
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Item:
    """One item. ``around`` are the start tags it stands in, ``markup`` is what it is written as."""

    around: tuple[str, ...]
    element: Element
    markup: str
    guid: str
    link: str
    date: str
    declares: bool
    """Whether it declares prefixes of its own."""

    @property
    def is_plain(self) -> bool:
        """Whether ``feedparser`` is in the state after the item that it was in before.

        It keeps prefixes and some bases for ever, and loses count in markup that is not escaped.
        """
        markup = self.markup
        if self.declares or " base=" in markup or "xml:base=" in markup:
            return False
        return all(map(_is_plain, self.element))

    def head(self, surroundings: str) -> RawEntry:
        """What identifies the item. ``surroundings`` is all else that its reading depends on."""
        named = "\0".join((surroundings, *self.around, self.markup))
        digest = hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()[:16]
        return RawEntry(guid=self.guid, link=self.link, digest=digest)


@dataclass(frozen=True, slots=True)
class Apart:
    """A document taken apart: ``head`` is all of it but its items."""

    head: str
    items: list[Item]
    language: str
    """That of the root, which ``feedparser`` overlooks in RDF."""


def take_apart(text: str, *, recover: bool = False) -> Apart | None:
    """The items of ``text`` and the rest of it, or None where it is not a well-formed feed.

    None too where items stand inside of items. ``recover`` takes what libxml2 can make of a
    document that is not well-formed.
    """
    root = parse_xml(text, recover=recover)
    if root is None or local_name(root) not in _ROOTS:
        return None
    elements = list(root.iter("{*}entry" if local_name(root) == "feed" else "{*}item"))
    nested = any(
        next(element.iterancestors(str(element.tag)), None) is not None for element in elements
    )
    if nested or (not elements and _ITEM.search(text)):
        return None
    for node in _overloaded(root):
        for name in list(node.attrib)[MAX_ATTRIBUTES:]:
            del node.attrib[name]
    if "xml:base" in text:
        _mind_bases(root, elements)
    parents = dict.fromkeys(element.getparent() for element in elements)
    try:
        around = {parent: _start_tags(parent) for parent in parents if parent is not None}
    except ValueError:  # a namespace that is no address: read, but not written, by libxml2
        return None
    items = [_item(element, around) for element in elements]
    for element in elements:
        _remove(element)
    for parent in (root, *root.iterchildren("{*}channel")):
        del parent[MAX_PARTS:]
    return Apart(
        head=etree.tostring(root, encoding="unicode"),
        items=items,
        language=root.get(_XML_LANG, ""),
    )


def _mind_bases(root: Element, items: Iterable[Element]) -> None:
    """Takes bases off that make no sense, and moves parts with a base of their own to the end.

    ``feedparser`` would resolve what follows such a part against its base too.
    """
    for node in root.iter():
        if _XML_BASE in node.attrib and not _makes_sense(node.get(_XML_BASE, "")):
            del node.attrib[_XML_BASE]
    for item in items:
        item[:] = sorted(item, key=lambda part: _XML_BASE in part.attrib)


def _makes_sense(base: str) -> bool:
    try:
        return bool(urljoin(base, "x"))
    except ValueError:
        return False


def batches(items: Iterable[Item]) -> Iterable[list[Item]]:
    """``items`` in groups that can be read together: all plain ones, and each other one alone."""
    found: dict[object, list[Item]] = {}
    for index, item in enumerate(items):
        found.setdefault(item.around if item.is_plain else index, []).append(item)
    return found.values()


def document_of(item: Item) -> str:
    """A document with nothing in it but ``item``."""
    names = [tag[1:].split()[0].rstrip(">") for tag in item.around]
    ends = (f"</{name}>" for name in reversed(names))
    return "".join((*item.around, item.markup, *ends))


def _item(element: Element, around: dict[Element, tuple[str, ...]]) -> Item:
    del element[MAX_PARTS:]
    guid, link, original, date = element.get(_ABOUT, ""), "", "", ""
    for child in list(element):
        role = _role(str(child.tag))
        if role == "guid" and not text_of(child):
            element.remove(child)  # feedparser would take it for the guid all the same
        elif role == "guid":
            is_link = child.get("isPermaLink", "true") == "true"
            guid = _joined(child.base, text_of(child)) if is_link else text_of(child)
        elif role == "link" and child.get("rel", "alternate") == "alternate":
            link = _joined(child.base, child.get("href") or text_of(child)) or link
        elif role == "origlink":
            original = text_of(child)
        elif role == "date":
            date = date or text_of(child)
    markup = etree.tostring(element, encoding="unicode", with_tail=False)
    parent = element.getparent()
    tags = () if parent is None else around[parent]
    # Written by itself it repeats every declaration around it.
    declares = parent is None or markup.count(" xmlns") > len(parent.nsmap)
    return Item(tags, element, markup, guid, original or link, date, declares)


@lru_cache(maxsize=1024)
def _role(tag: str) -> str:
    """What an element of this name tells about its item here: mostly nothing."""
    name = tag.rpartition("}")[2].lower()
    if name in _GUIDS:
        return "guid"
    if name in _DATES:
        return "date"
    return name if name in {"link", "origlink"} else ""


def _is_plain(part: Element) -> bool:
    if len(part):
        return local_name(part) == "author" and not any(len(child) for child in part)
    # A reference to an entity has no name but a function.
    return isinstance(part.tag, str) and _settles(part.tag)


@lru_cache(maxsize=1024)
def _settles(tag: str) -> bool:
    return tag.rpartition("}")[2].lower() not in _UNSETTLING


def _joined(base: str | None, value: str) -> str:
    try:
        return urljoin(base, value) if base and value else value
    except ValueError:
        return value


def _start_tags(element: Element) -> tuple[str, ...]:
    """The start tags of ``element`` and all around it, outermost first."""
    return tuple(map(_start_tag, (*reversed(list(element.iterancestors())), element)))


def _start_tag(element: Element) -> str:
    alone = etree.Element(element.tag, dict(element.attrib), element.nsmap)
    alone.text = ""  # not written as an empty element
    return etree.tostring(alone, encoding="unicode").partition(">")[0] + ">"  # elsewhere it is &gt;


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
