from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import HOUR, NOW, add_source, commit_poll, entry_write, poll_commit
from conftest import ONE_ENGINE
from fakes import FakeTools, answer, failure

from aggregator.children import ChildFailure
from aggregator.ledger import Ledger
from aggregator.stages.extract.material_change import text_hash
from aggregator.stages.extract.pages import MOST_PAGES, usable_page
from aggregator.stages.extract.reading import (
    LEASE,
    MOST_ATTEMPTS,
    Reader,
    best_appearance,
    settle,
    wanted,
)
from feeds.model import DateSource, FetchOutcome, Hop, PageReading, WireEvidence
from feeds.page.article import ArticleMaterial, PageBytes
from feeds.page.choose import Choice, FeedText
from feeds.page.worth import Trial
from storage.articles import claim_new, count_by_state
from storage.database import open_database
from storage.folding import waiting_to_fold
from storage.sources import source_health
from storage.tables.article import article_texts, articles
from storage.tables.source import sources
from storage.values.extract import Appearance, ArticleReading, ArticleToRead

URL = "https://times.example/a"
ROBOTS = "https://times.example/robots.txt"
SENTENCES = [
    f"The harbour bridge carried {number} lorries and {number * 7} cars on its first day, "
    f"engineer number {number} told the council's transport committee."
    for number in range(2, 22)
]
PAGE = (
    "<html lang='en'><head><title>Bridge reopens</title></head><body><article><h1>Bridge reopens"
    "</h1>" + "".join(f"<p>{sentence}</p>" for sentence in SENTENCES) + "</article></body></html>"
)


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
def edges(database_url: str) -> Iterator[FakeTools]:
    ledger = Ledger(open_database(database_url))
    yield FakeTools(ledger)
    ledger.close()


def arrive(edges: FakeTools, guid: str = "a", full_text: str = "always", **entry: Any) -> None:
    source = add_source(edges.ledger.database, full_text=full_text)
    commit_poll(edges.ledger.database, poll_commit(source.id, entry_write(guid, **entry)))


async def read_all(edges: FakeTools, reader: Reader | None = None) -> None:
    reader = reader or Reader(edges.tools)
    for article in await reader.claim(10):
        await reader.read(article)


def row(edges: FakeTools) -> Any:
    with edges.ledger.database.read() as connection:
        return connection.execute(articles.select()).one()


async def test_a_page_gives_the_text(edges: FakeTools) -> None:
    arrive(edges)
    edges.fetcher.answers[URL] = answer(URL, PAGE, Content_Type="text/html")
    await read_all(edges)
    found = row(edges)
    assert found.state == "read"
    assert found.text_source == "page"
    assert found.text_length > 1000
    assert edges.fetcher.asked == [ROBOTS, URL]
    assert edges.tally.read == 1


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (failure(URL), "could not be fetched: trouble: timeout"),
        (answer(URL, status=403), "answered 403"),
        (answer(URL, b"%PDF", Content_Type="application/pdf; x=y"), "is application/pdf, not HTML"),
    ],
)
async def test_where_there_is_no_page_the_feeds_text_serves(
    edges: FakeTools, outcome: object, words: str
) -> None:
    arrive(edges)
    edges.fetcher.answers[URL] = outcome  # type: ignore[assignment]  # an outcome of the test
    await read_all(edges)
    found = row(edges)
    assert found.text_source == "feed"
    assert any(words in reason for reason in found.text_reasons)
    (waiting,) = waiting_to_fold(edges.ledger.database, NOW, timedelta(0), 10)
    assert "Summary of a" in waiting.matching_text


async def test_what_robots_txt_forbids_is_not_fetched(edges: FakeTools) -> None:
    arrive(edges)
    edges.fetcher.answers[ROBOTS] = answer(ROBOTS, "User-agent: *\nDisallow: /a")
    await read_all(edges)
    assert edges.fetcher.asked == [ROBOTS]
    assert any("robots.txt" in reason for reason in row(edges).text_reasons)


async def test_robots_txt_and_the_page_each_wait_their_turn(edges: FakeTools) -> None:
    arrive(edges)
    edges.fetcher.answers[ROBOTS] = answer(ROBOTS, "User-agent: *\nCrawl-delay: 7")
    hop = Hop(302, URL, "https://cdn.example/a")
    edges.fetcher.answers[URL] = replace(answer(URL, PAGE), hops=(hop,))
    await read_all(edges)
    assert edges.pacer.turns == [(ROBOTS, None), (URL, 7.0)]
    assert edges.pacer.visits == ["https://cdn.example/a"]


async def test_a_page_that_answers_with_retry_after_holds_its_host(edges: FakeTools) -> None:
    arrive(edges)
    edges.fetcher.answers[URL] = answer(URL, status=429, Retry_After="600")
    await read_all(edges)
    assert edges.pacer.holds == [(URL, 600.0)]
    (health,) = source_health(edges.ledger.database)
    assert health.next_poll_at >= NOW + timedelta(seconds=600)


async def test_a_pages_retry_after_holds_nobody_where_so_configured(edges: FakeTools) -> None:
    arrive(edges)
    edges.configure(fetch={"retry_after": "source"})
    edges.fetcher.answers[URL] = answer(URL, status=429, Retry_After="600")
    await read_all(edges)
    assert edges.pacer.holds == []


async def test_a_held_host_is_left_alone(edges: FakeTools) -> None:
    arrive(edges)
    edges.pacer.held[URL] = 300.0
    await read_all(edges)
    assert edges.fetcher.asked == []
    assert "the host asks to be left alone for 300 s" in row(edges).text_reasons


@pytest.mark.parametrize("held", [URL, ROBOTS])
async def test_a_host_held_while_the_article_waited_is_left_alone(
    edges: FakeTools, held: str
) -> None:
    arrive(edges)
    edges.pacer.held_in_turn[held] = 300.0
    await read_all(edges)
    assert URL not in edges.fetcher.asked
    assert any("left alone" in reason for reason in row(edges).text_reasons)


async def test_one_whose_lease_ended_while_it_waited_is_left_to_others(edges: FakeTools) -> None:
    arrive(edges)
    edges.fetcher.answers[URL] = answer(URL, PAGE)
    edges.pacer.while_waiting = lambda: edges.clock.move(LEASE)
    await read_all(edges)
    assert URL not in edges.fetcher.asked
    assert row(edges).state == "new"
    assert row(edges).attempts == 0, "it was not even begun"
    edges.pacer.while_waiting = lambda: None
    await read_all(edges)
    assert row(edges).text_source == "page"


async def test_a_page_that_kills_its_child_leaves_the_feeds_text(edges: FakeTools) -> None:
    arrive(edges)
    edges.fetcher.answers[URL] = answer(URL, PAGE)
    edges.children.failures = [None, ChildFailure("memory", "needed more than 1024 MiB")]
    await read_all(edges)
    found = row(edges)
    assert found.text_source == "feed"
    assert found.text_length > 0
    assert "the page could not be read: needed more than 1024 MiB" in found.text_reasons


async def test_an_article_of_which_nothing_can_be_read_is_settled_all_the_same(
    edges: FakeTools,
) -> None:
    arrive(edges)
    edges.fetcher.answers[URL] = answer(URL, PAGE)
    edges.children.failures = [ChildFailure("timeout", "too long"), ChildFailure("died", "died")]
    await read_all(edges)
    found = row(edges)
    assert found.state == "read"
    assert found.title == "Title of a"
    assert found.text_length == 0
    assert "the feed's text could not be read: too long" in found.text_reasons
    assert "the page could not be read: died" in found.text_reasons


async def test_a_wall_is_named_and_the_feeds_text_serves(edges: FakeTools) -> None:
    arrive(edges)
    wall = (
        "<html><head><title>Just a moment...</title></head><body><h1>Checking your browser before "
        "accessing times.example</h1><noscript>Enable JavaScript and cookies to continue"
        "</noscript></body></html>"
    )
    edges.fetcher.answers[URL] = answer(URL, wall, Content_Type="text/html")
    await read_all(edges)
    found = row(edges)
    assert found.wall is not None
    assert found.text_source == "feed"


async def test_an_article_changed_while_it_was_read_is_read_again(edges: FakeTools) -> None:
    arrive(edges)
    reader = Reader(edges.tools)
    claimed = await reader.claim(10)
    changed = entry_write("a", content_hash="other")
    commit_poll(edges.ledger.database, replace(poll_commit(1), changed=(changed,)))
    await reader.read(claimed[0])
    assert count_by_state(edges.ledger.database)["new"] == 1


# --- what is fetched ----------------------------------------------------------------------------


def appearance(**changes: Any) -> Appearance:
    known = Appearance(
        source_id=1,
        source_url="https://times.example/feed.xml",
        source_name="Times",
        publisher="times.example",
        priority=0,
        full_text="auto",
        source_language=None,
        url=URL,
        title="Title",
        summary_html="<p>Summary</p>",
        content_html="",
        authors=(),
        categories=(),
        published=None,
        published_guessed=False,
        language=None,
        image=None,
    )
    return replace(known, **changes)


def to_read(*appearances: Appearance, **changes: Any) -> ArticleToRead:
    return replace(
        ArticleToRead(1, URL, 1, NOW, appearances or (appearance(),), NOW + LEASE), **changes
    )


WHOLE = FeedText("Title", "word " * 200, "", "", None)
CUT = FeedText("Title", "word " * 20, "", "", "the feed's text ends in '[...]'")


@pytest.mark.parametrize(
    ("shown", "article", "fetch", "words"),
    [
        ({}, {}, True, "too little is known"),
        ({"full_text": "never"}, {}, False, "as configured"),
        ({"full_text": "always", "page_trials": (Trial.NO_BETTER,) * 12}, {}, True, "always"),
        ({"page_trials": (Trial.FEED_WHOLE,) * 12}, {}, False, "carries whole texts"),
        ({"page_trials": (Trial.FEED_WHOLE,) * 12, "pages_passed": 50}, {}, True, "a check"),
        ({}, {"url": None}, False, "names no page"),
        ({}, {"attempts": MOST_ATTEMPTS}, True, ""),
        ({}, {"attempts": MOST_ATTEMPTS + 1}, False, "given up after 10 attempts"),
    ],
)
def test_which_pages_are_fetched(
    shown: dict[str, Any], article: dict[str, Any], fetch: bool, words: str
) -> None:
    decided, why = wanted(to_read(**article), appearance(**shown), WHOLE)
    assert decided is fetch
    assert words in why


def test_a_cut_entry_of_a_source_with_whole_texts_is_fetched() -> None:
    known = appearance(page_trials=(Trial.FEED_WHOLE,) * 12)
    assert wanted(to_read(), known, CUT)[0]
    assert not wanted(to_read(), known, WHOLE)[0]


async def test_what_is_not_fetched_is_read_from_the_feed(edges: FakeTools) -> None:
    arrive(edges, full_text="never")
    await read_all(edges)
    assert edges.fetcher.asked == []
    assert row(edges).state == "read"


def test_an_interrupted_reading_counts_as_an_attempt(database_url: str) -> None:
    with_database = open_database(database_url)
    source = add_source(with_database)
    commit_poll(with_database, poll_commit(source.id, entry_write("a")))
    for attempt in range(1, MOST_ATTEMPTS + 2):
        (article,) = claim_new(with_database, NOW, NOW, 10)
        assert article.attempts == attempt
    assert not wanted(article, article.appearances[0], CUT)[0]
    with_database.close()


def test_the_preferred_source_speaks_then_the_one_that_says_most() -> None:
    short, long = appearance(source_id=1), appearance(source_id=2, content_html="<p>" + "x" * 99)
    preferred = appearance(source_id=3, priority=1, summary_html="")
    assert best_appearance([short, long]) is long
    assert best_appearance([short, long, preferred]) is preferred
    assert best_appearance([short, appearance(source_id=9)]) is short


def test_a_page_without_a_content_type_may_be_one() -> None:
    assert usable_page(answer(URL, b"<p>")).pages == (PageBytes(URL, b"<p>", None),)
    kind = "application/XHTML+xml; charset=utf-8"
    assert usable_page(answer(URL, b"<p>", Content_Type=kind)).pages == (
        PageBytes(URL, b"<p>", kind),
    )


@pytest.mark.parametrize(
    ("outcome", "answered"),
    [
        (failure(URL), False),
        (answer(URL, status=503), False),
        (answer(URL, status=429), False),
        (answer(URL, status=403), True),
        (answer(URL, status=410), True),
        (answer(URL, b"%PDF", Content_Type="application/pdf"), True),
        (answer(URL, b"<p>"), True),
    ],
)
def test_only_a_sites_own_word_teaches(outcome: FetchOutcome, answered: bool) -> None:
    assert usable_page(outcome).answered is answered


# --- settling -----------------------------------------------------------------------------------


def settled(page: PageReading | None = None, **shown: Any) -> ArticleReading:
    choice = Choice("Text", "<p>Text</p>", "text", "feed", full=True, reasons=("chosen",))
    return settle(
        to_read(), appearance(**shown), ArticleMaterial(choice, "Summary", page), ("first",)
    )


def page_reading(**changes: Any) -> PageReading:
    known = PageReading(
        url=URL,
        title="Page title",
        text="",
        html="",
        matching_text="",
        authors=("Page author",),
        language="fr",
        image="https://times.example/page.jpg",
        published=NOW - HOUR,
        published_source=DateSource.META,
    )
    return replace(known, **changes)


def test_the_feeds_word_goes_before_the_pages() -> None:
    shown = {
        "language": "en",
        "authors": ("Feed author",),
        "image": "https://times.example/feed.jpg",
        "published": NOW,
    }
    reading = settled(page_reading(), **shown)
    assert reading.title == "Title"
    assert (reading.language, reading.authors, reading.image, reading.published) == tuple(
        shown.values()
    )
    assert reading.text_reasons == ("first", "chosen")


def test_the_page_says_what_the_feed_does_not() -> None:
    reading = settled(page_reading(), title="", source_language="de")
    assert reading.title == "Page title"
    assert (reading.language, reading.authors) == ("fr", ("Page author",))
    assert (reading.published, reading.published_guessed) == (NOW - HOUR, False)


def test_the_sources_language_comes_last() -> None:
    assert settled(page_reading(language=None), source_language="de").language == "de"
    assert settled(source_language="de").language == "de"
    assert settled(language="en", source_language="de").language == "en"
    assert settled().language is None


@pytest.mark.parametrize(
    ("shown", "page", "expected"),
    [
        ((NOW, False), (NOW - HOUR, DateSource.JSON_LD), (NOW, False)),
        ((NOW, True), (NOW - HOUR, DateSource.JSON_LD), (NOW - HOUR, False)),
        ((NOW, True), (NOW - HOUR, DateSource.GUESSED), (NOW, True)),
        ((None, False), (NOW - HOUR, DateSource.GUESSED), (None, True)),
        ((None, False), (None, None), (None, True)),
    ],
)
def test_which_date_is_believed(shown: Any, page: Any, expected: Any) -> None:
    reading = settled(
        page_reading(published=page[0], published_source=page[1]),
        published=shown[0],
        published_guessed=shown[1],
    )
    assert (reading.published, reading.published_guessed) == expected


def test_evidence_and_walls_are_kept() -> None:
    page = page_reading(wire=WireEvidence("AP", 0.9, "dateline"), place="Kherson", wall="paywall")
    reading = settled(page)
    assert (reading.agency, reading.place, reading.wall) == ("AP", "Kherson", "paywall")
    assert (settled().agency, settled().place, settled().wall) == (None, None, None)
    faint = page_reading(wire=WireEvidence("WABC", 0.3, "dateline"))
    assert settled(faint).agency is None


def test_white_space_punctuation_and_capitals_are_no_change_of_text() -> None:
    first = text_hash("A Title", "Some text.\n\nMore of it")
    assert text_hash("a title ", "some  text - More\tof it!") == first
    assert text_hash("a title", "some text less of it") != first


def test_a_title_taken_from_the_page_counts_for_the_hash() -> None:
    one = settled(page_reading(title="One"), title="")
    two = settled(page_reading(title="Two"), title="")
    assert one.text_hash != two.text_hash


# --- what a source teaches ----------------------------------------------------------------------

WHOLE_HTML = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)


async def show(edges: FakeTools, source_id: int, guid: str, **entry: Any) -> None:
    url = f"https://times.example/{guid}"
    edges.fetcher.answers.setdefault(url, answer(url, PAGE.replace("harbour", f"{guid} harbour")))
    commit_poll(edges.ledger.database, poll_commit(source_id, entry_write(guid, **entry)))
    await read_all(edges)


def fetched(edges: FakeTools) -> int:
    return sum(url != ROBOTS for url in edges.fetcher.asked)


async def test_where_the_feed_carries_everything_pages_are_fetched_no_more(
    edges: FakeTools,
) -> None:
    source = add_source(edges.ledger.database)
    for number in range(8):
        await show(edges, source.id, f"w{number}", content_html=WHOLE_HTML)
    assert fetched(edges) == 5
    await show(edges, source.id, "cut", content_html="<p>Only this much [...]</p>")
    assert fetched(edges) == 6
    with edges.ledger.database.read() as connection:
        known = connection.execute(sources.select()).one()
    assert known.page_trials == [Trial.FEED_WHOLE] * 5 + [Trial.BETTER]
    assert known.pages_passed == 0


async def test_entries_that_pass_are_counted(edges: FakeTools) -> None:
    source = add_source(edges.ledger.database)
    for number in range(7):
        await show(edges, source.id, f"w{number}", content_html=WHOLE_HTML)
    commit_poll(edges.ledger.database, poll_commit(source.id, entry_write("newest")))
    (article,) = claim_new(edges.ledger.database, NOW, NOW, 10)
    assert article.appearances[0].pages_passed == 2
    assert article.appearances[0].page_trials == (Trial.FEED_WHOLE,) * 5


async def test_a_failure_of_the_moment_teaches_nothing(edges: FakeTools) -> None:
    source = add_source(edges.ledger.database)
    for number in range(7):
        url = f"https://times.example/d{number}"
        edges.fetcher.answers[url] = failure(url)
        await show(edges, source.id, f"d{number}")
    assert fetched(edges) == 7


async def test_a_source_that_refuses_its_pages_is_asked_no_more(edges: FakeTools) -> None:
    source = add_source(edges.ledger.database)
    for number in range(7):
        url = f"https://times.example/r{number}"
        edges.fetcher.answers[url] = answer(url, status=403)
        await show(edges, source.id, f"r{number}")
    assert fetched(edges) == 5


# --- the same text again ------------------------------------------------------------------------

NOTICE = (
    "<html><head><title>Courier</title></head><body><p>Dear reader, the Courier is written by "
    "people who live where you live. Tell us who you are to go on, it takes a minute.</p></body>"
)


async def test_the_same_text_for_other_articles_is_a_wall_and_the_first_is_read_again(
    edges: FakeTools,
) -> None:
    source = add_source(edges.ledger.database, full_text="always")
    for guid, title in (("one", "Harbour bridge closed"), ("two", "Mayor resigns")):
        edges.fetcher.answers[f"https://times.example/{guid}"] = answer(URL, NOTICE)
        await show(edges, source.id, guid, title=title, summary_html="<p>Short.</p>")
    await read_all(edges)
    with edges.ledger.database.read() as connection:
        rows = connection.execute(articles.select()).all()
    assert [(row.wall, row.text_source, row.state) for row in rows] == [
        ("repeated", "feed", "read")
    ] * 2
    assert all("the page is a wall (repeated)" in row.text_reasons for row in rows)


async def test_one_article_at_two_addresses_is_no_wall(edges: FakeTools) -> None:
    source = add_source(edges.ledger.database, full_text="always")
    for guid, title in (("one", "Harbour bridge lorries"), ("two", "Council: bridge lorries")):
        edges.fetcher.answers[f"https://times.example/{guid}"] = answer(URL, PAGE)
        await show(edges, source.id, guid, title=title)
    with edges.ledger.database.read() as connection:
        assert {row.wall for row in connection.execute(articles.select())} == {None}


# --- rules and articles in several pages --------------------------------------------------------


def ruled(edges: FakeTools, **rules: Any) -> None:
    arrive(edges)
    source = {"url": "https://times.example/feed.xml"} | rules
    edges.configure(source=[source])


async def test_the_operators_rules_are_kept(edges: FakeTools) -> None:
    ruled(edges, select=["#only"])
    edges.fetcher.answers[URL] = answer(
        URL, PAGE.replace("</article>", "</article><div id='only'><p>Just this text.</p></div>")
    )
    await read_all(edges)
    assert row(edges).text_length == len("Just this text.")


def page_of(number: int, of: int, after: str = "") -> str:
    part = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES[4 * number : 4 * number + 4])
    link = f"<a class='next' href='/a?page={number + 1}'>next</a>" if number + 1 < of else after
    return f"<html><body><article><h1>Bridge reopens</h1>{part}</article>{link}</body></html>"


async def test_an_article_in_several_pages_is_read_whole(edges: FakeTools) -> None:
    ruled(edges, next_page="a.next")
    edges.fetcher.answers[URL] = answer(URL, page_of(0, 3))
    for number in (1, 2):
        at = f"{URL}?page={number}"
        edges.fetcher.answers[at] = answer(at, page_of(number, 3))
    await read_all(edges)
    assert edges.fetcher.asked == [ROBOTS, URL, f"{URL}?page=1", f"{URL}?page=2"]
    assert [url for url, _ in edges.pacer.turns] == edges.fetcher.asked
    with edges.ledger.database.read() as connection:
        text = connection.execute(article_texts.select()).one().text
    assert all(sentence in text for sentence in SENTENCES[:12])


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("<a class='next' href='https://elsewhere.example/a'>next</a>", 1),
        ("<a class='next' href='/a'>next</a>", 1),
        ("<a class='next' href='/missing'>next</a>", 2),
    ],
)
async def test_next_pages_are_of_the_same_site_and_asked_for_once(
    edges: FakeTools, link: str, asked: int
) -> None:
    ruled(edges, next_page="a.next")
    edges.fetcher.answers[URL] = answer(URL, page_of(0, 1, link))
    await read_all(edges)
    assert fetched(edges) == asked
    missing = "page 2 is missing: the page's server answered 404" in row(edges).text_reasons
    assert missing == (asked == 2)


async def test_an_endless_article_ends(edges: FakeTools) -> None:
    ruled(edges, next_page="a.next")
    for number in range(MOST_PAGES + 5):
        at = f"{URL}?page={number}" if number else URL
        edges.fetcher.answers[at] = answer(at, page_of(number, 99))
    await read_all(edges)
    assert fetched(edges) == MOST_PAGES


async def test_a_page_whose_next_kills_a_child_stands_alone(edges: FakeTools) -> None:
    ruled(edges, next_page="a.next")
    edges.fetcher.answers[URL] = answer(URL, page_of(0, 3))
    edges.children.failures = [None, ChildFailure("timeout", "too long")]
    await read_all(edges)
    assert fetched(edges) == 1
    assert row(edges).state == "read"
