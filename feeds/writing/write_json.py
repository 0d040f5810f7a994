"""Writes JSON Feed 1.1 with a ``_newsfold`` extension: the story's sources, counts and reasons.

The extension, in a word: ``outlets`` counts independent publishers, ``articles`` everything that
tells the story, copies included; ``coverage`` is the lead first, then every other telling with the
``reason`` it was joined for and its ``copies``.
"""

import json
from typing import Any

from feeds.model import Coverage, OutputEntry, OutputFeed, OutputSource
from feeds.writing import entry_parts
from feeds.writing.coverage import MAX_LISTED
from feeds.writing.entry_memory import remembered
from feeds.writing.output_values import ascii_uri, canonical_id, language_tag, rfc3339, web_url
from feeds.writing.xml_text import one_line

_VERSION = "https://jsonfeed.org/version/1.1"

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)

Object = dict[str, Any]


def render_json(feed: OutputFeed) -> bytes:
    """Return ``feed`` as a JSON Feed document in UTF-8, the same bytes for the same feed.

    Members without a value are left out. What is cleaned on the way is told in
    :mod:`feeds.writing.entry_parts`.
    """
    about = ascii_uri(feed.generator.uri or feed.home_url)
    pages = feed.page_links.get("json", {})
    document = _present(
        version=_VERSION,
        title=entry_parts.feed_title(feed),
        home_page_url=ascii_uri(feed.home_url),
        feed_url=_uri(feed.self_urls.get("json")),
        description=one_line(feed.subtitle, entry_parts.MAX_SUMMARY),
        icon=web_url(feed.icon),
        language=language_tag(feed.language),
        next_url=_uri(pages.get("next") or pages.get("prev-archive")),
        hubs=[{"type": "WebSub", "url": ascii_uri(hub)} for hub in feed.hubs],
        _newsfold=_about_feed(feed, about),
    )
    document["items"] = [_item(entry, about) for entry in feed.entries]
    return _ENCODER.encode(document).encode()


def _about_feed(feed: OutputFeed, about: str) -> Object:
    return _present(
        about=about,
        updated=rfc3339(feed.updated),
        rights=one_line(feed.rights or "", entry_parts.MAX_SUMMARY),
        generator=feed.generator.name,
        version=feed.generator.version,
    )


@remembered
def _item(entry: OutputEntry, about: str | None) -> Object:
    url = web_url(entry.url)
    return _present(
        id=entry.id,
        url=url,
        external_url=url,
        title=entry_parts.title(entry),
        summary=entry_parts.summary(entry),
        image=entry_parts.image(entry),
        date_published=rfc3339(entry.published),
        date_modified=rfc3339(entry.updated),
        authors=[{"name": name} for name in entry_parts.authors(entry)],
        tags=entry_parts.categories(entry),
        language=language_tag(entry.language),
        _newsfold=_about_story(entry, about),
    ) | {"content_html": entry_parts.content(entry)}


def _about_story(entry: OutputEntry, about: str | None) -> Object:
    return _present(
        about=about,
        outlets=entry.outlets,
        articles=sum(1 + len(telling.copies) for telling in entry.coverage) or 1,
        page_url=web_url(entry.page_url),
        source=_source(entry.source),
        coverage=_coverage(entry.coverage),
    )


def _source(source: OutputSource) -> Object:
    return _present(
        id=canonical_id(source.id),
        title=entry_parts.source_title(source),
        feed_url=web_url(source.feed_url),
        site_url=web_url(source.site_url),
        updated=rfc3339(source.updated) if source.updated else None,
        rights=one_line(source.rights or "", entry_parts.MAX_SUMMARY),
        icon=web_url(source.icon),
    )


def _coverage(tellings: tuple[Coverage, ...]) -> list[Object]:
    return [
        _present(
            outlet=one_line(telling.outlet, entry_parts.MAX_NAME),
            title=one_line(telling.title, entry_parts.MAX_TITLE),
            url=web_url(telling.url),
            published=rfc3339(telling.published) if telling.published else None,
            reason=one_line(telling.reason, entry_parts.MAX_TITLE),
            copies=_coverage(telling.copies),
        )
        for telling in tellings[: MAX_LISTED + 1]
    ]


def _uri(uri: str | None) -> str | None:
    return ascii_uri(uri) if uri else None


def _present(**members: object) -> Object:
    return {name: value for name, value in members.items() if value not in (None, "", [])}
