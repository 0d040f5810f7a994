"""Telling our own hubs what has changed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import HOUR, MINUTE, NOW, add_articles, add_source, add_story, read_articles
from fakes import FakeTools, answer, failure
from structlog.testing import capture_logs

from aggregator.ledger import Ledger
from aggregator.stages.publish.masthead import Identity
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.push.announcing import (
    GAP,
    MOST_FAILURES,
    MOST_GAP,
    NEVER,
    SETTLES,
    Announcer,
    after_telling,
    announcements,
    gap,
)
from aggregator.web.feeds import link_of
from feeds.websub import publish_form
from storage.database import open_database
from storage.pings import all_pings
from storage.values.push import Ping

HUB, OTHER = "https://hub.example/", "https://hub2.example/"
URL = "https://news.example/feed.atom"
PING = Ping(HUB, URL, '"1"', NOW)
TOLD = replace(PING, told='"1"', last_attempt_at=NOW, last_told_at=NOW)


# --- decisions ----------------------------------------------------------------------------------


def test_every_hub_is_told_of_every_document() -> None:
    wanted, unwanted = announcements([], {URL: '"1"', f"{URL}2": '"2"'}, [HUB, OTHER], NOW)
    assert {(ping.hub, ping.url, ping.wanted) for ping in wanted} == {
        (hub, url, etag) for hub in (HUB, OTHER) for url, etag in ((URL, '"1"'), (f"{URL}2", '"2"'))
    }
    assert {ping.next_attempt_at for ping in wanted} == {NOW + SETTLES}
    assert unwanted == []


def test_what_has_not_changed_is_not_told() -> None:
    assert announcements([TOLD], {URL: '"1"'}, [HUB], NOW) == ([], [])
    assert announcements([PING], {URL: '"1"'}, [HUB], NOW) == ([], []), "it is on its way"


def test_what_is_public_no_more_is_forgotten() -> None:
    assert announcements([TOLD], {}, [HUB], NOW) == ([], [(HUB, URL)])
    assert announcements([TOLD], {URL: '"1"'}, [], NOW) == ([], [(HUB, URL)])


def due(ping: Ping, now: Any = NOW) -> Any:
    ((found,), _) = announcements([ping], {URL: '"2"'}, [HUB], now)
    return found.next_attempt_at


def test_changes_are_told_together_and_not_too_often() -> None:
    assert due(TOLD) == NOW + GAP
    assert due(TOLD, NOW + HOUR) == NOW + HOUR + SETTLES
    pending = replace(TOLD, wanted='"1.5"', next_attempt_at=NOW + MINUTE)
    assert due(pending, NOW + MINUTE - SETTLES / 2) == NOW + MINUTE, "it is not put off for ever"


def test_a_hub_that_fails_is_told_no_sooner_for_a_change() -> None:
    failing = replace(TOLD, wanted='"1.5"', failures=4, next_attempt_at=NOW + 16 * MINUTE)
    assert due(failing) == NOW + 16 * MINUTE
    given_up = replace(failing, failures=MOST_FAILURES, next_attempt_at=NEVER)
    assert due(given_up) == NOW + MOST_GAP
    assert due(given_up, NOW + 2 * MOST_GAP) == NOW + 2 * MOST_GAP + SETTLES


def test_the_gap_doubles_up_to_a_limit() -> None:
    gaps = [gap(failures) for failures in range(50)]
    assert gaps[:3] == [GAP, 2 * GAP, 4 * GAP]
    assert gaps == sorted(gaps)
    assert gaps[-1] == MOST_GAP


def test_a_hub_that_took_it_was_told() -> None:
    failing = replace(PING, failures=3, last_error="500")
    told = after_telling(failing, answer(HUB, status=204), NOW + MINUTE)
    assert (told.told, told.failures, told.last_error) == ('"1"', 0, None)
    assert (told.last_told_at, told.last_attempt_at) == (NOW + MINUTE, NOW + MINUTE)


def test_a_hub_that_did_not_is_told_again_until_that_is_pointless() -> None:
    ping, moments = PING, []
    for _ in range(MOST_FAILURES - 1):
        ping = after_telling(ping, answer(HUB, status=500), NOW)
        moments.append(ping.next_attempt_at - NOW)
    assert moments == sorted(moments)
    assert moments[0] == 2 * GAP
    assert sum(moments, timedelta()) > timedelta(days=1)
    assert after_telling(ping, failure(HUB), NOW).next_attempt_at == NEVER
    waiting = answer(HUB, status=503, Retry_After="100000")
    assert after_telling(PING, waiting, NOW).next_attempt_at == NOW + timedelta(seconds=100000)


# --- the stage ----------------------------------------------------------------------------------


@pytest.fixture
def edges(database_url: str) -> Iterator[FakeTools]:
    ledger = Ledger(open_database(database_url))
    yield FakeTools(
        ledger,
        server={"base_url": "https://news.example/", "hubs": [HUB]},
        output=[{"name": "feed"}, {"name": "full", "content": "full", "token": "t" * 20}],
    )
    ledger.close()


def announcer(edges: FakeTools) -> Announcer:
    identity = Identity("news.example", NOW)
    return Announcer(edges.tools, Publisher(edges.ledger, edges.tools.settings, identity))


async def tell(edges: FakeTools, one: Announcer) -> int:
    """Publish, and tell what is due once that has settled; how much it was."""
    await one._publisher.refresh()
    await one.note()
    edges.clock.move(SETTLES)
    claimed = await one.claim(100)
    for ping in claimed:
        await one.tell(ping)
    return len(claimed)


async def test_hubs_are_told_of_what_anybody_may_read(edges: FakeTools) -> None:
    edges.fetcher.answers[HUB] = answer(HUB, status=204)
    one = announcer(edges)
    assert await one.claim(100) == ()
    assert await tell(edges, one) == len(FORMATS)
    forms = [request.form for request in edges.fetcher.requests]
    assert forms == [publish_form(f"https://news.example/feed.{form}") for form in sorted(FORMATS)]
    assert {url for url, _ in edges.pacer.turns} == {HUB}
    assert await tell(edges, one) == 0
    assert await tell(edges, announcer(edges)) == 0, "nor after a restart"


async def test_nobody_is_told_of_a_private_site(edges: FakeTools) -> None:
    private = {"hubs": [HUB], "read_token": "t" * 20}
    guarded = FakeTools(edges.ledger, server=private, output=[{"name": "feed"}])
    one = announcer(guarded)
    assert await tell(guarded, one) == 0
    document = one._publisher.document("feed", "json")
    assert document is not None
    assert "hubs" not in json.loads(document.body)
    assert link_of(guarded.tools.settings, guarded.tools.settings.outputs()[0], "json") is None


async def test_they_are_told_again_when_it_changes(edges: FakeTools) -> None:
    edges.fetcher.answers[HUB] = answer(HUB, status=204)
    one = announcer(edges)
    await tell(edges, one)
    source = add_source(edges.ledger.database)
    (article,) = add_articles(edges.ledger.database, source.id, "a")
    read_articles(edges.ledger.database, article)
    add_story(edges.ledger.database, 0, article)
    edges.clock.move(GAP)
    assert await tell(edges, one) == len(FORMATS)


async def test_a_hub_that_fails_is_seen_and_tried_again(edges: FakeTools) -> None:
    edges.fetcher.answers[HUB] = answer(HUB, status=500)
    one = announcer(edges)
    with capture_logs() as logs:
        await tell(edges, one)
    assert {(line["event"], line["outcome"]) for line in logs} == {("told hub", "failed")}
    failed = all_pings(edges.ledger.database)
    assert {ping.last_error for ping in failed} == {"the hub answered 500"}
    edges.fetcher.answers[HUB] = answer(HUB, status=202)
    edges.clock.move(2 * GAP)
    assert await tell(edges, one) == len(FORMATS)
    assert {ping.failures for ping in all_pings(edges.ledger.database)} == {0}


async def test_a_hub_that_asks_to_be_left_alone_is(edges: FakeTools) -> None:
    edges.pacer.held[HUB] = 30.0
    await tell(edges, announcer(edges))
    assert edges.fetcher.requests == []
    assert {ping.last_error for ping in all_pings(edges.ledger.database)} == {
        "the host asks to be left alone for 30 s"
    }
