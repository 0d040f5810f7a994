"""The schema.org objects a page carries as JSON-LD, and which of them is its article.

Real pages break the format in every way; what cannot be read is passed over in silence, for the
page says most of it again elsewhere.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml.html import HtmlElement

Thing = Mapping[str, Any]

_ARTICLE = re.compile(r"(?:Article|Posting|Report|Review|Recipe)$")
_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\s*\]\]>|\]\]>)\s*;?\s*$"
)
_MAX_CHARACTERS = 500_000
_MAX_DEPTH = 8


def things_of(tree: HtmlElement) -> list[Thing]:
    """All objects with a type, outermost first."""
    found: list[Thing] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or ""):
            found.extend(_typed(_parsed(script.text or ""), _MAX_DEPTH))
    return found


def article_among(things: list[Thing], url: str) -> Thing | None:
    """The object that describes the page's article: the one that names the page, else the first."""
    articles = [thing for thing in things if any(_ARTICLE.search(name) for name in types_of(thing))]
    named = [thing for thing in articles if _same_page(link_of(thing), url)]
    return next(iter(named or articles), None)


def types_of(thing: Thing) -> tuple[str, ...]:
    """The type names of an object, without the vocabulary's address."""
    names = thing.get("@type")
    listed = names if isinstance(names, list) else [names]
    return tuple(name.rsplit("/", 1)[-1] for name in listed if isinstance(name, str))


def link_of(thing: Thing) -> str | None:
    """The address an object gives for itself or for its page."""
    for key in ("mainEntityOfPage", "url", "@id"):
        value = thing.get(key)
        if isinstance(value, Mapping):
            value = value.get("@id") or value.get("url")
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value
    return None


def texts_of(value: Any, key: str = "name") -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """The strings in a value that may be a string, an object with ``key``, or a list of those."""
    if isinstance(value, str):
        text = " ".join(html.unescape(value).split())
        if text:
            yield text
    elif isinstance(value, Mapping):
        yield from texts_of(value.get(key), key) if value.get(key) is not value else ()
    elif isinstance(value, list):
        for item in value[:50]:
            if not isinstance(item, list):
                yield from texts_of(item, key)


def _parsed(source: str) -> Any:  # noqa: ANN401 - any JSON value
    text = _WRAPPING.sub("", source[:_MAX_CHARACTERS]).strip().rstrip(";")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _typed(value: Any, depth: int) -> Iterator[Thing]:  # noqa: ANN401 - any JSON value
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value[:200]:
            yield from _typed(item, depth - 1)
    elif isinstance(value, Mapping):
        if "@type" in value:
            yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item"):
            yield from _typed(value.get(key), depth - 1)


def _same_page(link: str | None, url: str) -> bool:
    def bare(address: str) -> str:
        return address.partition("://")[2].partition("#")[0].partition("?")[0].rstrip("/").lower()

    return bool(link) and bare(link or "") == bare(url)
