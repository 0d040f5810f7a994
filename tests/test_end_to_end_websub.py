"""WebSub over the loopback, both sides: a scripted hub, a real web server, time as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from builders import HOUR, MINUTE
from fakes import FakeClock, rss
from newsroom_runs import all_stories, opened, serve, settings_for
from scripted_hub import ScriptedHub, scripted_hub
from scripted_server import ScriptedServer, reply

from aggregator.operating.passes import full_pass
from aggregator.running.application import Application
from aggregator.running.daemon import daemon
from aggregator.running.server import bind
from aggregator.stages.push.mailbox import AT_ONCE, PER_MINUTE
from aggregator.stages.push.subscription_rules import PATIENCE
from aggregator.web.app import Site, create_app
from storage.pings import all_pings
from storage.polling import known_entries
from storage.sources import source_by_id, source_health
from storage.subscriptions import subscription_of
from storage.values.push import Subscription

DAY = timedelta(days=1)
DEADLINE = 30.0


@dataclass
class Scene:
    """A subscriber, an outlet and a hub."""

    application: Application
    clock: FakeClock
    outlet: ScriptedServer
    hub: ScriptedHub
    url: str

    def publish(self, *titles: str, **headers: str) -> str:
        """What the outlet's feed says from now on; the document."""
        document = rss(*((title, title) for title in titles))
        links = {"Link": f'<{self.hub.url}>; rel="hub", </feed>; rel="self"'} | headers
        self.outlet.on("/feed", reply(200, document.encode(), **links))
        return document

    async def poll(self) -> None:
        await full_pass(self.application, everything=True)

    async def subscribe(self) -> None:
        """Ask hubs what is due, and hear what they have to say."""
        assert self.application.push
        await self.application.push.subscribing.drain()
        await self.hub.spoken()

    async def read(self) -> None:
        """Read all that was delivered."""
        assert self.application.push
        while True:
            before = self.now().deliveries, len(self.known())
            await self.application.push.delivering.drain()
            self.clock.move(MINUTE)
            if before == (self.now().deliveries, len(self.known())):
                return

    def now(self) -> Subscription:
        found = subscription_of(self.application.ledger.database, 1)
        assert found is not None
        return found

    def known(self) -> set[str]:
        return set(known_entries(self.application.ledger.database, 1, newest=100))

    def next_poll(self) -> timedelta:
        (health,) = source_health(self.application.ledger.database)
        return health.next_poll_at - self.clock()

    def slower(self) -> float:
        """How many times longer than its rhythm the source waits for its next poll."""
        source = source_by_id(self.application.ledger.database, 1)
        assert source is not None
        return self.next_poll().total_seconds() / float(source.schedule["interval"])

    async def get(self, path: str) -> tuple[int, Any, bytes]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, response.headers, await response.read()


@asynccontextmanager
async def scene(
    database_url: str, fetch: dict[str, Any] | None = None, **tables: Any
) -> AsyncIterator[Scene]:
    clock = FakeClock()
    async with ScriptedServer() as outlet, scripted_hub() as hub:
        source: dict[str, object] = {"url": outlet.url("/feed"), "full_text": "never"}
        settings = settings_for(
            database_url,
            [source],
            fetch={"min_interval": "1h", "max_interval": "10d", "max_bytes": 100_000}
            | (fetch or {}),
            **tables,
        )
        async with opened(settings, clock) as application:
            mailbox = application.push.mailbox if application.push else None
            site = Site(
                settings, application.ledger, application.publisher, lambda: True, mailbox=mailbox
            )
            async with serve(create_app(site)) as url:
                hub.reach = url
                yield Scene(application, clock, outlet, hub, url)


@pytest.fixture
async def subscribed(database_url: str) -> AsyncIterator[Scene]:
    """A source that was polled once and is delivered now."""
    async with scene(database_url) as found:
        found.publish("one")
        await found.poll()
        await found.subscribe()
        yield found


async def test_a_hub_is_asked_verifies_and_delivers(subscribed: Scene) -> None:
    hub = subscribed.hub
    (wish,) = hub.wishes
    assert wish["hub.topic"] == subscribed.outlet.url("/feed"), "the address the feed gives itself"
    assert len(wish["hub.secret"]) >= 40
    assert hub.answers == [(200, "challenge 0")]
    assert subscribed.now().state == "active"
    polls = len(subscribed.outlet.requests)
    for method, title in (("sha1", "two"), ("sha256", "three"), ("sha512", "four")):
        assert await hub.deliver(rss((title, title)), method=method) == 202
    await subscribed.read()
    assert subscribed.known() == {"one", "two", "three", "four"}
    assert len(subscribed.outlet.requests) == polls, "nobody polled"
    await subscribed.application.reading.drain()
    await subscribed.application.folding.drain()
    stories = await all_stories(subscribed.application)
    assert {story.title for story in stories} == {"one", "two", "three", "four"}


async def test_what_is_not_signed_as_agreed_is_taken_and_ignored(subscribed: Scene) -> None:
    hub, forged = subscribed.hub, rss(("forged", "Forged"))
    assert await hub.deliver(forged, secret="guessed") == 202
    assert await hub.deliver(forged, X_Hub_Signature="") == 202
    assert await hub.deliver(forged, X_Hub_Signature="md5=00") == 202
    await subscribed.read()
    assert subscribed.known() == {"one"}
    assert (subscribed.now().ignored, subscribed.now().deliveries) == (3, 0)


async def test_a_replay_brings_nothing_back(subscribed: Scene) -> None:
    hub = subscribed.hub
    first, second = rss(("two", "Before")), rss(("two", "After"))
    for document in (first, second, first):
        assert await hub.deliver(document) == 202
        await subscribed.read()
    assert subscribed.now().deliveries == 2
    await subscribed.application.reading.drain()
    await subscribed.application.folding.drain()
    titles = {story.title for story in await all_stories(subscribed.application)}
    assert titles == {"one", "After"}


async def test_what_a_hub_delivers_is_polled_for_all_the_same(subscribed: Scene) -> None:
    """The next poll asks without validators, and reads whatever the feed really says."""
    await subscribed.hub.deliver(rss(("one", "Said the hub")))
    await subscribed.read()
    subscribed.publish("one", ETag='"1"')
    await subscribed.poll()
    assert subscribed.outlet.requests[-1].header("if-none-match") is None
    await subscribed.application.folding.drain()
    (story,) = await all_stories(subscribed.application)
    assert story.title == "one"


async def test_questions_about_what_we_never_asked_are_denied(subscribed: Scene) -> None:
    hub = subscribed.hub
    assert await hub.ask("subscribe", **{"hub.topic": "https://other.example/"}) == 404
    assert await hub.ask("unsubscribe") == 404
    assert await hub.ask("subscribe", **{"hub.challenge": ""}) == 404
    subscribed.clock.move(PATIENCE)
    assert await hub.ask("subscribe") == 404, "that was long ago"
    stranger = {"hub.callback": "https://news.example/websub/" + "x" * 32, "hub.topic": "t"}
    assert await hub.ask("subscribe", stranger) == 404
    stranger["hub.secret"] = "s"
    assert await hub.deliver("", wish=stranger) == 410
    status, headers, _ = await subscribed.get("/websub/short")
    assert status == 404
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_polls_are_slower_while_a_hub_delivers(subscribed: Scene) -> None:
    assert subscribed.slower() < 1.2
    await subscribed.poll()
    assert subscribed.slower() >= 4
    # The hub has died without a word: the poll that finds what it missed ends the slow rhythm.
    subscribed.publish("one", "two")
    await subscribed.poll()
    assert subscribed.now().missed_at == subscribed.clock()
    assert subscribed.slower() < 1.2
    await subscribed.poll()
    assert subscribed.slower() < 1.2, "it is not believed any more"
    subscribed.clock.move(MINUTE)
    await subscribed.hub.deliver(rss(("three", "three")))
    await subscribed.read()
    subscribed.publish("one", "two", "three")
    await subscribed.poll()
    assert subscribed.slower() >= 4, "until it delivers again"


async def test_polls_never_end(subscribed: Scene) -> None:
    for _ in range(20):
        await subscribed.poll()
        assert subscribed.next_poll() <= 10 * DAY, "fetch.max_interval"


async def test_a_lease_is_renewed_before_it_ends(subscribed: Scene) -> None:
    lease = subscribed.now().lease_until
    assert lease == subscribed.clock() + 10 * DAY
    subscribed.clock.move(5 * DAY)
    await subscribed.subscribe()
    assert len(subscribed.hub.wishes) == 1, "it is too early"
    subscribed.clock.move(4 * DAY)
    await subscribed.subscribe()
    first, second = subscribed.hub.wishes
    assert first == second, "the same callback and secret"
    assert subscribed.now().lease_until == subscribed.clock() + 10 * DAY
    assert subscribed.now().state == "active"


@pytest.mark.parametrize("mood", ["refuse", "accept"])
async def test_a_lease_that_cannot_be_renewed_ends_in_polling(subscribed: Scene, mood: str) -> None:
    await subscribed.poll()
    slow = subscribed.next_poll()
    subscribed.hub.mood = mood
    while subscribed.now().state == "active":
        subscribed.clock.move(HOUR)
        await subscribed.subscribe()
    assert subscribed.clock() >= subscribed.now().verified_at + 10 * DAY  # type: ignore[operator]  # it was verified once
    assert subscribed.next_poll() < slow
    assert subscribed.next_poll() <= MINUTE
    assert subscribed.now().failures > 0
    asked = len(subscribed.hub.wishes)
    for _ in range(24):
        subscribed.clock.move(HOUR)
        await subscribed.subscribe()
    assert len(subscribed.hub.wishes) - asked <= 5, "ever more seldom"
    subscribed.hub.mood = "verify"
    subscribed.clock.move(2 * DAY)
    await subscribed.subscribe()
    if mood == "accept":  # that nobody verified was noticed just now
        subscribed.clock.move(2 * DAY)
        await subscribed.subscribe()
    assert subscribed.now().state == "active"


async def test_a_denial_ends_in_polling_at_once(subscribed: Scene) -> None:
    await subscribed.poll()
    assert subscribed.next_poll() > 3 * HOUR
    assert await subscribed.hub.ask("denied", **{"hub.reason": "too many"}) == 200
    assert subscribed.now().last_error == "denied: too many"
    await subscribed.subscribe()
    assert subscribed.next_poll() <= 2 * HOUR
    assert len(subscribed.hub.wishes) == 1
    subscribed.clock.move(9 * DAY)
    await subscribed.subscribe()
    assert subscribed.now().state == "active", "a week later it is asked again"


async def test_a_hub_that_says_no_from_the_start(database_url: str) -> None:
    async with scene(database_url) as found:
        found.hub.mood = "deny"
        found.publish("one")
        await found.poll()
        await found.subscribe()
        assert found.now().state == "denied"
        assert found.hub.answers == [(200, "")]
        await found.subscribe()
        assert len(found.hub.wishes) == 1


async def test_a_feed_that_names_no_hub_any_more_ends_it(subscribed: Scene) -> None:
    subscribed.publish("one", "two", Link="")
    await subscribed.poll()
    assert subscription_of(subscribed.application.ledger.database, 1) is None
    assert await subscribed.hub.deliver(rss(("x", "x"))) == 410


async def test_another_hub_gets_another_callback_and_secret(subscribed: Scene) -> None:
    old = subscribed.hub.wishes[-1]
    subscribed.clock.move(2 * DAY)
    async with scripted_hub() as other:
        other.reach = subscribed.url
        subscribed.publish("one", "two", Link=f'<{other.url}>; rel="hub", </feed>; rel="self"')
        await subscribed.poll()
        await subscribed.subscribe()
        await other.spoken()
        assert subscribed.now().state == "active"
        assert other.wishes[-1]["hub.callback"] != old["hub.callback"]
        assert other.wishes[-1]["hub.secret"] != old["hub.secret"]
    assert await subscribed.hub.deliver(rss(("x", "x"))) == 410


async def test_a_hub_that_floods_costs_little(subscribed: Scene) -> None:
    hub = subscribed.hub
    assert await hub.deliver(b"x" * 100_001) == 413
    assert await hub.deliver(b"x", Content_Encoding="gzip") == 415
    statuses = [await hub.deliver(rss((f"{n}", f"{n}"))) for n in range(PER_MINUTE + 5)]
    assert statuses[:8] == [202] * 8
    assert set(statuses[8:]) == {503}, "until some of it is read"
    subscribed.clock.move(MINUTE)
    seen = len(statuses)
    statuses = [await hub.deliver(b"junk", secret="wrong") for n in range(PER_MINUTE + 5)]
    assert statuses == [202] * PER_MINUTE + [503] * 5
    assert await hub.ask("subscribe") == 503
    assert subscribed.now().ignored == PER_MINUTE
    await subscribed.read()
    assert len(subscribed.known()) == 1 + 8 < seen
    assert (await subscribed.get("/healthz"))[0] == 200


async def test_a_hub_that_drips_holds_up_nobody(database_url: str) -> None:
    async with scene(database_url, fetch={"timeout": "300ms"}) as found:
        found.publish("one")
        await found.poll()
        await found.subscribe()
        address = found.hub.callback().removeprefix(found.url)
        port = int(found.url.rpartition(":")[2])
        writers = []
        readers = []
        for _ in range(AT_ONCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST {address} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1".encode()
            )
            readers.append(reader)
            writers.append(writer)
        async with asyncio.timeout(DEADLINE):
            for reader in readers:
                assert b" 408 " in await reader.readline()
        for writer in writers:
            writer.close()
        assert await found.hub.deliver(rss(("two", "two"))) == 202


async def test_what_is_delivered_is_no_feed(subscribed: Scene) -> None:
    assert await subscribed.hub.deliver("<html><body>Hello") == 202
    await subscribed.read()
    assert subscribed.known() == {"one"}
    (health,) = source_health(subscribed.application.ledger.database)
    assert (health.failures, health.last_error) == (0, None), "the source is well"


async def test_a_hub_on_a_private_network_is_not_asked(database_url: str) -> None:
    async with scene(database_url) as found:
        found.publish("one", Link='<http://10.0.0.1/hub>; rel="hub", </feed>; rel="self"')
        await found.poll()
        await found.subscribe()
        assert found.now().state == "waiting"
        assert "10.0.0.1" in (found.now().last_error or "")


@pytest.mark.parametrize(
    "tables", [{"websub": {"enabled": False}}, {"server": {"base_url": "http://127.0.0.1:8080"}}]
)
async def test_nobody_is_asked_where_that_is_off_or_pointless(
    database_url: str, tables: dict[str, Any]
) -> None:
    async with scene(database_url, **tables) as found:
        assert found.application.push is None
        found.publish("one")
        await found.poll()
        assert found.hub.forms == []
        assert subscription_of(found.application.ledger.database, 1) is None
        token = "x" * 32
        assert (await found.get(f"/websub/{token}?hub.mode=subscribe"))[0] == 404
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{found.url}/websub/{token}") as response,
        ):
            assert response.status == 410


async def test_the_page_says_how_it_goes_and_no_secret(subscribed: Scene) -> None:
    await subscribed.hub.deliver("forged", secret="guessed")
    _, headers, body = await subscribed.get("/websub")
    assert headers["Content-Type"] == "application/json"
    assert b'"state":"active"' in body
    assert b'"ignored":1' in body
    wish = subscribed.hub.wishes[-1]
    assert wish["hub.secret"].encode() not in body
    assert wish["hub.callback"].rpartition("/")[2].encode() not in body


# --- the whole daemon, in real time -------------------------------------------------------------


async def test_the_daemon_subscribes_is_delivered_and_tells_its_own_hub(database_url: str) -> None:
    async with ScriptedServer() as outlet, scripted_hub() as hub:
        feed = rss(("1", "Harbour bridge reopens")).encode()
        outlet.on("/feed", reply(200, feed, Link=f'<{hub.url}>; rel="hub"'))
        settings = settings_for(
            database_url,
            [{"url": outlet.url("/feed"), "full_text": "never"}],
            fetch={"min_interval": "1h"},
            server={"hubs": [hub.url]},
            output=[{"name": "feed"}, {"name": "full", "content": "full", "token": "t" * 20}],
        )
        with bind("127.0.0.1:0") as listener:
            hub.reach = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with daemon(settings, listener) as application, asyncio.timeout(60):
                while not hub.answers:
                    await asyncio.sleep(0.01)
                assert await hub.deliver(rss(("2", "Parliament votes on fishing"))) == 202
                async with aiohttp.ClientSession() as session:
                    body = ""
                    while "Parliament votes" not in body:
                        async with session.get(f"{hub.reach}/feed.atom") as response:
                            body = await response.text()
                            link = response.headers["Link"]
                    async with session.get(f"{hub.reach}/full.atom?token={'t' * 20}") as response:
                        assert "Link" not in response.headers
                        assert f'rel="hub" href="{hub.url}"' not in await response.text()
                assert link == (
                    f'<{hub.url}>; rel="hub", <https://news.example/feed.atom>; rel="self"'
                )
                assert f'rel="hub" href="{hub.url}"' in body
                assert 'rel="self" href="https://news.example/feed.atom"' in body
                while len(hub.told) < 3:
                    await asyncio.sleep(0.05)
                told = await application.ledger.read(all_pings)
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"{hub.reach}/websub") as response,
                ):
                    shown = await response.json()
    assert {ping["hub"] for ping in shown["pings"]} == {hub.url}
    assert [found["state"] for found in shown["subscriptions"]] == ["active"]
    assert {f"https://news.example/feed.{form}" for form in ("atom", "rss", "json")} == set(
        hub.told
    )
    assert {ping.hub for ping in told} == {hub.url}
