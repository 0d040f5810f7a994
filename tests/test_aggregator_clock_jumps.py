"""Clocks that jump a year forth and back: whatever was planned meanwhile is done all the same."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import feedparser
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_sources,
    commit_poll,
    entry_write,
    poll_commit,
    source_config,
)
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from newsroom_runs import opened, serve, settings_for
from test_aggregator_catalogue import Newsroom
from test_end_to_end import Outlets
from test_end_to_end_retention import item

from aggregator.operating.passes import full_pass
from aggregator.running.ticks import Ticks
from aggregator.stages.poll.schedule import (
    Health,
    Politeness,
    Poll,
    longest_wait,
    next_poll,
    put_right,
)
from aggregator.stages.push.announcing import after_telling, announcements
from feeds.model import FailureKind, FetchFailure, Response
from feeds.writing.http_cache import is_not_modified
from storage.articles import claim_new
from storage.database import Database
from storage.fetches import recent_fetches
from storage.pings import claim_pings, want_pings
from storage.sources import planned_beyond
from storage.subscriptions import add_subscription, claim_subscriptions
from storage.values.push import NewSubscription, Ping

YEAR = timedelta(days=365)
moments = st.integers(-400, 400).map(lambda days: NOW + timedelta(days=days))
outcomes = st.sampled_from(
    [
        Response("https://a.example/", 200, {}, b""),
        Response("https://a.example/", 304, {}, b""),
        Response("https://a.example/", 503, {"retry-after": "99999999"}, b""),
        Response("https://a.example/", 200, {"cache-control": "max-age=99999999"}, b""),
        FetchFailure("https://a.example/", FailureKind.TIMEOUT, "too slow"),
    ]
)
healths = st.builds(
    Health,
    interval=st.none() | st.floats(0, 86400),
    failures=st.integers(0, 40),
    last_success=st.none() | moments,
    gone_since=st.none() | moments,
    asked_interval=st.none() | st.floats(0, 1e9),
    skip_days=st.integers(0, 127),
    skip_hours=st.integers(0, 2**24 - 1),
    sample_size=st.integers(1, 20),
    sample_since=st.none() | moments,
    redirect_target=st.none() | st.just("https://b.example/"),
    redirect_since=st.none() | moments,
    redirect_polls=st.integers(0, 9),
    unslowed=st.none() | moments,
)


@given(healths, outcomes, st.lists(moments, max_size=9), st.integers(0, 9))
def test_no_memory_of_a_wrong_clock_plans_a_poll_beyond_the_longest_wait(
    health: Health, outcome: Response | FetchFailure, published: list[datetime], seed: int
) -> None:
    politeness = Politeness()
    poll = Poll(outcome, published=published)
    plan = next_poll(health, poll, NOW, politeness, Random(seed))
    assert plan.next_poll_at is not None
    wait = (plan.next_poll_at - NOW).total_seconds()
    assert 0 <= wait <= longest_wait(politeness)


@given(moments, st.none() | moments, st.integers(0, 9))
def test_what_a_wrong_clock_planned_is_due_within_an_interval(
    planned: datetime, polled: datetime | None, seed: int
) -> None:
    politeness = Politeness()
    at = put_right(planned, polled, NOW, politeness, Random(seed))
    assert at <= planned
    assert (at - NOW).total_seconds() <= longest_wait(politeness)
    if polled is not None and polled > NOW + HOUR:
        assert (at - NOW).total_seconds() <= politeness.min_interval
    elif (planned - NOW).total_seconds() <= longest_wait(politeness):
        assert at == planned, "nothing is wrong with it"


def test_claims_of_a_year_ahead_are_anybodys(database: Database) -> None:
    source = add_source(database)
    (article,) = add_articles(database, source.id, "a")
    assert claim_new(database, NOW, NOW + YEAR, 1)
    assert [one.id for one in claim_new(database, NOW, NOW + 10 * MINUTE, 1)] == [article]
    assert claim_new(database, NOW, NOW + 10 * MINUTE, 1) == (), "that one is good"

    new = NewSubscription(source.id, "https://hub.example/", "t", "d", "b", "token", "secret")
    add_subscription(database, new, NOW)
    assert claim_subscriptions(database, NOW, NOW + YEAR, 1)
    assert claim_subscriptions(database, NOW, NOW + HOUR, 1)
    assert claim_subscriptions(database, NOW, NOW + HOUR, 1) == ()

    want_pings(database, [Ping("https://hub.example/", "https://news.example/f", "1", NOW)])
    assert claim_pings(database, NOW, NOW + YEAR, 1)
    assert claim_pings(database, NOW, datetime(9999, 1, 1, tzinfo=UTC), 1)
    assert claim_pings(database, NOW, NOW + HOUR, 1) == (), "it was given up"


def test_a_hub_told_a_year_ahead_is_told_soon() -> None:
    hub, url = "https://hub.example/", "https://news.example/f"
    told = after_telling(Ping(hub, url, "1", NOW), Response(hub, 204, {}, b""), NOW + YEAR)
    ((again,), _) = announcements([told], {url: "2"}, [hub], NOW)
    assert again.next_attempt_at <= NOW + HOUR


def test_outcomes_dated_ahead_hide_no_later_ones(database: Database) -> None:
    source = add_source(database)
    for moment in (NOW, NOW + YEAR, NOW + MINUTE):
        commit_poll(database, poll_commit(source.id, at=moment))
    assert [row.at for row in recent_fetches(database, source.id, 9)] == [NOW + MINUTE, NOW]


def test_sources_planned_ahead_are_found_but_for_those_gone(database: Database) -> None:
    fine, ahead, gone, polled = add_sources(
        database, *(source_config(name) for name in ("fine", "ahead", "gone", "polled"))
    )
    commit_poll(database, poll_commit(fine.id, entry_write("a")))
    commit_poll(database, poll_commit(ahead.id, next_poll_at=NOW + YEAR))
    commit_poll(database, poll_commit(gone.id, next_poll_at=NOW + YEAR, gone=True))
    commit_poll(database, poll_commit(polled.id, at=NOW + YEAR, next_poll_at=NOW))
    found = planned_beyond(database, NOW + 2 * HOUR)
    assert [one.id for one in found] == [ahead.id, polled.id]


def test_a_date_far_ahead_is_no_condition() -> None:
    """Whoever got a Last-Modified of next year would be told for a year that nothing changed."""
    ahead = {"if-modified-since": "Mon, 22 Nov 2027 12:00:00 GMT"}
    soon = {"if-modified-since": "Sun, 22 Nov 2026 13:00:00 GMT"}
    assert is_not_modified(soon, '"1"', NOW)
    assert not is_not_modified(ahead, '"1"', NOW)


async def test_ticks_go_on_when_the_clock_is_set_back() -> None:
    ticked = asyncio.Event()
    ticks = Ticks({"one": (0.01, ticked.set)}, look=0.01)
    ticks.start()
    scheduler = ticks._scheduler
    async with asyncio.timeout(10):
        await ticked.wait()
        scheduler.get_job("one").modify(next_run_time=datetime.now(UTC) + YEAR)
        ticked.clear()
        await ticked.wait()
    ticks.stop()


async def test_a_story_that_gains_coverage_after_the_clock_was_set_back_is_published(
    database_url: str,
) -> None:
    room = Newsroom(database_url)
    with closing(room.ledger):
        room.now += YEAR
        room.joined_by(room.story(title="of next year"), room.post)
        assert await room.published(min_outlets=2) == ["of next year"]
        room.now -= YEAR
        story = room.story(title="of today")
        assert await room.published(min_outlets=2) == ["of next year"]
        room.joined_by(story, room.post)
        assert set(await room.published(min_outlets=2)) == {"of next year", "of today"}


async def test_a_year_forth_and_back_loses_nothing_and_dates_nothing_ahead(
    database_url: str,
) -> None:
    clock, outlets, numbers = FakeClock(), Outlets(), iter(range(99))
    seen: dict[str, str] = {}
    async with serve(outlets.app()) as url:
        settings = settings_for(
            database_url,
            [{"url": f"{url}/good", "name": "Good", "full_text": "never"}],
            fetch={"min_interval": "15m"},
        )
        async with opened(settings, clock) as application:

            async def comes(when: str) -> list[str]:
                """An item comes; what the feed shows once an interval has passed."""
                outlets.items["good"] = outlets.items.get("good", "") + item(next(numbers), when)
                clock.move(timedelta(minutes=31))
                await full_pass(application, everything=False)
                clock.move(timedelta(minutes=31))
                await full_pass(application, everything=False)
                document = application.publisher.document("feed", "atom")
                assert document is not None
                assert document.last_modified <= clock() + MINUTE
                entries = feedparser.parse(document.body).entries
                for entry in entries:
                    assert entry.updated >= seen.get(entry.id, entry.updated)
                    seen[entry.id] = entry.updated
                return [entry.title for entry in entries]

            assert len(await comes("")) == 1
            clock.move(YEAR)
            assert len(await comes("")) == 2
            clock.move(-YEAR)
            assert len(await comes("")) == 3, "asked within an interval, not in a year"
            ahead = [moment for moment in seen.values() if moment > (clock() + MINUTE).isoformat()]
    assert len(ahead) == 1, "only what was published while it was next year"
