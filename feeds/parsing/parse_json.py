"""JSON Feed 1 and 1.1 (jsonfeed.org), read with forgiveness for wrong types.

Extensions (names that begin with ``_``) are ignored, as the specification asks.
"""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from feeds.parsing.decode import without_controls
from feeds.parsing.raw import Prose, RawEntry, RawFeed, RawFile, mark_known, newest

Object = dict[str, Any]


def read_json(text: str, url: str, known: Collection[bytes], limit: int) -> RawFeed | str:
    """The JSON Feed in ``text``, or in words why it is none.

    At most ``limit`` items are read (:func:`feeds.parsing.raw.newest`); those whose digest is in
    ``known``
    are skipped (:func:`feeds.parsing.raw.mark_known`).
    """
    try:
        document = json.loads(text, strict=False)
        if not isinstance(document, dict) or not _is_feed(document):
            return "the document is JSON, but no JSON Feed"
        return _read(document, url, known, limit)
    except ValueError as error:
        return f"the document is broken JSON: {error}"[:200]
    except RecursionError:
        return "the document is JSON that is nested too deeply"


def _is_feed(document: Object) -> bool:
    version = document.get("version")
    if isinstance(version, str) and "jsonfeed.org/version/" in version:
        return True
    return isinstance(document.get("items"), list) and "title" in document


def _read(document: Object, url: str, known: Collection[bytes], limit: int) -> RawFeed:
    feed = _feed(document)
    items = newest(_objects(document, "items"), limit, _date, feed.problems)
    surroundings = repr((url, feed.link, feed.language, feed.authors))
    feed.entries = [_head(item, surroundings) for item in items]
    mark_known(feed.entries, known)
    for entry, item in zip(feed.entries, items, strict=True):
        if not entry.skip:
            _body(entry, item)
    return feed


def _feed(document: Object) -> RawFeed:
    hubs = _objects(document, "hubs")
    return RawFeed(
        format="json",
        title=Prose(_text(document, "title"), None),
        link=_text(document, "home_page_url"),
        language=_text(document, "language"),
        self_url=_text(document, "feed_url"),
        hubs=[_text(hub, "url") for hub in hubs if _text(hub, "type").lower() == "websub"],
        icon=_text(document, "icon") or _text(document, "favicon"),
        authors=_authors(document),
    )


def _head(item: Object, surroundings: str) -> RawEntry:
    raw = f"{surroundings} {json.dumps(item, sort_keys=True)}"
    return RawEntry(
        guid=_text(item, "id"),
        guid_is_link=True,
        link=_address(item, "url") or _address(item, "external_url"),
        digest=hashlib.sha256(raw.encode("utf-8", "surrogatepass")).digest()[:16],
    )


def _body(entry: RawEntry, item: Object) -> None:
    html, text = _text(item, "content_html"), _text(item, "content_text")
    entry.title = Prose(_text(item, "title"), None)
    entry.summary = Prose(_text(item, "summary"), None)
    entry.content = Prose(html, True) if html else Prose(text, False)
    entry.authors = _authors(item)
    entry.categories = _texts(item, "tags")
    entry.published = _text(item, "date_published")
    entry.updated = _text(item, "date_modified")
    entry.language = _text(item, "language")
    entry.images = [_address(item, "image"), _address(item, "banner_image")]
    entry.files = [
        RawFile(_address(file, "url"), _text(file, "mime_type"), _text(file, "size_in_bytes"))
        for file in _objects(item, "attachments")
    ]


def _date(item: Object) -> str:
    return _text(item, "date_published") or _text(item, "date_modified")


def _authors(holder: Object) -> list[str]:
    """Names by version 1.1 (``authors``) or 1 (``author``), as objects or bare text."""
    names = [_text(person, "name") for person in _objects(holder, "authors")]
    names = names or _texts(holder, "authors")
    author = holder.get("author")
    names = names or [_text(author, "name") if isinstance(author, dict) else _plain(author)]
    return [name for name in names if name]


def _text(holder: Object, name: str) -> str:
    return _plain(holder.get(name))


def _address(holder: Object, name: str) -> str:
    return _text(holder, name) if isinstance(holder.get(name), str) else ""


def _plain(value: object) -> str:
    """Text, or a number as text (``2.0`` is ``2`` in JSON); nothing for anything else."""
    if isinstance(value, str):
        return without_controls(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _objects(holder: Object, name: str) -> list[Object]:
    values = holder.get(name)
    return [item for item in values if isinstance(item, dict)] if isinstance(values, list) else []


def _texts(holder: Object, name: str) -> list[str]:
    values = holder.get(name)
    if isinstance(values, str):
        return [part.strip() for part in values.split(",")]
    return [_plain(value) for value in values] if isinstance(values, list) else []
