"""RSS output: what stands where, and that validators have nothing to say."""

import feedparser
from feed_rules import ATOM, CONTENT, DC, HISTORY, MEDIA, rss_complaints
from lxml import etree
from lxml.etree import _Element
from output_builders import entry, feed, source

from feeds.model import OutputEntry
from feeds.writing.write_rss import render_rss


def written(*entries: OutputEntry, **changes: object) -> _Element:
    document = render_rss(feed(*entries, **changes))
    assert rss_complaints(document) == []
    channel = etree.fromstring(document).find("channel")
    assert channel is not None
    return channel


def test_the_channel_says_what_it_is_and_where_it_is() -> None:
    channel = written()
    texts = {child.tag: child.text for child in channel if child.tag != ATOM + "link"}
    assert texts == {
        "title": "Merged news",
        "link": "https://news.example/",
        "description": "Every story once",
        "language": "en",
        "copyright": "Each article belongs to its outlet",
        "lastBuildDate": "Sun, 22 Nov 2026 12:00:00 GMT",
        "generator": "Newsfold 0.1.0 (https://news.example/about)",
        "docs": "http://www.rssboard.org/rss-specification",
        "ttl": "15",
        "image": None,
    }
    links = [(link.get("rel"), link.get("href")) for link in channel.findall(ATOM + "link")]
    assert links == [
        ("self", "https://news.example/news.rss"),
        ("prev-archive", "https://news.example/archive/1.rss"),
        ("hub", "https://hub.example/"),
        ("hub", "https://hub2.example/"),
    ]


def test_a_channel_with_the_least_is_still_complete() -> None:
    channel = written(title="", subtitle="", language="?", rights=None, icon=None, ttl=None)
    assert channel.findtext("title") == channel.findtext("description") == "Untitled"
    assert channel.find("language") is None
    assert channel.find("image") is None
    assert channel.find("ttl") is None


def test_only_images_that_rss_knows_are_shown() -> None:
    assert written(icon="https://news.example/icon.svg").find("image") is None
    assert written(icon="https://news.example/icon.JPG").find("image") is not None


def test_an_item_shows_its_lead_and_names_its_source() -> None:
    (item,) = written(entry()).findall("item")
    assert item.findtext("title") == "Bridge closed after flood"
    assert item.findtext("link") == "https://gazette.example/bridge-1"
    assert item.findtext("guid") == "tag:news.example,2026:story/1"
    assert item.findtext("pubDate") == "Sun, 22 Nov 2026 11:00:00 GMT"
    assert item.findtext(ATOM + "updated") == "2026-11-22T12:00:00Z"
    assert item.findtext(DC + "creator") == "Ada Writer, Ben Editor"
    assert [e.text for e in item.findall("category")] == ["Local", "Weather"]
    assert item.findtext(DC + "language") == "en-GB"
    assert item.findtext("description") == "The old bridge was closed on Sunday."
    assert (item.findtext(CONTENT + "encoded") or "").startswith("<p>The old bridge was <b>")
    image, credit = item.find(MEDIA + "content"), item.find("source")
    assert image is not None
    assert credit is not None
    assert image.get("url") == "https://gazette.example/bridge.jpg"
    assert credit.text == "The Gazette: News"
    assert credit.get("url") == "https://gazette.example/feed.xml"


def test_a_source_without_an_address_to_follow_is_not_named() -> None:
    document = render_rss(feed(entry(source=source(feed_url="file:///feed.xml"))))
    assert etree.fromstring(document).find("channel/item/source") is None


def test_the_description_is_html_that_shows_the_plain_summary() -> None:
    (item,) = written(entry(summary="1 < 2 & <b>3</b>")).findall("item")
    assert item.findtext("description") == "1 &lt; 2 &amp; &lt;b&gt;3&lt;/b&gt;"


def test_an_item_without_a_summary_is_described_by_its_title() -> None:
    (item,) = written(entry(summary="", content_html=None)).findall("item")
    assert item.findtext("description") == "Bridge closed after flood"


def test_plain_text_is_escaped_as_the_profile_asks() -> None:
    document = render_rss(feed(entry(title="S&P500 <up> 3 & more")))
    assert rss_complaints(document) == []
    assert b"<title>S&#x26;P500 &#x3C;up&gt; 3 &#x26; more</title>" in document


def test_pages_and_archives_are_marked() -> None:
    channel = written(entry(), archive=True, complete=True)
    assert channel.find(HISTORY + "archive") is not None
    assert channel.find(HISTORY + "complete") is not None


def test_the_same_feed_is_the_same_bytes() -> None:
    assert render_rss(feed(entry(1), entry(2))) == render_rss(feed(entry(1), entry(2)))


def test_feedparser_reads_back_what_was_written() -> None:
    parsed = feedparser.parse(render_rss(feed(entry())))
    assert not parsed.bozo
    (item,) = parsed.entries
    assert item.id == "tag:news.example,2026:story/1"
    assert item.link == "https://gazette.example/bridge-1"
    assert item.title == "Bridge closed after flood"
    assert item.author == "Ada Writer, Ben Editor"
    assert item.source.title == "The Gazette: News"
    assert item.published_parsed[:5] == (2026, 11, 22, 11, 0)
    assert "The Herald" in item.content[0].value
