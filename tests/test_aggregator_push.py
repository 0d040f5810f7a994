"""Asking hubs, watching them, and reading what they deliver: stages over fakes, one engine."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import HOUR, MINUTE, NOW, add_source, source_config
from conftest import ONE_ENGINE
from fakes import FakeClock, FakeTools, answer, failure, rss
from structlog.testing import capture_logs

from aggregator.children import ChildFailure
from aggregator.ledger import Ledger
from aggregator.stages.poll.findings import Finding
from aggregator.stages.poll.polling import Poller
from aggregator.stages.push.delivering import Deliverer
from aggregator.stages.push.hub_watch import HubWatch
from aggregator.stages.push.mailbox import AT_ONCE, IN_ALL, PER_MINUTE, Turnstile
from aggregator.stages.push.subscribing import Subscriber
from feeds.websub import Advert
from storage.database import open_database
from storage.deliveries import accept_delivery
from storage.polling import known_entries
from storage.sources import source_health, sync_sources
from storage.subscriptions import add_subscription, save_word, subscription_of
from storage.values.push import NewSubscription, Subscription

HUB = "https://hub.example/"
URL = "https://times.example/feed.xml"
ADVERT = Finding(url=URL, advert=Advert((HUB,), URL))
DAY = timedelta(days=1)


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
def edges(database_url: str) -> Iterator[FakeTools]:
    ledger = Ledger(open_database(database_url))
    add_source(ledger.database)
    yield FakeTools(ledger, server={"base_url": "https://news.example/"})
    ledger.close()


def found(edges: FakeTools) -> Subscription:
    subscription = subscription_of(edges.ledger.database, 1)
    assert subscription is not None
    return subscription


async def act(edges: FakeTools) -> None:
    subscriber = Subscriber(edges.tools)
    for subscription in await subscriber.claim(10):
        await subscriber.step(subscription)


# --- watching -----------------------------------------------------------------------------------


async def test_a_hub_is_remembered_once_and_asked(edges: FakeTools) -> None:
    woken: list[None] = []
    watch = HubWatch(edges.tools, lambda: woken.append(None))
    assert await watch.seen(1, ADVERT) == 1
    first = found(edges)
    assert (first.hub, first.topic, first.document_url) == (HUB, URL, URL)
    assert first.callback_base == "https://news.example/websub/"
    assert len(first.token) >= 32
    assert first.token != first.secret
    assert await watch.seen(1, ADVERT) == 1
    assert found(edges) == first
    assert len(woken) == 1


async def test_what_was_not_read_changes_nothing(edges: FakeTools) -> None:
    watch = HubWatch(edges.tools)
    assert await watch.seen(1, Finding()) == 1
    await watch.seen(1, ADVERT)
    await watch.seen(1, Finding(error="the server answered 500"))
    assert found(edges).hub == HUB


async def test_a_feed_without_hub_is_left_alone_and_one_that_had_one_is_forgotten(
    edges: FakeTools,
) -> None:
    watch = HubWatch(edges.tools)
    await watch.seen(1, Finding(url=URL))
    await watch.seen(1, ADVERT)
    await watch.seen(1, Finding(url=URL))
    assert subscription_of(edges.ledger.database, 1) is None


# --- asking -------------------------------------------------------------------------------------


async def test_a_hub_is_asked_in_its_turn_with_callback_and_secret(edges: FakeTools) -> None:
    edges.fetcher.answers[HUB] = answer(HUB, status=202)
    await HubWatch(edges.tools).seen(1, ADVERT)
    await act(edges)
    (request,) = edges.fetcher.requests
    wish = found(edges)
    assert request.form is not None
    assert request.form["hub.callback"] == f"https://news.example/websub/{wish.token}"
    assert request.form["hub.secret"] == wish.secret
    assert edges.pacer.turns == [(HUB, None)]
    assert (wish.state, wish.asked_at, wish.next_attempt_at) == ("asked", NOW, NOW + HOUR)
    await act(edges)
    assert len(edges.fetcher.requests) == 1


async def test_a_hub_that_fails_is_logged_and_asked_later(edges: FakeTools) -> None:
    edges.fetcher.answers[HUB] = failure(HUB)
    await HubWatch(edges.tools).seen(1, ADVERT)
    with capture_logs() as logs:
        await act(edges)
    (line,) = logs
    assert (line["log_level"], line["hub"], line["error"]) == ("warning", HUB, "trouble: timeout")
    edges.clock.move(HOUR)
    edges.fetcher.answers[HUB] = answer(HUB, status=202)
    await act(edges)
    assert found(edges).state == "asked"


async def test_a_hub_that_asks_to_be_left_alone_is(edges: FakeTools) -> None:
    edges.pacer.held[HUB] = 60.0
    await HubWatch(edges.tools).seen(1, ADVERT)
    await act(edges)
    assert edges.fetcher.requests == []
    assert found(edges).failures == 1


async def test_a_subscription_that_is_another_by_now_is_not_asked_for(edges: FakeTools) -> None:
    await HubWatch(edges.tools).seen(1, ADVERT)
    subscriber = Subscriber(edges.tools)
    (claimed,) = await subscriber.claim(10)
    await subscriber.step(replace(claimed, token="of another hub"))
    assert edges.fetcher.requests == []


async def test_a_new_public_address_is_told_at_once(edges: FakeTools) -> None:
    edges.fetcher.answers[HUB] = answer(HUB, status=202)
    await HubWatch(edges.tools).seen(1, ADVERT)
    await act(edges)
    moved = FakeTools(edges.ledger, server={"base_url": "https://moved.example"})
    moved.fetcher.answers[HUB] = answer(HUB, status=202)
    await Subscriber(moved.tools).begin()
    await act(moved)
    (request,) = moved.fetcher.requests
    assert request.form is not None
    assert request.form["hub.callback"].startswith("https://moved.example/websub/")


async def test_when_push_ends_a_source_that_is_not_polled_slower_stays_as_it_is(
    edges: FakeTools,
) -> None:
    await HubWatch(edges.tools).seen(1, ADVERT)
    ended = replace(found(edges), state="active", lease_until=NOW, next_attempt_at=NOW)
    save_word(edges.ledger.database, ended)
    before = source_health(edges.ledger.database)
    await act(edges)
    assert source_health(edges.ledger.database) == before


async def test_when_push_ends_after_its_source_was_removed_nobody_is_polled(
    edges: FakeTools,
) -> None:
    await HubWatch(edges.tools).seen(1, ADVERT)
    ended = replace(found(edges), state="denied", lease_until=NOW + DAY, next_attempt_at=NOW)
    save_word(edges.ledger.database, ended)
    subscriber = Subscriber(edges.tools)
    (claimed,) = await subscriber.claim(10)
    sync_sources(edges.ledger.database, [], NOW)
    await subscriber.step(claimed)
    assert found(edges).lease_until is None
    assert edges.fetcher.requests == []


# --- reading deliveries -------------------------------------------------------------------------


def deliver(edges: FakeTools, *documents: str) -> None:
    add_subscription(
        edges.ledger.database, NewSubscription(1, HUB, URL, URL, "b", "token", "secret"), NOW
    )
    for number, document in enumerate(documents):
        accept_delivery(
            edges.ledger.database,
            found(edges).id,
            document.encode(),
            content_type=None if number else "application/rss+xml",
            digest=f"{number}",
            now=edges.clock(),
        )


async def read_all(edges: FakeTools) -> list[Any]:
    deliverer = Deliverer(edges.tools, Poller(edges.tools))
    with capture_logs() as logs:
        while claimed := await deliverer.claim(10):
            for delivery in claimed:
                await deliverer.read(delivery)
            edges.clock.move(MINUTE)
    return logs


async def test_deliveries_of_one_source_are_read_one_after_the_other(edges: FakeTools) -> None:
    deliver(edges, rss(("1", "One")), rss(("2", "Two")))
    deliverer = Deliverer(edges.tools, Poller(edges.tools))
    (first,) = await deliverer.claim(10)
    assert await deliverer.claim(10) == ()
    await deliverer.read(first)
    assert await deliverer.claim(10) == (), "there is a pause"
    edges.clock.move(MINUTE)
    assert len(await deliverer.claim(10)) == 1


async def test_a_delivery_that_kills_its_child_is_gone_and_said(edges: FakeTools) -> None:
    deliver(edges, rss(("1", "One")), rss(("2", "Two")))
    edges.children.failures = [ChildFailure("timeout", "took longer than 20 s and was stopped")]
    logs = await read_all(edges)
    assert [line["log_level"] for line in logs] == ["warning", "info"]
    assert "took longer" in logs[0]["error"]
    assert set(known_entries(edges.ledger.database, 1, newest=10)) == {"2"}


async def test_a_delivery_for_a_source_that_was_removed_is_dropped(edges: FakeTools) -> None:
    deliver(edges, rss(("1", "One")))
    sync_sources(edges.ledger.database, [], NOW)
    assert await read_all(edges) == []
    sync_sources(edges.ledger.database, [source_config()], NOW)
    assert known_entries(edges.ledger.database, 1, newest=10) == {}


# --- the turnstile --------------------------------------------------------------------------------


def test_so_many_a_minute_and_no_more() -> None:
    clock = FakeClock()
    turnstile = Turnstile(clock)

    def enter(number: int) -> bool:
        with turnstile.entered(number) as admitted:
            return admitted

    assert [enter(1) for _ in range(PER_MINUTE + 1)] == [True] * PER_MINUTE + [False]
    assert enter(2), "another hub is not held up"
    clock.move(MINUTE)
    assert enter(1)


def test_a_clock_that_is_set_back_shuts_no_hub_out() -> None:
    clock = FakeClock(NOW + 365 * DAY)
    turnstile = Turnstile(clock)
    for _ in range(PER_MINUTE):
        with turnstile.entered(1) as admitted:
            assert admitted
    clock.move(-365 * DAY)
    with turnstile.entered(1) as admitted:
        assert admitted


def test_so_many_at_once_and_no_more() -> None:
    turnstile = Turnstile(FakeClock())
    with ExitStack() as inside:
        assert [inside.enter_context(turnstile.entered(1)) for _ in range(AT_ONCE + 1)][-1] is False
        others = range(2, IN_ALL - AT_ONCE + 3)
        admitted = [inside.enter_context(turnstile.entered(number)) for number in others]
        assert admitted == [True] * (IN_ALL - AT_ONCE) + [False]
    with turnstile.entered(1) as admitted_again:
        assert admitted_again
