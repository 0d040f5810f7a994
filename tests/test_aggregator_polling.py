import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from builders import HOUR, MINUTE, NOW, source_config
from conftest import ONE_ENGINE
from fakes import FakeTools, answer, failure, rss

from aggregator.children import ChildFailure
from aggregator.ledger import Ledger
from aggregator.stages.poll.findings import Finding, unread
from aggregator.stages.poll.polling import LEASE, NEVER, Poller, decide, health_of, remembered
from aggregator.stages.poll.schedule import Health, Politeness
from feeds.model import FailureKind, Hop, Validators
from storage.database import open_database
from storage.polling import known_entries
from storage.sources import make_all_due, source_health, sync_sources
from storage.status import totals
from storage.values.source import SourceState

URL = "https://times.example/feed.xml"
FEED = answer(URL, rss(("1", "One"), ("2", "Two")), ETag='"1"')


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
def edges(database_url: str) -> Iterator[FakeTools]:
    ledger = Ledger(open_database(database_url))
    sync_sources(ledger.database, [source_config()], NOW)
    yield FakeTools(ledger)
    ledger.close()


async def poll(edges: FakeTools, poller: Poller | None = None) -> SourceState | None:
    """Poll what is due; the source that was claimed."""
    poller = poller or Poller(edges.tools)
    claimed = await poller.claim(100)
    for source in claimed:
        await poller.poll(source)
    return claimed[0] if claimed else None


async def again(edges: FakeTools) -> SourceState:
    """Poll once more, whenever that is due."""
    edges.clock.move(timedelta(days=2))
    source = await poll(edges)
    assert source is not None
    return source


async def test_a_poll_writes_entries_validators_and_the_next_time(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    assert edges.tally.polled == 1
    assert edges.tally.entries == 2
    (health,) = source_health(edges.ledger.database)
    assert health.last_success_at == NOW
    assert health.next_poll_at > NOW
    assert (await again(edges)).validators == Validators(URL, '"1"', None)
    assert edges.fetcher.requests[-1].validators == Validators(URL, '"1"', None)


async def test_the_same_bytes_are_not_parsed_again(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    assert edges.children.calls == 1
    await again(edges)
    assert edges.children.calls == 1
    assert totals(edges.ledger.database).entries == 2


async def test_guids_that_change_with_every_poll_make_no_new_article(edges: FakeTools) -> None:
    link = "<link>https://times.example/a</link>"
    for number in range(3):
        item = f"<item><title>One</title><guid isPermaLink='false'>{number}</guid>{link}</item>"
        edges.fetcher.answers[URL] = answer(URL, f"<rss><channel>{item}</channel></rss>")
        await (again(edges) if number else poll(edges))
    assert edges.tally.failed == {}
    assert totals(edges.ledger.database).articles == 1


async def test_a_changed_document_brings_only_what_changed(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    edges.fetcher.answers[URL] = answer(URL, rss(("1", "One"), ("2", "Two, anew"), ("3", "Three")))
    await again(edges)
    assert edges.tally.entries == 4
    assert set(known_entries(edges.ledger.database, 1, newest=10)) == {"1", "2", "3"}


async def test_one_whose_lease_ended_while_it_waited_is_left_to_others(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = FEED
    edges.pacer.while_waiting = lambda: edges.clock.move(LEASE)
    await poll(edges)
    assert edges.fetcher.requests == []
    (health,) = source_health(edges.ledger.database)
    assert health.last_poll_at is None
    assert health.next_poll_at == NOW + LEASE
    assert edges.tally.polled == 0


async def test_a_held_host_postpones_the_source(edges: FakeTools) -> None:
    edges.pacer.held[URL] = 120.0
    await poll(edges)
    assert edges.fetcher.requests == []
    (health,) = source_health(edges.ledger.database)
    assert health.next_poll_at == NOW + 2 * MINUTE
    assert health.failures == 0


async def test_retry_after_holds_the_host_that_answered(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = answer(
        "https://feeds.example/times", status=503, Retry_After="7200"
    )
    await poll(edges)
    ((held, seconds),) = edges.pacer.holds
    assert held == "https://feeds.example/times"
    assert seconds == pytest.approx(7200)
    assert edges.tally.failed == {"Times": "the server answered 503"}


async def test_retry_after_puts_off_the_hosts_other_sources_in_every_process_and_later(
    edges: FakeTools,
) -> None:
    """Where that is remembered, a restart or another process does not forget it."""
    database = edges.ledger.database
    other = "https://times.example/sport.xml"
    sync_sources(
        database, [source_config(), source_config("x", url=other), source_config("far")], NOW
    )
    edges.fetcher.answers[URL] = answer(URL, status=429, Retry_After="7200")
    poller = Poller(edges.tools)
    (first,) = await poller.claim(1)
    await poller.poll(first)
    due = {health.url: health.next_poll_at for health in source_health(database)}
    assert first.url == URL
    assert due[other] == NOW + 2 * HOUR
    assert due["https://far.example/feed.xml"] == NOW


async def test_retry_after_holds_the_source_alone_where_so_configured(edges: FakeTools) -> None:
    database = edges.ledger.database
    other = "https://times.example/sport.xml"
    sync_sources(database, [source_config(), source_config("x", url=other)], NOW)
    edges.configure(source=[{"url": URL, "retry_after": "source"}])
    edges.fetcher.answers[URL] = answer(URL, status=429, Retry_After="7200")
    poller = Poller(edges.tools)
    (first,) = await poller.claim(1)
    await poller.poll(first)
    due = {health.url: health.next_poll_at for health in source_health(database)}
    assert due[URL] >= NOW + 2 * HOUR
    assert due[other] == NOW
    assert edges.pacer.holds == []


async def test_a_source_is_asked_as_configured_for_it(edges: FakeTools) -> None:
    own = {"url": URL, "username": "ann", "password": "s3cret", "host_interval": "0s"}
    edges.configure(source=[own | {"interval": "2m", "timeout": "7s"}])
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    (request,) = edges.fetcher.requests
    assert request.basic_auth == ("ann", "s3cret")
    assert request.timeout == 7
    assert edges.pacer.turns == [(URL, 0.0)]
    (health,) = source_health(edges.ledger.database)
    assert 2 * MINUTE <= health.next_poll_at - NOW < 3 * MINUTE


async def test_a_failure_without_retry_after_holds_nobody_else(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = failure(URL)
    await poll(edges)
    assert edges.pacer.holds == []
    assert edges.tally.failed == {"Times": "trouble: timeout"}


async def test_every_host_that_redirects_led_to_is_paced(edges: FakeTools) -> None:
    hops = (
        Hop(302, URL, "https://a.example/"),
        Hop(302, "https://a.example/", "https://b.example/"),
    )
    edges.fetcher.answers[URL] = replace(FEED, hops=hops)
    await poll(edges)
    assert edges.pacer.visits == ["https://a.example/", "https://b.example/"]


async def test_a_permanent_redirect_is_adopted_once_it_has_held(edges: FakeTools) -> None:
    moved = "https://new.example/feed.xml"
    answered = replace(FEED, url=moved, hops=(Hop(301, URL, moved),))
    edges.fetcher.answers[URL] = edges.fetcher.answers[moved] = answered
    await poll(edges)
    for _ in range(4):
        assert (await again(edges)).feed_url == URL
    assert (await again(edges)).feed_url == moved
    assert edges.fetcher.asked == [URL] * 5 + [moved]


async def test_a_gone_source_is_polled_only_when_asked_for(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = answer(URL, status=410)
    await poll(edges)
    (health,) = source_health(edges.ledger.database)
    assert health.gone
    assert health.next_poll_at == NEVER
    edges.clock.move(timedelta(days=3650))
    assert await poll(edges) is None
    edges.fetcher.answers[URL] = FEED
    await edges.ledger.write(make_all_due, edges.clock())
    await poll(edges)
    (health,) = source_health(edges.ledger.database)
    assert not health.gone
    assert health.next_poll_at < NEVER


async def test_a_misunderstood_conditional_request_is_followed_by_a_plain_one(
    edges: FakeTools,
) -> None:
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    edges.fetcher.answers[URL] = failure(URL, FailureKind.PROTOCOL)
    assert (await again(edges)).validators is not None
    assert (await again(edges)).validators is None


async def test_other_failures_keep_the_validators(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    edges.fetcher.answers[URL] = failure(URL)
    await again(edges)
    assert (await again(edges)).validators is not None


async def test_a_document_that_kills_its_child_is_an_error_and_read_again(
    edges: FakeTools,
) -> None:
    edges.fetcher.answers[URL] = FEED
    edges.children.failures = [ChildFailure("timeout", "took longer than 20 s and was stopped")]
    await poll(edges)
    assert "took longer" in edges.tally.failed["Times"]
    assert (await again(edges)).validators is None
    assert totals(edges.ledger.database).entries == 2


async def test_a_page_where_a_feed_was_is_an_error(edges: FakeTools) -> None:
    edges.fetcher.answers[URL] = answer(URL, "<html><body>Hello", Content_Type="text/html")
    await poll(edges)
    assert edges.tally.failed["Times"].startswith("not a feed")


async def test_an_elder_entry_than_is_remembered_is_not_new(edges: FakeTools) -> None:
    """Its guid is looked up where it is not among the newest."""
    edges.fetcher.answers[URL] = FEED
    await poll(edges)
    edges.fetcher.answers[URL] = answer(URL, rss(("2", "Two"), ("1", "One")))
    await again(edges)
    assert edges.tally.entries == 2


# --- decide -------------------------------------------------------------------------------------

SOURCE = SourceState(
    id=1,
    url=URL,
    feed_url=URL,
    name="Times",
    publisher="times.example",
    category=None,
    language=None,
    priority=0,
    full_text="auto",
    validators=Validators(URL, '"1"', "Sun, 22 Nov 2026 12:00:00 GMT"),
    body_hash=None,
    schedule={},
    failures=0,
    claimed_until=NOW + LEASE,
)


def decided(outcome: object, finding: Finding | None = None) -> object:
    found = finding or unread(outcome)  # type: ignore[arg-type]  # an outcome of the test
    commit, _ = decide(SOURCE, outcome, found, Politeness(), now=NOW, rng=Random(1))  # type: ignore[arg-type]  # the same
    return commit


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (answer(URL, status=304), None),
        (
            answer(URL, status=304, ETag='"2"'),
            Validators(URL, '"2"', "Sun, 22 Nov 2026 12:00:00 GMT"),
        ),
        (
            answer(URL, status=304, Last_Modified="Mon, 23 Nov 2026 12:00:00 GMT"),
            Validators(URL, '"1"', "Mon, 23 Nov 2026 12:00:00 GMT"),
        ),
        (answer(URL, status=200, ETag='"2"'), Validators(URL, '"2"', None)),
        (answer(URL, status=200), Validators(URL, None, None)),
        (
            answer("https://new.example/", status=304, ETag='"2"'),
            Validators("https://new.example/", '"2"', None),
        ),
        (answer(URL, status=500, ETag='"2"'), None),
    ],
)
def test_which_validators_are_remembered(outcome: object, kept: Validators | None) -> None:
    assert decided(outcome).validators == kept  # type: ignore[attr-defined]  # a PollCommit


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (answer(URL, status=304), "unchanged"),
        (answer(URL, status=410), "gone"),
        (answer(URL, status=404), "failed"),
        (failure(URL), "failed"),
    ],
)
def test_what_a_poll_is_recorded_as(outcome: object, word: str) -> None:
    assert decided(outcome).outcome == word  # type: ignore[attr-defined]  # a PollCommit


def test_the_schedule_survives_being_written_down() -> None:
    health = Health(
        interval=900.0,
        failures=2,
        last_success=NOW,
        gone_since=NOW - HOUR,
        skip_hours=5,
        sample_size=3,
        sample_since=NOW - 2 * HOUR,
        redirect_target=URL,
        redirect_since=NOW,
        redirect_polls=2,
    )
    assert health_of(remembered(health)) == health
    assert health_of({}) == Health()


# --- after a pause ------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [timedelta(hours=1), timedelta(days=1), timedelta(days=30)])
async def test_after_a_pause_sources_are_spread_and_those_hardly_late_are_not(
    edges: FakeTools, pause: timedelta
) -> None:
    names = [f"n{number}" for number in range(20)]
    database = edges.ledger.database
    sync_sources(database, [source_config(name) for name in names], NOW)
    poller = Poller(edges.tools)
    for name in names:
        edges.fetcher.answers[f"https://{name}.example/feed.xml"] = FEED
    await poll(edges, poller)
    due = max(health.next_poll_at for health in source_health(database))
    edges.clock.moment = due + timedelta(seconds=1)
    assert await poller.spread_overdue() == 0
    edges.clock.moment = due + pause
    sync_sources(database, [source_config(name) for name in (*names, "fresh")], edges.clock())
    assert await poller.spread_overdue() == 20
    moments = {h.name: h.next_poll_at - edges.clock() for h in source_health(database)}
    assert moments.pop("Fresh") == timedelta(0)
    assert len(set(moments.values())) == 20
    assert timedelta(0) < max(moments.values()) <= timedelta(minutes=15)
    assert [source.name for source in await poller.claim(100)] == ["Fresh"]


async def test_polls_run_side_by_side(edges: FakeTools) -> None:
    sync_sources(edges.ledger.database, [source_config("a"), source_config("b")], NOW)
    poller = Poller(edges.tools)
    claimed = await poller.claim(100)
    assert len(claimed) == 2
    await asyncio.gather(*(poller.poll(source) for source in claimed))
    assert edges.tally.polled == 2
