"""A PostgreSQL that goes away and comes back while the daemon runs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import aiohttp
import pytest
from conftest import Postgres
from fakes import rss
from newsroom_runs import settings_for
from scripted_server import ScriptedServer, reply
from sqlalchemy import make_url, text

from aggregator.running.daemon import daemon
from aggregator.running.server import bind
from storage.articles import count_by_state
from storage.sources import make_all_due

DEADLINE = 60.0


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
async def outlet() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        feed = rss(("1", "Harbour bridge reopens after repairs"))
        later = rss(("1", "Harbour bridge reopens after repairs"), ("2", "Ferry strike ends"))
        named = {"Content_Type": "application/rss+xml"}
        server.on("/feed", reply(200, feed.encode(), **named), reply(200, later.encode(), **named))
        yield server


@contextmanager
def away(postgres: Postgres, url: str) -> Iterator[None]:
    """Nobody is connected, and nobody can connect, while the block runs."""
    name = make_url(url).database
    with postgres.admin.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        )
    try:
        yield
    finally:
        with postgres.admin.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


class Reader:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(f"{self._url}{path}") as response:
            return response.status, await response.text()

    async def until(self, path: str, condition: Callable[[int, str], bool]) -> str:
        async with asyncio.timeout(DEADLINE):
            while True:
                status, body = await self.get(path)
                if condition(status, body):
                    return body
                await asyncio.sleep(0.1)


async def test_what_was_published_is_served_and_all_goes_on_by_itself(
    database_url: str, postgres: Postgres, outlet: ScriptedServer
) -> None:
    sources: list[dict[str, object]] = [{"url": outlet.url("/feed"), "full_text": "never"}]
    settings = settings_for(database_url, sources, fetch={"min_interval": "1h"})
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with daemon(settings, listener) as application, aiohttp.ClientSession() as session:
            reader = Reader(url, session)
            before = await reader.until("/feed.atom", lambda _, body: "Harbour bridge" in body)
            with away(postgres, database_url):
                health = await reader.until("/healthz", lambda status, _: status == 503)
                assert json.loads(health)["status"] == "down"
                assert await reader.get("/feed.atom") == (200, before)
                status, page = await reader.get("/")
                assert status == 503
                assert "Back soon" in page
                assert (await reader.get("/readyz"))[0] == 200
                assert (await reader.get("/api/v1/stories"))[0] == 503
            await reader.until("/healthz", lambda status, _: status == 200)
            await application.ledger.write(make_all_due, application.clock())
            await reader.until("/feed.atom", lambda _, body: "Ferry strike" in body)
            states = await application.ledger.read(count_by_state)
            assert states == {"new": 0, "read": 0, "folded": 2}
            await reader.until("/healthz", lambda _, body: '"ok"' in body)
