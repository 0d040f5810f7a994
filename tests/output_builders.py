"""Merged feeds to write: an ordinary one, and a Hypothesis strategy for any at all."""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from hypothesis import strategies as st

from feeds.model import Coverage, Generator, OutputEntry, OutputFeed, OutputSource

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def coverage(outlet: str = "The Herald", **changes: object) -> Coverage:
    slug = outlet.lower().replace(" ", "-")
    given: dict[str, Any] = {
        "title": f"How {outlet} put it",
        "url": f"https://{slug}.example/story",
        "published": NOON,
        "reason": "same event, 2.4",
    }
    return Coverage(outlet=outlet, **(given | changes))


def source(**changes: object) -> OutputSource:
    given: dict[str, Any] = {
        "id": "https://gazette.example/feed.xml",
        "title": "The Gazette: News",
        "feed_url": "https://gazette.example/feed.xml",
        "site_url": "https://gazette.example/",
        "updated": NOON,
        "rights": "© 2026 The Gazette",
        "icon": "https://gazette.example/icon.png",
    }
    return OutputSource(**(given | changes))


def entry(number: int = 1, **changes: object) -> OutputEntry:
    url = f"https://gazette.example/bridge-{number}"
    copies = (coverage("Daily Copy"),)
    lead = coverage("The Gazette", title="Bridge closed after flood", url=url, copies=copies)
    given: dict[str, Any] = {
        "id": f"tag:news.example,2026:story/{number}",
        "url": url,
        "page_url": f"https://news.example/stories/{number}",
        "title": "Bridge closed after flood",
        "summary": "The old bridge was closed on Sunday.",
        "content_html": "<p>The old bridge was <b>closed</b> on Sunday.</p>",
        "published": NOON - timedelta(hours=number),
        "updated": NOON,
        "source": source(),
        "coverage": (lead, coverage("The Herald", copies=(coverage("Herald Online"),))),
        "authors": ("Ada Writer", "Ben Editor"),
        "categories": ("Local", "Weather"),
        "language": "en-GB",
        "image": "https://gazette.example/bridge.jpg",
        "outlets": 2,
    }
    return OutputEntry(**(given | changes))


def feed(*entries: OutputEntry, **changes: object) -> OutputFeed:
    given: dict[str, Any] = {
        "id": "tag:news.example,2026:output/news",
        "title": "Merged news",
        "subtitle": "Every story once",
        "home_url": "https://news.example/",
        "self_urls": {
            "atom": "https://news.example/news.atom",
            "rss": "https://news.example/news.rss",
            "json": "https://news.example/news.json",
        },
        "updated": NOON,
        "language": "en",
        "hubs": ("https://hub.example/", "https://hub2.example/"),
        "page_links": {
            form: {"prev-archive": f"https://news.example/archive/1.{form}"}
            for form in ("atom", "rss", "json")
        },
        "rights": "Each article belongs to its outlet",
        "icon": "https://news.example/icon.png",
        "ttl": 900,
        "generator": Generator(uri="https://news.example/about", version="0.1.0"),
    }
    return OutputFeed(entries=entries, **(given | changes))


# Everything a source may send in a text: any code point, and what is worst among them.
_nasty = st.sampled_from(
    [
        *("\0", "\x0b", "\x85", "\x93", "\ud800", "\udfff", "\ufffd", "\ufffe", "\U0001ffff"),
        *("\u202e", "\u2066", "\u2028", "]]>", "<![CDATA[", "<b>", "</b>", "&amp;", "&#x41;", "&2"),
        *("👩\u200d👩\u200d👧", "e\u0301", "שלום", "  ", "\N{NO-BREAK SPACE}", '"', "'", "<", "&"),
    ]
)
texts = st.lists(_nasty | st.text(max_size=10), max_size=4).map("".join)
_hosts = st.sampled_from(["a.example", "B.example:8080", "münchen.example", "[2001:db8::1]"])
_tails = texts.map(lambda text: "/" + text.encode(errors="ignore").decode())
urls = st.builds("https://{}{}".format, _hosts, _tails)
_maybe_urls = st.none() | urls | texts
_DAY_ONE = datetime(1970, 1, 1)  # noqa: DTZ001 (Hypothesis takes its bounds without a zone)
times = st.datetimes(_DAY_ONE, _DAY_ONE.replace(year=2100), timezones=st.just(UTC))
_languages = st.none() | st.sampled_from(["en", "de-AT", "zh_Hans", "vi"]) | texts
_html = st.none() | texts.map(lambda text: f"<p>{escape(text)}</p>")
_copies = st.builds(Coverage, texts, texts, urls, st.none() | times)
_coverages = st.builds(
    Coverage,
    texts,
    texts,
    urls | texts,
    st.none() | times,
    st.lists(_copies, max_size=2).map(tuple),
    texts,
)
_sources = st.builds(
    OutputSource,
    id=urls,
    title=texts,
    feed_url=urls,
    site_url=_maybe_urls,
    updated=st.none() | times,
    rights=st.none() | texts,
    icon=_maybe_urls,
)
_entries = st.builds(
    OutputEntry,
    id=st.uuids().map("urn:uuid:{}".format),
    url=urls,
    page_url=_maybe_urls,
    title=texts,
    summary=texts,
    content_html=_html,
    published=times,
    updated=times,
    source=_sources,
    coverage=st.lists(_coverages, max_size=3).map(tuple),
    authors=st.lists(texts, max_size=3).map(tuple),
    categories=st.lists(texts, max_size=3).map(tuple),
    language=_languages,
    image=_maybe_urls,
    outlets=st.integers(1, 9),
)
feeds = st.builds(
    OutputFeed,
    id=st.uuids().map("urn:uuid:{}".format),
    title=texts,
    subtitle=texts,
    home_url=urls,
    self_urls=st.fixed_dictionaries({"atom": urls, "rss": urls, "json": urls}),
    updated=times,
    entries=st.lists(_entries, max_size=3, unique_by=lambda entry: entry.id).map(tuple),
    language=_languages,
    hubs=st.lists(urls, max_size=2).map(tuple),
    page_links=st.dictionaries(
        st.sampled_from(["atom", "rss", "json"]),
        st.dictionaries(st.sampled_from(["next", "previous", "prev-archive"]), urls),
    ),
    complete=st.booleans(),
    rights=st.none() | texts,
    icon=_maybe_urls,
    ttl=st.none() | st.integers(1, 10**6),
)
