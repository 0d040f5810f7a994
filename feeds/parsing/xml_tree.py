"""Untrusted XML as a tree: external entities, DTDs and network access are off. Knows no format."""

import re

from lxml import etree

Element = etree._Element  # noqa: SLF001 - lxml's name for the type it hands out

_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^>\[]*>")
_PROLOG = re.compile(
    r"(?:\s++|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\b[^>\[]*+(?:\[[^\]]*+\]\s*+)?>)*+",
    re.DOTALL | re.IGNORECASE,
)
_FIRST_NAME = re.compile(r"<([A-Za-z_][\w:.-]*+)")


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
        strip_cdata=False,  # written out again it is read faster than a reference per character
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


def local_name(element: Element) -> str:
    """The name of ``element`` without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def text_of(element: Element) -> str:
    """The text of ``element`` and all in it, without markup."""
    text = "".join(element.itertext()) if len(element) else element.text or ""
    return text.strip()
