"""Writes RSS 2.0 as the RSS Advisory Board's profile asks, clean under the W3C validator.

Extensions: ``atom:link`` (self, hub, paging), ``atom:updated``, ``content:encoded``,
``dc:creator``, ``dc:language``, ``media:content`` and RFC 5005's marks.
"""

import re
from copy import copy
from html import escape
from math import ceil

from lxml import etree
from lxml.etree import SubElement, _Element

from feeds.model import Generator, OutputEntry, OutputFeed
from feeds.writing import entry_parts
from feeds.writing.entry_memory import remembered
from feeds.writing.output_values import ascii_uri, language_tag, rfc822, rfc3339, web_url
from feeds.writing.xml_elements import (
    ATOM,
    CONTENT,
    DC,
    HISTORY,
    MEDIA,
    add_feed_links,
    add_history,
    add_text,
    add_text_if_any,
)
from feeds.writing.xml_text import one_line

_NAMESPACES = {"atom": ATOM, "content": CONTENT, "dc": DC, "fh": HISTORY, "media": MEDIA}
# What RSS 2.0 allows as a channel's image; an icon in another format is Atom's alone.
_IMAGE = re.compile(r".+\.(?:gif|jpe?g|png)", re.IGNORECASE)
_SPECIFICATION = "http://www.rssboard.org/rss-specification"


def render_rss(feed: OutputFeed) -> bytes:
    """Return ``feed`` as an RSS 2.0 document in UTF-8, the same bytes for the same feed.

    Entry ids are expected to be unique; entries keep their order. What is cleaned on the way is
    told in :mod:`feeds.writing.entry_parts`.
    """
    root = etree.Element("rss", version="2.0", nsmap=_NAMESPACES)
    channel = SubElement(root, "channel")
    language = language_tag(feed.language)
    _metadata(channel, feed, language)
    for entry in feed.entries:
        channel.append(copy(_item(entry, language)))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _metadata(channel: _Element, feed: OutputFeed, language: str | None) -> None:
    title = entry_parts.feed_title(feed)
    home = ascii_uri(feed.home_url)
    add_text(channel, "title", title)
    add_text(channel, "link", home)
    add_text(channel, "description", one_line(feed.subtitle, entry_parts.MAX_SUMMARY) or title)
    add_text_if_any(channel, "language", language)
    add_text_if_any(channel, "copyright", feed.rights)
    add_text(channel, "lastBuildDate", rfc822(feed.updated))
    add_text(channel, "generator", _generator(feed.generator))
    add_text(channel, "docs", _SPECIFICATION)
    if feed.ttl:
        add_text(channel, "ttl", str(ceil(feed.ttl / 60)))
    if (icon := web_url(feed.icon)) and _IMAGE.fullmatch(icon):
        _image(SubElement(channel, "image"), icon, title, home)
    add_feed_links(channel, f"{{{ATOM}}}link", feed, "rss")
    add_history(channel, feed)


def _image(element: _Element, url: str, title: str, home: str) -> None:
    add_text(element, "url", url)
    add_text(element, "title", title)
    add_text(element, "link", home)


def _generator(generator: Generator) -> str:
    address = f"({generator.uri})" if generator.uri else None
    return " ".join(filter(None, (generator.name, generator.version, address)))


@remembered
def _item(entry: OutputEntry, feed_language: str | None) -> _Element:
    element = etree.Element("item", nsmap=_NAMESPACES)
    title = entry_parts.title(entry)
    add_text(element, "title", title)
    add_text_if_any(element, "link", web_url(entry.url))
    add_text(element, "guid", entry.id).set("isPermaLink", "false")
    add_text(element, "pubDate", rfc822(entry.published))
    add_text(element, f"{{{ATOM}}}updated", rfc3339(entry.updated))
    # One byline: of several creators most readers show the last.
    add_text(element, f"{{{DC}}}creator", ", ".join(entry_parts.authors(entry)))
    for name in entry_parts.categories(entry):
        add_text(element, "category", name)
    _language_and_source(element, entry, feed_language)
    # A description is HTML, so that plain text is escaped once more than in Atom.
    SubElement(element, "description").text = escape(
        entry_parts.summary(entry) or title, quote=False
    )
    SubElement(element, f"{{{CONTENT}}}encoded").text = entry_parts.content(entry)
    if image := entry_parts.image(entry):
        SubElement(element, f"{{{MEDIA}}}content", url=image, medium="image")
    return element


def _language_and_source(element: _Element, entry: OutputEntry, feed_language: str | None) -> None:
    language = language_tag(entry.language)
    if language and language != feed_language:
        add_text(element, f"{{{DC}}}language", language)
    if feed_url := web_url(entry.source.feed_url):
        add_text(element, "source", entry_parts.source_title(entry.source)).set("url", feed_url)
