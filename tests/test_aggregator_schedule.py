"""When a source is asked next: each rule of politeness, and all of them together."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from types import NoneType
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.stages.poll.schedule import (
    Health,
    Plan,
    Politeness,
    Poll,
    next_poll,
    permanent_target,
    spread,
    without_push,
)
from feeds.model import FailureKind, FetchFailure, Hop, PollHints, Response

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # a Sunday
URL = "https://news.example/feed"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
PLAIN = Politeness(jitter=0)
REFUSED = FetchFailure(URL, FailureKind.CONNECT, "news.example: no connection")


def answer(
    status: int = 200, headers: Mapping[str, str] | None = None, hops: tuple[Hop, ...] = ()
) -> Response:
    return Response(URL, status, headers or {}, b"", hops)


def read(
    *ages: float,
    headers: Mapping[str, str] | None = None,
    hints: PollHints | None = None,
    status: int = 200,
    hops: tuple[Hop, ...] = (),
    now: datetime = NOW,
) -> Poll:
    """A poll that read a document with entries of these ages in seconds."""
    published = [now - timedelta(seconds=age) for age in ages]
    return Poll(answer(status, headers, hops), hints=hints or PollHints(), published=published)


def plan(
    poll: Poll, health: Health | None = None, politeness: Politeness = PLAIN, now: datetime = NOW
) -> Plan:
    return next_poll(health or Health(), poll, now, politeness, Random(1))


def wait(result: Plan, now: datetime = NOW) -> float:
    assert result.next_poll_at is not None
    return (result.next_poll_at - now).total_seconds()


def every(gap: float, count: int = 20) -> list[float]:
    return [gap * n for n in range(1, count + 1)]


# --- what servers and feeds ask for ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "max-age=7200"}, 7200),
        ({"cache-control": "max-age=7200", "age": "1200"}, 6000),
        ({"expires": format_datetime(NOW + timedelta(hours=3), usegmt=True)}, 3 * HOUR),
        ({"cache-control": "max-age=60"}, 15 * MINUTE),
        ({"cache-control": "max-age=999999999"}, DAY),
        ({"cache-control": "no-cache"}, 15 * MINUTE),
        ({"expires": "0"}, 15 * MINUTE),
        ({}, 15 * MINUTE),
    ],
)
def test_max_age_and_expires_are_waited_for(headers: dict[str, str], seconds: float) -> None:
    assert wait(plan(read(*every(MINUTE), headers=headers))) == seconds


def test_a_304_may_prolong_freshness() -> None:
    poll = Poll(answer(304, {"cache-control": "max-age=7200"}))
    assert wait(plan(poll)) == 2 * HOUR


@pytest.mark.parametrize(
    ("hints", "seconds"),
    [
        (PollHints(ttl=2 * HOUR), 2 * HOUR),
        (PollHints(update_interval=3 * HOUR), 3 * HOUR),
        (PollHints(ttl=2 * HOUR, update_interval=3 * HOUR), 3 * HOUR),
        (PollHints(ttl=60), 15 * MINUTE),
        (PollHints(ttl=9e9), DAY),
    ],
)
def test_ttl_and_update_period_are_kept(hints: PollHints, seconds: float) -> None:
    first = plan(read(*every(MINUTE), hints=hints))
    assert wait(first) == seconds
    # A 304 carries no document: what the last one said still holds.
    assert wait(plan(Poll(answer(304)), first.health)) == seconds


def test_a_document_that_asks_nothing_clears_what_was_asked() -> None:
    first = plan(read(*every(MINUTE), hints=PollHints(ttl=2 * HOUR, skip_days=frozenset({6}))))
    second = plan(read(*every(MINUTE)), first.health)
    assert wait(second) == 15 * MINUTE
    assert second.health.skip_days == 0


def test_skipped_hours_are_skipped() -> None:
    result = plan(read(*every(MINUTE), hints=PollHints(skip_hours=frozenset({12, 13, 14}))))
    assert 3 * HOUR <= wait(result) < 3.5 * HOUR
    assert "skipHours" in result.reasons[-1]


def test_skipped_days_are_skipped_whole() -> None:
    hints = PollHints(skip_days=frozenset({6, 0}))
    result = plan(read(*every(MINUTE), hints=hints))
    assert result.next_poll_at is not None
    assert result.next_poll_at.weekday() == 1  # Tuesday, beyond max_interval
    assert result.next_poll_at.hour == 0


def test_skipped_hours_and_days_hold_together_and_in_gmt() -> None:
    hints = PollHints(skip_hours=frozenset(range(9)), skip_days=frozenset({6}))
    elsewhere = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    result = plan(read(*every(MINUTE), hints=hints), now=elsewhere)
    assert result.next_poll_at is not None
    at = result.next_poll_at.astimezone(UTC)
    assert (at.weekday(), at.hour) == (0, 9)


@pytest.mark.parametrize(
    "hints",
    [
        PollHints(skip_hours=frozenset(range(24))),
        PollHints(skip_days=frozenset(range(7))),
        PollHints(skip_hours=frozenset({20}), skip_days=frozenset({3})),
    ],
)
def test_skipping_everything_or_another_time_changes_nothing(hints: PollHints) -> None:
    assert wait(plan(read(*every(MINUTE), hints=hints))) == 15 * MINUTE


def test_skipped_times_hold_for_failures_too() -> None:
    health = Health(skip_hours=1 << 12)
    assert HOUR <= wait(plan(Poll(REFUSED), health)) < 1.5 * HOUR


# --- the source's own rhythm ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "seconds"),
    [
        (MINUTE, 15 * MINUTE),
        (HOUR, 30 * MINUTE),
        (4 * HOUR, 2 * HOUR),
        (7 * DAY, DAY),
    ],
)
def test_the_interval_follows_the_rhythm(gap: float, seconds: float) -> None:
    assert wait(plan(read(*every(gap)))) == pytest.approx(seconds)


def test_silence_makes_the_interval_grow_even_by_304() -> None:
    health = plan(read(*every(HOUR))).health
    later = NOW + timedelta(hours=60)
    result = next_poll(health, Poll(answer(304)), later, PLAIN, Random(1))
    assert wait(result, later) == pytest.approx(2 * HOUR)  # 20 entries in 80 hours


def test_one_pinned_entry_does_not_slow_a_daily() -> None:
    assert wait(plan(read(*every(HOUR, 10), 9 * 365 * DAY))) == pytest.approx(30 * MINUTE)


def test_future_dates_do_not_count() -> None:
    assert wait(plan(read(*every(HOUR), -5 * DAY, -DAY))) == pytest.approx(30 * MINUTE)
    assert plan(read(-DAY, -DAY, -DAY)).health.sample_since is None


def test_without_dates_news_shortens_and_silence_lengthens_the_interval() -> None:
    undated = Poll(answer(), hints=PollHints(), published=[])
    first = plan(undated)
    assert wait(first) == 15 * MINUTE
    second = plan(undated, first.health)
    assert wait(second) == 22.5 * MINUTE
    third = plan(Poll(answer(304)), second.health)
    assert wait(third) == pytest.approx(33.75 * MINUTE)
    fourth = plan(replace(undated, new_entries=2), third.health)
    assert wait(fourth) == pytest.approx(16.875 * MINUTE)


def test_without_dates_the_interval_grows_to_the_maximum_and_no_further() -> None:
    health = Health()
    for _ in range(30):
        health = plan(Poll(answer(304)), health).health
    assert health.interval == DAY


def test_zero_as_minimum_is_no_wait_while_there_is_news() -> None:
    busy = Politeness(min_interval=0, jitter=0)
    assert wait(plan(Poll(answer(), new_entries=1), politeness=busy)) == 0
    assert wait(plan(read(0, 0, 0), politeness=busy)) == 0


def test_a_configured_interval_replaces_the_rhythm_but_not_what_is_asked_for() -> None:
    fixed = replace(PLAIN, interval=HOUR)
    assert wait(plan(read(*every(MINUTE)), politeness=fixed)) == HOUR
    assert wait(plan(read(*every(7 * DAY)), politeness=fixed)) == HOUR
    slow = read(*every(MINUTE), headers={"cache-control": "max-age=7200"})
    assert wait(plan(slow, politeness=fixed)) == 2 * HOUR


# --- failures -------------------------------------------------------------------------------------


def test_failures_back_off_exponentially_up_to_the_maximum() -> None:
    health, waits = Health(interval=HOUR), []
    for _ in range(12):
        result = plan(Poll(REFUSED), health)
        waits.append(wait(result))
        health = result.health
    assert waits[:7] == [n * 15 * MINUTE for n in (2, 4, 8, 16, 32, 64, 96)]
    assert waits[7:] == [DAY] * 5
    assert health.failures == 12
    assert health.interval == HOUR


def test_thousands_of_failures_do_not_overflow() -> None:
    assert wait(plan(Poll(REFUSED), Health(failures=100_000))) == DAY


def test_one_success_ends_the_back_off() -> None:
    health = Health(
        interval=HOUR, failures=9, sample_size=20, sample_since=NOW - timedelta(hours=20)
    )
    result = plan(Poll(answer(304)), health)
    assert result.health.failures == 0
    assert result.health.last_success == NOW
    assert wait(result) == 30 * MINUTE


def test_backing_off_from_a_minimum_of_zero_starts_at_a_minute() -> None:
    assert wait(plan(Poll(REFUSED), politeness=Politeness(min_interval=0, jitter=0))) == 2 * MINUTE


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 451, 500, 502, 504, 999])
def test_other_statuses_are_failures(status: int) -> None:
    result = plan(Poll(answer(status)))
    assert result.health.failures == 1
    assert f"status {status}" in result.reasons[0]


def test_a_document_that_is_no_feed_is_a_failure_and_brings_nothing() -> None:
    poll = replace(read(*every(HOUR), hints=PollHints(ttl=HOUR)), problem="it is a web page")
    result = plan(poll)
    assert result.reasons[0] == "it is a web page"
    assert result.health == Health(failures=1)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7200", 2 * HOUR),
        (format_datetime(NOW + timedelta(hours=2), usegmt=True), 2 * HOUR),
        ("1", 15 * MINUTE),
        ("0", 15 * MINUTE),
        ("-5", 15 * MINUTE),
        ("5400.5", 5400.5),
        ("99999999999999999", DAY),
        (format_datetime(NOW - timedelta(hours=2), usegmt=True), 15 * MINUTE),
    ],
)
def test_retry_after_is_taken_at_its_word(status: int, value: str, seconds: float) -> None:
    result = plan(Poll(answer(status, {"retry-after": value})), Health(interval=HOUR, failures=3))
    assert wait(result) == seconds
    assert result.host_not_before == NOW + timedelta(seconds=seconds)
    assert "Retry-After" in result.reasons[1]


def test_a_retry_after_date_counts_from_the_servers_date() -> None:
    slow = NOW - timedelta(days=2)
    headers = {
        "date": format_datetime(slow, usegmt=True),
        "retry-after": format_datetime(slow + timedelta(hours=1), usegmt=True),
    }
    assert wait(plan(Poll(answer(503, headers)))) == HOUR


def test_retry_after_holds_the_source_only_where_so_configured() -> None:
    politeness = replace(PLAIN, retry_after_scope="source")
    result = plan(Poll(answer(429, {"retry-after": "7200"})), politeness=politeness)
    assert wait(result) == 2 * HOUR
    assert result.host_not_before is None


@pytest.mark.parametrize("value", [{}, {"retry-after": "soon"}, {"retry-after": ""}])
@pytest.mark.parametrize("status", [429, 503])
def test_overload_without_a_readable_retry_after_doubles_the_interval(
    status: int, value: dict[str, str]
) -> None:
    result = plan(Poll(answer(status, value)), Health(interval=HOUR))
    assert wait(result) == 2 * HOUR
    assert wait(plan(Poll(answer(status, value)), result.health)) == 4 * HOUR
    assert result.host_not_before is None


def test_retry_after_elsewhere_means_nothing() -> None:
    assert wait(plan(Poll(answer(500, {"retry-after": "7200"})))) == 30 * MINUTE
    assert wait(plan(Poll(answer(200, {"retry-after": "7200"})))) == 15 * MINUTE


def test_410_stops_and_is_reported() -> None:
    result = plan(Poll(answer(410)), Health(interval=HOUR))
    assert result.next_poll_at is None
    assert result.health.gone_since == NOW
    assert "410" in result.reasons[0]
    later = next_poll(result.health, Poll(answer(410)), NOW + timedelta(days=1), PLAIN, Random(1))
    assert later.health.gone_since == NOW


def test_a_source_that_came_back_is_no_longer_gone() -> None:
    assert plan(Poll(answer(304)), Health(gone_since=NOW)).health.gone_since is None


# --- limits and jitter ----------------------------------------------------------------------------


def test_jitter_only_lengthens_below_the_maximum() -> None:
    politeness = Politeness(jitter=0.1)
    waits = {
        wait(next_poll(Health(), read(*every(4 * HOUR)), NOW, politeness, Random(seed)))
        for seed in range(50)
    }
    assert len(waits) == 50
    assert all(2 * HOUR - 1e-6 <= seconds <= 2.2 * HOUR for seconds in waits)


def test_jitter_at_the_maximum_shortens_but_not_below_what_was_asked() -> None:
    politeness = Politeness(jitter=0.1)
    free = [
        wait(next_poll(Health(), read(*every(9 * DAY)), NOW, politeness, Random(seed)))
        for seed in range(50)
    ]
    assert len(set(free)) == 50
    assert all(0.9 * DAY <= seconds <= DAY for seconds in free)
    asked = read(headers={"cache-control": "max-age=86400"})
    assert {
        wait(next_poll(Health(), asked, NOW, politeness, Random(seed))) for seed in range(50)
    } == {DAY}


def test_the_same_seed_gives_the_same_plan() -> None:
    plans = [next_poll(Health(), read(5, 6, 7), NOW, Politeness(), Random(3)) for _ in range(2)]
    assert plans[0] == plans[1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_interval": -1}, "min_interval"),
        ({"min_interval": 90_000}, "max_interval"),
        ({"jitter": 1.5}, "jitter"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Politeness(**settings)


@settings(deadline=None)
@given(
    st.builds(
        Health,
        interval=st.none() | st.floats(0, 2 * DAY),
        failures=st.integers(0, 2000),
        asked_interval=st.none() | st.floats(0, 1e12),
        skip_hours=st.integers(0, 2**24 - 1),
        skip_days=st.integers(0, 127),
        sample_size=st.integers(3, 20),
        sample_since=st.none()
        | st.integers(0, 40 * 366).map(lambda days: NOW - timedelta(days=days)),
    ),
    st.one_of(
        st.just(Poll(REFUSED)),
        st.builds(
            Poll,
            st.builds(
                answer,
                st.sampled_from([200, 304, 404, 429, 500, 503]),
                st.fixed_dictionaries(
                    {},
                    optional={
                        "cache-control": st.integers(-5, 10**12).map("max-age={}".format),
                        "retry-after": st.integers(-5, 10**12).map(str),
                    },
                ),
            ),
            new_entries=st.integers(0, 5),
        ),
    ),
    st.builds(
        lambda low, more, jitter, fixed: Politeness(low, low + more, fixed, jitter=jitter),
        st.floats(0, DAY),
        st.floats(0, 7 * DAY),
        st.floats(0, 1),
        st.none() | st.floats(0, 2 * DAY),
    ),
    st.integers(),
)
def test_every_plan_keeps_the_limits(
    health: Health, poll: Poll, politeness: Politeness, seed: int
) -> None:
    result = next_poll(health, poll, NOW, politeness, Random(seed))
    seconds = wait(result)
    assert seconds >= politeness.min_interval - 1e-3
    if "skipHours" not in result.reasons[-1]:
        assert seconds <= politeness.max_interval + 1e-3
    else:
        assert seconds <= politeness.max_interval + 8 * DAY
    assert result.reasons
    assert all(reason.isprintable() for reason in result.reasons)


def test_health_is_made_of_plain_columns() -> None:
    plain = {int, float, str, datetime, NoneType}
    for name, of_type in get_type_hints(Health).items():
        assert set(get_args(of_type) or [of_type]) <= plain, name


# --- while a hub delivers -------------------------------------------------------------------------

PUSHED = Politeness(jitter=0, slowdown=4)


def test_a_source_that_a_hub_delivers_is_polled_less_often() -> None:
    usual, slow = plan(read(*every(HOUR))), plan(read(*every(HOUR)), politeness=PUSHED)
    assert wait(slow) == 4 * wait(usual)
    assert slow.health.interval == usual.health.interval, "its rhythm is what it was"
    assert slow.health.unslowed == usual.next_poll_at
    assert "while a hub delivers" in slow.reasons[-1]
    assert usual.health.unslowed is None


def test_not_less_often_than_the_maximum_nor_than_the_operator_said() -> None:
    assert wait(plan(read(*every(DAY)), politeness=PUSHED)) == DAY
    fixed = Politeness(jitter=0, slowdown=4, interval=HOUR)
    assert wait(plan(read(*every(DAY)), politeness=fixed)) == HOUR
    assert plan(read(*every(2 * DAY)), politeness=PUSHED).health.unslowed is None


def test_without_push_the_next_poll_is_where_it_would_have_been() -> None:
    health = plan(read(*every(HOUR)), politeness=PUSHED).health
    assert health.unslowed is not None
    assert without_push(health, NOW, Random(1)) == health.unslowed
    late = without_push(health, NOW + timedelta(days=1), Random(1))
    assert late is not None
    assert 0 <= (late - NOW).total_seconds() - DAY <= MINUTE
    assert without_push(Health(), NOW, Random(1)) is None


@pytest.mark.parametrize("poll", [Poll(REFUSED), Poll(answer(410)), Poll(answer(503))])
def test_backing_off_is_not_cut_short_by_a_hub_that_ends(poll: Poll) -> None:
    health = plan(read(*every(HOUR)), politeness=PUSHED).health
    assert plan(poll, health, PUSHED).health.unslowed is None


# --- moving ---------------------------------------------------------------------------------------


def moved(status: int = 301, target: str = "https://new.example/feed") -> tuple[Hop, ...]:
    return (Hop(status, URL, target),)


def follow(days: list[float], polls: list[Poll]) -> list[Plan]:
    health, plans = Health(), []
    for day, poll in zip(days, polls, strict=True):
        plans.append(next_poll(health, poll, NOW + timedelta(days=day), PLAIN, Random(1)))
        health = plans[-1].health
    return plans


@pytest.mark.parametrize("status", [301, 308])
def test_a_permanent_redirect_is_adopted_after_it_held(status: int) -> None:
    plans = follow([0, 1, 2, 3, 4, 5], [read(hops=moved(status))] * 6)
    assert [p.adopt for p in plans[:5]] == [None] * 4 + ["https://new.example/feed"]
    assert "permanently moved" in plans[4].reasons[-1]
    assert plans[4].health.redirect_target is None


def test_it_takes_days_as_well_as_polls() -> None:
    plans = follow([n / 24 for n in range(10)], [read(hops=moved())] * 10)
    assert [p.adopt for p in plans] == [None] * 10
    assert plans[-1].health.redirect_polls == 10


def test_it_takes_polls_as_well_as_days() -> None:
    assert [p.adopt for p in follow([0, 30], [read(hops=moved())] * 2)] == [None, None]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_never_adopted(status: int) -> None:
    plans = follow([0, 5, 10, 15, 20, 25, 30], [read(hops=moved(status))] * 7)
    assert [p.adopt for p in plans] == [None] * 7


@pytest.mark.parametrize(
    "interruption",
    [read(), read(hops=moved(target="https://third.example/")), read(hops=moved(302))],
)
def test_a_redirect_that_changes_begins_anew(interruption: Poll) -> None:
    polls = [read(hops=moved())] * 4 + [interruption] + [read(hops=moved())] * 4
    assert [p.adopt for p in follow([float(n) for n in range(9)], polls)] == [None] * 9


def test_a_failure_neither_counts_nor_begins_anew() -> None:
    polls = [read(hops=moved())] * 4 + [Poll(REFUSED)] + [read(hops=moved())]
    plans = follow([0, 1, 2, 3, 4, 5], polls)
    assert [bool(p.adopt) for p in plans] == [False] * 5 + [True]


def test_a_redirect_to_what_is_no_feed_is_not_adopted() -> None:
    parked = replace(read(hops=moved()), problem="it is a web page")
    assert [p.adopt for p in follow([0, 5, 10, 15, 20, 25], [parked] * 6)] == [None] * 6


def test_only_the_permanent_start_of_a_chain_counts() -> None:
    a, b, c, d = (f"https://{name}.example/" for name in "abcd")
    assert permanent_target(()) is None
    assert permanent_target((Hop(301, a, b), Hop(308, b, c))) == c
    assert permanent_target((Hop(301, a, b), Hop(302, b, c), Hop(301, c, d))) == b
    assert permanent_target((Hop(302, a, b), Hop(301, b, c))) is None


def test_no_move_gives_up_https() -> None:
    assert permanent_target((Hop(301, "https://a.example/", "http://a.example/"),)) is None
    upgrade = Hop(301, "http://a.example/", "https://a.example/")
    assert permanent_target((upgrade,)) == "https://a.example/"
    assert (
        permanent_target((upgrade, Hop(301, "https://a.example/", "http://b.example/")))
        == "https://a.example/"
    )


# --- after a pause --------------------------------------------------------------------------------


def test_polls_after_a_days_pause_are_spread_evenly() -> None:
    due = [(NOW - timedelta(days=1), HOUR)] * 900
    delays = sorted((at - NOW).total_seconds() for at in spread(due, NOW, Random(5)))
    assert all(n <= delay <= n + 1 for n, delay in enumerate(delays))


def test_a_short_pause_makes_a_short_spread() -> None:
    due = [(NOW - timedelta(seconds=10), HOUR)] * 100
    assert max(spread(due, NOW, Random(5))) <= NOW + timedelta(seconds=10)


def test_no_source_is_put_off_beyond_its_own_interval() -> None:
    long_ago = NOW - timedelta(days=1)
    due: list[tuple[datetime, float | None]] = [
        (long_ago, MINUTE),
        (long_ago, 0.0),
        (long_ago, None),
    ]
    for seed in range(50):
        minute, zero, unknown = spread(due * 50, NOW, Random(seed))[:3]
        assert minute <= NOW + timedelta(minutes=1)
        assert zero == NOW
        assert unknown <= NOW + timedelta(minutes=15)


def test_what_is_not_due_yet_is_not_brought_forward() -> None:
    later = NOW + timedelta(hours=1)
    assert spread([(later, HOUR)], NOW, Random(1)) == [later]
    assert spread([], NOW, Random(1)) == []
