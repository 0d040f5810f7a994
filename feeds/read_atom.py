"""Atom 1.0 (RFC 4287) out of a parsed tree. Cleans nothing."""

from feeds.raw import NOTHING, Prose, RawEntry, RawFeed, RawFile
from feeds.xmltree import (
    XML_LANG,
    Element,
    Fields,
    add_own_media,
    address,
    all_texts,
    fields_of,
    first_text,
    href,
    hrefs,
    inner_html,
    media_description,
    name_of,
    prose_of,
)


def atom_feed(root: Element) -> tuple[RawFeed, list[Element]]:
    """What the feed says, and its entries."""
    fields = fields_of(root)
    feed = RawFeed(
        format="atom",
        title=_prose(fields, "atom:title"),
        link=href(fields, "alternate", "atom:link"),
        language=root.get(XML_LANG) or first_text(fields, "dc:language"),
        self_url=href(fields, "self", "atom:link"),
        hubs=hrefs(fields, "hub", "atom:link"),
        icon=first_text(fields, "atom:icon", "atom:logo"),
        rights=_prose(fields, "atom:rights"),
        authors=_authors(fields),
        update_period=first_text(fields, "sy:updateperiod"),
        update_frequency=first_text(fields, "sy:updatefrequency"),
    )
    return feed, [child for child in root if name_of(child) == "atom:entry"]


def atom_head(_item: Element, fields: Fields) -> RawEntry:
    """What identifies an entry."""
    return RawEntry(
        guid=first_text(fields, "atom:id"),
        guid_is_link=True,  # where it is an address and there is no link
        link=first_text(fields, "feedburner:origlink") or href(fields, "alternate", "atom:link"),
    )


def atom_body(entry: RawEntry, item: Element, fields: Fields) -> None:
    """Fills in what an entry says."""
    entry.language = item.get(XML_LANG) or first_text(fields, "dc:language")
    entry.title = _prose(fields, "atom:title")
    entry.summary = _prose(fields, "atom:summary") or media_description(fields)
    entry.content = _prose(fields, "atom:content")
    entry.categories = [
        category.get("label") or category.get("term") or ""
        for category in fields.get("atom:category", ())
    ] + all_texts(fields, "dc:subject")
    entry.published = first_text(fields, "atom:published", "dcterms:issued", "dc:date")
    entry.updated = first_text(fields, "atom:updated", "dcterms:modified")
    entry.files = [
        RawFile(address(link, "href"), link.get("type", ""), link.get("length", ""))
        for link in fields.get("atom:link", ())
        if link.get("rel") == "enclosure"
    ]
    add_own_media(entry, fields)
    source = fields_of(fields["atom:source"][0]) if "atom:source" in fields else {}
    entry.source_title = _prose(source, "atom:title")
    entry.source_url = href(source, "alternate", "atom:link") or href(source, "self", "atom:link")
    entry.authors = _authors(fields) or _authors(source)


def _prose(fields: Fields, name: str) -> Prose:
    return next(filter(None, map(_text_construct, fields.get(name, ()))), NOTHING)


def _text_construct(element: Element) -> Prose:
    """A text construct or content by its type (RFC 4287, 3.1.1 and 4.1.3.3)."""
    kind = (element.get("type") or "text").strip().lower()
    if kind in {"text", "html"} or kind.startswith("text/"):
        return prose_of(element, is_html=kind.endswith("html"))
    if kind == "xhtml" or kind.endswith(("+xml", "/xml")):
        return Prose(inner_html(element), True, element.base)
    return NOTHING  # Base64 of something that is not for reading


def _authors(fields: Fields) -> list[str]:
    people = map(fields_of, fields.get("atom:author", ()))
    names = (first_text(person, "atom:name", "atom:email") for person in people)
    return [name for name in names if name] or all_texts(fields, "dc:creator")
