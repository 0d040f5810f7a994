"""RSS 0.9x, 2.0 and 1.0 (RDF) out of a parsed tree. Cleans nothing."""

from feeds.raw import NOTHING, Prose, RawEntry, RawFeed, RawFile
from feeds.xmltree import (
    XML_LANG,
    Element,
    Fields,
    add_own_media,
    address,
    all_texts,
    elements,
    fields_of,
    first_text,
    href,
    hrefs,
    join,
    media_description,
    name_of,
    prose_of,
    text_of,
)

_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_TITLE = ("title", "dc:title", "media:title")
_SUMMARY = ("description", "dc:description", "itunes:summary", "summary")
_CONTENT = ("content:encoded", "xhtml:body", "body", "fullitem")
_PUBLISHED = ("pubdate", "dcterms:issued", "dc:date", "atom:published", "dcterms:created", "date")
_UPDATED = ("atom:updated", "dcterms:modified", "updated")


def rss_feed(root: Element) -> tuple[RawFeed, list[Element]]:
    """What the channel says, and its items: inside it, or beside it as in RSS 1.0."""
    channels = [child for child in root if name_of(child) == "channel"]
    channel = channels[0] if channels else root
    fields = fields_of(channel)
    images = fields.get("image") or fields_of(root).get("image") or []
    feed = RawFeed(
        format="rss" if name_of(root) == "rss" else "rdf",
        title=_prose(fields, "title", "dc:title", is_html=None),
        link=first_text(fields, "link") or href(fields, "alternate", "atom:link", "link"),
        language=_language(channel, fields) or root.get(XML_LANG, ""),
        self_url=href(fields, "self", "atom:link"),
        hubs=hrefs(fields, "hub", "atom:link"),
        icon=next((_image(image) for image in images), "") or _itunes_image(fields),
        rights=_prose(fields, "copyright", "dc:rights", is_html=None),
        ttl=first_text(fields, "ttl"),
        update_period=first_text(fields, "sy:updateperiod"),
        update_frequency=first_text(fields, "sy:updatefrequency"),
        skip_hours=_listed(fields, "skiphours", "hour"),
        skip_days=_listed(fields, "skipdays", "day"),
    )
    items = [child for parent in (*channels, root) for child in parent]
    return feed, [item for item in items if name_of(item) == "item"]


def rss_head(item: Element, fields: Fields) -> RawEntry:
    """What identifies an item."""
    guids = fields.get("guid", ())
    link = first_text(fields, "feedburner:origlink", "link")
    return RawEntry(
        guid=first_text(fields, "guid", "atom:id", "id") or item.get(_ABOUT, ""),
        guid_is_link=any(guid.get("isPermaLink", "true").lower() != "false" for guid in guids),
        link=join(item.base, link) if link else href(fields, "alternate", "atom:link", "link"),
    )


def rss_body(entry: RawEntry, item: Element, fields: Fields) -> None:
    """Fills in what an item says."""
    entry.title = _prose(fields, *_TITLE, is_html=None)
    entry.summary = _prose(fields, *_SUMMARY) or media_description(fields)
    entry.content = _prose(fields, *_CONTENT)
    entry.authors = all_texts(fields, "dc:creator", "author", "dc:author", "itunes:author")
    entry.categories = [*all_texts(fields, "category"), *all_texts(fields, "dc:subject")]
    entry.published = first_text(fields, *_PUBLISHED)
    entry.updated = first_text(fields, *_UPDATED)
    entry.language = _language(item, fields)
    entry.files = [
        RawFile(address(file, "url"), file.get("type", ""), file.get("length", ""))
        for file in fields.get("enclosure", ())
    ]
    add_own_media(entry, fields)
    entry.images += [_image(image) for image in fields.get("image", ())]
    for source in fields.get("source", ()):
        entry.source_title = Prose(text_of(source), None)
        entry.source_url = address(source, "url")


def _prose(fields: Fields, *names: str, is_html: bool | None = True) -> Prose:
    found = (prose_of(element, is_html=is_html) for element in elements(fields, *names))
    return next(filter(None, found), NOTHING)


def _language(element: Element, fields: Fields) -> str:
    return element.get(XML_LANG) or first_text(fields, "language", "dc:language")


def _listed(fields: Fields, parent: str, child: str) -> list[str]:
    return [text for group in fields.get(parent, ()) for text in all_texts(fields_of(group), child)]


def _itunes_image(fields: Fields) -> str:
    return next((address(image, "href") for image in fields.get("itunes:image", ())), "")


def _image(image: Element) -> str:
    """The address in a channel's ``image``, or an item's, which RSS never had and some feeds do."""
    return first_text(fields_of(image), "url") or ("" if len(image) else text_of(image))
