"""Feeds that are not well-formed, or of old and odd kinds. The only home of ``feedparser``.

``feedparser`` forgives nearly everything, and pays for it: some 13 ms a feed, quadratic time on a
few inputs and exceptions on some two in a hundred mutilated documents.
Its sanitising and resolving of links are off; :mod:`feeds.clean` does both. It is handed bytes,
never an address, so it fetches nothing; it takes entity declarations out by itself.
"""

import io
import re
from collections.abc import Iterable
from typing import Any

import feedparser

from feeds.decode import without_controls
from feeds.raw import NOTHING, Prose, RawEntry, RawFeed, RawFile, add_media

# It looks for e-mail addresses in authors in quadratic time: 28 s for 62 kB without a space.
_LONG_WORD = re.compile(r"([\w.+-]{1000})[\w.+-]+")
_ITEM_END = re.compile(r"</(?:\w{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)
_HEADERS = {"content-type": "application/xml; charset=utf-8"}

Node = dict[str, Any]
"""A feedparser dictionary. Its own ``get`` translates names and warns; :func:`_get` does not."""


def read_broken(text: str, limit: int) -> RawFeed | str:
    """What ``feedparser`` makes of ``text``, or in words why it made nothing of it.

    At most ``limit`` items are read, the first: reading all to see which are newest would take it
    16 s for a flood of 10 MB.
    """
    ends = [end.end() for end in _ITEM_END.finditer(text)]
    if len(ends) > limit:
        text = text[: ends[limit - 1]]
    try:
        parsed: Node = feedparser.parse(
            io.BytesIO(_LONG_WORD.sub(r"\1", text).encode()),
            response_headers=_HEADERS,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        return _read(parsed, limit, len(ends))
    except Exception as error:  # noqa: BLE001 - it raises nearly anything, and content is no error
        return _short(f"the document cannot be read: {type(error).__name__}: {error}")


def _read(parsed: Node, limit: int, items: int) -> RawFeed | str:
    version: str = _get(parsed, "version") or ""
    entries: list[Node] = _get(parsed, "entries") or []
    if not entries and not version:
        return "the document has no feed in it"
    feed = _feed(_get(parsed, "feed") or {}, version)
    problem = _get(parsed, "bozo_exception")
    if problem is not None:
        feed.problems.append(_short(f"not well-formed XML: {problem}"))
    if max(items, len(entries)) > limit:
        feed.problems.append(f"{max(items, len(entries))} items, of which {limit} were read")
    feed.entries = [_entry(entry, is_atom=feed.format == "atom") for entry in entries[:limit]]
    return feed


def _feed(node: Node, version: str) -> RawFeed:
    links = _nodes(node, "links")
    is_atom = version.startswith("atom")
    image = _get(node, "image") or {}
    return RawFeed(
        format="atom" if is_atom else "rdf" if version in {"rss090", "rss10"} else "rss",
        title=_prose(node, "title", is_atom),
        link=_text(node, "link"),
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
    guid, link = _text(node, "id"), _text(node, "link")
    source = _get(node, "source") or {}
    summary, content = _prose(node, "summary", is_atom), _content(node, is_atom)
    entry = RawEntry(
        guid=guid,
        guid_is_link=guid == link,
        link=_text(node, "feedburner_origlink") or ("" if guid == link else link),
        title=_prose(node, "title", is_atom),
        summary=NOTHING if summary.value == content.value else summary,
        content=content,
        authors=_authors(node),
        categories=[_text(tag, "label") or _text(tag, "term") for tag in _nodes(node, "tags")],
        published=_text(node, "published") or _text(node, "created"),
        updated=_text(node, "updated"),
        language=_text(_get(node, "title_detail") or {}, "language"),
        files=_files(node),
        source_title=Prose(_text(source, "title"), None),
        source_url=_text(source, "href") or _text(source, "link"),
    )
    media = [_media_file(content) for content in _nodes(node, "media_content")]
    add_media(entry, media, _pictures(node))
    return entry


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
    return [_text(author, "name") or _text(author, "email") for author in _nodes(node, "authors")]


def _prose(node: Node, name: str, is_atom: bool) -> Prose:
    detail = _get(node, f"{name}_detail")
    if not isinstance(detail, dict):
        return Prose(_text(node, name), None)
    return _detailed(detail, is_atom, unsaid=None if name in {"title", "rights"} else True)


def _detailed(detail: Node, is_atom: bool, unsaid: bool | None) -> Prose:
    """A text by the type it declares, which means something in Atom and nothing in RSS."""
    is_html = "html" in _text(detail, "type") or (None if is_atom else unsaid)
    return Prose(_text(detail, "value"), is_html, _text(detail, "base") or None)


def _content(node: Node, is_atom: bool) -> Prose:
    readable = (
        _detailed(content, is_atom, unsaid=True)
        for content in _nodes(node, "content")
        if _text(content, "type").startswith(("text/", "application/xhtml"))
    )
    return next(filter(None, readable), NOTHING)


def _files(node: Node) -> list[RawFile]:
    enclosures = (link for link in _nodes(node, "links") if _text(link, "rel") == "enclosure")
    return [
        RawFile(_text(link, "href"), _text(link, "type"), _text(link, "length"))
        for link in enclosures
    ]


def _media_file(node: Node) -> RawFile:
    return RawFile(*(_text(node, name) for name in ("url", "type", "filesize", "width", "medium")))


def _pictures(node: Node) -> list[str]:
    image = _get(node, "image")
    own = [_text(image, "href") or _text(image, "url")] if isinstance(image, dict) else []
    return [_text(thumbnail, "url") for thumbnail in _nodes(node, "media_thumbnail")] + own
