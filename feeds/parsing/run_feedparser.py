"""How ``feedparser`` is run: on documents, and faster on plain items of a tree. Its only home.

What it finds is :mod:`feeds.parsing.read_feedparser`'s to read. Its sanitising and resolving of
links are off; :mod:`feeds.clean` does both. It is handed bytes or elements, never an address, so it
fetches nothing; it takes entity declarations out by itself.

Of what a feed costs it, nine tenths are not its judgement but the way there: SAX events, a
dictionary with synonyms, a base address resolved for every element, copies. :class:`_ItemReader`
is its own strict parser with shorter ways where nothing of that can matter; all that an element
*means* is still decided by its handlers. Whatever is not plain goes through
:func:`parse_document`, and the tests hold the two against each other.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self
from xml.sax.expatreader import ExpatParser
from xml.sax.handler import feature_external_ges, feature_namespaces

import feedparser
from feedparser.api import StrictFeedParser
from feedparser.util import FeedParserDict

from feeds.parsing.xml_tree import Element

# It looks for e-mail addresses in authors in quadratic time: 28 s for 62 kB without a space.
_LONG_WORD = re.compile(r"([\w.+-]{1000})[\w.+-]+", re.ASCII)
_HALF_A_LONG_WORD = re.compile(r"[\w.+-]{500}", re.ASCII)
# An xml:base or an address beside it that makes no sense; a textInput inside of an item.
_RAISING = re.compile(r"\s(?:xml:)?base=(?:\"[^\"]*\"|'[^']*')|</?textinput\b[^>]*>", re.IGNORECASE)
_HEADERS = {"content-type": "application/xml; charset=utf-8"}
_XML = "http://www.w3.org/XML/1998/namespace"
_SYNONYMS = frozenset(FeedParserDict.keymap) | {
    *("category", "enclosures", "license", "updated", "updated_parsed")
}
_SCOPED = frozenset({"xml:base", "base", "xml:lang", "lang"})

# Dates are read as text, by feeds.parsing.dates; feedparser's own dozen of patterns need not be
# tried. Handlers are feedparser's for the whole process: others shall find theirs as they were.
_reading = ContextVar("reading", default=False)
_SOME_DATE = (1970, 1, 1, 0, 0, 0, 3, 1, 0)
feedparser.registerDateHandler(lambda _: _SOME_DATE if _reading.get() else None)


@contextmanager
def _dates_as_text() -> Iterator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


Node = dict[str, Any]
"""A feedparser dictionary. Its own ``get`` translates names and warns; ``dict.get`` does not."""


@_dates_as_text()
def parse_document(text: str) -> Node:
    """What ``feedparser`` finds in ``text``. It may raise nearly anything."""
    bounded = _bounded(text)
    try:
        return _feedparser(bounded)
    except Exception:
        harmless = _RAISING.sub("", bounded)
        if harmless == bounded:
            raise
        return _feedparser(harmless)


def _feedparser(text: str) -> Node:
    parsed: Node = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers=_HEADERS,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return parsed


def _bounded(text: str) -> str:
    """``text`` with its longest words cut.

    A word of a thousand characters covers one of these places and the 500 characters after it:
    looking there is a hundred times as fast as looking everywhere.
    """
    places = range(0, len(text) - 499, 500)
    if any(_HALF_A_LONG_WORD.match(text, place) for place in places):
        return _LONG_WORD.sub(r"\1", text)
    return text


@_dates_as_text()
def parse_head(text: str) -> Node:
    """The same in a document that is known to be well-formed and to hold no items.

    ``feedparser.parse`` would look for encodings, doctypes and other XML parsers first, which takes
    it as long as reading. It may raise nearly anything.
    """
    reader = _StrictParser()
    _sax_parser(reader).feed(_bounded(text))
    return {"feed": reader.feeddata, "entries": reader.entries, "version": reader.version}


@_dates_as_text()
def parse_items(around: Sequence[str], items: Sequence[Element]) -> list[Node]:
    """What ``feedparser`` finds in plain ``items`` that stand in the start tags ``around``.

    The same as :func:`parse_document` finds in a document of these. It may raise nearly anything.
    """
    reader = _ItemReader.inside(around)
    for item in items:
        reader.read(item)
    found: list[Node] = reader.entries
    return found


def _sax_parser(handler: StrictFeedParser) -> ExpatParser:
    parser = ExpatParser()
    parser.setFeature(feature_namespaces, True)
    parser.setFeature(feature_external_ges, False)
    parser.setContentHandler(handler)
    return parser


class _StrictParser(StrictFeedParser):  # type: ignore[misc] # feedparser has no types
    def __init__(self) -> None:
        super().__init__("", None, "utf-8")
        self.resolve_relative_uris = self.sanitize_html = False


class _UnusualError(Exception):
    """Not so plain: an item inside of a picture, or markup inside of a content."""


class _ItemReader(_StrictParser):
    """``feedparser``'s strict parser, for elements that neither nest nor declare anything."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = _Entries()
        self.contentparams = _Parameters()
        self._names: dict[str, str] = {}
        self._handlers: dict[str, tuple[str, _Start | None, _End | None]] = {}

    @classmethod
    def inside(cls, around: Sequence[str]) -> Self:
        """A reader that has read these start tags, as ``feedparser.parse`` would."""
        reader = cls()
        _sax_parser(reader).feed("".join(around))
        if reader.inimage or reader.intextinput or reader.insource or reader.incontent:
            raise _UnusualError
        return reader

    def read(self, element: Element) -> None:
        """Read ``element`` and all in it."""
        tag = str(element.tag)
        name = self._names.get(tag) or self._name(tag)
        self._begin(name, self._attributes(element) if element.attrib else {})
        if element.text:
            self.handle_data(_bounded(element.text))
        for child in element:
            self.read(child)
            if child.tail:
                self.handle_data(child.tail)
        self._end(name)

    def push_content(self, *of_content: Any) -> None:  # noqa: ANN401 - handed through
        super().push_content(*of_content)
        self.contentparams = _Parameters(self.contentparams)

    def _name(self, tag: str) -> str:
        """An element's name as ``startElementNS`` makes it."""
        namespace, _, local = tag.removeprefix("{").rpartition("}")
        prefix = self._matchnamespaces.get(namespace.lower())
        declared = self.namespaces_in_use.items()
        if not prefix and namespace:
            prefix = next((name for name, uri in declared if name and uri == namespace), None)
        self._names[tag] = name = f"{prefix}:{local}".lower() if prefix else local.lower()
        return name

    def _attributes(self, element: Element) -> dict[str, str]:
        """An element's attributes, under ``feedparser``'s prefix and under the document's."""
        attributes: dict[str, str] = {}
        written: dict[str, str] = {}
        for key, given in element.attrib.items():
            value = _bounded(str(given))
            namespace, _, local = str(key).removeprefix("{").rpartition("}")
            if namespace:
                prefix = self._matchnamespaces.get(namespace.lower(), "")
                attributes[f"{prefix}:{local}".lower() if prefix else local.lower()] = value
                prefixes = {uri: name or "" for name, uri in element.nsmap.items()} | {_XML: "xml"}
                local = f"{prefixes.get(namespace, '')}:{local}"
            written[local.lower()] = value
        attributes |= written
        return dict(map(self._normalize_attributes, attributes.items()))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        """``unknown_starttag``, where base and namespaces stay what they are."""
        if self.incontent:
            raise _UnusualError
        if not _SCOPED.isdisjoint(attributes):
            self.unknown_starttag(name, list(attributes.items()))
            return
        self.depth += 1
        self.basestack.append(self.baseuri)
        self.langstack.append(self.lang)
        known_as, start, _ = self._handlers.get(name) or self._handler(name)
        if start is not None:
            try:
                start(attributes)
                return
            except AttributeError:  # as if there were no handler
                pass
        if attributes:
            self._get_context()[known_as] = attributes
        else:
            self.push(known_as, 1)

    def _end(self, name: str) -> None:
        """``unknown_endtag``, outside of content."""
        known_as, _, end = self._handlers.get(name) or self._handler(name)
        try:
            end() if end is not None else self.pop(known_as)
        except AttributeError:
            self.pop(known_as)
        if self.incontent:
            raise _UnusualError
        self.basestack.pop()
        if self.basestack[-1]:
            self.baseuri = self.basestack[-1]
        self.langstack.pop()
        self.lang = self.langstack[-1]
        self.depth -= 1

    def _handler(self, name: str) -> "tuple[str, _Start | None, _End | None]":
        prefix, _, suffix = name.rpartition(":")
        prefix = self.namespacemap.get(prefix, prefix)
        known_as = f"{prefix}_{suffix}" if prefix else suffix
        start, end = (getattr(self, f"_{what}_{known_as}", None) for what in ("start", "end"))
        self._handlers[name] = (known_as, start, end)
        return known_as, start, end


_Start = Callable[[dict[str, str]], None]
_End = Callable[[], None]


class _Parameters(dict[str, Any]):
    """What is known of a content: text under names that have no synonyms, so quickly copied."""

    def __deepcopy__(self, memo: object) -> Self:
        return type(self)(self)


class _Entries(list[Node]):
    """Entries, each a dictionary that looks for synonyms only of names that have any."""

    def append(self, entry: Node) -> None:
        super().append(_Entry(entry))


class _Entry(FeedParserDict):  # type: ignore[misc] # feedparser has no types
    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - whatever feedparser put there
        return (FeedParserDict if key in _SYNONYMS else dict).__getitem__(self, key)

    def __contains__(self, key: object) -> bool:
        return bool((FeedParserDict if key in _SYNONYMS else dict).__contains__(self, key))

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - the same
        return (FeedParserDict if key in _SYNONYMS else dict).get(self, key, default)

    def setdefault(self, key: str, default: Any) -> Any:  # noqa: ANN401 - the same
        return (FeedParserDict if key in _SYNONYMS else dict).setdefault(self, key, default)
