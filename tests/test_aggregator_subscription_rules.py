"""What becomes of a subscription at a hub: pure decisions."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from builders import HOUR, MINUTE, NOW
from fakes import answer, failure
from hypothesis import given
from hypothesis import strategies as st

from aggregator.stages.push.subscription_rules import (
    AGAIN_AFTER_DENIAL,
    OTHER_HUB_AFTER,
    PATIENCE,
    SETTLED_FOR,
    after_asking,
    due_step,
    heard,
    is_pushing,
    is_reachable,
    pause_after,
    push_works,
    wanted_hub,
)
from feeds.websub import Advert, Intent
from storage.values.push import Subscription

HUB, OTHER, THIRD = (f"https://hub{n}.example/" for n in (1, 2, 3))
TOPIC = "https://times.example/feed.xml"
DAY = timedelta(days=1)
ASKED = Intent("subscribe", TOPIC, "challenge", 10 * 86400)


def subscription(**changes: Any) -> Subscription:
    known = Subscription(
        id=1,
        source_id=1,
        hub=HUB,
        topic=TOPIC,
        document_url=TOPIC,
        callback_base="https://news.example/websub/",
        token="token",
        secret="secret",
        state="waiting",
        created_at=NOW - 2 * SETTLED_FOR,
        next_attempt_at=NOW,
    )
    return replace(known, **changes)


def active(**changes: Any) -> Subscription:
    known = {"state": "active", "asked_at": NOW - DAY, "verified_at": NOW - DAY}
    return subscription(**(known | {"lease_until": NOW + DAY} | changes))


def rng() -> Random:
    return Random(1)


# --- can hubs reach us --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base_url",
    ["https://news.example", "http://news.example:8080/a", "https://8.8.8.8/", "http://[2606::1]/"],
)
def test_public_addresses_can_be_reached(base_url: str) -> None:
    assert is_reachable(base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://news.localhost",
        "http://LOCALHOST./",
        "http://nas/",
        "http://nas.local/",
        "http://news.home.arpa",
        "http://10.1.2.3/",
        "http://[::1]:8080/",
        "http://[fe80::1]/",
        "https://abcdef.onion/",
        "http://",
        "http://[",
        "",
    ],
)
def test_others_cannot(base_url: str) -> None:
    assert not is_reachable(base_url)


# --- which hub ----------------------------------------------------------------------------------


def test_the_first_hub_of_a_feed_is_asked() -> None:
    assert wanted_hub(None, Advert((HUB, OTHER), TOPIC), NOW) == (HUB, TOPIC)
    assert wanted_hub(None, None, NOW) is None


def test_a_feed_without_hub_needs_no_subscription() -> None:
    assert wanted_hub(active(), None, NOW) is None


def test_a_hub_that_is_still_named_is_kept() -> None:
    assert wanted_hub(active(), Advert((OTHER, HUB), TOPIC), NOW) == (HUB, TOPIC)


def test_a_hub_that_fails_gives_way_to_the_next() -> None:
    hubs = Advert((OTHER, HUB, THIRD), TOPIC)
    assert wanted_hub(subscription(failures=OTHER_HUB_AFTER - 1), hubs, NOW) == (HUB, TOPIC)
    failing = subscription(failures=OTHER_HUB_AFTER)
    assert wanted_hub(failing, hubs, NOW) == (THIRD, TOPIC)
    assert wanted_hub(replace(failing, hub=THIRD), hubs, NOW) == (OTHER, TOPIC)
    assert wanted_hub(failing, Advert((HUB,), TOPIC), NOW) == (HUB, TOPIC), "there is no other"


def test_a_feed_that_makes_up_its_address_is_not_subscribed_to_at_every_poll() -> None:
    moved = Advert((HUB,), f"{TOPIC}?r=1")
    young = subscription(created_at=NOW - SETTLED_FOR + MINUTE)
    assert wanted_hub(young, moved, NOW) == (HUB, TOPIC)
    assert wanted_hub(subscription(), moved, NOW) == (HUB, f"{TOPIC}?r=1")
    assert wanted_hub(young, Advert((OTHER,), TOPIC), NOW) == (HUB, TOPIC)
    assert wanted_hub(subscription(), Advert((OTHER,), TOPIC), NOW) == (OTHER, TOPIC)


# --- whether push works -------------------------------------------------------------------------


def test_a_promise_holds_while_the_lease_lasts() -> None:
    assert is_pushing(active(), NOW)
    assert not is_pushing(active(), NOW + DAY)
    assert not is_pushing(active(state="denied"), NOW)
    assert not is_pushing(subscription(), NOW)
    assert not is_pushing(None, NOW)


def test_a_hub_that_missed_something_is_trusted_again_once_it_delivers() -> None:
    assert push_works(active(), NOW)
    assert not push_works(active(missed_at=NOW), NOW)
    assert not push_works(active(missed_at=NOW, last_delivery_at=NOW - MINUTE), NOW)
    assert push_works(active(missed_at=NOW - MINUTE, last_delivery_at=NOW), NOW)
    assert not push_works(subscription(last_delivery_at=NOW), NOW)
    assert not push_works(None, NOW)


# --- what is due --------------------------------------------------------------------------------


def test_a_new_subscription_is_asked_for() -> None:
    step = due_step(subscription(), NOW, rng())
    assert (step.ask, step.ended) == (True, False)
    assert (step.subscription.state, step.subscription.asked_at) == ("asked", NOW)
    assert step.subscription.next_attempt_at == NOW + PATIENCE


def test_a_lease_is_renewed_while_it_lasts() -> None:
    step = due_step(active(), NOW, rng())
    assert (step.ask, step.ended) == (True, False)
    assert (step.subscription.state, step.subscription.asked_at) == ("active", NOW)
    short = due_step(active(lease_until=NOW + MINUTE), NOW, rng())
    assert short.subscription.next_attempt_at == NOW + MINUTE, "its end is noticed"


def test_a_lease_that_ended_is_polled_for_and_asked_for_anew() -> None:
    step = due_step(active(lease_until=NOW), NOW, rng())
    assert (step.ask, step.ended) == (True, True)
    assert (step.subscription.state, step.subscription.lease_until) == ("asked", None)


def test_a_hub_that_never_verified_has_failed() -> None:
    asked = subscription(state="asked", asked_at=NOW - PATIENCE)
    step = due_step(asked, NOW, rng())
    assert (step.ask, step.ended) == (False, False)
    failed = step.subscription
    assert (failed.state, failed.asked_at, failed.failures) == ("waiting", None, 1)
    assert "did not verify" in (failed.last_error or "")
    again = due_step(failed, failed.next_attempt_at, rng())
    assert again.ask


def test_a_renewal_that_was_never_verified_leaves_the_lease_as_it_is() -> None:
    renewing = active(asked_at=NOW - PATIENCE)
    failed = due_step(renewing, NOW, rng()).subscription
    assert (failed.state, failed.lease_until, failed.failures) == ("active", NOW + DAY, 1)
    assert NOW < failed.next_attempt_at < NOW + HOUR


def test_a_denial_is_polled_for_and_asked_again_in_a_week() -> None:
    step = due_step(active(state="denied", asked_at=None), NOW, rng())
    assert (step.ask, step.ended) == (False, True)
    denied = step.subscription
    assert (denied.state, denied.lease_until) == ("denied", None)
    assert denied.next_attempt_at >= NOW + AGAIN_AFTER_DENIAL
    again = due_step(denied, denied.next_attempt_at, rng())
    assert (again.ask, again.ended, again.subscription.state) == (True, False, "asked")


# --- what the hub answers -----------------------------------------------------------------------


def test_a_hub_that_accepts_has_an_hour_to_verify() -> None:
    for status in (200, 202, 204):
        asked = subscription(state="asked", asked_at=NOW)
        assert after_asking(asked, answer(HUB, status=status), NOW, rng()) == replace(
            asked, next_attempt_at=NOW + PATIENCE
        )


def test_a_hub_that_refuses_is_asked_ever_later() -> None:
    found = subscription(state="asked", asked_at=NOW)
    waits = []
    for _ in range(20):
        found = after_asking(found, answer(HUB, status=500), NOW, rng())
        assert (found.state, found.asked_at) == ("waiting", None), "nothing is confirmed now"
        waits.append(found.next_attempt_at - NOW)
    assert found.last_error == "the hub answered 500"
    assert waits[0] >= timedelta(minutes=10)
    assert waits == sorted(waits)
    assert DAY <= waits[-1] <= 1.2 * DAY


def test_a_hub_that_cannot_be_reached_says_why() -> None:
    found = after_asking(subscription(asked_at=NOW), failure(HUB), NOW, rng())
    assert (found.failures, found.last_error) == (1, "trouble: timeout")


def test_retry_after_of_a_hub_is_kept() -> None:
    refused = answer(HUB, status=429, Retry_After="7200")
    assert after_asking(subscription(), refused, NOW, rng()).next_attempt_at >= NOW + 2 * HOUR


def test_a_renewal_that_fails_is_tried_again_until_the_lease_ends() -> None:
    found = active(lease_until=NOW + HOUR)
    for _ in range(5):
        found = after_asking(found, failure(HUB), NOW, rng())
        assert found.state == "active"
        assert found.next_attempt_at <= NOW + HOUR
    assert found.next_attempt_at == NOW + HOUR


# --- what the hub says --------------------------------------------------------------------------


def test_a_wish_is_confirmed_and_gets_its_lease() -> None:
    asked = subscription(state="asked", asked_at=NOW - MINUTE, failures=2, last_error="before")
    told = heard(asked, ASKED, NOW, rng())
    assert told is not None
    assert (told.state, told.verified_at, told.lease_until) == ("active", NOW, NOW + 10 * DAY)
    assert (told.failures, told.last_error) == (0, None)
    assert NOW + 6 * DAY <= told.next_attempt_at <= NOW + 8 * DAY
    other = heard(asked, ASKED, NOW, Random(2))
    assert other is not None
    assert other.next_attempt_at != told.next_attempt_at, "not all at one moment"
    assert heard(told, ASKED, NOW + MINUTE, rng()) is not None, "our first word may have been lost"


@pytest.mark.parametrize(
    "found",
    [
        subscription(),
        subscription(asked_at=NOW - PATIENCE),
        active(),
        subscription(state="denied", asked_at=NOW),
        subscription(asked_at=NOW, topic="https://other.example/"),
    ],
)
def test_what_was_not_asked_for_is_not_confirmed(found: Subscription) -> None:
    assert heard(found, ASKED, NOW, rng()) is None


@given(st.integers(1, 10**12 - 1))
def test_no_lease_makes_us_ask_all_the_time_or_never_again(seconds: int) -> None:
    asked = subscription(asked_at=NOW)
    told = heard(asked, replace(ASKED, lease=seconds), NOW, rng())
    assert told is not None
    assert timedelta(minutes=5) <= told.next_attempt_at - NOW <= timedelta(days=24)
    assert told.lease_until is not None
    assert told.lease_until <= NOW + timedelta(days=30)


def test_a_denial_ends_what_was_delivered_at_once() -> None:
    denial = Intent("denied", TOPIC, reason="no room")
    told = heard(active(), denial, NOW, rng())
    assert told is not None
    assert (told.state, told.next_attempt_at) == ("denied", NOW)
    assert told.last_error == "denied: no room"
    assert heard(told, denial, NOW, rng()) is None, "once is enough"
    before = heard(subscription(asked_at=NOW), Intent("denied", TOPIC), NOW, rng())
    assert before is not None
    assert before.next_attempt_at >= NOW + AGAIN_AFTER_DENIAL
    assert (before.last_error, before.asked_at) == ("denied", None)


def test_a_hub_gets_a_fifth_of_a_child() -> None:
    assert pause_after(0.0) == timedelta(seconds=1)
    assert pause_after(10.0) == timedelta(seconds=40)
