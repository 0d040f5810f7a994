"""What becomes of a subscription at a hub, and why. Pure: no clock, no randomness of its own.

A subscription is ``waiting`` until it is ``asked`` for; a hub that verifies the wish makes it
``active`` until its lease ends, one that refuses it ``denied``. Leases are renewed while they
last. Whatever a hub does, polling goes on: a working push only makes it slower
(:func:`push_works`), and one that ends brings the next poll back to where it would have been.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from random import Random
from urllib.parse import urlsplit

from feeds.http.freshness import retry_after
from feeds.http.guard import Guard
from feeds.model import FetchFailure, FetchOutcome, Response
from feeds.websub import Advert, Intent
from storage.values.push import Subscription

PATIENCE = timedelta(hours=1)
"""How long a hub may take to verify a wish."""
AGAIN_AFTER_DENIAL = timedelta(days=7)
SETTLED_FOR = timedelta(days=1)
"""How long a hub and topic are kept while the feed names others: some make up a topic each time."""
OTHER_HUB_AFTER = 3
"""Failures in a row after which the next of several hubs is asked."""

_BACK_OFF = timedelta(minutes=10)
_MOST_BACK_OFF = timedelta(days=1)
_MOST_DOUBLINGS = 10
_MOST_LEASE = timedelta(days=30)
_LEAST_RENEWAL = timedelta(minutes=5)
"""A hub that gives shorter leases than that is not asked more often for it."""
_UNREACHABLE = ("localhost", "local", "internal", "home.arpa", "lan", "test", "invalid", "onion")


def is_reachable(base_url: str) -> bool:
    """Whether hubs out there can reach ``base_url``, as far as its spelling tells."""
    try:
        host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    try:
        return Guard().refusal(str(ip_address(host))) is None
    except ValueError:
        return "." in host and not f".{host}".endswith(tuple(f".{name}" for name in _UNREACHABLE))


# --- what a poll says ---------------------------------------------------------------------------


def is_pushing(subscription: Subscription | None, now: datetime) -> bool:
    """Whether the hub has promised to deliver."""
    return (
        subscription is not None
        and subscription.state == "active"
        and subscription.lease_until is not None
        and subscription.lease_until > now
    )


def push_works(subscription: Subscription | None, now: datetime) -> bool:
    """Whether the hub keeps its promise: it delivered since a poll last found what it had not."""
    if subscription is None or not is_pushing(subscription, now):
        return False
    missed, delivered = subscription.missed_at, subscription.last_delivery_at
    return missed is None or (delivered is not None and delivered > missed)


def wanted_hub(
    subscription: Subscription | None, advert: Advert | None, now: datetime
) -> tuple[str, str] | None:
    """The hub and topic to be subscribed at, given what the document says; None for none.

    One that works is kept while it is named at all; one that fails gives way to the next.
    """
    if advert is None:
        return None
    if subscription is None:
        return advert.hubs[0], advert.topic
    current = subscription.hub, subscription.topic
    if advert.topic != subscription.topic or subscription.hub not in advert.hubs:
        settled = now - subscription.created_at < SETTLED_FOR
        return current if settled else (advert.hubs[0], advert.topic)
    if subscription.failures < OTHER_HUB_AFTER:
        return current
    place = advert.hubs.index(subscription.hub) + 1
    return advert.hubs[place % len(advert.hubs)], advert.topic


# --- what is due --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about a subscription whose time has come.

    ``subscription`` as it is to be remembered before anything is done; ``ask`` the hub; ``ended``
    says that push has ended, and polls are to take its place.
    """

    subscription: Subscription
    ask: bool
    ended: bool


def due_step(subscription: Subscription, now: datetime, rng: Random) -> Step:
    """Decide on a subscription that is due."""
    ended = subscription.lease_until is not None and not is_pushing(subscription, now)
    if ended:
        state = "denied" if subscription.state == "denied" else "waiting"
        subscription = replace(subscription, lease_until=None, state=state)
    if ended and subscription.state == "denied":
        at = _later(now, AGAIN_AFTER_DENIAL, rng)
        return Step(replace(subscription, next_attempt_at=at), ask=False, ended=True)
    if is_awaited(subscription):
        words = f"did not verify the subscription within {PATIENCE.seconds // 60} minutes"
        return Step(_failed(subscription, words, now, rng), ask=False, ended=ended)
    state = "active" if is_pushing(subscription, now) else "asked"
    asked = replace(
        subscription, state=state, asked_at=now, next_attempt_at=_watch(subscription, now)
    )
    return Step(asked, ask=True, ended=ended)


def is_awaited(subscription: Subscription) -> bool:
    """Whether the hub was asked and has not verified it since."""
    asked, verified = subscription.asked_at, subscription.verified_at
    return asked is not None and (verified is None or verified < asked)


def after_asking(
    subscription: Subscription, outcome: FetchOutcome, now: datetime, rng: Random
) -> Subscription:
    """The subscription once the hub has answered, or not, that it was asked."""
    error = refusal(outcome)
    if error is None:
        return replace(subscription, next_attempt_at=_watch(subscription, now))
    least = timedelta(seconds=told_to_wait(outcome, now))
    return _failed(subscription, error, now, rng, least=least)


def refusal(outcome: FetchOutcome) -> str | None:
    """Why a hub did not take what it was sent, in words; None where it did (any 2xx)."""
    if isinstance(outcome, FetchFailure):
        return outcome.detail
    return None if 200 <= outcome.status < 300 else f"the hub answered {outcome.status}"


def told_to_wait(outcome: FetchOutcome, now: datetime) -> float:
    """Seconds that a hub asks to be left alone (``Retry-After``); 0 where it does not."""
    return (retry_after(outcome.headers, now) or 0.0) if isinstance(outcome, Response) else 0.0


def _failed(
    subscription: Subscription,
    error: str,
    now: datetime,
    rng: Random,
    *,
    least: timedelta = timedelta(0),
) -> Subscription:
    """Later, ever later; until then nothing is confirmed."""
    failures = subscription.failures + 1
    wait = min(_BACK_OFF * (1 << min(failures - 1, _MOST_DOUBLINGS)), _MOST_BACK_OFF)
    return replace(
        subscription,
        state=subscription.state if is_pushing(subscription, now) else "waiting",
        asked_at=None,
        next_attempt_at=_not_past_lease(subscription, _later(now, max(wait, least), rng), now),
        failures=failures,
        last_error=error,
    )


def _watch(subscription: Subscription, now: datetime) -> datetime:
    """When to look whether the hub has verified."""
    return _not_past_lease(subscription, now + PATIENCE, now)


def _not_past_lease(subscription: Subscription, at: datetime, now: datetime) -> datetime:
    """The end of a lease is noticed when it comes."""
    if not is_pushing(subscription, now) or subscription.lease_until is None:
        return at
    return min(at, subscription.lease_until)


def _later(now: datetime, wait: timedelta, rng: Random) -> datetime:
    return now + wait * (1 + 0.2 * rng.random())


# --- what a hub says ----------------------------------------------------------------------------


def heard(
    subscription: Subscription, intent: Intent, now: datetime, rng: Random
) -> Subscription | None:
    """The subscription once a hub has asked or said something; None where that is not for us.

    A wish is confirmed only where we had it: for the topic, and lately. Twice is fine; our first
    word may have been lost.
    """
    if intent.topic != subscription.topic:
        return None
    if intent.mode == "denied":
        return _denied(subscription, intent.reason, now, rng)
    asked = subscription.asked_at
    if asked is None or now >= asked + PATIENCE or subscription.state == "denied":
        return None
    lease = min(timedelta(seconds=intent.lease), _MOST_LEASE)
    # Well before the end, so that a hub may be down for a while; not all at one moment.
    renewal = max(lease * (0.6 + 0.2 * rng.random()), _LEAST_RENEWAL)
    return replace(
        subscription,
        state="active",
        verified_at=now,
        lease_until=now + lease,
        next_attempt_at=now + renewal,
        failures=0,
        last_error=None,
    )


def _denied(
    subscription: Subscription, reason: str, now: datetime, rng: Random
) -> Subscription | None:
    if subscription.state == "denied":
        return None
    # What was being delivered has to be polled again, which is done at once.
    pushed = subscription.lease_until is not None
    return replace(
        subscription,
        state="denied",
        asked_at=None,
        next_attempt_at=now if pushed else _later(now, AGAIN_AFTER_DENIAL, rng),
        last_error=f"denied: {reason}" if reason else "denied",
    )


def pause_after(seconds: float) -> timedelta:
    """How long to leave a hub's next delivery, after one that took so long to read.

    A hub that sends without end gets a fifth of one child process, and nobody else waits for it.
    """
    return timedelta(seconds=max(1.0, 4 * seconds))
