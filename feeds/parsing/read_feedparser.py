"""What ``feedparser`` makes of RSS, RDF and Atom: every XML feed is read here, and only here.

It forgives nearly everything, and pays for it: quadratic time on a few inputs and exceptions on
some two in a hundred mutilated documents. So what is known need not come here
(:mod:`feeds.parsing.known`), and what does is bounded. :mod:`feeds.parsing.run_feedparser` runs it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from feeds.parsing.decode import without_controls
from feeds.parsing.raw import NOTHING, Prose, RawEntry, RawFeed, RawFile, add_media
from feeds.parsing.run_feedparser import Node, parse_document, parse_head, parse_items
from feeds.parsing.xml_tree import Element

_ITEM_END = re.compile(r"</(?:\w{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)
_SKIP = r"<skip{0}>((?:\s{{0,99}}<{1}>[^<]{{0,99}}</{1}>){{1,99}})"
_SKIP_HOURS = re.compile(_SKIP.format("hours", "hour"), re.IGNORECASE)
_SKIP_DAYS = re.compile(_SKIP.format("days", "day"), re.IGNORECASE)
_LISTED = re.compile(r">\s*([^<>\s]+)\s*<")


def read_document(text: str, kind: str, limit: int) -> RawFeed | str:
    """The feed in ``text``, or in words why ``feedparser`` made nothing of it.

    ``kind`` is the format: ``rss``, ``rdf`` or ``atom``. At most ``limit`` items are read, the
    first: reading all to see which are newest would take it 16 s for a flood of 10 MB.
    """
    ends = [end.end() for end in _ITEM_END.finditer(text)]
    if len(ends) > limit:
        text = text[: ends[limit - 1]]
    try:
        feed = _read(parse_document(text), kind, limit, len(ends))
    except Exception as error:  # noqa: BLE001 - it raises nearly anything, and content is no error
        return _short(f"the document cannot be read: {type(error).__name__}: {error}")
    if isinstance(feed, RawFeed):
        feed.skip_hours, feed.skip_days = _listed(_SKIP_HOURS, text), _listed(_SKIP_DAYS, text)
    return feed


def read_head(text: str, kind: str) -> RawFeed | str:
    """The same of a well-formed feed whose items were taken out."""
    try:
        feed = _read(parse_head(text), kind, 0, 0)
    except Exception:  # noqa: BLE001 - it raises nearly anything, and content is no error
        return read_document(text, kind, 0)
    if isinstance(feed, RawFeed):
        feed.skip_hours, feed.skip_days = _listed(_SKIP_HOURS, text), _listed(_SKIP_DAYS, text)
    return feed


def read_items(document: str, kind: str) -> list[RawEntry]:
    """The items in ``document``, none where ``feedparser`` raises."""
    try:
        return _entries(_get(parse_document(document), "entries") or [], kind)
    except Exception:  # noqa: BLE001 - it raises nearly anything, and content is no error
        return []


def read_plain_items(around: Sequence[str], items: Sequence[Element], kind: str) -> list[RawEntry]:
    """The same of ``items`` inside the start tags ``around``; they must be plain."""
    try:
        return _entries(parse_items(around, items), kind)
    except Exception:  # noqa: BLE001 - it raises nearly anything, and content is no error
        return []


def _entries(nodes: Iterable[Node], kind: str) -> list[RawEntry]:
    return [_entry(node, is_atom=kind == "atom") for node in nodes]


def _read(parsed: Node, kind: str, limit: int, items: int) -> RawFeed | str:
    entries: list[Node] = _get(parsed, "entries") or []
    if not entries and not _get(parsed, "version"):
        return "the document has no feed in it"
    feed = _feed(_get(parsed, "feed") or {}, kind)
    problem = _get(parsed, "bozo_exception")
    if problem is not None:
        feed.problems.append(_short(f"not well-formed XML: {problem}"))
    if max(items, len(entries)) > limit:
        feed.problems.append(f"{max(items, len(entries))} items, of which {limit} were read")
    feed.entries = [_entry(entry, is_atom=kind == "atom") for entry in entries[:limit]]
    return feed


def _feed(node: Node, kind: str) -> RawFeed:
    links = _nodes(node, "links")
    is_atom = kind == "atom"
    image = _get(node, "image") or {}
    return RawFeed(
        format=kind,
        title=_prose(node, "title", is_atom),
        link=_link(node),
        language=_text(node, "language"),
        self_url=next(iter(_addresses(links, "self")), ""),
        hubs=_addresses(links, "hub"),
        icon=_text(node, "icon") or _text(node, "logo") or _text(image, "href"),
        rights=_prose(node, "rights", is_atom),
        ttl=_text(node, "ttl"),
        update_period=_text(node, "sy_updateperiod"),
        update_frequency=_text(node, "sy_updatefrequency"),
        authors=_authors(node) if is_atom else [],
    )


def _entry(node: Node, *, is_atom: bool) -> RawEntry:
    guid, link = _text(node, "id"), _link(node)
    source = _get(node, "source") or {}
    summary, content = _prose(node, "summary", is_atom), _content(node)
    entry = RawEntry(
        guid=guid,
        guid_is_link=guid == link,
        link=_text(node, "feedburner_origlink") or ("" if guid == link else link),
        title=_prose(node, "title", is_atom),
        summary=NOTHING if summary.value == content.value else summary,
        content=content,
        authors=_authors(node) or _authors(source),  # RFC 4287, 4.2.1
        categories=[_text(tag, "label") or _text(tag, "term") for tag in _nodes(node, "tags")],
        published=_text(node, "published") or _text(node, "created"),
        updated=_text(node, "updated"),
        language=_text(node, "language") or _text(_get(node, "title_detail") or {}, "language"),
        files=_files(node),
        source_title=_prose(source, "title", is_atom),
        source_url=_text(source, "href") or _link(source),
    )
    media = [_media_file(content) for content in _nodes(node, "media_content")]
    add_media(entry, media, _pictures(node))
    return entry


def _listed(pattern: re.Pattern[str], text: str) -> list[str]:
    found = pattern.search(text)
    return _LISTED.findall(found[1]) if found else []


def _short(report: str) -> str:
    return without_controls(report)[:200]


def _get(node: Node, name: str) -> Any:  # noqa: ANN401 - what feedparser puts there has no type
    return dict.get(node, name)


def _text(node: Node, name: str) -> str:
    value = _get(node, name)
    return value.strip() if isinstance(value, str) else ""


def _nodes(node: Node, name: str) -> list[Node]:
    return [item for item in _get(node, name) or [] if isinstance(item, dict)]


def _addresses(links: Iterable[Node], relation: str) -> list[str]:
    return [_text(link, "href") for link in links if _text(link, "rel") == relation]


def _authors(node: Node) -> list[str]:
    names = [_text(person, "name") or _text(person, "email") for person in _nodes(node, "authors")]
    # The last one as it was written: names are torn where a mail address has a long top-level
    # domain, since the pattern for addresses knows only those of two to four letters.
    return [*names[:-1], _text(node, "author") or names[-1]] if names else []


def _link(node: Node) -> str:
    """The address of a page; of another kind of document where there is no page."""
    return _text(node, "link") or next(iter(_addresses(_nodes(node, "links"), "alternate")), "")


def _prose(node: Node, name: str, is_atom: bool) -> Prose:
    detail = _get(node, f"{name}_detail")
    # RSS does not say whether a title is HTML; of longer texts feedparser's guess holds.
    unsaid = None if name in {"title", "rights"} and not is_atom else False
    return _detailed(detail, unsaid) if isinstance(detail, dict) else Prose(_text(node, name), None)


def _detailed(detail: Node, unsaid: bool | None) -> Prose:
    is_html = "html" in _text(detail, "type") or unsaid
    # It writes <br/> as <br></br>, and HTML takes the end tag for another break.
    value = _text(detail, "value").replace("</br>", "")
    return Prose(value, is_html, _text(detail, "base") or None)


def _content(node: Node) -> Prose:
    readable = (
        _detailed(content, unsaid=False)
        for content in _nodes(node, "content")
        if _text(content, "type").startswith(("text/", "application/xhtml"))
    )
    return next(filter(None, readable), NOTHING)


def _files(node: Node) -> list[RawFile]:
    enclosures = (link for link in _nodes(node, "links") if _text(link, "rel") == "enclosure")
    return [
        RawFile(_text(link, "href"), _file_type(link), _text(link, "length")) for link in enclosures
    ]


def _file_type(link: Node) -> str:
    """The type of an enclosure; ``feedparser`` says text/html where Atom says nothing."""
    said = _text(link, "type")
    return "" if said == "text/html" else said


def _media_file(node: Node) -> RawFile:
    return RawFile(*(_text(node, name) for name in ("url", "type", "filesize", "width", "medium")))


def _pictures(node: Node) -> list[str]:
    image = _get(node, "image")
    own = [_text(image, "href") or _text(image, "url")] if isinstance(image, dict) else []
    return [_text(thumbnail, "url") for thumbnail in _nodes(node, "media_thumbnail")] + own
