# ruff: noqa: E501 - markup and phrases stand whole on their lines

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import article

from feeds.model import DateSource
from feeds.page.blocks import blocks_of
from feeds.page.byline import printed_authors
from feeds.page.html_tree import parse_html, parse_page
from feeds.page.json_ld import article_among, link_of, texts_of, things_of, types_of
from feeds.page.metadata import PageMetadata, absolute, metadata_of, parse_time

URL = "https://courier.example/news/2026/11/20/bridge.html"
MORNING = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)


def ld(value: Any) -> str:
    return f"<script type='application/ld+json'>{json.dumps(value)}</script>"


def read(head: str = "", *, body: str = "", url: str = URL) -> PageMetadata:
    return metadata_of(parse_html(f"<html><head>{head}</head><body>{body}</body></html>"), url)


NEWS = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Harbour bridge closed",
    "author": [
        {"@type": "Person", "name": "By Marta Lind"},
        {"@type": "Person", "name": "Jo Park"},
    ],
    "publisher": {"@type": "Organization", "name": "Norwick Courier"},
    "datePublished": "2026-11-20T08:30:00+01:00",
    "dateModified": "2026-11-20T09:00:00Z",
    "image": {"@type": "ImageObject", "url": "/img/bridge.jpg"},
    "inLanguage": "en-GB",
    "isAccessibleForFree": "False",
}


def test_json_ld_says_it_all() -> None:
    said = read(ld(NEWS))
    assert said.titles == ("Harbour bridge closed",)
    assert said.authors == ("Marta Lind", "Jo Park")
    assert said.publisher == "Norwick Courier"
    assert (said.published, said.published_source) == (MORNING, DateSource.JSON_LD)
    assert said.modified == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert said.image == "https://courier.example/img/bridge.jpg"
    assert said.language == "en"
    assert said.free is False
    assert "NewsArticle" in said.types


def test_meta_elements_say_it_where_json_ld_does_not() -> None:
    said = read(
        "<meta property='og:title' content='Harbour bridge closed - Norwick Courier'>"
        "<meta property='og:site_name' content='Norwick Courier'>"
        "<meta name='author' content='Marta Lind and Jo Park'>"
        "<meta property='article:published_time' content='2026-11-20T07:30:00Z'>"
        "<meta property='article:modified_time' content='2026-11-20 09:00'>"
        "<meta property='og:image' content='//img.example/b.jpg'>"
        "<meta property='og:locale' content='de_AT'>"
        "<meta property='article:content_tier' content='locked'>"
        "<meta property='og:type' content='article'>"
    )
    assert said.titles == ("Harbour bridge closed",)
    assert said.authors == ("Marta Lind", "Jo Park")
    assert (said.published, said.published_source) == (MORNING, DateSource.META)
    assert said.modified == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert said.image == "https://img.example/b.jpg"
    assert said.language == "de"
    assert said.free is False
    assert said.types == ("article",)


def test_marked_times_are_as_good_as_meta() -> None:
    said = read(body="<time itemprop='datePublished' datetime='2026-11-20T07:30:00Z'>today</time>")
    assert (said.published, said.published_source) == (MORNING, DateSource.META)


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("https://c.example/x", "<article><time datetime='2026-11-20'>Friday</time></article>"),
        ("https://c.example/2026/11/20/bridge", ""),
        ("https://c.example/bridge-20261120.html", ""),
    ],
)
def test_what_is_only_printed_is_a_guess(url: str, body: str) -> None:
    said = read(body=body, url=url)
    assert said.published == datetime(2026, 11, 20, tzinfo=UTC)
    assert said.published_source is DateSource.GUESSED


def test_a_page_that_says_nothing_has_nothing() -> None:
    assert read(url="https://c.example/x") == PageMetadata()


def test_the_heading_shown_is_the_title() -> None:
    said = read(
        "<title>Bridge closed | Courier</title><meta property='og:title' content='Closed: harbour bridge shut'>",
        body="<h1>Courier</h1><h1>Harbour bridge shut</h1>",
    )
    assert said.titles[0] == "Harbour bridge shut"
    assert said.titles[-1] == "Bridge closed | Courier"


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("By Marta Lind", ("Marta Lind",)),
        ("Marta Lind, MS, RD", ("Marta Lind, MS, RD",)),
        ("Marta Lind, Jo Park", ("Marta Lind", "Jo Park")),
        ("von Marta Lind und Jo Park", ("Marta Lind", "Jo Park")),
        ("admin", ()),
        ("https://facebook.com/courier", ()),
        ("desk@courier.example", ()),
        (", ", ()),
    ],
)
def test_authors_are_names(author: str, names: tuple[str, ...]) -> None:
    assert read(f"<meta name='author' content='{author}'>").authors == names


def test_author_links_name_the_author() -> None:
    assert read(body="<a rel='author' href='/jo'>Jo Park</a>").authors == ("Jo Park",)


@pytest.mark.parametrize(
    ("body", "authors"),
    [
        ("<p class='byline'>By Marta Lind, 20 November</p><p>{0}</p>", ("Marta Lind",)),
        ("<div><span>By Marta Lind</span></div><p>{0}</p>", ("Marta Lind",)),
        ("<div class='author-name'>Jo van Park</div><p>{0}</p>", ("Jo van Park",)),
        ("<p><a class='author'>Jo Park</a></p><p>{0}</p>", ("Jo Park",)),
        ("<p>By Marta Lind and Jo Park, Staff Writers</p><p>{0}</p>", ("Marta Lind", "Jo Park")),
        ("<p>By Jo Park in Norwick</p><p>{0}</p>", ("Jo Park",)),
        ("<p>Jo Park, <time>20 November</time></p><p>{0}</p>", ("Jo Park",)),
        ("<p>By the river</p><p>{0}</p>", ()),
        ("<div class='author'>Our newsroom desk</div><p>{0}</p>", ()),
        ("<p>{0}</p>", ()),
    ],
)
def test_the_printed_author_is_read_with_caution(body: str, authors: tuple[str, ...]) -> None:
    found = blocks_of(parse_html(body.format("Some forty thousand people cross the bridge. " * 3)))
    assert printed_authors(found, found[-1]) == authors


@pytest.mark.parametrize(
    ("head", "canonical"),
    [
        ("<link rel='canonical' href='/news/bridge'>", "https://courier.example/news/bridge"),
        ("<link rel='canonical' href='https://other.example/a#top'>", "https://other.example/a"),
        ("<link rel='canonical' href='https://courier.example/'>", None),
        ("<link rel='canonical' href='javascript:alert(1)'>", None),
        (
            "<meta property='og:url' content='https://courier.example/b'>",
            "https://courier.example/b",
        ),
        (ld({"@type": "Article", "mainEntityOfPage": {"@id": URL}}), URL),
    ],
)
def test_the_canonical_address(head: str, canonical: str | None) -> None:
    assert read(head).canonical_url == canonical


def test_a_front_page_is_its_own_canonical_address() -> None:
    said = read(
        "<link rel='canonical' href='https://courier.example/'>", url="https://courier.example"
    )
    assert said.canonical_url == "https://courier.example/"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20T08:30:00+01:00", MORNING),
        ("2026-11-20T08:30:00.123+0100", MORNING),
        ("2026-11-20 07:30:00 UTC", MORNING),
        ("2026-11-20T07:30Z", MORNING),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 08:30:00 +0100", MORNING),
        ("Fri, 20 Nov 2026 07:30:00", MORNING),
        ("2026-13-45", None),
        ("last Friday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
    ],
)
def test_times_as_the_web_writes_them(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time


@given(st.text(max_size=60))
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert parse_time(text) is None or parse_time(text).tzinfo is UTC  # type: ignore[union-attr] # the left side says so


def test_absurd_years_are_no_times() -> None:
    assert (
        read("<meta name='date' content='1066-10-14'>", url="https://c.example/x").published is None
    )


@pytest.mark.parametrize(
    "script",
    [
        "<!-- {0} -->",
        "//<![CDATA[\n{0}\n//]]>",
        "/* <![CDATA[ */ {0}",
        "{0};",
        "[[{0}]]",
        '{{"@graph": [{{"@type": "WebPage"}}, {0}]}}',
    ],
)
def test_json_ld_is_read_however_it_is_wrapped(script: str) -> None:
    said = read(f"<script type='application/ld+json'>{script.format(json.dumps(NEWS))}</script>")
    assert said.publisher == "Norwick Courier"


@pytest.mark.parametrize(
    "script", ["{broken", "[" * 100_000, "null", "7", '"text"', '{"@type": 7}']
)
def test_broken_json_ld_is_passed_over(script: str) -> None:
    assert read(f"<script type='application/ld+json'>{script}</script>").publisher is None


def test_the_article_that_names_the_page_is_meant() -> None:
    other = {"@type": "NewsArticle", "url": "https://courier.example/else", "headline": "Else"}
    this = {"@type": "BlogPosting", "url": URL + "?utm=1", "headline": "This"}
    things = things_of(parse_html(ld([other, this])))
    meant = article_among(things, URL)
    assert meant is not None
    assert meant["headline"] == "This"
    assert article_among(things[:1], URL) == other
    assert article_among([], URL) is None


def test_types_come_without_their_vocabulary() -> None:
    assert types_of({"@type": ["https://schema.org/NewsArticle", 3]}) == ("NewsArticle",)
    assert link_of({"@type": "Article", "url": "relative"}) is None


def test_names_hide_in_any_shape() -> None:
    assert list(texts_of([{"name": "A &amp; B"}, "C", {"name": ["D"]}, ["no"], 3, None, {}])) == [
        "A & B",
        "C",
        "D",
    ]


def test_no_address_is_made_of_nonsense() -> None:
    assert absolute("http://[bad", URL) is None
    assert absolute("", URL) is None
    assert absolute("mailto:a@b.example", URL) is None


def test_a_whole_page_is_read() -> None:
    said = metadata_of(parse_page(article()), "https://courier.example/b")
    assert said.titles == (
        "Harbour bridge closed until spring",
        "Harbour bridge closed until spring | Norwick Courier",
    )
    assert said.language == "en"
