"""From the bytes of a page to a tree without dead weight.

Decoding, parsing and pruning only: what the page says is read elsewhere. The parser is libxml2's,
through lxml; it takes whatever comes and closes what was left open.
"""

import codecs
import re

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

MAX_CHARACTERS = 12_000_000
"""Pages are cut here: ten megabytes of fetched body, and some room for the decoding."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_CONTROL = bytes({*range(32)} - set(b"\t\n\r"))
MOST_ELEMENTS = 20_000
MOST_TEXT = 1_000_000
"""Elements and characters of text that are looked at: ten times what long articles have."""

# libxml2 compares every attribute of a tag with every other: 50,000 of them take it half a minute
_LONG_TAG = 4000
_MOST_ATTRIBUTES = 300
_TAG_NAME = re.compile(r"/?[a-zA-Z][\w:-]*")
# some pages close after their header; browsers read on, libxml2 does not
_END = re.compile(rb"</(?:body|html)\s*>", re.IGNORECASE)
_TAG = re.compile(r"<\s*[a-zA-Z!?]")
# What browsers read for the names on the left: https://encoding.spec.whatwg.org/#names-and-labels
_WHATWG = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "ascii": "cp1252",
           "us-ascii": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
           "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932", "sjis": "cp932",
           "x-sjis": "cp932", "tis-620": "cp874", "iso-8859-11": "cp874"}  # fmt: skip
_NOT_A_CHARSET = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape"})
_DEAD = ("style", "svg", "template", "link", "canvas", "select", "object", "embed", "map", "source")


class UnreadablePageError(ValueError):
    """The bytes hold no HTML that could be read; the message says what they are instead."""


def decode(body: bytes, content_type: str | None = None) -> str:
    """The text of a page, whatever its charset.

    Valid UTF-8 is UTF-8 whatever is declared; then the ``Content-Type`` header, the page's own
    declaration and windows-1252 (the order of WHATWG HTML 13.2.3.2, less the sniffing). A wrong
    byte becomes U+FFFD.
    """
    for bom, charset in _BOMS:
        if body.startswith(bom):
            return body.decode(charset, "replace").lstrip("\ufeff")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    declared = _declared_charsets(body, content_type)
    for charset in declared:
        try:
            return body.decode(charset)
        except UnicodeDecodeError:
            continue
    return body.decode(declared[0] if declared else "cp1252", "replace")


def _declared_charsets(body: bytes, content_type: str | None) -> list[str]:
    head = body[:4096]
    header = _HEADER_CHARSET.search(content_type or "")
    marks = (_META_CHARSET.search(head), _XML_CHARSET.search(head))
    names = [header.group(1)] if header else []
    names += [mark.group(1).decode("ascii", "replace") for mark in marks if mark]
    return [charset for name in names if (charset := _known_charset(name))]


def _known_charset(name: str) -> str | None:
    name = name.lower()
    name = _WHATWG.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # bytes.decode refuses codecs that are no text encodings, with a LookupError of its own
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NOT_A_CHARSET else None


def parse_page(body: bytes, content_type: str | None = None) -> HtmlElement:
    """The tree of a page.

    Raises:
        UnreadablePageError: there is no HTML in it.
    """
    text = decode(body, content_type)
    if not text.strip():
        raise UnreadablePageError("the page is empty")
    if not _TAG.search(text):
        raise UnreadablePageError("the page holds no HTML")
    return parse_html(text)


def parse_html(html: str) -> HtmlElement:
    """The tree of a document or fragment; always a whole ``html`` element.

    Raises:
        UnreadablePageError: the parser found nothing in it.
    """
    text = html[:MAX_CHARACTERS]
    parts = text.split("<")
    if max(map(len, parts)) > _LONG_TAG:
        text = "<".join(_tamed(part) if len(part) > _LONG_TAG else part for part in parts)
    clean = _END.sub(b"", text.encode("utf-8", "replace").translate(None, _CONTROL))
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    try:
        return document_fromstring(clean, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise UnreadablePageError(f"the parser found no HTML: {error}") from error


def _tamed(part: str) -> str:
    """What follows a ``<``, without the tag's attributes where they are a great many."""
    tag, closing, rest = part.partition(">")
    name = _TAG_NAME.match(tag)
    if not name or len(tag) <= _LONG_TAG or len(tag.split()) <= _MOST_ATTRIBUTES:
        return part
    return name.group() + closing + rest


def strip_dead_weight(tree: HtmlElement) -> None:
    """Take out, in place, what no reader looks at.

    Styles, drawings and programs are most of a modern page, and every later step copies or walks
    the tree. JSON-LD stays.
    """
    for element in list(tree.iter("script", *_DEAD)):
        if element.tag == "script" and "ld+json" in (element.get("type") or ""):
            continue
        if element.getparent() is not None:
            element.drop_tree()


def bound(tree: HtmlElement) -> bool:
    """Cut, in place, a tree that no article needs so large; whether that was done.

    What remains is read in seconds, whatever it is made of.
    """
    if tree.xpath("count(//*)") <= MOST_ELEMENTS and tree.xpath("string-length()") <= MOST_TEXT:
        return False
    elements = list(tree.iter())
    for element in elements[MOST_ELEMENTS:]:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    left = MOST_TEXT
    for element in elements[:MOST_ELEMENTS]:
        if element.tag != "script":
            element.text, left = _cut(element.text, left)
        element.tail, left = _cut(element.tail, left)
    return True


def _cut(text: str | None, left: int) -> tuple[str | None, int]:
    return (text[:left] or None, max(0, left - len(text))) if text else (None, left)
