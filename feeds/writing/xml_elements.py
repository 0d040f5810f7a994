"""What Atom and RSS have in common: namespaces, plain text elements and Atom's link."""

import re

from lxml import etree
from lxml.etree import SubElement, _Element

from feeds.model import OutputFeed
from feeds.writing.output_values import MEDIA_TYPES, ascii_uri
from feeds.writing.xml_text import one_line, reads_as_markup

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
HISTORY = "http://purl.org/syndication/history/1.0"
MEDIA = "http://search.yahoo.com/mrss/"

MAX_TEXT = 5_000
"""Characters of a one-line text that has no limit of its own."""


def add_text(parent: _Element, tag: str, text: str) -> _Element:
    """Append an element of plain text, for readers that take plain text for HTML.

    Ampersands and less-than signs are written as hexadecimal character references: to an XML parser
    the same, and what the RSS Advisory Board's profile asks for so that nobody unescapes twice.
    """
    element = SubElement(parent, tag)
    if "&" not in text and "<" not in text:
        element.text = text
        return element
    element.text, *rest = re.split("([&<])", text)
    for sign, tail in zip(rest[::2], rest[1::2], strict=True):
        reference = etree.Entity(f"#x{ord(sign):X}")
        reference.tail = tail
        element.append(reference)
    return element


def add_text_if_any(parent: _Element, tag: str, text: str | None) -> None:
    """Append a cleaned one-line text, unless there is none."""
    if line := one_line(text or "", MAX_TEXT):
        add_text(parent, tag, line)


def add_link(
    parent: _Element, tag: str, relation: str, url: str, *, media_type: str = "", title: str = ""
) -> None:
    """Append an Atom link (RFC 4287, 4.2.7); a title that reads as markup is left out."""
    link = SubElement(parent, tag, rel=relation, href=url)
    if media_type:
        link.set("type", media_type)
    if title and not reads_as_markup(title):
        link.set("title", title)


def add_feed_links(parent: _Element, tag: str, feed: OutputFeed, form: str) -> None:
    """Append the document's own address in format ``form``, its RFC 5005 pages and its hubs."""
    if form in feed.self_urls:
        add_link(parent, tag, "self", ascii_uri(feed.self_urls[form]), media_type=MEDIA_TYPES[form])
    for relation, url in feed.page_links.get(form, {}).items():
        add_link(parent, tag, relation, ascii_uri(url))
    for hub in feed.hubs:
        add_link(parent, tag, "hub", ascii_uri(hub))


def add_history(parent: _Element, feed: OutputFeed) -> None:
    """Append RFC 5005's marks: ``fh:complete`` (section 2) and ``fh:archive`` (section 4)."""
    if feed.complete:
        SubElement(parent, f"{{{HISTORY}}}complete")
    if feed.archive:
        SubElement(parent, f"{{{HISTORY}}}archive")
