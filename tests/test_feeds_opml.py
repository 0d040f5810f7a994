"""Subscription lists of other readers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.parsing.read_opml import MAX_ROWS, BadRow, ListedFeed, read_subscriptions

OPML = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Alone" type="rss" xmlUrl="https://a.example/feed" htmlUrl="https://a.example/"/>
<outline text="News">
  <outline text="Local" title="Local news">
    <outline text="B" title="B &amp;amp; Sons" xmlUrl="HTTPS://B.example/feed"/>
  </outline>
  <outline text="C" type="rss" XMLURL="https://c.example/feed" category="/Sea/Ports,Ships,News"/>
  <outline text="Lost" type="rss"/>
  <outline text="Local file" type="rss" xmlUrl="file:///etc/passwd"/>
  <outline text="Again" type="rss" xmlUrl="https://a.example/feed"/>
</outline>
</body></opml>
"""


def test_opml() -> None:
    found = read_subscriptions(OPML)
    assert found.feeds == [
        ListedFeed(3, "https://a.example/feed", "Alone", "https://a.example/"),
        ListedFeed(6, "https://b.example/feed", "B & Sons", None, ("News", "Local")),
        ListedFeed(
            8, "https://c.example/feed", "C", None, ("News",), ("Sea", "Ports", "Ships", "News")
        ),
    ]
    assert [feed.category for feed in found.feeds] == [None, "Local", "News"]
    assert found.bad == [
        BadRow(9, "no xmlUrl: 'Lost'"),
        BadRow(10, "no http(s) address: 'file:///etc/passwd'"),
    ]
    assert found.again == [BadRow(11, "listed already in line 3: https://a.example/feed")]


def test_broken_opml_is_mended() -> None:
    found = read_subscriptions(OPML.replace(b"Alone", b"A & B").replace(b"</body>", b""))
    assert [feed.title for feed in found.feeds] == ["A & B", "B & Sons", "C"]
    assert found.bad[0] == BadRow(0, "not well-formed XML; rows may be missing")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body/></html>",
        b"<rss version='2.0'/>",
        b"<",
        b"<!-- -->",
        b'<!DOCTYPE opml [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><nothing/>',
    ],
)
def test_what_is_no_list_says_so(body: bytes) -> None:
    assert read_subscriptions(body).bad == [BadRow(0, "neither OPML nor a list of addresses")]


def test_entities_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE opml [<!ENTITY a "'
        + b"x" * 1000
        + b'"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
    )
    found = read_subscriptions(
        bomb + b'<opml><body><outline text="&x;&a;" xmlUrl="https://a.example/"/></body></opml>'
    )
    assert [feed.title for feed in found.feeds] in ([], ["&x;&a;"])


def test_newsboat() -> None:
    found = read_subscriptions(
        b'https://a.example/feed news "local news" "~Title, not mine" "!hidden"\n'
        b"# a comment\n"
        b"\n"
        b'"query:Unread:unread = \\"yes\\""\n'
        b"exec:~/bin/feed tag\n"
        b"not-an-address\n"
        b"https://a.example/feed\n"
        b"  http://b.example/feed \xc3\xa4\n"
    )
    assert found.feeds == [
        ListedFeed(
            1, "https://a.example/feed", "Title, not mine", None, (), ("news", "local news")
        ),
        ListedFeed(8, "http://b.example/feed", "", None, (), ("ä",)),
    ]
    assert found.feeds[0].category == "news"
    assert found.bad == [
        BadRow(4, "a query over newsboat's own articles: 'query:Unread:unread = \\\\\"yes\\\\\"'"),
        BadRow(5, "the output of a program: 'exec:~/bin/feed'"),
        BadRow(6, "no http(s) address: 'not-an-address'"),
    ]
    assert [row.line for row in found.again] == [7]


def test_what_is_no_list_at_all_is_one_mistake() -> None:
    found = read_subscriptions(b"\n".join(b"some prose %d" % n for n in range(30)))
    assert found.bad == [BadRow(0, "neither OPML nor a list of addresses")]


LISTS = sorted((Path(__file__).parent / "data" / "lists").glob("*.opml"))
"""As the readers write them, shortened."""


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_lists_of_other_readers(path: Path, encoding: str) -> None:
    text = path.read_text(encoding="utf-8")
    found = read_subscriptions(text.replace('"UTF-8"', f'"{encoding}"').encode(encoding))
    (feed,) = found.feeds
    assert (feed.url, feed.title) == ("https://a.example/feed?x=1&y=2", "Ä Times")
    assert (feed.site_url, feed.category) == ("https://a.example/", "News")
    scraped = ["no feed, but of type 'html+xpath': 'Scraped'"] if path.stem == "freshrss" else []
    assert [row.reason for row in found.bad] == scraped
    assert len(found.again) == (path.stem == "feedly")


def test_one_address_in_two_spellings_is_one_feed() -> None:
    found = read_subscriptions(b"http://www.a.example/feed/\nhttps://a.example/feed\n")
    assert [feed.url for feed in found.feeds] == ["http://www.a.example/feed/"]
    assert [row.line for row in found.again] == [2]


def test_an_empty_list_is_empty() -> None:
    assert read_subscriptions(b"").feeds == read_subscriptions(b"").bad == []


def test_long_lists_are_bounded_and_say_so() -> None:
    lines = "\n".join(f"https://a.example/{n}" for n in range(MAX_ROWS + 5))
    rows = "".join(f'<outline xmlUrl="https://a.example/{n}"/>' for n in range(MAX_ROWS + 5))
    for body, what in ((lines, "lines"), (f"<opml>{rows}</opml>", "rows")):
        found = read_subscriptions(body.encode())
        assert len(found.feeds) == MAX_ROWS
        assert found.bad == [BadRow(0, f"{MAX_ROWS + 5} {what}, of which {MAX_ROWS} were read")]


@given(
    st.one_of(
        st.binary(max_size=99),
        st.text(max_size=99).map(lambda text: f"<opml>{text}".encode(errors="ignore")),
    )
)
def test_reading_never_raises(body: bytes) -> None:
    read_subscriptions(body)


def test_half_a_surrogate_pair_costs_its_row_only() -> None:
    found = read_subscriptions(
        b'<opml><body><outline xmlUrl="http://a.example/" text="<!--"/>'
        b'<outline text="&#xD800;" xmlUrl="http://b.example/"/>'
        b'<outline text="c" xmlUrl="http://c.example/"/></body></opml>'
    )
    assert [feed.url for feed in found.feeds] == ["http://a.example/", "http://c.example/"]
    assert "holds characters that are none" in {row.reason for row in found.bad}
