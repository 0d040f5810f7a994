"""Elements of a well-formed feed, by the names their modules give them.

What reading RSS and Atom has in common, on top of lxml. Knows no feed format. External entities,
DTDs and network access are off.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from urllib.parse import urljoin

from lxml import etree

from feeds.raw import NOTHING, Prose, RawEntry, RawFile, add_media

Element = etree._Element  # noqa: SLF001 - lxml's name for the type it hands out
Fields = dict[str, list[Element]]
"""An element's children by name; modules have their usual prefix (``title``, ``dc:creator``)."""

_MODULES = {
    "http://www.w3.org/2005/atom": "atom:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/elements/1.0/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner:",
    "http://purl.org/rss/1.0/modules/syndication/": "sy:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
}
_RSS_NAMESPACES = re.compile(
    r"(?:http://(?:purl\.org/rss/1\.0/(?:modules/rss091#)?|blogs\.law\.harvard\.edu/tech/rss"
    r"|backend\.userland\.com/rss.*|my\.netscape\.com/rdf/simple/0\.9/))?"
)
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^>\[]*>")
_PROLOG = re.compile(
    r"(?:\s++|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\b[^>\[]*+(?:\[[^\]]*+\]\s*+)?>)*+",
    re.DOTALL | re.IGNORECASE,
)
_FIRST_NAME = re.compile(r"<([A-Za-z_][\w:.-]*+)")
_MEDIA_ATTRIBUTES = ("type", "fileSize", "width", "medium")
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def parse_xml(text: str, *, recover: bool = False) -> Element | None:
    """The root of ``text``, or None where it is not well-formed or has a DTD of its own.

    With ``recover``, what libxml2 can make of a document that is not well-formed.
    """
    prolog = text[: _prolog_end(text)]
    if not root_name(text):
        return None
    harmless = _DOCTYPE.sub("", _DECLARATION.sub("", prolog, count=1), count=1)
    if "<!DOCTYPE" in harmless:
        return None
    text = harmless + text[len(prolog) :]
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def root_name(text: str) -> str:
    """The name of the first element as it is written, empty where none follows the prolog."""
    found = _FIRST_NAME.match(text, _prolog_end(text))
    return found[1] if found else ""


def _prolog_end(text: str) -> int:
    prolog = _PROLOG.match(text)
    return prolog.end() if prolog else 0


def name_of(element: Element) -> str:
    """An element's name with its module's usual prefix; ``?`` for an unknown one."""
    return _named(str(element.tag))


@lru_cache(maxsize=2048)
def _named(tag: str) -> str:
    namespace, _, local = tag.rpartition("}")
    namespace = namespace[1:].lower()
    if _RSS_NAMESPACES.fullmatch(namespace):
        return local.lower()
    return _MODULES.get(namespace, "?") + local.lower()


def fields_of(element: Element) -> Fields:
    """The children of ``element`` by name."""
    fields: Fields = {}
    for child in element:
        fields.setdefault(name_of(child), []).append(child)
    return fields


def elements(fields: Fields, *names: str) -> Iterator[Element]:
    """All children with any of ``names``, by the order of the names."""
    return (element for name in names for element in fields.get(name, ()))


def text_of(element: Element) -> str:
    """The text of ``element`` and all in it, without markup."""
    return ("".join(element.itertext()) if len(element) else element.text or "").strip()


def first_text(fields: Fields, *names: str) -> str:
    """The first text that is not empty under ``names``."""
    return next(filter(None, map(text_of, elements(fields, *names))), "")


def all_texts(fields: Fields, *names: str) -> list[str]:
    """The texts under the first of ``names`` that has any."""
    for name in names:
        texts = list(filter(None, map(text_of, fields.get(name, ()))))
        if texts:
            return texts
    return []


def href(fields: Fields, relation: str, *names: str) -> str:
    """The address of the first link with ``relation``; of several alternates, an HTML one."""
    links = [link for link in elements(fields, *names) if _relation(link) == relation]
    html = (link for link in links if "html" in link.get("type", "html"))
    link = next(html, links[0] if links else None)
    return "" if link is None else address(link, "href")


def hrefs(fields: Fields, relation: str, *names: str) -> list[str]:
    """The addresses of all links with ``relation``."""
    return [
        address(link, "href") for link in elements(fields, *names) if _relation(link) == relation
    ]


def _relation(link: Element) -> str:
    return (link.get("rel") or "alternate").strip().lower() if link.get("href") else ""


def address(element: Element, attribute: str) -> str:
    """An attribute that holds an address, resolved against ``xml:base`` where there is one."""
    value = (element.get(attribute) or "").strip()
    return join(element.base, value) if value else ""


def join(base: str | None, value: str) -> str:
    """``value`` against an ``xml:base``; as it is where that is absent or makes no sense."""
    try:
        return urljoin(base, value) if base else value
    except ValueError:
        return value


def prose_of(element: Element, *, is_html: bool | None) -> Prose:
    """Text, escaped markup or unescaped markup; the last is HTML whatever is said of it."""
    if len(element):
        return Prose(inner_html(element), True, element.base)
    return Prose((element.text or "").strip(), is_html, element.base)


def inner_html(element: Element) -> str:
    """What stands inside ``element`` as HTML, its namespaces taken off (in place).

    A ``div`` around it all is only a wrapper (RFC 4287, 3.1.1.3).
    """
    for node in element.iterdescendants():
        node.tag = etree.QName(node).localname
    if len(element) == 1 and element[0].tag == "div":
        around = f"{element.text or ''}{element[0].tail or ''}"
        element = element if around.strip() else element[0]
    inner = (
        etree.tostring(child, method="html", encoding="unicode", with_tail=True)
        for child in element
    )
    return f"{escape(element.text or '', quote=False)}{''.join(inner)}".strip()


def add_own_media(entry: RawEntry, fields: Fields) -> None:
    """Adds an item's Media RSS objects, those inside ``media:group`` too, and its iTunes image."""
    groups = [fields, *map(fields_of, fields.get("media:group", ()))]
    contents = [element for group in groups for element in group.get("media:content", ())]
    media = [
        RawFile(address(content, "url"), *(content.get(name, "") for name in _MEDIA_ATTRIBUTES))
        for content in contents
    ]
    thumbnails = [
        address(element, "url") or address(element, "href")
        for group in (*groups, *map(fields_of, contents))
        for element in elements(group, "media:thumbnail", "itunes:image")
    ]
    add_media(entry, media, thumbnails)


def media_description(fields: Fields) -> Prose:
    """The description of Media RSS, inside ``media:group`` too; plain text unless it says so."""
    groups = [fields, *map(fields_of, fields.get("media:group", ()))]
    found = (
        prose_of(element, is_html=element.get("type") == "html")
        for group in groups
        for element in group.get("media:description", ())
    )
    return next(filter(None, found), NOTHING)
