"""JSON Feed output, and what the ``_newsfold`` extension tells."""

import json
from typing import Any

from output_builders import NOON, coverage, entry, feed, source

from feeds.model import OutputEntry
from feeds.writing.write_json import render_json


def written(*entries: OutputEntry, **changes: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render_json(feed(*entries, **changes)))
    return document


def test_the_feed_says_what_it_is_and_where_it_is() -> None:
    assert written() == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Merged news",
        "home_page_url": "https://news.example/",
        "feed_url": "https://news.example/news.json",
        "description": "Every story once",
        "icon": "https://news.example/icon.png",
        "language": "en",
        "next_url": "https://news.example/archive/1.json",
        "hubs": [
            {"type": "WebSub", "url": "https://hub.example/"},
            {"type": "WebSub", "url": "https://hub2.example/"},
        ],
        "_newsfold": {
            "about": "https://news.example/about",
            "updated": "2026-11-22T12:00:00Z",
            "rights": "Each article belongs to its outlet",
            "generator": "Newsfold",
            "version": "0.1.0",
        },
        "items": [],
    }


def test_an_item_shows_its_lead() -> None:
    (item,) = written(entry())["items"]
    content, extension = item.pop("content_html"), item.pop("_newsfold")
    assert item == {
        "id": "tag:news.example,2026:story/1",
        "url": "https://gazette.example/bridge-1",
        "external_url": "https://gazette.example/bridge-1",
        "title": "Bridge closed after flood",
        "summary": "The old bridge was closed on Sunday.",
        "image": "https://gazette.example/bridge.jpg",
        "date_published": "2026-11-22T11:00:00Z",
        "date_modified": "2026-11-22T12:00:00Z",
        "authors": [{"name": "Ada Writer"}, {"name": "Ben Editor"}],
        "tags": ["Local", "Weather"],
        "language": "en-GB",
    }
    assert content.startswith("<p>The old bridge was <b>closed</b>")
    assert extension["page_url"] == "https://news.example/stories/1"


def test_the_extension_tells_sources_counts_and_reasons() -> None:
    copied = coverage("Daily Copy", published=None, reason="same text, 0.98")
    herald = coverage("The Herald", copies=(copied,))
    (item,) = written(entry(coverage=(coverage("The Gazette", reason=""), herald)))["items"]
    extension = item["_newsfold"]
    assert (extension["outlets"], extension["articles"]) == (2, 3)
    assert extension["about"] == "https://news.example/about"
    assert extension["source"] == {
        "id": "https://gazette.example/feed.xml",
        "title": "The Gazette: News",
        "feed_url": "https://gazette.example/feed.xml",
        "site_url": "https://gazette.example/",
        "updated": "2026-11-22T12:00:00Z",
        "rights": "© 2026 The Gazette",
        "icon": "https://gazette.example/icon.png",
    }
    assert extension["coverage"] == [
        {
            "outlet": "The Gazette",
            "title": "How The Gazette put it",
            "url": "https://the-gazette.example/story",
            "published": "2026-11-22T12:00:00Z",
        },
        {
            "outlet": "The Herald",
            "title": "How The Herald put it",
            "url": "https://the-herald.example/story",
            "published": "2026-11-22T12:00:00Z",
            "reason": "same event, 2.4",
            "copies": [
                {
                    "outlet": "Daily Copy",
                    "title": "How Daily Copy put it",
                    "url": "https://daily-copy.example/story",
                    "reason": "same text, 0.98",
                }
            ],
        },
    ]


def test_what_is_not_known_is_left_out() -> None:
    bare = entry(
        page_url=None,
        summary="",
        image=None,
        language=None,
        categories=(),
        coverage=(),
        source=source(site_url=None, updated=None, rights=None, icon=None),
    )
    document = written(bare, language=None, hubs=(), page_links={}, self_urls={}, icon=None)
    assert document.keys().isdisjoint({"language", "hubs", "next_url", "feed_url", "icon"})
    (item,) = document["items"]
    assert item.keys().isdisjoint({"summary", "image", "language", "tags"})
    extension = item["_newsfold"]
    assert extension["articles"] == 1
    assert extension.keys().isdisjoint({"page_url", "coverage"})
    assert extension["source"].keys() == {"id", "title", "feed_url"}


def test_the_next_page_comes_before_the_next_archive() -> None:
    pages = {"json": {"next": "https://news.example/2.json", "prev-archive": "https://a.example/"}}
    assert written(page_links=pages)["next_url"] == "https://news.example/2.json"


def test_it_is_utf8_on_one_line_and_the_same_each_time() -> None:
    document = render_json(feed(entry(title="Überflutung 👩\u200d👧")))
    assert "Überflutung 👩\u200d👧".encode() in document
    assert b"\n" not in document
    assert document == render_json(feed(entry(title="Überflutung 👩\u200d👧")))


def test_times_are_given_in_utc() -> None:
    (item,) = written(entry(updated=NOON.astimezone()))["items"]
    assert item["date_modified"] == "2026-11-22T12:00:00Z"
