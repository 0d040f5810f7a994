"""What goes over the wire, poll by poll: the poll stage before a server that records every request.

The clock is the test's and moves to each moment that the poll before decided on; a second earlier
nothing is due. So the times of the requests are those a publisher would see in the log.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from builders import NOW, source_config
from conftest import ONE_ENGINE
from fakes import FakeTools, rss
from scripted_server import Behaviour, Recorded, ScriptedServer, reply

from aggregator.ledger import Ledger
from aggregator.stages.poll.polling import Poller
from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from storage.database import open_database
from storage.sources import source_health, sync_sources
from storage.status import totals
from storage.values.source import SourceHealth

LEAST, MOST = 900.0, 86_400.0
SECOND = timedelta(seconds=1)
JITTER = 1.1
FEED = rss(("1", "One")).encode()


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@dataclass
class Wire:
    """A source on a scripted server, and the time. ``asked`` are the moments of its requests."""

    edges: FakeTools
    server: ScriptedServer
    asked: list[datetime] = field(default_factory=list)

    @property
    def health(self) -> SourceHealth:
        (health,) = source_health(self.edges.ledger.database)
        return health

    async def polls(self, number: int) -> list[Recorded]:
        """So many polls, each when it is due; the requests that they made."""
        poller, before = Poller(self.edges.tools), len(self.server.requests)
        for _ in range(number):
            due = max(self.health.next_poll_at, self.edges.clock.moment)
            if due > self.edges.clock.moment:
                self.edges.clock.moment = due - SECOND
                assert await poller.claim(10) == (), "nothing is asked for before its time"
            self.edges.clock.moment = due
            for source in await poller.claim(10):
                self.asked.append(self.edges.clock.moment)
                await poller.poll(source)
        return self.server.requests[before:]

    @property
    def gaps(self) -> list[float]:
        """Seconds between the requests, and to the one that is planned."""
        moments = [*self.asked, self.health.next_poll_at]
        return [(later - moment).total_seconds() for moment, later in pairwise(moments)]


@asynccontextmanager
async def wire(database_url: str, *answers: Behaviour, **fetch: Any) -> AsyncIterator[Wire]:
    ledger = Ledger(open_database(database_url))
    async with (
        ScriptedServer() as server,
        HttpFetcher(Guard.allowing(["127.0.0.0/8"]), "newsfold-test") as fetcher,
    ):
        url = server.on("/feed", *answers)
        sync_sources(ledger.database, [source_config(url=url)], NOW)
        edges = FakeTools(ledger, fetch=fetch)
        edges.tools = replace(edges.tools, fetcher=fetcher)
        yield Wire(edges, server)
    ledger.close()


def ok(body: bytes = FEED, **headers: str) -> Behaviour:
    return reply(200, body, Content_Type="application/rss+xml", **headers)


def http_date(offset: float, clock: datetime = NOW) -> str:
    return format_datetime(clock + timedelta(seconds=offset), usegmt=True)


WRONG = NOW - timedelta(days=400)
TTL = FEED.replace(b"<title>Times", b"<ttl>180</ttl><title>Times")
SY = FEED.replace(
    b"<channel>",
    b"<channel xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>"
    b"<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>8</sy:updateFrequency>",
)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (ok(), LEAST),
        (ok(Cache_Control="max-age=7200"), 7200),
        (ok(Cache_Control="max-age=7200", Age="1200"), 6000),
        (ok(Cache_Control="max-age=99999999"), MOST),
        (ok(Date=http_date(0, WRONG), Expires=http_date(5000, WRONG)), 5000),
        (ok(TTL), 180 * 60),
        (ok(SY), 3 * 3600),
        (reply(429, Retry_After="5000"), 5000),
        (reply(503, Retry_After="5000"), 5000),
        (reply(503, Retry_After=http_date(5000, WRONG), Date=http_date(0, WRONG)), 5000),
        (reply(429, Retry_After="5000.5"), 5000.5),
        (reply(429, Retry_After="99999999999"), MOST),
        (reply(429, Retry_After="-5000"), LEAST),
        (reply(429, Retry_After=http_date(-5000), Date=http_date(0)), LEAST),
        (reply(429, Retry_After="soon"), 2 * LEAST),
        (reply(429), 2 * LEAST),
        (reply(500, Retry_After="5000"), 2 * LEAST),
    ],
)
async def test_the_next_request_comes_when_it_was_asked_for(
    database_url: str, answer: Behaviour, seconds: float
) -> None:
    async with wire(database_url, answer) as source:
        await source.polls(1)
        (gap,) = source.gaps
        least = seconds / JITTER if seconds == MOST else seconds  # jitter has room only below it
        assert least <= gap <= min(seconds * JITTER, MOST)


async def test_failures_double_the_wait_and_one_success_ends_that(database_url: str) -> None:
    async with wire(database_url, *[reply(500)] * 9, ok(), reply(500)) as source:
        await source.polls(11)
        for failures, gap in enumerate(source.gaps[:9], 1):
            wait = min(LEAST * 2**failures, MOST)
            assert wait / JITTER <= gap <= min(wait * JITTER, MOST)
        assert source.gaps[9] <= LEAST * JITTER
        assert source.gaps[10] <= 2 * LEAST * JITTER


async def test_validators_go_back_byte_for_byte_and_a_304_refreshes_them(
    database_url: str,
) -> None:
    first = ok(ETag='W/"a b\xe9,"', Last_Modified="Sonntag, der 22.")
    async with wire(database_url, first, reply(304, ETag='"2"'), reply(304)) as source:
        plain, second, third = await source.polls(3)
        assert (plain.header("if-none-match"), plain.header("if-modified-since")) == (None, None)
        assert second.header("if-modified-since") == "Sonntag, der 22."
        assert (second.header("if-none-match") or "").encode("latin-1") in {
            b'W/"a b\xe9,"',
            b"",
        }, "as it came, or not at all"
        assert third.header("if-none-match") == '"2"'
        assert third.header("if-modified-since") == "Sonntag, der 22."
        assert totals(source.edges.ledger.database).entries == 1


async def test_a_304_that_nobody_asked_for_is_a_failure(database_url: str) -> None:
    async with wire(database_url, reply(304), ok()) as source:
        await source.polls(1)
        assert source.health.failures == 1
        assert source.health.last_success_at is None
        await source.polls(1)
        assert source.health.failures == 0


async def test_the_same_body_is_unchanged_and_a_200_is_read_under_the_same_etag(
    database_url: str,
) -> None:
    other = rss(("1", "One"), ("2", "Two")).encode()
    answers = (ok(ETag='"1"'), ok(ETag='"2"'), ok(other, ETag='"2"'))
    async with wire(database_url, *answers) as source:
        await source.polls(2)
        assert source.edges.children.calls == 1, "the same bytes are not parsed again"
        (request,) = await source.polls(1)
        assert request.header("if-none-match") == '"2"'
        assert source.edges.children.calls == 2
        assert totals(source.edges.ledger.database).entries == 2


@pytest.mark.parametrize("skipped", ["hours", "days"])
async def test_hours_and_days_that_a_feed_skips_are_left_out(
    database_url: str, skipped: str
) -> None:
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(24) if hour != 3)
    days = "".join(f"<day>{day}</day>" for day in ("Sunday", "Monday", "Tuesday"))
    told = (
        f"<skipHours>{hours}</skipHours>" if skipped == "hours" else f"<skipDays>{days}</skipDays>"
    )
    body = FEED.replace(b"<title>Times", f"{told}<title>Times".encode())
    async with wire(database_url, ok(body)) as source:
        await source.polls(4)
        for moment in (*source.asked[1:], source.health.next_poll_at):
            if skipped == "hours":
                assert moment.hour == 3
            else:
                assert moment.strftime("%A") not in {"Sunday", "Monday", "Tuesday"}


async def test_410_is_the_last_request(database_url: str) -> None:
    async with wire(database_url, ok(), reply(410)) as source:
        await source.polls(2)
        source.edges.clock.move(timedelta(days=4000))
        assert await Poller(source.edges.tools).claim(10) == ()
        assert len(source.server.requests) == 2
        assert source.health.gone


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_only_a_permanent_redirect_is_adopted_and_only_after_it_held(
    database_url: str, status: int
) -> None:
    moved = reply(status, Location="/new")
    async with wire(database_url, moved, min_interval="20h", max_interval="30h") as source:
        source.server.on("/new", ok())
        requests = await source.polls(5)
        assert [request.target for request in requests] == ["/feed", "/new"] * 5
        later = [request.target for request in await source.polls(2)]
        assert later == (["/new"] * 2 if status in {301, 308} else ["/feed", "/new"] * 2)


async def test_a_redirect_that_did_not_hold_is_not_adopted(database_url: str) -> None:
    moved = reply(301, Location="/new")
    answers = (*[moved] * 4, ok(), *[moved] * 4)
    async with wire(database_url, *answers, min_interval="20h", max_interval="30h") as source:
        source.server.on("/new", ok())
        requests = await source.polls(9)
        assert sum(request.target == "/feed" for request in requests) == 9
