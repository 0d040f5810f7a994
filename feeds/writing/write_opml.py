"""Writes OPML 2.0: the list of subscriptions, for taking along to another reader."""

from collections.abc import Sequence
from itertools import groupby

from lxml import etree
from lxml.etree import SubElement, _Element

from feeds.model import OpmlSource
from feeds.writing.entry_parts import MAX_NAME, MAX_TITLE
from feeds.writing.output_values import language_tag, web_url
from feeds.writing.xml_elements import add_text
from feeds.writing.xml_text import one_line


def render_opml(title: str, sources: Sequence[OpmlSource]) -> bytes:
    """Return ``sources`` as an OPML 2.0 document in UTF-8, in folders by first category.

    Sources without a category come first; folders are in alphabetical order, sources in the order
    given. All categories stand in the ``category`` attribute, as paths. A source whose address is
    not http or https is left out.
    """
    root = etree.Element("opml", version="2.0")
    add_text(SubElement(root, "head"), "title", one_line(title, MAX_TITLE))
    body = SubElement(root, "body")
    for folder, members in groupby(sorted(sources, key=_folder), key=_folder):
        parent = SubElement(body, "outline", text=folder) if folder else body
        for source in members:
            _outline(parent, source)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _folder(source: OpmlSource) -> str:
    return _categories(source)[0] if _categories(source) else ""


def _categories(source: OpmlSource) -> list[str]:
    return [name for category in source.categories if (name := one_line(category, MAX_NAME))]


def _outline(parent: _Element, source: OpmlSource) -> None:
    feed_url = web_url(source.feed_url)
    if feed_url is None:
        return
    name = one_line(source.title, MAX_NAME) or feed_url
    outline = SubElement(parent, "outline", type="rss", text=name, title=name, xmlUrl=feed_url)
    optional = {
        "htmlUrl": web_url(source.site_url),
        "language": language_tag(source.language),
        # A comma separates categories and a slash the levels of one (OPML 2.0).
        "category": ",".join("/" + name.replace(",", " ") for name in _categories(source)),
    }
    for attribute, value in optional.items():
        if value:
            outline.set(attribute, value)
