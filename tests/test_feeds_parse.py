"""Feed documents of every kind and in every condition, from bytes to values."""

import pickle
import random
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.model import Enclosure, FeedEntry, NotAFeed, ParsedFeed, ParseOutcome, PollHints
from feeds.parsing.decode import decode_document
from feeds.parsing.entries import MAX_CONTENT, MAX_LISTED, MAX_NAME, MAX_TITLE
from feeds.parsing.parse import parse_feed
from feeds.parsing.raw import RawFeed
from feeds.parsing.read_feedparser import read_document

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://feed.example/dir/feed.xml"
SAMPLES = Path(__file__).parent / "data" / "feeds"
NAMES = sorted(path.name for path in SAMPLES.iterdir())
HEADER = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">'
)


def parse(body: bytes | str, content_type: str | None = None, **options: object) -> ParseOutcome:
    body = body.encode() if isinstance(body, str) else body
    return parse_feed(body, URL, content_type=content_type, now=NOW, **options)  # type: ignore[arg-type]


def feed(body: bytes | str, content_type: str | None = None, **options: object) -> ParsedFeed:
    outcome = parse(body, content_type, **options)
    assert isinstance(outcome, ParsedFeed), outcome
    return outcome


def sample(name: str) -> ParsedFeed:
    return feed((SAMPLES / name).read_bytes())


def only(name: str) -> FeedEntry:
    (entry,) = sample(name).entries
    return entry


def rss(*items: str, channel: str = "") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f"{HEADER}<channel><title>T</title><link>https://s.example/</link>{channel}{inside}</channel></rss>"


def entry_of(item: str, channel: str = "") -> FeedEntry:
    (entry,) = feed(rss(item, channel=channel)).entries
    return entry


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- every sample -----------------------------------------------------------------------------

EXPECTED = {
    "atom-no-namespace.xml": ("atom", 1),
    "atom03.xml": ("atom", 1),
    "atom10-planet.xml": ("atom", 1),
    "atom10-prefixed.xml": ("atom", 1),
    "atom10-video.xml": ("atom", 1),
    "atom10-xhtml.xml": ("atom", 2),
    "atom10-xmlbase.xml": ("atom", 1),
    "atom10.xml": ("atom", 2),
    "jsonfeed-bom.json": ("json", 1),
    "jsonfeed-no-version.json": ("json", 1),
    "jsonfeed-wrong-types.json": ("json", 2),
    "jsonfeed10.json": ("json", 1),
    "jsonfeed11.json": ("json", 2),
    "rdf090.xml": ("rdf", 1),
    "rdf10.xml": ("rdf", 1),
    "rss-after-warning.xml": ("rss", 3),
    "rss-bare-ampersand.xml": ("rss", 2),
    "rss-broken-utf8.xml": ("rss", 1),
    "rss-control-characters.xml": ("rss", 2),
    "rss-duplicate-guids.xml": ("rss", 4),
    "rss-entity-bomb.xml": ("rss", 1),
    "rss-external-entity.xml": ("rss", 2),
    "rss-gb2312.xml": ("rss", 1),
    "rss-html-entities.xml": ("rss", 1),
    "rss-html-titles.xml": ("rss", 9),
    "rss-items-beside-channel.xml": ("rss", 1),
    "rss-items-in-wrapper.xml": ("rss", 1),
    "rss-junk-after-root.xml": ("rss", 3),
    "rss-latin1-called-utf8.xml": ("rss", 1),
    "rss-leading-blank.xml": ("rss", 3),
    "rss-namespaced.xml": ("rss", 1),
    "rss-nested-cdata.xml": ("rss", 2),
    "rss-no-guids.xml": ("rss", 5),
    "rss-no-items.xml": ("rss", 0),
    "rss-odd-dates.xml": ("rss", 12),
    "rss-relative-links.xml": ("rss", 1),
    "rss-shift-jis.xml": ("rss", 1),
    "rss-source.xml": ("rss", 1),
    "rss-truncated-in-cdata.xml": ("rss", 2),
    "rss-truncated.xml": ("rss", 1),
    "rss-undeclared-prefix.xml": ("rss", 1),
    "rss-unescaped-html.xml": ("rss", 2),
    "rss-utf16be-no-bom.xml": ("rss", 1),
    "rss-utf16le.xml": ("rss", 1),
    "rss-utf32.xml": ("rss", 1),
    "rss-utf8-bom.xml": ("rss", 1),
    "rss-utf8-called-latin1.xml": ("rss", 1),
    "rss-windows1251.xml": ("rss", 1),
    "rss-windows1252-called-latin1.xml": ("rss", 1),
    "rss091.xml": ("rss", 2),
    "rss20-blog.xml": ("rss", 1),
    "rss20-media.xml": ("rss", 3),
    "rss20-podcast.xml": ("rss", 1),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_read_whole_and_travels(name: str) -> None:
    parsed = sample(name)
    assert (parsed.format, len(parsed.entries)) == EXPECTED[name]
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    assert len({entry.guid for entry in parsed.entries}) == len(parsed.entries)
    for entry in parsed.entries:
        assert entry.guid
        assert (entry.published is None) is entry.published_guessed
        for address in (entry.url, entry.canonical_url, entry.image):
            assert address is None or address.startswith(("http://", "https://"))


@pytest.mark.parametrize("name", NAMES)
def test_reading_twice_gives_the_same(name: str) -> None:
    assert sample(name) == sample(name)


# --- formats ----------------------------------------------------------------------------------


def test_rss_2_from_a_blog() -> None:
    parsed, entry = sample("rss20-blog.xml"), only("rss20-blog.xml")
    assert (parsed.title, parsed.site_url, parsed.language) == (
        "The Harbour Gazette",
        "https://gazette.example/",
        "en-GB",
    )
    assert parsed.self_url == "https://gazette.example/feed/"
    assert parsed.hubs == ("https://hub.example/",)
    assert parsed.hints == PollHints(ttl=3600.0, update_interval=1800.0)
    assert parsed.rights == "2026 The Harbour Gazette"
    assert parsed.problems == ()
    assert entry.guid == "https://gazette.example/?p=4711"
    assert entry.url == "https://gazette.example/2026/11/tide-table/?utm_source=rss&utm_medium=feed"
    assert entry.canonical_url == "https://gazette.example/2026/11/tide-table/"
    assert entry.authors == ("Ada Pilot",)
    assert entry.categories == ("Harbour", "Corrections")
    assert entry.published == utc("2026-11-21T17:05:00")
    assert entry.updated is None
    assert entry.summary_html == "<p>An error of an hour.</p>"
    assert "https://gazette.example/tides" in entry.content_html
    assert "script" not in entry.content_html
    assert entry.image == "https://gazette.example/img/tide.png"
    assert entry.language == "en-GB"


def test_rss_091_says_when_not_to_come() -> None:
    parsed = sample("rss091.xml")
    assert parsed.hints == PollHints(skip_hours=frozenset({0, 3}), skip_days=frozenset({5, 6}))
    assert parsed.icon == "https://old.example/logo.gif"


def test_podcasts() -> None:
    entry = only("rss20-podcast.xml")
    assert entry.enclosures == (
        Enclosure("https://cdn.example/ep7.mp3?token=abc", "audio/mpeg", 12345678),
    )
    assert entry.image == "https://pod.example/ep7.jpg"
    assert entry.authors == ("Ben Buoy",)
    assert sample("rss20-podcast.xml").icon == "https://pod.example/cover.jpg"


def test_media_rss() -> None:
    storm, thumb, intext = sample("rss20-media.xml").entries
    assert storm.image == "https://img.example/1200.jpg?s=1f2e"
    assert storm.enclosures == (Enclosure("https://img.example/storm.mp4", "video/mp4", 999),)
    assert thumb.image == "https://img.example/t2.jpg"
    assert thumb.summary_html == "Two lines\nof plain "  # feedparser takes <text> for HTML
    assert intext.image == "https://gazette.example/a.jpg?x=1&y=2"


def test_rdf() -> None:
    parsed, entry = sample("rdf10.xml"), only("rdf10.xml")
    assert (parsed.title, parsed.language) == ("RDF-Zeitung", "de")
    assert entry.guid == entry.url == "https://rdf.example/1"
    assert entry.published == utc("2026-11-21T08:00:00")
    assert (entry.authors, entry.categories) == (("E. Ebbe",), ("Natur",))


def test_atom() -> None:
    parsed = sample("atom10.xml")
    one, two = parsed.entries
    assert parsed.title == "The <Buoy>"
    assert parsed.hubs == ("https://hub.example/",)
    assert parsed.self_url == "https://buoy.example/atom.xml"
    assert parsed.rights == "© The Buoy"
    assert one.title == "Text & <tag>"
    assert one.summary_html == "Plain &lt;summary&gt;"
    assert one.content_html == "<p>Body</p>"
    assert one.enclosures == (Enclosure("https://buoy.example/1.ogg", "audio/ogg", 42),)
    assert one.published == utc("2026-11-20T08:00:00")
    assert one.updated == utc("2026-11-21T08:00:00")
    assert one.categories == ("The Sea",)
    assert one.authors == ("Dee Deck",)
    assert two.authors == ("Staff",)
    assert (two.title, two.language) == ("Marée basse", "fr")
    assert two.published == two.updated == utc("2026-11-21T08:00:00")


def test_atom_with_xhtml() -> None:
    one, two = sample("atom10-xhtml.xml").entries
    assert one.title == "A title"
    assert one.content_html == (
        '<p>One<br>two <a href="https://x.example/deep/next" rel="noopener noreferrer">next</a></p>'
    )
    assert two.summary_html == "<p>Prefixed <b>bold</b></p>"


def test_xml_base_is_minded_at_every_level() -> None:
    entry = only("atom10-xmlbase.xml")
    assert sample("atom10-xmlbase.xml").site_url == "https://base.example/blog/"
    assert entry.url == "https://base.example/blog/2026/post.html"
    assert 'src="https://base.example/blog/2026/img/a.png"' in entry.content_html
    assert 'href="https://base.example/blog/2026/b"' in entry.content_html


def atom(entry: str) -> FeedEntry:
    (found,) = feed(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:1</id>'
        f'<link href="https://a.example/1"/>{entry}</entry></feed>'
    ).entries
    return found


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ('<content type="TEXT">a &lt; b</content>', "a &lt; b"),
        ('<content type="text/html">&lt;b&gt;x&lt;/b&gt;</content>', "<b>x</b>"),
        ('<content type="text/plain">&lt;b&gt;</content>', "&lt;b&gt;"),
        ('<content type="xhtml">a <div>b</div></content>', "a <div>b</div>"),
        ('<content type="text">a <b>b</b></content>', "a <b>b</b>"),
        ('<content type="image/png">iVBORw0KGgo=</content>', ""),
        ('<content type="image/png" src="https://a.example/x.png"/>', ""),
        ('<content/><content type="html">&lt;i&gt;x&lt;/i&gt;</content>', "<i>x</i>"),
    ],
)
def test_atom_content_by_its_type(content: str, html: str) -> None:
    assert atom(content).content_html == html


def test_a_senseless_xml_base_costs_only_itself() -> None:
    entry = atom('<link rel="enclosure" href="/x.mp3" xml:base="http://["/>')
    assert entry.url == "https://a.example/1"
    assert entry.enclosures == (Enclosure("https://feed.example/x.mp3"),)


def test_an_html_alternate_is_preferred() -> None:
    links = '<link href="/x.json" type="application/json"/><link href="/x" type="text/html"/>'
    document = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>{links}</feed>'
    assert feed(document).site_url == "https://feed.example/x"


def test_what_an_aggregator_took_over_names_its_source() -> None:
    planet, taken = only("atom10-planet.xml"), only("rss-source.xml")
    assert (planet.source_title, planet.source_url) == ("Blog One", "https://one.example/")
    assert planet.authors == ("Olga One",)
    assert (taken.source_title, taken.source_url) == ("Bay Times", "https://bay.example/feed")


def test_video_channels() -> None:
    entry = only("atom10-video.xml")
    assert entry.image == "https://img.example/abc.jpg"
    assert entry.summary_html.startswith("<p>First paragraph.</p><p>Second &amp; last")


def test_atom_03() -> None:
    entry = only("atom03.xml")
    assert (entry.title, entry.content_html) == ("Old Atom", "<p>Body</p>")
    assert entry.published == utc("2026-11-20T10:00:00")


def test_json_feed() -> None:
    parsed = sample("jsonfeed11.json")
    one, two = parsed.entries
    assert (parsed.title, parsed.language) == ("JSON & Sons", "en-US")
    assert parsed.hubs == ("https://hub.example/",)
    assert one.url == "https://json.example/1"
    assert 'href="https://json.example/rel"' in one.content_html
    assert "script" not in one.content_html
    assert one.summary_html == "Short"
    assert (one.authors, one.categories, one.language) == (("Jo Son",), ("a", "b"), "de")
    assert one.enclosures == (Enclosure("https://json.example/1.mp3", "audio/mpeg", 123),)
    assert one.image == "https://json.example/1.jpg"
    assert two.content_html == "<p>Line one</p><p>Line &lt;two&gt;</p>"
    assert two.authors == ("House",)
    assert two.published_guessed


def test_json_feed_of_version_1() -> None:
    entry = only("jsonfeed10.json")
    assert (entry.guid, entry.authors, entry.categories) == ("2", ("Bare name",), ("a", "b"))


def test_wrong_types_in_json_cost_only_themselves() -> None:
    parsed = sample("jsonfeed-wrong-types.json")
    one, two = parsed.entries
    assert parsed.title == "7"
    assert (one.guid, one.url, one.categories) == ("12", None, ("1", "t"))
    assert one.published == utc("2026-11-21T10:00:00")
    assert two.title == "half pair"
    assert parsed.problems == ("items with nothing in them were dropped (1)",)


# --- broken documents -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("rss-bare-ampersand.xml", "Fish & Chips Q&A AT&T"),
        ("rss-control-characters.xml", "Ferry resumes"),
        ("rss-html-entities.xml", "Café — “Mole” … &unknown; &"),
        ("rss-latin1-called-utf8.xml", "Fähre fährt wieder - «endlich»"),
        ("rss-utf8-called-latin1.xml", "Fähre fährt wieder"),
        ("rss-windows1252-called-latin1.xml", "The mayor’s “plan” costs 3 €"),  # noqa: RUF001
        ("rss-windows1251.xml", "Паром снова ходит"),
        ("rss-shift-jis.xml", "フェリー運航再開"),
        ("rss-gb2312.xml", "轮渡恢复运营"),
        ("rss-utf8-bom.xml", "Fähre"),
        ("rss-utf16le.xml", "Fähre"),
        ("rss-utf16be-no-bom.xml", "Fähre"),
        ("rss-utf32.xml", "Fähre"),
        ("rss-broken-utf8.xml", "Fähre und K\ufffdste und Möwe"),
        ("rss-unescaped-html.xml", "Tag soup"),
        ("rss-entity-bomb.xml", "Boom &lol9;"),
        ("rss-external-entity.xml", "Secret &xxe;"),
    ],
)
def test_titles_survive(name: str, title: str) -> None:
    assert sample(name).entries[0].title == title


def test_links_with_bare_ampersands_survive() -> None:
    assert (
        sample("rss-bare-ampersand.xml").entries[1].url
        == "https://gazette.example/2026/11/x?a=1&b=2&copy=3"
    )


def test_undeclared_modules_are_read_all_the_same() -> None:
    entry = only("rss-undeclared-prefix.xml")
    assert (entry.authors, entry.content_html) == (("Cora Cleat",), "<p>Whole text</p>")


def test_nested_cdata_becomes_one() -> None:
    entry = sample("rss-nested-cdata.xml").entries[0]
    assert entry.summary_html == "a  <b>b</b>  <i>c</i>"


def test_tag_soup_is_read() -> None:
    entry = sample("rss-unescaped-html.xml").entries[0]
    assert entry.summary_html.startswith("First<br>second")
    assert entry.image == "https://gazette.example/a.png"


def test_half_an_item_is_not_taken_for_a_whole_one() -> None:
    whole = [entry.guid for entry in sample("rss-truncated-in-cdata.xml").entries]
    assert whole == ["gazette-1", "gazette-2"]


@pytest.mark.parametrize("name", [name for name in NAMES if "truncated" in name or "junk" in name])
def test_what_was_mended_is_said(name: str) -> None:
    assert any("not well-formed" in problem for problem in sample(name).problems)


def test_feedparser_alone_reads_worse_what_can_be_mended() -> None:
    """Why :mod:`feeds.parsing.mend` goes before it."""
    halved, nested, entities = (
        read_document(decode_document((SAMPLES / name).read_bytes(), None).strip(), "rss", 9)
        for name in ("rss-truncated.xml", "rss-nested-cdata.xml", "rss-bare-ampersand.xml")
    )
    assert isinstance(halved, RawFeed)
    assert isinstance(nested, RawFeed)
    assert isinstance(entities, RawFeed)
    assert "CDATA" in nested.entries[0].summary.value
    assert entities.entries[1].link.endswith("&b=2©=3")  # it was &copy=3
    assert len(halved.entries) > len(sample("rss-truncated.xml").entries)


def test_hours_to_skip_are_found_in_broken_feeds() -> None:
    skipped = "<skipHours><hour>3</hour> <hour>24</hour></skipHours>"
    skipped += "<skipDays><day>Sunday</day></skipDays>"
    broken = rss("<guid>1</guid><title>a<br>b</title>", channel=skipped)
    assert feed(broken).hints == PollHints(skip_hours=frozenset({0, 3}), skip_days=frozenset({6}))


def test_what_feedparser_raises_on_is_read_by_libxml2() -> None:
    text = "<?x <![CDATA[ ?>" + rss("<guid>1</guid><title>&#99999999999;</title>")
    raised = read_document(text, "rss", 9)
    assert isinstance(raised, str)
    assert raised.startswith("the document cannot be read: OverflowError")
    (entry,) = feed(text).entries
    assert entry.guid == "1"


def test_half_a_surrogate_pair_stops_nobody() -> None:
    outcome = parse("<?x <![CDATA[ ?>" + rss("<guid>&#xD800;</guid>"))
    assert isinstance(outcome, NotAFeed)
    assert outcome.detail.startswith("the document cannot be read: UnicodeEncodeError")


# --- what is no feed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "the document is no feed"),
        (b"  \n", "the document is no feed"),
        (b"Not found", "the document is no feed"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, "the document is no feed"),
        (b"<!DOCTYPE html><html><p>Log in</html>", "the document is an HTML page, not a feed"),
        (b"<HTML>", "the document is an HTML page, not a feed"),
        (b"<urlset xmlns='x'><url/></urlset>", "the document is <urlset>, not a feed"),
        (b"<opml version='2.0'/>", "the document is <opml>, not a feed"),
        (b'{"error": "denied"}', "the document is JSON, but no JSON Feed"),
        (b"[1, 2]", "the document is JSON, but no JSON Feed"),
        (
            b'{"version": "https://jsonfeed.org/version/1", "items": [',
            "the document is broken JSON",
        ),
        (b"[" * 100_000, "the document is JSON that is nested too deeply"),
        (b'{"a":' * 100_000, "the document is JSON that is nested too deeply"),
        (b"<channel/>", "the document has no feed in it"),
    ],
)
def test_what_is_no_feed_says_so(body: bytes, detail: str) -> None:
    outcome = parse(body)
    assert isinstance(outcome, NotAFeed)
    assert outcome.detail.startswith(detail)
    assert outcome.feed_links == ()


def test_html_names_its_feeds() -> None:
    outcome = parse(
        "<html><link rel=alternate type=application/rss+xml href=/comments/feed title=Comments>"
        "<link rel=alternate type=application/atom+xml href=/atom.xml></html>",
        "text/html",
    )
    assert outcome == NotAFeed(
        "the document is an HTML page, not a feed",
        ("https://feed.example/atom.xml", "https://feed.example/comments/feed"),
    )


def test_a_feed_without_entries_is_a_feed() -> None:
    assert sample("rss-no-items.xml").entries == ()


# --- titles, dates, guids ---------------------------------------------------------------------


def test_titles_are_plain_text() -> None:
    assert [entry.title for entry in sample("rss-html-titles.xml").entries] == [
        "AT&T",
        "Use of <b> in HTML",
        "Bold news",
        "CDATA & more",
        "two lines",
        "5 < 6 & 7 > 3",
        "“Quoted”",
        "",
        "<script>alert(1)</script>",
    ]


def test_dates_nobody_can_mean_are_marked_as_guessed() -> None:
    entries = {entry.guid: entry for entry in sample("rss-odd-dates.xml").entries}
    assert [entries[f"d{n}"].published for n in range(7)] == [
        utc("2026-11-21T10:00:00"),
        utc("2026-11-21T09:00:00"),
        utc("2026-11-21T10:00:00"),
        utc("2026-11-21T10:00:00"),
        utc("2026-11-21T10:00:00"),
        utc("2026-11-22T00:00:00"),
        utc("2026-11-21T10:00:00"),
    ]
    for absurd in range(7, 12):
        assert entries[f"d{absurd}"].published is None
        assert entries[f"d{absurd}"].published_guessed


def test_an_update_stands_for_an_absurd_date_of_publication() -> None:
    entry = entry_of(
        "<title>x</title><pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>"
        '<updated xmlns="http://www.w3.org/2005/Atom">2026-11-21T10:00:00Z</updated>'
    )
    assert entry.published == entry.updated == utc("2026-11-21T10:00:00")
    assert not entry.published_guessed


def test_missing_guids_are_made_up_from_link_or_title() -> None:
    by_link, by_title, by_text, spaced, permalink = sample("rss-no-guids.xml").entries
    assert by_link.guid == "https://gazette.example/by-link"
    assert by_title.guid.startswith("urn:sha256:")
    assert by_text.guid.startswith("urn:sha256:")
    assert spaced.guid == "spaced guid"
    assert permalink.url == "https://gazette.example/permalink"


def test_a_made_up_guid_survives_an_edit_of_the_text() -> None:
    one = entry_of("<title>Same</title><description>Teh text</description>")
    other = entry_of("<title>Same</title><description>The text</description>")
    assert one.guid == other.guid
    assert one.content_hash != other.content_hash


def test_repeated_guids_are_told_apart_and_repeated_items_dropped() -> None:
    parsed = sample("rss-duplicate-guids.xml")
    assert [entry.title for entry in parsed.entries] == ["A", "B", "B, corrected", "C"]
    assert parsed.entries[-1].guid == "other"
    assert parsed.problems == ("items that repeat others were dropped (1)",)


def test_a_guid_that_was_ambiguous_once_stays_told_apart() -> None:
    document = rss("<guid>g</guid><title>x</title>")
    assert feed(document).entries[0].guid == "g"
    assert feed(document, ambiguous=frozenset({"g"})).entries[0].guid != "g"


@pytest.mark.parametrize(
    ("guid", "link", "canonical"),
    [
        ("https://s.example/log#v2", "https://s.example/log#v2", "https://s.example/log#v2"),
        ("v2", "https://s.example/log#v2", "https://s.example/log"),
        ("https://s.example/a#x=1", "https://s.example/a#x=1", "https://s.example/a"),
    ],
)
def test_a_fragment_counts_where_the_guid_has_it(guid: str, link: str, canonical: str) -> None:
    entry = entry_of(f"<guid>{guid}</guid><link>{link}</link>")
    assert entry.canonical_url == canonical


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (" \n https://s.example/a \n", "https://s.example/a"),
        ("<![CDATA[https://s.example/a?x=1&y=2]]>", "https://s.example/a?x=1&y=2"),
        ("/a", "https://s.example/a"),
        ("www.s.example/a", "https://www.s.example/a"),
        ("https://s.example/a b", "https://s.example/a%20b"),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_links_are_absolute_or_none(link: str, url: str | None) -> None:
    assert entry_of(f"<title>x</title><link>{link}</link>").url == url


def test_relative_links_in_rss_are_meant_from_the_site() -> None:
    entry = only("rss-relative-links.xml")
    assert entry.url == "https://gazette.example/2026/ferry"
    assert 'href="https://gazette.example/2026/more.html"' in entry.summary_html
    assert entry.enclosures == (Enclosure("https://gazette.example/a.mp3", "audio/mpeg"),)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Ada Pilot", "Ada Pilot"),
        ("ada@s.example (Ada Pilot)", "Ada Pilot"),
        ("Ada Pilot &lt;ada@s.example&gt;", "Ada Pilot"),
        ("Ada Pilot (ada@s.example)", "Ada Pilot"),
        ("ada@s.example", "ada@s.example"),
        ("&lt;b&gt;Ada&lt;/b&gt; &amp;amp; Ben", "Ada & Ben"),
    ],
)
def test_authors_are_names(author: str, name: str) -> None:
    assert entry_of(f"<title>x</title><author>{author}</author>").authors == (name,)


@pytest.mark.parametrize(
    ("language", "tag"),
    [
        ("en", "en"),
        ("EN_us", "en-US"),
        ("zh-Hant-tw", "zh-Hant-TW"),
        ("English!", None),
        ("", None),
    ],
)
def test_languages_are_tags(language: str, tag: str | None) -> None:
    assert feed(rss(channel=f"<language>{language}</language>")).language == tag


# --- what is said to have changed -------------------------------------------------------------

ITEM = (
    "<title>T</title><guid>1</guid><link>https://s.example/1?utm_source=a</link>"
    "<category>x</category><category>y</category><pubDate>Sat, 21 Nov 2026 10:00:00 GMT</pubDate>"
    "<description>&lt;p&gt;Hi &lt;img src='https://i.example/a.jpg?sig=1'&gt;"
    "&lt;a href='https://l.example/?click=1'&gt;l&lt;/a&gt;&lt;/p&gt;</description>"
    '<enclosure url="https://i.example/a.mp3?t=1" type="audio/mpeg" length="1"/>'
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("utm_source=a", "utm_source=b"),
        (
            "<category>x</category><category>y</category>",
            "<category>Y</category><category>x</category>",
        ),
        ("sig=1", "sig=2"),
        ("click=1", "click=2"),
        ("21 Nov 2026", "20 Nov 2026"),
        ("a.mp3?t=1", "a.mp3?t=2"),
        ("&lt;p&gt;", "&lt;p class='x' onclick='y'&gt;"),
        ("<guid>1</guid>", "<guid> 1 </guid><comments>https://s.example/c</comments>"),
    ],
)
def test_what_no_reader_sees_is_no_change(old: str, new: str) -> None:
    assert old in ITEM
    assert entry_of(ITEM).content_hash == entry_of(ITEM.replace(old, new)).content_hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<title>T", "<title>U"),
        ("Hi", "Ho"),
        ("/1?", "/2?"),
        ("<category>x</category>", ""),
        ("a.jpg", "b.jpg"),
        ("a.mp3", "b.mp3"),
        ("<guid>", "<author>A</author><guid>"),
    ],
)
def test_what_a_reader_sees_is_a_change(old: str, new: str) -> None:
    assert old in ITEM
    assert entry_of(ITEM).content_hash != entry_of(ITEM.replace(old, new)).content_hash


# --- bounds -----------------------------------------------------------------------------------


def test_the_newest_entries_are_kept() -> None:
    items = [f"<guid>{n}</guid><pubDate>{n + 1:02} Oct 2026 10:00 GMT</pubDate>" for n in range(20)]
    newest_first, oldest_first = (
        feed(rss(*items[::-1]), max_entries=3),
        feed(rss(*items), max_entries=3),
    )
    assert [entry.guid for entry in newest_first.entries] == ["19", "18", "17"]
    assert [entry.guid for entry in oldest_first.entries] == ["17", "18", "19"]
    assert newest_first.problems == ("20 items, of which the newest 3 were read",)


def test_bounds_hold_in_every_reader() -> None:
    broken = rss(*[f"<guid>{n}</guid><title>a<br>b</title>" for n in range(20)])
    unclosed = broken.replace("</item>", "")
    items = ", ".join(f'{{"id": "{n}", "date_published": "20{n:02}-01-01"}}' for n in range(20))
    assert len(feed(broken, max_entries=3).entries) == 3
    assert len(feed(unclosed, max_entries=3).entries) == 3
    assert "20 items, of which 3 were read" in feed(broken, max_entries=3).problems
    json_feed = feed(f'{{"title": "x", "items": [{items}]}}', max_entries=3)
    assert [entry.guid for entry in json_feed.entries] == ["17", "18", "19"]


def test_widths_that_are_no_widths_do_not_count() -> None:
    widths = ["9" * 5000, "-1", "²", "x", "640", ""]
    media = "".join(
        f'<media:content url="/{n}.jpg" width="{width}"/>' for n, width in enumerate(widths)
    )
    assert entry_of(f"<guid>1</guid>{media}").image == "https://s.example/4.jpg"


def test_what_is_too_long_is_cut_and_said() -> None:
    files = "".join(f'<enclosure url="/{n}.mp3"/>' for n in range(99))
    tags = "".join(f"<category>c{n}</category>" for n in range(99))
    parsed = feed(
        rss(
            f"<title>{'t' * 9999}</title><guid>{'g' * 99_999}</guid><author>{'a' * 9999}</author>"
            f"<description>{'d ' * 500_000}</description>{files}{tags}"
        )
    )
    (entry,) = parsed.entries
    assert len(entry.title) == MAX_TITLE
    assert entry.title.endswith("…")
    assert len(entry.guid) < 100
    assert len(entry.authors[0]) == MAX_NAME
    assert len(entry.summary_html) <= MAX_CONTENT
    assert len(entry.categories) == len(entry.enclosures) == MAX_LISTED
    assert parsed.problems == (
        f"titles were cut to {MAX_TITLE} characters (1)",
        f"contents were cut to {MAX_CONTENT} characters (1)",
        f"authors were cut to {MAX_NAME} characters (1)",
        f"lists of more than {MAX_LISTED} categories were cut (1)",
        f"lists of more than {MAX_LISTED} enclosures were cut (1)",
    )


def test_lengths_that_are_no_lengths_are_unknown() -> None:
    entry = entry_of(
        "<guid>1</guid>"
        + "".join(
            f'<enclosure url="/{n}.mp3" length="{length}"/>'
            for n, length in enumerate(["", "0", "-1", "x", "9" * 50, "²", "12"])
        )
    )
    assert [file.length for file in entry.enclosures] == [None] * 6 + [12]


@pytest.mark.parametrize(
    "body",
    [
        rss(f"<title>x</title><author>{'a.' * 31_000}</author>"),
        rss(f"<title>x<br></title><author>{'a.' * 31_000}</author>"),
        rss("<title>x</title>" + "<category>c</category>" * 50_000),
        rss(f"<title>x</title><description>&lt;p style='{' ' * 31_000}'&gt;</description>"),
        rss(f"<title>{'&lt;' * 50_000}</title>"),
        rss("<title " + " ".join(f"a{n}='x'" for n in range(20_000)) + ">x</title>"),
        rss(*["<title>x</title>"] * 10_000),
        rss("<title>x</title><description>" + escape("<div>" * 20_000) + "</description>"),
        "<!--" * 50_000 + rss("<title>x</title>"),
        "<?xml " * 50_000 + rss("<title>x</title>"),
        " " * 500_000 + rss("<title>x</title>"),
        "<!DOCTYPE x [" * 20_000 + rss("<title>x</title>"),
        "<![CDATA[" * 20_000 + rss("<title>x</title>") + "&",
        rss("<title>x</title>") + "<![CDATA[" * 50_000,
        rss("<title>x</title>") + "&" * 500_000,
        '{"title": "x", "items": [' + '{"id": 1, "tags": ["' + "x" * 99_999 + '"]},' * 9 + "{}]}",
    ],
    ids=range(16),
)
def test_hostile_documents_take_seconds_at_most(body: str) -> None:
    # What feedparser alone needs minutes for is the business of whoever kills its process.
    start = time.process_time()
    outcome = parse(body)
    assert isinstance(outcome, ParsedFeed | NotAFeed)
    assert time.process_time() - start < 8


# --- what is known need not be read -----------------------------------------------------------

parts = st.sampled_from(
    [
        "<guid>a</guid>",
        "<guid>b</guid>",
        "<guid> </guid>",
        '<guid isPermaLink="false">https://s.example/x</guid>',
        "<link>https://s.example/1</link>",
        "<link>https://s.example/2?utm_source=rss</link>",
        "<title>T</title>",
        "<title>U &amp;amp; V</title>",
        "<description>&lt;a href='r'&gt;x&lt;/a&gt;</description>",
        '<content:encoded xml:base="https://b.example/">&lt;img src="i.png"&gt;</content:encoded>',
        "<pubDate>Sat, 21 Nov 2026 10:00:00 GMT</pubDate>",
        "<dc:creator>Ada</dc:creator>",
        '<media:content url="/v.mp4" type="video/mp4"/>',
        '<x:y xmlns:x="urn:x">z</x:y>',
        "<dc:language>fr</dc:language>",
        # what feedparser does not forget at the end of an item, or raises on
        "<description><details><summary>s</summary><title>t</title></details></description>",
        '<description xml:base="https://c.example/">x</description>',
        '<q:creator xmlns:q="http://purl.org/dc/elements/1.1/">Eve</q:creator>',
        '<q:creator xmlns:q="urn:q">Mallory</q:creator>',
        "<guid>q</guid><textInput><link>x</link></textInput>",
        '<enclosure url="e.mp3" xml:base="http://["/>',
        "<image><link>https://s.example/i</link></image>",
    ]
)
items = st.lists(parts, max_size=6).map("".join)
channels = st.sampled_from(
    ["", "<language>de</language>", "<ttl>5</ttl>", "<image><url>/i</url></image>"]
)
breaks = st.sampled_from(["", "&", "<br>", "<item>", "&nbsp;"])


@settings(max_examples=300, deadline=None)
@given(st.lists(items, max_size=6), channels, breaks, st.data())
def test_what_is_not_known_reads_as_if_nothing_were(
    documents: list[str], channel: str, broken: str, data: st.DataObject
) -> None:
    document = rss(*documents, channel=channel).replace("</channel>", f"{broken}</channel>")
    full = feed(document)
    digests = sorted({entry.raw_digest for entry in full.entries if entry.raw_digest})
    known = frozenset(data.draw(st.sets(st.sampled_from(digests)))) if digests else frozenset()
    partial = feed(document, known=known | {b"gone from the feed"})
    unread = [entry for entry in full.entries if entry.raw_digest not in partial.known_seen]
    assert list(partial.entries) == unread
    assert partial.known_seen <= known
    assert replace(partial, entries=(), known_seen=frozenset()) == replace(full, entries=())
    repeated = {
        e.raw_digest for e in full.entries if "#newsfold-" in e.guid or e.guid[:4] == "urn:"
    }
    assert known - repeated <= partial.known_seen


def test_items_that_unsettle_feedparser_do_so_only_to_themselves() -> None:
    unsettling = (
        "<guid>1</guid><description><details><summary>s</summary></details></description>",
        '<guid>2</guid><q:creator xmlns:q="http://purl.org/dc/elements/1.1/">Eve</q:creator>',
        '<guid>3</guid><description xml:base="https://c.example/">x</description>',
        "<guid>4</guid><textInput><link>x</link></textInput>",
    )
    last = '<guid>9</guid><title>a &lt; b</title><enclosure url="/e.mp3"/>'
    last += (
        '<description>&lt;b&gt;x&lt;/b&gt;</description><q:creator xmlns:q="urn:q">M</q:creator>'
    )
    *others, with_others = feed(rss(*unsettling, last)).entries
    assert [entry.guid for entry in others] == ["1", "2", "3", "4"]
    assert others[1].authors == ("Eve",)
    assert with_others == entry_of(last)
    assert with_others.authors == ()


def test_an_item_that_cannot_be_read_costs_only_itself() -> None:
    inner = "<x:item xmlns:x='urn:x'>feedparser knows no such item</x:item>"
    document = rss("<guid>1</guid>", "<guid>2</guid>").replace("</channel>", f"{inner}</channel>")
    parsed = feed(document)
    assert [entry.guid for entry in parsed.entries] == ["1", "2"]
    assert parsed.problems == ("an item that cannot be read was dropped",)


def test_an_item_of_many_parts_is_cut() -> None:
    categories = "".join(f"<category>c{n}</category>" for n in range(50_000))
    entry = entry_of(f"<guid>1</guid>{categories}<title>too late</title>")
    assert (len(entry.categories), entry.title) == (MAX_LISTED, "")


def test_known_items_cost_no_reading_in_atom_and_json() -> None:
    for name in ("atom10.xml", "jsonfeed11.json", "rdf10.xml"):
        full = sample(name)
        digests = [entry.raw_digest for entry in full.entries]
        assert all(digests)
        rest = feed((SAMPLES / name).read_bytes(), known=frozenset(filter(None, digests[1:])))
        assert rest.entries == full.entries[:1]
        assert rest.known_seen == frozenset(digests[1:])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<guid>1", "<guid>2"),
        ("Hi", "Ho"),
        ("<link>https://s.example/</link>", "<link>https://t.example/</link>"),
        ("<channel>", '<channel xml:base="https://b.example/">'),
        ("<channel>", "<channel><language>fr</language>"),
        ("xmlns:media=", "xmlns:m="),
    ],
)
def test_a_digest_covers_all_that_reading_depends_on(old: str, new: str) -> None:
    document = rss(ITEM)
    assert old in document
    assert (
        feed(document).entries[0].raw_digest
        != feed(document.replace(old, new)).entries[0].raw_digest
    )


def test_a_digest_does_not_depend_on_the_other_items() -> None:
    one, two = (
        feed(rss(ITEM)),
        feed(rss("<guid>9</guid>", ITEM, channel="<lastBuildDate>x</lastBuildDate>")),
    )
    assert one.entries[0].raw_digest == two.entries[1].raw_digest


# --- anything at all --------------------------------------------------------------------------

BODIES = [(SAMPLES / name).read_bytes() for name in NAMES]
SHARDS = [
    *(b"<", b">", b"&", b'"', b"<![CDATA[", b"]]>", b"<!--", b"-->", b"\0", b"\xff", b"\xc3"),
    *(
        b"&#x0;",
        b"&#xD800;",
        b"&#99999999999;",
        b"&nbsp;",
        b"&lol;",
        b"<?x?>",
        b"</item>",
        b"<item>",
    ),
    *(
        b"<entry>",
        b"</entry>",
        b"</rss>",
        b"<!DOCTYPE x [",
        b'<!ENTITY a "b">',
        b"<image>",
        b"<source>",
    ),
    *(b"<textInput>", b"<author>", b"<svg>", b'<link href="http://[x"/>', b' xml:base="http://["'),
    *(b"<guid>", b"<media:group>", b"{", b"[", b'"items":', b"\\ud800", b"null", b"-1e999"),
]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(BODIES), st.integers(0, 2**32), st.integers(1, 6))
def test_mutilated_documents_never_raise(body: bytes, seed: int, wounds: int) -> None:
    chance = random.Random(seed)
    torn = bytearray(body)
    for _ in range(wounds):
        place = chance.randrange(len(torn) + 1)
        kind = chance.random()
        if kind < 0.3:
            del torn[place : place + chance.choice((1, 3, 10, 60))]
        elif kind < 0.92:
            torn[place:place] = chance.choice(SHARDS)
        else:
            del torn[place:]
    outcome = parse(bytes(torn))
    assert isinstance(outcome, ParsedFeed | NotAFeed)
    pickle.dumps(outcome)
    if isinstance(outcome, ParsedFeed):
        assert not re.search(
            r"<script|javascript:|\son\w+=", repr(outcome.entries).split("title=")[0]
        )


@settings(deadline=None)
@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=30)))
def test_bytes_never_raise(body: bytes, content_type: str | None) -> None:
    assert isinstance(parse(body, content_type), ParsedFeed | NotAFeed)


def test_a_namespace_that_is_no_address_is_no_obstacle() -> None:
    """libxml2 reads it, with a warning, and refuses to write it. Found by fuzzing."""
    for namespace in ("http://www.w3.org/2005/Ato\ufeff\ufeff", "http://[", "a b"):
        parsed = feed(
            f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:x="{namespace}"><title>T</title>'
            "<entry><id>a</id><title>A</title></entry></feed>"
        )
        assert [entry.title for entry in parsed.entries] == ["A"]
