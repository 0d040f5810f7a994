"""Subscriptions at hubs, and what hubs deliver, on both engines."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import HOUR, MINUTE, NOW, add_source, add_sources, entry_write, source_config
from sqlalchemy import select

from storage import deliveries as storage_deliveries
from storage.copying import copy_database
from storage.database import Database, open_database
from storage.deliveries import (
    MOST_IN_ALL,
    MOST_WAITING,
    REMEMBERED,
    accept_delivery,
    claim_deliveries,
    count_ignored,
    finish_delivery,
)
from storage.pings import all_pings, want_pings
from storage.polling import known_entries
from storage.sources import claim_due, poll_earlier, source_by_id, source_health, sync_sources
from storage.subscriptions import (
    add_subscription,
    all_subscriptions,
    claim_subscriptions,
    move_callbacks,
    note_missed,
    remove_subscription,
    save_answer,
    save_step,
    save_word,
    subscription_by_token,
    subscription_of,
)
from storage.tables.source import fetches
from storage.values.push import NewSubscription, Ping, PushCommit, Subscription

BASE = "https://news.example"


def new(source_id: int, **changes: Any) -> NewSubscription:
    known = NewSubscription(
        source_id=source_id,
        hub="https://hub.example/",
        topic="https://times.example/feed.xml",
        document_url="https://times.example/feed.xml",
        callback_base=BASE,
        token=f"token {source_id}",
        secret="secret",
    )
    return replace(known, **changes)


def subscribed(db: Database, source_id: int = 1, **changes: Any) -> Subscription:
    add_subscription(db, new(source_id, **changes), NOW)
    found = subscription_of(db, source_id)
    assert found is not None
    return found


@pytest.fixture
def subscription(database: Database) -> Subscription:
    return subscribed(database, add_source(database).id)


def test_a_new_hub_is_to_be_asked_at_once(database: Database) -> None:
    source = add_source(database)
    assert subscription_of(database, source.id) is None
    found = subscribed(database, source.id)
    assert (found.state, found.next_attempt_at, found.created_at) == ("waiting", NOW, NOW)
    assert subscription_by_token(database, found.token) == found
    claimed = replace(found, next_attempt_at=NOW + MINUTE)
    assert claim_subscriptions(database, NOW, NOW + MINUTE, 10) == (claimed,)
    assert claim_subscriptions(database, NOW, NOW + MINUTE, 10) == ()
    (again,) = claim_subscriptions(database, NOW + MINUTE, NOW + HOUR, 10)
    assert again.id == found.id, "a claim comes back by itself"


def test_another_hub_is_another_subscription(database: Database) -> None:
    source = add_source(database)
    first = subscribed(database, source.id)
    save_word(database, replace(first, state="active", verified_at=NOW, lease_until=NOW + HOUR))
    count_ignored(database, first.id)
    second = subscribed(database, source.id, hub="https://hub2.example/", token="other")
    assert (second.id, second.hub, second.state) == (first.id, "https://hub2.example/", "waiting")
    assert (second.verified_at, second.lease_until, second.ignored) == (None, None, 0)
    assert subscription_by_token(database, first.token) is None


def test_a_source_that_is_not_read_has_no_callback(database: Database) -> None:
    source = add_source(database)
    found = subscribed(database, source.id)
    assert source_by_id(database, source.id) is not None
    for configured in ([source_config(enabled=False)], []):
        sync_sources(database, configured, NOW)
        assert subscription_by_token(database, found.token) is None
        assert claim_subscriptions(database, NOW, NOW + MINUTE, 10) == ()
        assert all_subscriptions(database) == ()
        assert source_by_id(database, source.id) is None
    sync_sources(database, [source_config()], NOW)
    assert all_subscriptions(database) == (("Times", found),)


def test_a_step_is_written_unless_the_hub_is_another_by_now(
    database: Database, subscription: Subscription
) -> None:
    step = replace(subscription, state="asked", asked_at=NOW, next_attempt_at=NOW + HOUR)
    assert save_step(database, step)
    assert subscription_of(database, 1) == step
    assert not save_step(database, replace(step, token="another"))


def test_an_answer_is_written_unless_the_hub_was_faster(
    database: Database, subscription: Subscription
) -> None:
    asked = replace(subscription, state="asked", asked_at=NOW, next_attempt_at=NOW + HOUR)
    save_step(database, asked)
    save_answer(database, replace(asked, failures=1, next_attempt_at=NOW + 2 * HOUR), NOW)
    answered = subscription_of(database, 1)
    assert answered is not None
    assert (answered.failures, answered.next_attempt_at) == (1, NOW + 2 * HOUR)
    verified = replace(asked, state="active", verified_at=NOW + MINUTE, lease_until=NOW + HOUR)
    save_word(database, verified)
    save_answer(database, replace(asked, failures=9), NOW)
    assert subscription_of(database, 1) == verified
    renewing = replace(verified, asked_at=NOW + HOUR)
    save_step(database, renewing)
    save_answer(database, replace(asked, failures=9), NOW)
    assert subscription_of(database, 1) == renewing, "of another question"
    save_word(database, replace(renewing, state="denied"))
    save_answer(database, replace(renewing, failures=9), NOW + HOUR)
    assert subscription_of(database, 1) == replace(renewing, state="denied")


def test_what_polls_find_first_is_noted(database: Database, subscription: Subscription) -> None:
    note_missed(database, subscription.id, NOW + HOUR)
    assert subscription_of(database, 1) == replace(subscription, missed_at=NOW + HOUR)


def test_a_new_public_address_is_told_to_hubs(
    database: Database, subscription: Subscription
) -> None:
    active = replace(subscription, state="active", asked_at=NOW, next_attempt_at=NOW + HOUR)
    save_step(database, active)
    assert move_callbacks(database, BASE, NOW + MINUTE) == 0
    assert move_callbacks(database, "https://moved.example", NOW + MINUTE) == 1
    found = subscription_of(database, 1)
    assert found is not None
    assert (found.state, found.asked_at) == ("active", None), "to be renewed at once"
    assert (found.callback_base, found.next_attempt_at) == ("https://moved.example", NOW + MINUTE)


def test_a_source_is_polled_earlier_never_later(database: Database) -> None:
    source = add_source(database)
    claim_due(database, NOW, NOW + HOUR, 10)
    poll_earlier(database, source.id, NOW + 2 * HOUR)
    assert source_health(database)[0].next_poll_at == NOW + HOUR
    poll_earlier(database, source.id, NOW + MINUTE)
    assert source_health(database)[0].next_poll_at == NOW + MINUTE


# --- deliveries ---------------------------------------------------------------------------------


def deliver(db: Database, subscription: Subscription, text: str, at: timedelta = MINUTE) -> str:
    return accept_delivery(
        db,
        subscription.id,
        text.encode(),
        content_type="application/rss+xml",
        digest=f"digest of {text}",
        now=NOW + at,
    )


def test_a_delivery_is_kept_until_it_is_read(
    database: Database, subscription: Subscription
) -> None:
    assert claim_deliveries(database, NOW, NOW + HOUR, 10) == ()
    assert deliver(database, subscription, "one") == "queued"
    assert deliver(database, subscription, "two") == "queued"
    found = subscription_of(database, 1)
    assert found is not None
    assert (found.deliveries, found.last_delivery_at) == (2, NOW + MINUTE)
    (first,) = claim_deliveries(database, NOW + MINUTE, NOW + 5 * MINUTE, 10)
    assert (first.body, first.content_type) == (b"one", "application/rss+xml")
    assert (first.source_id, first.document_url) == (1, subscription.document_url)
    assert claim_deliveries(database, NOW + MINUTE, NOW + 5 * MINUTE, 10) == (), "one at a time"
    assert claim_deliveries(database, NOW + 5 * MINUTE, NOW + HOUR, 10) == (first,), "a lease"
    finish_delivery(database, first, NOW + 6 * MINUTE, None)
    assert claim_deliveries(database, NOW + 5 * MINUTE, NOW + HOUR, 10) == ()
    (second,) = claim_deliveries(database, NOW + 6 * MINUTE, NOW + HOUR, 10)
    assert second.body == b"two"


def test_what_nobody_read_in_time_is_dropped(
    database: Database, subscription: Subscription
) -> None:
    deliver(database, subscription, "one")
    later = NOW + 2 * MINUTE + storage_deliveries.KEPT
    assert claim_deliveries(database, later, later + HOUR, 10) == ()


def test_a_replay_is_known(database: Database, subscription: Subscription) -> None:
    for number in range(REMEMBERED):
        assert deliver(database, subscription, f"{number}") == "queued"
        (claimed,) = claim_deliveries(database, NOW + MINUTE, NOW + MINUTE, 10)
        finish_delivery(database, claimed, NOW, None)
    assert deliver(database, subscription, "0", HOUR) == "known"
    found = subscription_of(database, 1)
    assert found is not None
    assert found.last_delivery_at == NOW + MINUTE, "a replay is no sign of life"
    assert deliver(database, subscription, "new") == "queued"
    assert deliver(database, subscription, "1") == "known"
    assert deliver(database, subscription, "0") == "queued", "only so many are remembered"


def test_too_much_is_refused(database: Database) -> None:
    count = MOST_IN_ALL // MOST_WAITING + 1
    sources = add_sources(database, *(source_config(f"s{n}") for n in range(count)))
    subscriptions = [subscribed(database, source.id) for source in sources]
    for subscription in subscriptions[:-1]:
        for number in range(MOST_WAITING):
            assert deliver(database, subscription, f"{number}") == "queued"
        assert deliver(database, subscription, "more") == "full"
    assert deliver(database, subscriptions[-1], "0") == "full"
    claimed = claim_deliveries(database, NOW + MINUTE, NOW + HOUR, 100)
    assert len({delivery.subscription_id for delivery in claimed}) == len(claimed) == count - 1
    finish_delivery(database, claimed[0], NOW, None)
    assert deliver(database, subscriptions[-1], "0") == "queued"


def test_a_delivery_of_nobody_is_known(database: Database) -> None:
    assert accept_delivery(database, 7, b"", content_type=None, digest="d", now=NOW) == "known"


def test_a_forgotten_subscription_takes_its_deliveries_along(
    database: Database, subscription: Subscription
) -> None:
    deliver(database, subscription, "one")
    remove_subscription(database, 1)
    assert subscription_of(database, 1) is None
    assert claim_deliveries(database, NOW + MINUTE, NOW + HOUR, 10) == ()


def test_what_a_delivery_brought_is_written_as_a_polls_would_be(
    database: Database, subscription: Subscription
) -> None:
    before = claim_due(database, NOW, NOW + HOUR, 10)[0]
    deliver(database, subscription, "one")
    (delivery,) = claim_deliveries(database, NOW + MINUTE, NOW + HOUR, 10)
    commit = PushCommit(1, NOW + MINUTE, body_hash="hash", new=(entry_write("a"),), wire_bytes=3)
    finish_delivery(database, delivery, NOW, commit)
    assert set(known_entries(database, 1, newest=10)) == {"a"}
    (health,) = source_health(database)
    assert health.last_entry_at == NOW + MINUTE
    assert (health.last_poll_at, health.last_success_at) == (None, None), "no poll was made"
    source = source_by_id(database, 1)
    assert source is not None
    assert (source.body_hash, source.validators) == ("hash", None)
    assert (source.schedule, source.feed_url) == (before.schedule, before.feed_url)
    with database.read() as connection:
        row = connection.execute(select(fetches)).one()
    assert (row.outcome, row.new_entries, row.wire_bytes) == ("pushed", 1, 3)


def test_one_that_brought_nothing_leaves_the_validators(
    database: Database, subscription: Subscription
) -> None:
    deliver(database, subscription, "one")
    (delivery,) = claim_deliveries(database, NOW + MINUTE, NOW + HOUR, 10)
    finish_delivery(database, delivery, NOW, PushCommit(1, NOW, error="no feed"))
    source = source_by_id(database, 1)
    assert source is not None
    assert source.body_hash is None
    with database.read() as connection:
        assert connection.execute(select(fetches.c.detail)).scalar_one() == "no feed"


def test_no_subscription_and_no_delivery_is_claimed_twice(database: Database) -> None:
    sources = add_sources(database, *(source_config(f"s{n}") for n in range(40)))
    for source in sources:
        deliver(database, subscribed(database, source.id), "one")
    start = threading.Barrier(4)

    def claim(_: int) -> tuple[list[int], list[int]]:
        start.wait()
        asked: list[int] = []
        read: list[int] = []
        while got := claim_subscriptions(database, NOW, NOW + HOUR, 3):
            asked += [subscription.id for subscription in got]
        while mine := claim_deliveries(database, NOW + MINUTE, NOW + HOUR, 3):
            read += [delivery.id for delivery in mine]
        return asked, read

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(claim, range(4)))
    assert sorted(number for asked, _ in results for number in asked) == list(range(1, 41))
    assert sorted(number for _, read in results for number in read) == list(range(1, 41))


def test_a_copy_takes_subscriptions_deliveries_and_pings_along(
    database: Database, subscription: Subscription, tmp_path: Path, sqlite_template: Path
) -> None:
    deliver(database, subscription, "one")
    want_pings(database, [Ping("https://hub.example/", "https://news.example/", '"1"', NOW)])
    path = tmp_path / "copy.db"
    shutil.copy(sqlite_template, path)
    with closing(open_database(f"sqlite:///{path}")) as other:
        copy_database(database, other, lambda *_: None)
        assert subscription_of(other, 1) == subscription_of(database, 1)
        assert all_pings(other) == all_pings(database)
        (delivery,) = claim_deliveries(other, NOW + MINUTE, NOW + HOUR, 10)
        assert delivery.body == b"one"


def test_a_hub_that_delivers_while_it_is_forgotten_harms_nobody(database: Database) -> None:
    sources = add_sources(database, *(source_config(f"s{n}") for n in range(10)))
    ids = {source.id: subscribed(database, source.id).id for source in sources}
    start = threading.Barrier(3, timeout=20)

    def flood(_: int) -> None:
        start.wait()
        for number in range(3):
            for subscription_id in ids.values():
                accept_delivery(
                    database,
                    subscription_id,
                    b"x",
                    content_type=None,
                    digest=f"{number}",
                    now=NOW,
                )

    def read(_: int) -> None:
        start.wait()
        for minute in range(20):
            now = NOW + minute * MINUTE
            for delivery in claim_deliveries(database, now, now, 5):
                finish_delivery(database, delivery, now, PushCommit(delivery.source_id, now))

    def forget(_: int) -> None:
        start.wait()
        for source_id in ids:
            remove_subscription(database, source_id)

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(work, 0) for work in (flood, read, forget)]:
            future.result()
    assert [subscription_of(database, source.id) for source in sources] == [None] * 10
    assert claim_deliveries(database, NOW + HOUR, NOW + HOUR, 100) == ()
