# ruff: noqa: E501 - markup and phrases stand whole on their lines

import gzip
import json
import pickle
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import PARAGRAPHS, article
from trafilatura.utils import trim

from feeds.model import DateSource, PageReading
from feeds.page import second_readings
from feeds.page.extract import read_page

URL = "https://courier.example/news/bridge"
TITLE = "Harbour bridge closed until spring"
PAGES = Path(__file__).parents[2] / "shared" / "data" / "pages"

HEAD = """<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle",
"headline": "Harbour bridge closed until spring", "author": {"@type": "Person", "name": "Marta Lind"},
"publisher": {"@type": "Organization", "name": "Norwick Courier"},
"datePublished": "2026-11-20T08:30:00+01:00", "dateModified": "2026-11-20T10:00:00+01:00"}</script>
<link rel="canonical" href="/news/bridge"><meta property="og:image" content="/img/bridge.jpg">"""

BEFORE = """<p class="standfirst">By Marta Lind</p><p>20 November 2026</p>
<figure><img src="/img/bridge.jpg" width="900"><figcaption>The bridge on Monday. (Jo Park via AP)</figcaption></figure>"""

AFTER = """<p>(Reporting by Marta Lind; Editing by Jo Park)</p>
<div class="newsletter"><p>Sign up for our newsletter and get all the news in your inbox every morning.</p></div>
<section class="related"><h3>Related articles</h3><ul>
<li><a href="/a">Bridge to be painted green, council says</a></li>
<li><a href="/b">Ferry is late again, and nobody knows why</a></li></ul></section>"""


def full_page() -> bytes:
    return article(
        ["NORWICK (AP) — " + PARAGRAPHS[0], *PARAGRAPHS[1:]], head=HEAD, before=BEFORE, after=AFTER
    )


def test_everything_a_page_has_to_say() -> None:
    reading = read_page(full_page(), URL, content_type="text/html; charset=utf-8")
    assert reading.title == TITLE
    assert reading.authors == ("Marta Lind",)
    assert reading.publisher == "Norwick Courier"
    assert reading.published == datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    assert reading.published_source is DateSource.JSON_LD
    assert reading.modified == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert reading.canonical_url == URL
    assert reading.image == "https://courier.example/img/bridge.jpg"
    assert reading.language == "en"
    assert reading.place == "NORWICK"
    assert reading.wire is not None
    assert (reading.wire.agency, reading.wire.strength) == ("AP", 0.95)
    assert reading.wall is None
    assert reading.quality > 0.8


def test_the_display_has_the_article_and_its_picture() -> None:
    reading = read_page(full_page(), URL)
    assert PARAGRAPHS[5] in reading.text
    assert TITLE not in reading.text
    assert "newsletter" not in reading.text
    assert "painted green" not in reading.text
    assert '<img src="https://courier.example/img/bridge.jpg"' in reading.html
    assert "<figcaption>The bridge on Monday. (Jo Park via AP)</figcaption>" in reading.html


def test_the_matching_text_is_what_was_written() -> None:
    assert read_page(full_page(), URL).matching_text == "\n".join(PARAGRAPHS)


def test_a_reading_crosses_processes() -> None:
    reading = read_page(full_page(), URL)
    assert pickle.loads(pickle.dumps(reading)) == reading


def test_the_feeds_headline_counts_as_a_title() -> None:
    html = article(before="<p>Old bridge shut for the winter</p>", title="Norwick")
    assert "Old bridge" not in read_page(html, URL, headline="Old bridge shut for the winter").text


def test_a_guessed_time_says_so() -> None:
    reading = read_page(article(before="<p class='date'>November 20, 2026</p>"), URL)
    assert reading.published == datetime(2026, 11, 20, tzinfo=UTC)
    assert reading.published_source is DateSource.GUESSED
    assert "the time is guessed" in reading.reasons


def test_a_page_without_a_date_has_none() -> None:
    reading = read_page(article(), URL)
    assert (reading.published, reading.published_source) == (None, None)


def test_the_printed_byline_is_the_author_of_a_page_that_names_none() -> None:
    assert read_page(article(before="<p class='byline'>By Marta Lind</p>"), URL).authors == (
        "Marta Lind",
    )


GERMAN = (
    "Die Hafenbrücke von Norwick ist am Montag gesperrt worden, nachdem Taucher in zwei der sieben"
    " Pfeiler Risse gefunden hatten, teilte die Stadt am Abend mit."
)


def test_the_language_is_heard_where_none_is_said() -> None:
    sentences = [
        GERMAN,
        GERMAN.replace("Taucher", "Angler") + " Die Ursache ist noch nicht bekannt.",
    ]
    assert read_page(article(sentences, lang=""), URL).language == "de"
    assert read_page(article(sentences, lang="en"), URL).language == "en"


def test_a_long_text_knows_its_language_better_than_the_template() -> None:
    sentences = [GERMAN.replace("Montag", f"{day}. Januar") for day in range(1, 20)]
    assert read_page(article(sentences, lang="en"), URL).language == "de"


def test_a_stub_behind_a_paywall_is_told() -> None:
    head = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
    reading = read_page(article(PARAGRAPHS[:1], head=head), URL)
    assert reading.wall == "paywall"
    assert reading.quality == 0
    assert PARAGRAPHS[0] in reading.text


def test_a_cookie_notice_is_never_an_article() -> None:
    notice = "We and our partners use cookies to store and access information. Accept all cookies."
    html = f"<html><title>Your privacy</title><body><div><p>{notice}</p><p>See our cookie policy.</p></div></body></html>"
    reading = read_page(html.encode(), "https://consent.courier.example/x")
    assert reading.wall == "consent"


def test_a_page_read_only_by_lines_has_a_display_all_the_same() -> None:
    html = f"<html><body><table>{'<tr><td>' + PARAGRAPHS[0].replace(' ', ' <br> ') + '</td></tr>'}</table></body></html>"
    reading = read_page(html.encode(), URL)
    assert reading.text
    assert reading.html


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00" * 5000, bytes(range(256)) * 100, b"%PDF-1.4 \x93\x8c", b"\x1f\x8b" + b"x" * 99],
)
def test_what_is_no_page_is_a_value(body: bytes) -> None:
    reading = read_page(body, URL, headline="Bridge closed")
    assert reading.text == ""
    assert reading.quality == 0
    assert reading.reasons


HOSTILE = {
    "attributes": b"<p "
    + b" ".join(b'a%d="x"' % number for number in range(50_000))
    + b">hello</p>",
    "depth": b"<div>" * 100_000 + b"hello",
    "inline depth": b"<b>" * 20_000 + b"hello",
    "nul": b"<p>" + b"hello\x00" * 10_000 + b"</p>",
    "unclosed": b"<p>hello<a href='" * 2_000,
    "entities": b"<p>" + b"&amp;&#x110000;&#0;&nosuch;" * 5_000 + b"</p>",
    "one word": b"<p>" + b"hello" * 200_000 + b"</p>",
    "spaces": b"<p>" + b" " * 500_000 + b"hello</p>",
    "brackets": b"<p>" + b"(" * 50_000 + b"</p><p>" + b")" * 50_000 + b"</p>",
    "paragraphs": b"<p>hello world, (AP)</p>" * 20_000,
    "script": b"<script>" + b"<" * 500_000,
    "links": b"<a href='/x'>link text</a> " * 60_000,
    "cells": b"<table>" + b"<tr><td>a</td><td>b</td></tr>" * 60_000,
    "title": b"<title>" + b"word - " * 300_000 + b"</title><p>hello",
    "many attributes": (b"<p " + b"".join(b"a%d " % n for n in range(3_000)) + b">hello</p>") * 30,
    "json": b"<script type='application/ld+json'>" + b'{"a":' * 50_000 + b"</script><p>hello",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_values(name: str) -> None:
    assert isinstance(read_page(HOSTILE[name], URL), PageReading)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_mutated_pages_are_values(chance: random.Random, changes: int) -> None:
    body = bytearray(full_page())
    for _ in range(changes):
        at = chance.randrange(len(body))
        match chance.randrange(3):
            case 0:
                body[at] = chance.randrange(256)
            case 1:
                del body[at : at + chance.randrange(200)]
            case _:
                body[at:at] = body[at : at + chance.randrange(200)]
    reading = read_page(bytes(body), URL)
    assert isinstance(reading, PageReading)
    assert "<script" not in reading.html.lower()


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from(["text/html", "text/html; charset=utf-16", "x", ""])
)
def test_any_bytes_are_a_value(body: bytes, content_type: str) -> None:
    assert isinstance(read_page(body, URL, content_type=content_type), PageReading)


def test_the_same_page_reads_the_same_the_thousandth_time() -> None:
    first = read_page(full_page(), URL)
    assert all(read_page(full_page(), URL) == first for _ in range(5))


def test_caches_are_emptied_now_and_then() -> None:
    trim("fill the cache")
    assert not second_readings.forget_now_and_then(499)
    assert trim.cache_info().currsize
    assert second_readings.forget_now_and_then(500)
    assert not trim.cache_info().currsize


@pytest.mark.skipif(not PAGES.exists(), reason="../shared/data/pages is not there")
def test_the_development_pages_are_read_as_well_as_measured() -> None:
    gold = [json.loads(line) for line in (PAGES / "gold.jsonl").read_text().splitlines()[:40]]
    scores = []
    for row in gold:
        html = gzip.decompress((PAGES / "html" / f"{row['id']}.html.gz").read_bytes())
        scores.append(overlap(read_page(html, row["url"]).text, row["main_content"]))
    assert sum(scores) / len(scores) > 0.93


def overlap(text: str, gold: str) -> float:
    ours, theirs = set(text.lower().split()), set(gold.lower().split())
    return 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))


def test_labels_over_the_text_are_not_of_it() -> None:
    html = article(before="<p>Opinion</p><p>3 min</p><p>Photo: Jo Park</p>")
    reading = read_page(html, URL)
    assert reading.text == "\n\n".join(PARAGRAPHS)
    assert reading.matching_text == "\n".join(PARAGRAPHS)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("Ann Berg", "Ann Berg"),
        ("Norwick Courier", "Marta Lind"),
        ("mlind2", "Marta Lind"),
        ("Associated Press", "Associated Press"),
    ],
)
def test_a_publisher_or_a_users_name_is_no_author_where_one_is_printed(
    stated: str, found: str
) -> None:
    head = (
        f"<meta name='author' content='{stated}'>"
        "<meta property='og:site_name' content='Norwick Courier'>"
    )
    printed = article(head=head, before="<p class='byline'>By Marta Lind</p>")
    assert read_page(printed, URL).authors == (found,)
    assert read_page(article(head=head), URL).authors == (stated,)
