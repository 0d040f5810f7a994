from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOW, feed_entry
from fakes import answer, failure

from aggregator.children import ChildFailure
from aggregator.stages.poll.findings import article_key, body_hash, is_to_be_read, read, unread
from feeds.model import FetchOutcome, NotAFeed, ParsedFeed, PollHints, Response, Validators
from feeds.websub import Advert
from storage.values.poll import FeedFacts, KnownEntry

URL = "https://times.example/feed.xml"
DOCUMENT = answer(URL, b"<rss/>", ETag='"1"', Last_Modified="Sun, 22 Nov 2026 12:00:00 GMT")
VALIDATORS = Validators(URL, '"1"', "Sun, 22 Nov 2026 12:00:00 GMT")


def parsed(*entries: object, **changes: object) -> ParsedFeed:
    feed = ParsedFeed("rss", "Times", "https://times.example/", "en", entries)  # type: ignore[arg-type]  # entries of the test
    return replace(feed, **changes)  # type: ignore[arg-type]  # fields of the test


@pytest.mark.parametrize(
    ("outcome", "known", "expected"),
    [
        (DOCUMENT, None, True),
        (DOCUMENT, "another", True),
        (DOCUMENT, body_hash(DOCUMENT), False),
        (answer(URL, b"<rss/>", 304), None, False),
        (answer(URL, b"<rss/>", 500), None, False),
        (failure(URL), None, False),
    ],
)
def test_only_a_200_of_other_bytes_is_read(
    outcome: FetchOutcome, known: str | None, expected: bool
) -> None:
    assert is_to_be_read(outcome, known) is expected


def test_the_same_document_again_renews_the_validators() -> None:
    finding = unread(DOCUMENT)
    assert finding.error is None
    assert finding.validators == VALIDATORS
    assert finding.body_hash is None
    assert finding.published is None


def test_a_304_renews_the_validators_it_resends_and_no_others() -> None:
    assert unread(answer(URL, status=304, ETag='"2"')).validators == Validators(URL, '"2"', None)
    assert unread(answer(URL, status=304)).validators is None
    assert unread(answer(URL, status=304)).error is None


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (answer(URL, status=410, ETag='"1"'), "410"),
        (answer(URL, status=500, ETag='"1"'), "the server answered 500"),
        (answer(URL, status=204, ETag='"1"'), "the server answered 204"),
        (failure(URL), "trouble: timeout"),
    ],
)
def test_what_is_no_document_is_an_error_without_validators(
    outcome: FetchOutcome, words: str
) -> None:
    finding = unread(outcome)
    assert finding.error is not None
    assert words in finding.error
    assert finding.validators is None


def test_a_new_document_brings_entries_facts_hints_and_validators() -> None:
    hints = PollHints(ttl=3600)
    finding = read(DOCUMENT, parsed(feed_entry("a"), hints=hints), {}, 1)
    assert [write.entry.guid for write in finding.new] == ["a"]
    assert finding.changed == ()
    assert finding.feed == FeedFacts("Times", "https://times.example/", None, None)
    assert finding.hints == hints
    assert finding.validators == VALIDATORS
    assert finding.body_hash == body_hash(DOCUMENT)
    assert finding.error is None


def test_known_entries_are_changed_or_nothing() -> None:
    known = {
        "a": KnownEntry(feed_entry("a").content_hash),
        "b": KnownEntry("another hash"),
    }
    finding = read(DOCUMENT, parsed(feed_entry("a"), feed_entry("b"), feed_entry("c")), known, 1)
    assert [write.entry.guid for write in finding.changed] == ["b"]
    assert [write.entry.guid for write in finding.new] == ["c"]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (ChildFailure("timeout", "took longer than 1 s"), "could not be read: took longer"),
        (NotAFeed("an HTML page"), "not a feed: an HTML page"),
        (
            NotAFeed("an HTML page", ("https://times.example/rss", "https://times.example/b")),
            "it offers https://times.example/rss, https://times.example/b: list",
        ),
    ],
)
def test_a_document_that_cannot_be_read_leaves_no_trace_but_its_error(
    outcome: NotAFeed | ChildFailure, words: str
) -> None:
    finding = read(DOCUMENT, outcome, {}, 1)
    assert finding.error is not None
    assert words in finding.error
    assert finding.validators is None, "or the next answer would be 304 and never read"
    assert finding.body_hash is None
    assert finding.published is None


def test_an_entry_whose_guid_is_spelled_anew_is_the_same_entry() -> None:
    before, after = "http://times.example/1", "https://times.example/1"
    known = {before: KnownEntry("hash of 1")}
    finding = read(DOCUMENT, parsed(feed_entry(after, content_hash="hash of 1")), known, 1)
    assert finding.new == ()
    assert finding.changed == ()
    changed = read(DOCUMENT, parsed(feed_entry(after, content_hash="other")), known, 1)
    assert [write.entry.guid for write in changed.changed] == [before]


def test_skipped_items_count_as_present_when_guids_are_recognised() -> None:
    """One new guid among four that stayed is a new entry, however like an old one it looks."""
    digests = {f"http://times.example/{n}": bytes([n]) for n in range(4)}
    known = {guid: KnownEntry("h", digest) for guid, digest in digests.items()}
    known["http://times.example/9"] = KnownEntry("h")
    document = parsed(feed_entry("https://times.example/9"), known_seen=frozenset(digests.values()))
    finding = read(DOCUMENT, document, known, 1)
    assert [write.entry.guid for write in finding.new] == ["https://times.example/9"]


def test_dates_of_skipped_items_count_and_guesses_do_not() -> None:
    old = NOW - timedelta(days=2)
    known = {
        "seen": KnownEntry("h", b"1", old),
        "seen, guessed": KnownEntry("h", b"2", None),
        "not in the document": KnownEntry("h", b"3", old - timedelta(days=1)),
    }
    document = parsed(
        feed_entry("a", published=NOW),
        feed_entry("b", published=NOW - timedelta(hours=1), published_guessed=True),
        feed_entry("c", published=None),
        known_seen=frozenset({b"1", b"2"}),
    )
    assert sorted(read(DOCUMENT, document, known, 1).published or ()) == [old, NOW]


def test_what_an_entry_without_address_is_about_is_the_entry() -> None:
    assert article_key(feed_entry("a"), 7) == "https://times.example/a"
    assert article_key(feed_entry("a", canonical_url=None), 7) == "urn:newsfold:7:a"


def test_a_response_without_validators_gives_none_of_its_own() -> None:
    assert unread(Response(URL, 200, {}, b"")).validators == Validators(URL)


def test_the_hubs_of_a_document_are_found_in_headers_or_in_itself() -> None:
    named = parsed(hubs=("https://hub.example/",), self_url=URL)
    finding = read(DOCUMENT, named, {}, 1)
    assert finding.advert == Advert(("https://hub.example/",), URL)
    assert finding.url == URL
    linked = answer(URL, b"<rss/>", Link='<https://hub2.example/>; rel="hub"')
    assert read(linked, named, {}, 1).advert == Advert(("https://hub2.example/",), URL)
    assert read(DOCUMENT, parsed(), {}, 1).advert is None


def test_what_was_not_read_says_nothing_of_hubs() -> None:
    for outcome in (DOCUMENT, answer(URL, status=304), failure(URL)):
        assert unread(outcome).url is None
    assert read(DOCUMENT, NotAFeed("no feed"), {}, 1).url is None
