"""What a feed validator with warnings on would say of an Atom or RSS document.

Own checks after the RSS Advisory Board's profile, RFC 4287, RFC 5005 and the published messages of
the W3C feed validator. Each complaint is a sentence; a clean document has none. Dates are checked
for form only: what is plausible depends on the day.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from html.entities import name2codepoint

import html5lib
from lxml import etree
from lxml.etree import _Element

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
MEDIA = "{http://search.yahoo.com/mrss/}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PREFIXES = {None, "atom", "content", "dc", "fh", "media"}

RELATIONS = {"alternate", "current", "first", "hub", "last", "next", "next-archive"} | {
    "prev-archive",
    "previous",
    "related",
    "self",
    "via",
}
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9;/?:@&=+$.\-_!~*'()%,#\[\]]+")
TAG = re.compile(r"tag:([a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[!-~]*")
RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\uffff\ud800-\udfff]")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
HTML_TAGS = {
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
}
HTML_ATTRIBUTES = {
    "href",
    "src",
    "alt",
    "title",
    "lang",
    "dir",
    "datetime",
    "width",
    "height",
    "colspan",
    "rowspan",
}


def atom_complaints(document: bytes) -> list[str]:
    feed = etree.fromstring(document)
    found = [*_everywhere(document, feed), *_atom_feed(feed)]
    entries = feed.findall(ATOM + "entry")
    for name in ("id", "updated"):
        values = [entry.findtext(ATOM + name) for entry in entries]
        found += [f"two entries have one {name}"] * (len(values) != len(set(values)))
    for entry in entries:
        found += _atom_entry(entry)
    return found


def _atom_feed(feed: _Element) -> Iterator[str]:
    tags = [child.tag for child in feed]
    if ATOM + "entry" in tags and any(
        tag != ATOM + "entry" for tag in tags[tags.index(ATOM + "entry") :]
    ):
        yield "metadata after the first entry"
    yield from _required(feed, ATOM, "id", "title", "updated")
    yield from _single(
        feed, ATOM, "id", "title", "subtitle", "updated", "rights", "icon", "generator"
    )
    yield from _links(feed)
    relations = {link.get("rel") for link in feed.findall(ATOM + "link")}
    if "self" not in relations:
        yield "no link to itself"
    if feed.find(HISTORY + "archive") is not None and feed.find(HISTORY + "complete") is None:
        if not relations & {"prev-archive", "next-archive"}:
            yield "an archive that leads nowhere"
        if "current" not in relations:
            yield "an archive without its current document"
    yield from _dates(feed.findall(f".//{ATOM}updated") + feed.findall(f".//{ATOM}published"))


def _atom_entry(entry: _Element) -> Iterator[str]:
    yield from _required(entry, ATOM, "id", "title", "updated", "author", "source", "content")
    yield from _single(
        entry, ATOM, "id", "title", "updated", "published", "summary", "content", "source"
    )
    yield from _links(entry)
    if any(
        link.get("rel") in RELATIONS - {"alternate", "related", "via"}
        for link in entry.findall(ATOM + "link")
    ):
        yield "a feed's relation in an entry"
    for author in entry.findall(ATOM + "author"):
        name = author.findtext(ATOM + "name") or ""
        if not name.strip() or re.search(r"<\S+@\S+>", name):
            yield f"bad author {name!r}"
    if any(not category.get("term").strip() for category in entry.findall(ATOM + "category")):
        yield "blank category"
    source = entry.find(ATOM + "source")
    yield from _required(source, ATOM, "id", "title", "updated")
    yield from _links(source)
    yield from _html(entry.findtext(ATOM + "content"))


def _links(parent: _Element) -> Iterator[str]:
    alternates = set()
    for link in parent.findall(ATOM + "link"):
        if link.get("rel") not in RELATIONS:
            yield f"unregistered relation {link.get('rel')}"
        yield from _uri(link.get("href"))
        title = link.get("title")
        if title is not None and (not title.strip() or _guessed_html(title)):
            yield f"bad link title {title!r}"
        key = (link.get("type"), link.get("hreflang"))
        if link.get("rel") == "alternate" and key in alternates:
            yield f"two alternates of {key}"
        if link.get("rel") == "alternate":
            alternates.add(key)


def rss_complaints(document: bytes) -> list[str]:
    rss = etree.fromstring(document)
    (channel,) = rss
    found = [*_everywhere(document, rss), *_channel(channel)]
    if rss.get("version") != "2.0":
        found.append("not RSS 2.0")
    items = channel.findall("item")
    guids = [item.findtext("guid") for item in items]
    found += ["two items have one guid"] * (len(guids) != len(set(guids)))
    for item in items:
        found += _item(item)
    return found


def _channel(channel: _Element) -> Iterator[str]:
    tags = [child.tag for child in channel]
    if "item" in tags and set(tags[tags.index("item") :]) != {"item"}:
        yield "metadata after the first item"
    yield from _required(channel, "", "title", "link", "description")
    yield from _single(channel, "", *(set(tags) - {"item", ATOM + "link"}))
    yield from _uri(channel.findtext("link"))
    yield from _links(channel)
    if "self" not in {link.get("rel") for link in channel.findall(ATOM + "link")}:
        yield "no link to itself"
    if not int(channel.findtext("ttl", "1")) > 0:
        yield "ttl is not positive"
    language = channel.findtext("language")
    if language is not None and not LANGUAGE.fullmatch(language):
        yield f"bad language {language!r}"
    if (image := channel.find("image")) is not None:
        yield from _uri(image.findtext("url"))
        if not image.findtext("url").lower().endswith((".gif", ".jpg", ".jpeg", ".png")):
            yield "an image that is no GIF, JPEG or PNG"
        if image.findtext("title") != channel.findtext("title"):
            yield "the image's title is not the channel's"
        if image.findtext("link") != channel.findtext("link"):
            yield "the image's link is not the channel's"
    yield from _dates(channel.findall("lastBuildDate") + channel.findall(".//pubDate"), RFC822)


def _item(item: _Element) -> Iterator[str]:
    tags = [child.tag for child in item]
    yield from _required(item, "", "title", "description", "guid", "pubDate", CONTENT + "encoded")
    yield from _single(item, "", *(set(tags) - {"category"}))
    if tags.index("description") > tags.index(CONTENT + "encoded"):
        yield "content before description"
    if "author" in tags:
        yield "an author without a mail address belongs in dc:creator"
    if item.find("guid").get("isPermaLink") != "false":
        yield "the guid is no permalink"
    for address in (item.findtext("link"), item.find("source").get("url")):
        yield from _uri(address)
    for name in ("title", "category", DC + "creator", "source"):
        if any(
            not (element.text or "").strip() and not len(element) for element in item.findall(name)
        ):
            yield f"blank {name}"
    yield from _html(item.findtext("description"))
    yield from _html(item.findtext(CONTENT + "encoded"))
    yield from _dates(item.findall(ATOM + "updated"))


def _everywhere(document: bytes, root: _Element) -> Iterator[str]:
    lines = document.decode().split("\n")
    if not document.startswith(b"<?xml version='1.0' encoding='utf-8'?>"):
        yield "no XML declaration"
    if not set(root.nsmap) <= PREFIXES:
        yield f"unusual prefixes {set(root.nsmap)}"
    for element in root.iter():
        html = element.tag in {CONTENT + "encoded", ATOM + "content", "description"}
        language = element.get(LANG)
        if language is not None and not LANGUAGE.fullmatch(language):
            yield f"bad language {language!r}"
        for text in (element.text or "", *element.attrib.values()):
            if BAD.search(text):
                yield f"bad characters in {element.tag}"
            if not html and BIDI.search(text):
                yield f"direction controls in {element.tag}"
        text = element.text or ""
        if not html and _guessed_html(text) and "&#x" not in lines[element.sourceline - 1]:
            yield f"plain text that reads as HTML: {text!r}"


def _guessed_html(text: str) -> bool:
    return bool(re.search(r"</\w+>", text)) or any(
        name in name2codepoint or name == "apos" or not name.isalpha()
        for name in re.findall(r"&(#?\w+)", text)
    )


def _html(text: str) -> Iterator[str]:
    fragment = html5lib.HTMLParser(strict=True).parseFragment(text)
    for element in fragment.iter():
        if not isinstance(element.tag, str) or element.tag == "DOCUMENT_FRAGMENT":
            continue
        tag = element.tag.split("}")[-1]
        if tag not in HTML_TAGS or not set(element.attrib) <= HTML_ATTRIBUTES:
            yield f"unsafe HTML: {tag} {dict(element.attrib)}"
        for attribute in ("href", "src"):
            if not re.match(r"https?://", element.get(attribute, "https://")):
                yield f"relative or strange reference {element.get(attribute)!r}"


def _required(parent: _Element, namespace: str, *names: str) -> Iterator[str]:
    for name in names:
        element = parent.find(namespace + name)
        if element is None or not ("".join(element.itertext()).strip() or len(element)):
            yield f"{parent.tag} lacks {name}"


def _single(parent: _Element, namespace: str, *names: str) -> Iterator[str]:
    for name in names:
        if len(parent.findall(namespace + name)) > 1:
            yield f"{parent.tag} has several {name}"


def _uri(text: str) -> Iterator[str]:
    valid = TAG.fullmatch(text) if text.startswith("tag:") else URI.fullmatch(text)
    if not valid:
        yield f"not a URI: {text!r}"


def _dates(elements: Iterable[_Element], pattern: re.Pattern[str] = RFC3339) -> Iterator[str]:
    for element in elements:
        text = element.text
        if not pattern.fullmatch(text):
            yield f"bad date {text!r} in {element.tag}"
        elif pattern is RFC822 and f"{parsedate_to_datetime(text):%a}" != text[:3]:
            yield f"wrong day of the week in {text!r}"
        elif pattern is RFC3339:
            datetime.fromisoformat(text)
