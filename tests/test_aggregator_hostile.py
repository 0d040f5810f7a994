"""The real daemon in one round over hostile servers and good ones: never more than one source."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address

import aiohttp
import pytest
from conftest import ONE_ENGINE
from hostile_documents import DOCUMENTS, KEPT, PAGES, ROBOTS, Document, feed_of, item, rss
from hostile_servers import CASES, Case, place
from hostile_shown import Shown, check_harmless, check_there, check_told
from newsroom_runs import settings_for
from scripted_server import Behaviour, ScriptedServer, redirect, reply

from aggregator.config.settings import Settings
from aggregator.running.daemon import daemon
from aggregator.running.server import bind
from feeds.model import FailureKind
from storage.articles import count_by_state
from storage.sources import source_health
from storage.tables.article import entries
from storage.values.source import SourceHealth

GOOD = 12
DEADLINE = 280.0
TIMEOUT = "10s"


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@dataclass
class World:
    """Every server on an address of its own, and the sources that name them.

    The ``trap`` is a private address that nobody may ask: where hostile sources lead to.
    """

    servers: AsyncExitStack
    trap: ScriptedServer
    sources: list[dict[str, object]] = field(default_factory=list)
    count: int = 0

    async def server(self) -> ScriptedServer:
        self.count += 1
        host = f"127.7.{self.count // 250}.{self.count % 250 + 1}"
        return await self.servers.enter_async_context(ScriptedServer(host=host))

    def add(self, name: str, url: str, full_text: str = "never") -> None:
        self.sources.append({"url": url, "name": name, "full_text": full_text})


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as servers:
        world = World(servers, await servers.enter_async_context(ScriptedServer(host=TRAP)))
        for case in CASES:
            world.add(case.name, place(case, await world.server()))
        for document in DOCUMENTS:
            server = await world.server()
            behaviour = reply(200, document.body, Content_Type=document.content_type)
            world.add(document.name, server.on("/feed", behaviour))
        for name, put in PAGES.items():
            server = await world.server()
            put(server, "/page")
            server.on("/feed", reply(200, feed_of(server.url("/page"))))
            world.add(f"its page {name}", server.url("/feed"), "always")
        server = await world.server()
        server.on("/robots.txt", reply(200, ROBOTS))
        server.on("/feed", reply(200, feed_of(*(server.url(f"/{n}") for n in range(20)))))
        world.add("a robots.txt of 500 kB", server.url("/feed"), "always")
        for name, put in LURES.items():
            server = await world.server()
            server.on("/feed", put(server, world.trap))
            world.add(name, server.url("/feed"), "always")
        for name, host in HIDDEN.items():
            world.add(f"the trap by {name}", world.trap.url("/feed", host=host))
        for number in range(GOOD):  # last in line: whoever holds up others holds up these
            server = await world.server()
            world.add(f"good {number}", server.on("/feed", reply(200, good_feed(number))))
        yield world


def good_title(number: int) -> str:
    return f"News of {made_up(number)} town"


def good_feed(number: int) -> bytes:
    text = " ".join(made_up(1000 * number + n) for n in range(120))
    return (
        f"<rss version='2.0'><channel><title>Good {number}</title><item><guid>{number}</guid>"
        f"<title>{good_title(number)}</title><description>{text}</description></item>"
        f"</channel></rss>"
    ).encode()


def made_up(number: int) -> str:
    """A word that no other number has."""
    return "".join("abcdefghij"[int(digit)] + "nrst"[int(digit) % 4] for digit in f"{number:05}")


def link(relation: str, url: str) -> str:
    namespace = "http://www.w3.org/2005/Atom"
    return f"<atom:link xmlns:atom='{namespace}' rel='{relation}' href='{url}'/>"


TRAP = "127.9.9.9"
HIDDEN = {
    # Names for the trap's address; every other server is in an allowed network.
    "its address": TRAP,
    "a number": str(int(ip_address(TRAP))),
    "hexadecimal": "0x7f090909",
    "octal": "0177.011.011.011",
    "two parts": "127.592137",
    "IPv6": f"[::ffff:{TRAP}]",
    "full-width digits": "\uff11\uff12\uff17.9.9.9",
}
HARMLESS = {
    # What is at the trap is left out; the feed itself is good.
    *("entries at the trap", "pages that lead to the trap", "robots.txt at the trap"),
    *("a hub at the trap", "pictures at the trap"),
}
Lure = Callable[[ScriptedServer, ScriptedServer], Behaviour]
LURES: dict[str, Lure] = {
    "leads to the trap": lambda _, trap: redirect(trap.url("/moved"), 301),
    "entries at the trap": lambda _, trap: reply(200, feed_of(trap.url("/a"), trap.url("/b"))),
    "pages that lead to the trap": lambda server, trap: reply(
        200, feed_of(server.on("/page", redirect(trap.url("/page"))))
    ),
    "robots.txt at the trap": lambda server, trap: reply(
        200,
        feed_of(
            server.on("/page", redirect("/x")),
            server.on("/robots.txt", redirect(trap.url("/robots.txt"))),
        ),
    ),
    "a hub at the trap": lambda server, trap: reply(
        200,
        rss(item(1), "", link("hub", trap.url("/h")) + link("self", server.url("/feed"))).encode(),
        Link=f"<{trap.url('/hub')}>; rel=hub, <{server.url('/feed')}>; rel=self",
    ),
    "pictures at the trap": lambda server, trap: reply(
        200,
        feed_of(
            server.on(
                "/page",
                reply(
                    200,
                    f"<article><p>{'Words of a page. ' * 80}<img src='{trap.url('/p.png')}'>"
                    f"<a rel=next href='{trap.url('/next')}'>next</a></article>".encode(),
                    Content_Type="text/html",
                ),
            )
        ),
    ),
    "a page that is a feed at the trap": lambda _, trap: reply(
        200,
        f"<html><link rel=alternate type='application/rss+xml' href='{trap.url('/f')}'>".encode(),
        Content_Type="text/html",
    ),
}


def settings_of(world: World, database_url: str) -> Settings:
    fetch = {
        "allow_networks": ["127.7.0.0/16"],
        "timeout": TIMEOUT,
        "max_bytes": 2 * 1024 * 1024,
        "min_interval": "1h",
        "host_interval": "10ms",
    }
    output = [{"name": "feed", "limit": 1000, "max_bytes": 100_000_000}]
    return settings_for(database_url, world.sources, fetch=fetch, output=output)


async def test_good_sources_are_polled_and_pages_answered_whatever_the_others_do(
    world: World, database_url: str
) -> None:
    settings = settings_of(world, database_url)
    answers: list[int] = []
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        async with daemon(settings, listener) as application, aiohttp.ClientSession() as session:
            async with asyncio.timeout(DEADLINE):
                while application.tally.polled < len(world.sources):
                    answers.append(await status_of(session, url))
                while not is_done(await application.ledger.read(count_by_state)):
                    answers.append(await status_of(session, url))
                await application.publisher.refresh()
            site = await Shown.by(session, url)
            health = {h.name: h for h in source_health(application.ledger.database)}
            with application.ledger.database.read() as connection:
                shown = connection.execute(entries.select()).all()
    assert set(answers) == {200}
    assert len(health) == len(world.sources)
    kept = {row.source_id for row in shown if row.title == KEPT}
    assert not [request.target for request in world.trap.requests], "a private address was asked"
    assert world.trap.connections == 0
    check_good(health)
    check_there(site, [good_title(number) for number in range(GOOD)])
    check_harmless(site)
    check_told(site, health)
    for name in [*LURES, *(f"the trap by {name}" for name in HIDDEN)]:
        assert (health[name].last_error is None) == (name in HARMLESS), name
    for case in CASES:
        check_case(case, health[case.name])
    for document in DOCUMENTS:
        check_document(document, health[document.name], kept)
    for row in shown:
        html = f"{row.summary_html}{row.content_html}"  # the title is plain text
        assert not re.search(r"<script|onerror", html, re.IGNORECASE)
        assert "root:x:0" not in f"{row.title}{html}"
        assert row.url is None or row.url.startswith(("http://", "https://"))


def is_done(counts: dict[str, int]) -> bool:
    return not counts["new"] and not counts["read"]


async def status_of(session: aiohttp.ClientSession, url: str) -> int:
    await asyncio.sleep(0.02)
    async with session.get(url) as response:
        await response.read()
        return response.status


def check_good(health: dict[str, SourceHealth]) -> None:
    good = [health[f"good {number}"] for number in range(GOOD)]
    assert all(h.failures == 0 and h.last_error is None and h.last_entry_at for h in good)
    # Last in line, and done all the same before those that use up every limit.
    last_good = max(h.last_poll_at for h in good if h.last_poll_at)
    assert last_good < max(h.last_poll_at for h in health.values() if h.last_poll_at)


def check_case(case: Case, health: SourceHealth) -> None:
    """Polled once; a failure wherever the fetch fails, or what came is no feed."""
    assert health.last_poll_at is not None
    is_status = not isinstance(case.expected, FailureKind)
    if not is_status or not 200 <= int(case.expected) < 300 or case.conditional:
        assert health.failures == 1, (case.name, health)
        assert health.last_error


def check_document(document: Document, health: SourceHealth, kept: set[int]) -> None:
    if document.is_feed is not None:
        assert (health.failures == 0) == document.is_feed, (document.name, health.last_error)
    if document.keeps:
        assert health.id in kept, document.name


async def test_a_flood_is_read_up_to_a_bound(database_url: str) -> None:
    document = next(d for d in DOCUMENTS if d.name == "10,000 entries")
    async with ScriptedServer() as server:
        url = server.on("/feed", reply(200, document.body))
        settings = settings_for(database_url, [{"url": url, "full_text": "never"}])
        with bind("127.0.0.1:0") as listener:
            async with daemon(settings, listener) as application, asyncio.timeout(DEADLINE):
                while not application.tally.polled:
                    await asyncio.sleep(0.01)
                assert application.tally.entries == 500


def test_there_are_enough_of_them() -> None:
    names = [case.name for case in CASES] + [d.name for d in DOCUMENTS] + list(PAGES)
    assert len(names) == len(set(names)) >= 150
