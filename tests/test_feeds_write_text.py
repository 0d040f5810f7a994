"""Text, addresses, times and languages on their way into a document."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from output_builders import coverage, entry, source, texts, urls

from feeds.writing import entry_parts
from feeds.writing.output_values import (
    MAX_URL,
    ascii_uri,
    canonical_id,
    language_tag,
    rfc822,
    rfc3339,
    web_url,
)
from feeds.writing.xml_text import clean_text, one_line, reads_as_markup

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0b\x0bc\x1bd\x7f", "abcd"),
        ("line\r\nline\ttab", "line\n\nline\ttab"),
        ("\x93quoted\x94 \x80\x81", "“quoted” €"),
        ("\ud83d lone \udc00", " lone "),
        ("lost \ufffd", "lost ?"),
        ("\ufdd0\ufffe\U0001ffff\U0010ffff", ""),
        (f"{FAMILY} ]]> <b>&amp; שלום\u202e", f"{FAMILY} ]]> <b>&amp; שלום\u202e"),
        ("\U0001f600\U00020000 \N{NO-BREAK SPACE}", "\U0001f600\U00020000 \N{NO-BREAK SPACE}"),
    ],
)
def test_what_documents_may_not_carry_is_dropped_or_mended(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain title", "Plain title"),
        ("  two\n lines\u2028here ", "two lines here"),
        ("non\N{NO-BREAK SPACE}breaking", "non\N{NO-BREAK SPACE}breaking"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("\u200f\u05e9\u05dc\u05d5\u05dd\u200f", "\u200f\u05e9\u05dc\u05d5\u05dd\u200f"),
        (FAMILY, FAMILY),
        ("lost\ufffd", "lost?"),
        ("\0", ""),
        ("", ""),
    ],
)
def test_a_title_is_one_line_that_cannot_turn_its_surroundings(text: str, expected: str) -> None:
    assert one_line(text, 100) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 10, "a" * 10),
        ("a" * 11, "a" * 9 + "…"),
        ("aaaaaaaa bbbb", "aaaaaaaa…"),
        ("a bbbbbbbbbbb", "a bbbbbbb…"),
        ("aaaaaaa👩\u200d👧", "aaaaaaa👩\u200d👧"),
        ("aaaaaaa👩\u200d👧👧", "aaaaaaa👩…"),
        (" " * 100 + "late", "late"),
        ("early" + " " * 100 + "late", "early…"),
    ],
)
def test_a_long_title_ends_in_an_ellipsis_at_a_border(text: str, expected: str) -> None:
    assert one_line(text, 10) == expected


@given(texts | st.text(), st.integers(5, 40))
def test_a_title_is_bounded_clean_and_stays_as_it_is(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert one_line(line, limit) == line
    assert clean_text(line) == line
    line.encode()


@given(st.from_regex(r"[A-Za-zÀ-ž0-9.,:;!?'“”—-]+( [A-Za-zÀ-ž0-9.,:;!?'“”—-]+)*", fullmatch=True))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean_text(text) == text
    assert one_line(text, len(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AT&T and R&D & Q&A", False),
        ("S&P500", True),
        ("5 &2", True),
        ("&copy", True),
        ("&#65;", True),
        ("</b>", True),
        ("a <b> c < d", False),
        ("plain", False),
    ],
)
def test_text_that_readers_would_take_for_html_is_recognised(text: str, expected: bool) -> None:
    assert reads_as_markup(text) is expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a.example/p?q=1&r=%20#f", "https://a.example/p?q=1&r=%20#f"),
        ("https://a.example/a b|c", "https://a.example/a%20b%7Cc"),
        ("https://a.example/100%", "https://a.example/100%25"),
        ("https://a.example/ü?ö#ä", "https://a.example/%C3%BC?%C3%B6#%C3%A4"),
        ("https://münchen.example/", "https://m%C3%BCnchen.example/"),
        ("https://[2001:db8::1]:80/[x]", "https://[2001:db8::1]:80/%5Bx%5D"),
        ("https://a.example/#a#b", "https://a.example/#a%23b"),
        ("tag:news.example,2026:a/b", "tag:news.example,2026:a/b"),
        ("https://a.example/\ud800", "https://a.example/"),
    ],
)
def test_an_address_becomes_ascii_and_means_the_same(uri: str, expected: str) -> None:
    assert ascii_uri(uri) == expected


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "//a.example/",
        "/relative",
        "https://",
        "http://[",
        "https://a.example:port/",
        "ftp://a.example/",
        "https://a.example/" + "x" * MAX_URL,
    ],
)
def test_only_the_web_is_linked(url: str | None) -> None:
    assert web_url(url) is None


@given(urls)
def test_a_web_address_stays_the_same_address(url: str) -> None:
    address = web_url(url)
    assert address is not None
    assert address.isascii()
    assert web_url(address) == address
    if "%" not in url:
        clean = "".join(c for c in url if c not in "\t\r\n")
        assert unquote(urlsplit(address).query) == urlsplit(clean).query


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("HTTPS://User@News.Example:443", "https://User@news.example/"),
        ("http://news.example:8080/Feed?A=b", "http://news.example:8080/Feed?A=b"),
        ("http://news.example:", "http://news.example/"),
        ("urn:uuid:ABC", "urn:uuid:ABC"),
    ],
)
def test_an_identifier_is_written_in_its_canonical_form(uri: str, expected: str) -> None:
    assert canonical_id(uri) == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", "en"),
        ("pt_BR", "pt-BR"),
        ("zh-Hans-CN", "zh-Hans-CN"),
        ("English", None),
        ("", None),
        (None, None),
        ("e", None),
        ("en us", None),
    ],
)
def test_a_language_is_shaped_like_one(tag: str | None, expected: str | None) -> None:
    assert language_tag(tag) == expected


def test_times_are_written_in_utc() -> None:
    there = datetime(2026, 1, 1, 1, 30, 5, 999999, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(there) == "2025-12-31T23:30:05Z"
    assert rfc822(there) == "Wed, 31 Dec 2025 23:30:05 GMT"
    assert rfc3339(datetime(333, 2, 1, tzinfo=UTC)) == "0333-02-01T00:00:00Z"


def test_an_entry_without_a_title_is_called_by_its_summary_or_its_source() -> None:
    assert entry_parts.title(entry(title=" ")) == "The old bridge was closed on Sunday."
    assert entry_parts.title(entry(title="", summary="")) == "The Gazette: News"
    assert entry_parts.title(entry(title="", summary="", source=source(title=""))) == "Untitled"


def test_names_are_listed_once() -> None:
    assert entry_parts.authors(entry(authors=("Ada", " Ada", "Ben"))) == ["Ada", "Ben"]
    assert entry_parts.categories(entry(categories=("A", "", "B", "A"))) == ["A", "B"]


def test_an_outlet_without_a_name_is_called_by_its_feed() -> None:
    nameless = entry(coverage=(coverage(""),), source=source(title=""))
    assert entry_parts.outlet(nameless) == "https://gazette.example/feed.xml"


def test_everyone_else_is_linked_once_and_the_lead_not_again() -> None:
    again = coverage("Again", url="https://gazette.example/bridge-1")
    herald = coverage("The Herald")
    told = entry_parts.other_tellings(entry(coverage=(coverage("G"), again, herald, herald)))
    assert told == {
        "https://g.example/story": "How G put it",
        "https://the-herald.example/story": "How The Herald put it",
    }
