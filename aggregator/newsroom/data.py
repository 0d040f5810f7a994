"""Reads the newsroom from ``seeds/newsroom`` and describes it to a configuration.

One TOML file per outlet (its header and its articles) and one of events. A copy carries no text of
its own: it names the article it repeats, so that word for word is true by construction.
"""

import re
import tomllib
import unicodedata
from dataclasses import replace
from datetime import UTC, timedelta
from importlib.resources import files
from typing import Any

from aggregator.newsroom.model import (
    Figure,
    Newsroom,
    NewsroomArticle,
    NewsroomEvent,
    Outlet,
    number_of,
)

_UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}


def load_newsroom() -> Newsroom:
    """Read the newsroom that ships with the project.

    Raises:
        KeyError: the data name an outlet or an article that does not exist.
        TypeError: the data hold a key that no dataclass has, or lack one.
    """
    root = files("seeds") / "newsroom"
    documents = sorted(
        (tomllib.loads(file.read_text("utf-8")) for file in (root / "outlets").iterdir()),
        key=lambda document: -int(document["outlet"]["priority"]),
    )
    events = tomllib.loads((root / "events.toml").read_text("utf-8"))["event"]
    outlets = tuple(_outlet(document["outlet"]) for document in documents)
    raw = {
        f"{outlet.slug}/{article['id']}": (outlet, article)
        for outlet, document in zip(outlets, documents, strict=True)
        for article in document["article"]
    }
    articles = (_article(key, raw) for key in raw)
    return Newsroom(
        outlets=outlets,
        articles=tuple(sorted(articles, key=lambda article: (article.published, article.id))),
        events=tuple(NewsroomEvent(**event) for event in events),
    )


def shifted(newsroom: Newsroom, by: timedelta) -> Newsroom:
    """The same newsroom with every date moved, for a demonstration that plays today."""
    moved = (
        replace(
            article,
            published=article.published + by,
            updated=article.updated and article.updated + by,
        )
        for article in newsroom.articles
    )
    return replace(newsroom, articles=tuple(moved))


def newsroom_config_sources(newsroom: Newsroom, base_url: str) -> list[dict[str, object]]:
    """The outlets as ``[[source]]`` tables of a configuration.

    All outlets share the server's one host, so each names its publisher.
    """
    return [
        {
            "url": base_url.rstrip("/") + outlet.feed_path,
            "name": outlet.name,
            "publisher": outlet.name,
            "category": outlet.category,
            "language": outlet.language,
            "priority": outlet.priority,
        }
        for outlet in newsroom.outlets
    ]


def _outlet(table: dict[str, Any]) -> Outlet:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    comments = tuple((who, words) for who, words in table.get("comments", ()))
    return Outlet(**{**table, **lists, "comments": comments})


def _article(key: str, raw: dict[str, tuple[Outlet, dict[str, Any]]]) -> NewsroomArticle:
    outlet, table = raw[key]
    origin = raw[table["copy_of"]][1] if "copy_of" in table else table
    paragraphs = _paragraphs(origin["text"])[: table.get("keep")]
    own = {name: value for name, value in table.items() if name not in ("text", "keep")}
    derived = {
        "id": key,
        "outlet": outlet.slug,
        "language": outlet.language,
        "path": _path(outlet, key, table),
        "paragraphs": paragraphs,
        "published": table["published"].astimezone(UTC),
        "updated": table["updated"].astimezone(UTC) if "updated" in table else None,
        "summary": table.get("summary", paragraphs[0]),
        "categories": tuple(table.get("categories", ())),
        "figure": Figure(**table["figure"]) if "figure" in table else None,
    }
    return NewsroomArticle(**{**own, **derived})


def _paragraphs(text: str) -> tuple[str, ...]:
    blocks = re.split(r"\n\s*\n", text.strip())
    return tuple(" ".join(block.split()) for block in blocks)


def _path(outlet: Outlet, key: str, table: dict[str, Any]) -> str:
    below = outlet.path.format(
        section=_slug(table["section"]),
        title=_slug(table["title"]),
        number=number_of(key),
        published=table["published"],
    )
    return f"/{outlet.slug}/{below}"


def _slug(words: str) -> str:
    """Words as they stand in an address: ASCII, lower case, hyphens, at most 70 characters."""
    german = words.lower().translate(_UMLAUTS)
    plain = unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:70].strip("-")
