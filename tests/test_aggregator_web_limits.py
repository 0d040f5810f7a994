"""Who asks, under which name, with which token, and whose turn it is."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from api_site import SETTINGS, TOKEN, fill_for_api, site_for_api
from newsroom_runs import serve
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.web.app import create_app
from aggregator.web.clients import Clients
from aggregator.web.guesses import MINUTE, Guesses, Verdict
from aggregator.web.hosts import Hosts
from aggregator.web.turns import Turns
from storage.database import open_database

DEADLINE = 20.0
READ_TOKEN = "fedcba9876543210-read"
PRIVATE = SETTINGS.model_copy(
    update={
        "server": SETTINGS.server.model_validate(
            {"base_url": "https://news.example", "read_token": READ_TOKEN, "token_attempts": 3}
        )
    }
)
OPEN = SETTINGS.model_copy(
    update={"server": SETTINGS.server.model_copy(update={"token_attempts": 3})}
)


def scope(client: str = "192.0.2.1", path: str = "/", **headers: str) -> Scope:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "client": (client, 1234),
        "headers": raw,
    }


# --- clients ------------------------------------------------------------------------------------

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("::1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "," * 5000, "10.0.0.1"),
        ("10.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8::1%eth0", None, "2001:db8::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        ("", None, ""),
    ],
)
def test_whose_request_it_is(peer: str, forwarded: str | None, client: str) -> None:
    headers = {} if forwarded is None else {"x_forwarded_for": forwarded}
    assert Clients(PROXIES).of(scope(peer, **headers)) == client


# --- guesses ------------------------------------------------------------------------------------


@dataclass
class Guessing:
    """Guesses at one token, at a time that the test moves on."""

    now: float = 1000.0
    most: int = 3
    guesses: Guesses = field(init=False)

    def __post_init__(self) -> None:
        self.guesses = Guesses(self.most, clock=lambda: self.now)

    def __call__(self, token: str, client: str = "192.0.2.1") -> Verdict:
        return self.guesses.judge(scope(client), [token], ["right"])


def test_who_guesses_has_to_wait_and_nobody_else() -> None:
    guess = Guessing()
    assert [guess(f"wrong {n}").wait for n in range(3)] == [0, 0, 0]
    assert guess("wrong").wait == MINUTE / 3
    assert not guess("right").opens, "or one could go on guessing"
    assert guess("right", "192.0.2.2") == Verdict(opens=True)
    guess.now += MINUTE / 3
    assert guess("right").opens


def test_who_was_right_before_is_not_locked_out_by_others_at_the_same_address() -> None:
    guess = Guessing()
    assert guess("right").opens
    for number in range(10):
        guess(f"wrong {number}")
    assert guess("wrong").wait > 0
    assert guess("right").opens


def test_waiting_does_not_grow_with_what_is_refused() -> None:
    guess = Guessing()
    waits = [guess("wrong").wait for _ in range(1000)]
    assert max(waits) == MINUTE / 3
    guess.now += MINUTE
    assert guess("wrong").wait == 0


def test_nothing_shown_is_no_guess() -> None:
    guess = Guessing()
    for _ in range(100):
        assert guess.guesses.judge(scope(), [], ["right"]) == Verdict(opens=False)
    assert guess("right").opens


def test_what_is_remembered_of_clients_is_bounded() -> None:
    guess = Guessing()
    for number in range(30_000):
        guess("wrong", f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        guess("right", f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(guess.guesses._wrong) == len(guess.guesses._proven) == 10_000


@pytest.mark.parametrize("token", ["", "ä", "\ud800", "x" * 100_000])
def test_odd_tokens_are_wrong(token: str) -> None:
    assert Guessing()(token) == Verdict(opens=False)


@asynccontextmanager
async def site_at(path: Path, settings: Settings) -> AsyncIterator[str]:
    ledger = Ledger(open_database(f"sqlite:///{path / 'newsfold.db'}"))
    fill_for_api(ledger.database)
    async with serve(create_app(await site_for_api(ledger, settings))) as url:
        yield url
    ledger.close()


Answer = tuple[int, str | None, str]


async def answers(url: str, paths: Iterable[str], address: str = "127.0.0.1") -> list[Answer]:
    """Status, Retry-After and text of GETs from one address."""
    found = []
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        for path in paths:
            async with session.get(f"{url}{path}") as response:
                retry = response.headers.get("Retry-After")
                found.append((response.status, retry, await response.text()))
    return found


@pytest.mark.parametrize("path", ["/", "/world.atom", "/full.atom", "/api/v1/stories", "/nothing"])
async def test_a_private_site_lets_nobody_guess(tmp_path: Path, path: str) -> None:
    async with site_at(tmp_path, PRIVATE) as url:
        wrong = [f"{path}?token=wrong{n}" for n in range(5)]
        statuses = [status for status, _, _ in await answers(url, wrong)]
        assert statuses == [401, 401, 401, 429, 429]
        ((status, retry, text),) = await answers(url, [f"{path}?token={READ_TOKEN}"])
        assert (status, retry) == (429, "20")
        assert "wait" in text
        ((status, _, _),) = await answers(url, [f"/?token={READ_TOKEN}"], "127.0.0.2")
        assert status == 200
        assert [status for status, _, _ in await answers(url, ["/", "/healthz"])] == [401, 200]


async def test_an_outputs_token_cannot_be_guessed_on_the_short_way_either(tmp_path: Path) -> None:
    async with site_at(tmp_path, OPEN) as url:
        right, wrong = f"/full.atom?token={TOKEN}", "/full.atom?token=wrong"
        assert [one[0] for one in await answers(url, [wrong] * 5)] == [404, 404, 404, 429, 429]
        assert [one[0] for one in await answers(url, [right, f"{right}&q=x", "/"])] == [
            429,
            429,
            200,
        ]
        known = await answers(url, [right, *[wrong] * 5, right], "127.0.0.2")
        assert [one[0] for one in known] == [200, 404, 404, 404, 429, 429, 200]


# --- hosts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"news.example", 200),
        (b"NEWS.example.:8080", 200),
        (b"other.example", 200),
        (b"127.0.0.1:8080", 200),
        (b"[::1]:8080", 200),
        (b"localhost", 200),
        (b"nas", 200),
        (b"nas.local", 200),
        (b"evil.example", 421),
        (b"news.example.evil.example", 421),
        (b"xnews.example", 421),
        (b"127.0.0.1.evil.example", 421),
        (b"", 400),
        (b"a b", 400),
        (b"news.example/evil", 400),
        (b"user@news.example", 400),
        (b"news.example:99999999", 400),
        (b"\xff", 400),
        (b"[::1", 400),
    ],
)
async def test_the_name_under_which_it_is_asked(host: bytes, status: int) -> None:
    app = Hosts(PlainTextResponse("hello"), "https://news.example:8443/x", ["Other.example."])
    assert await status_of(app, scope() | {"headers": [(b"host", host)]}) == status


async def status_of(app: Any, asked: Scope) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(asked, None, send)
    status: int = sent[0]["status"]
    return status


async def test_hosts_that_are_missing_or_too_many() -> None:
    app = Hosts(PlainTextResponse("hello"), "https://news.example")
    one = (b"host", b"news.example")
    assert await status_of(app, scope()) == 400
    assert await status_of(app, scope() | {"http_version": "1.0"}) == 200
    assert await status_of(app, scope() | {"headers": [one, one]}) == 400
    evil = {"headers": [(b"host", b"evil.example")]}
    assert await status_of(app, scope(path="/healthz") | evil) == 200
    any_name = Hosts(PlainTextResponse("hello"), "https://news.example", ["*"])
    assert await status_of(any_name, scope() | evil) == 200


PATHS = ("/", "/sources", "/sources/", "/story/story-11", "/world.atom", "/world/archive/1.atom")
PATHS += ("/api", "/api/", "/api/v1/stories", "/api/openapi.json", "/nothing", "//evil.example/x")


async def test_no_answer_depends_on_the_name_in_the_request(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(
        update={"server": SETTINGS.server.model_copy(update={"hosts": ("*",)})}
    )
    games = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Host": "evil.example"}
    async with site_at(tmp_path, settings) as url, aiohttp.ClientSession() as session:
        for path in PATHS:
            told = []
            for headers in ({}, games, games | {"X-Forwarded-Proto": "gopher"}):
                async with session.get(
                    f"{url}{path}", headers=headers, allow_redirects=False
                ) as response:
                    kept = {k: v for k, v in response.headers.items() if k != "Date"}
                    told.append((response.status, kept, await response.read()))
            assert told[0] == told[1] == told[2]
            assert b"evil.example" not in told[1][2] or path.startswith("//")
            assert "evil" not in told[1][1].get("Location", "")


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"]
)
async def test_other_methods_are_refused_everywhere(tmp_path: Path, method: str) -> None:
    async with site_at(tmp_path, SETTINGS) as url, aiohttp.ClientSession() as session:
        for path in ("/", "/world.atom", "/story/story-0", "/api/v1/stories", "/healthz"):
            headers = {"X-HTTP-Method-Override": "GET", "Cookie": "secret"}
            async with session.request(
                method, f"{url}{path}?_method=GET", headers=headers, data=b"x=1"
            ) as response:
                assert response.status == 405, path
                assert "GET" in response.headers["Allow"]
                assert b"secret" not in await response.read()


# --- turns --------------------------------------------------------------------------------------


class Work:
    """An application whose answers wait until they are let go; notes who is at work."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = asyncio.Event()
        self.held = asyncio.Event()

    async def __call__(self, asked: Scope, _: Receive, send: Send) -> None:
        self.begun.append(asked["client"][0])
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0)


async def test_one_client_has_half_of_the_turns_and_others_need_not_wait_for_it() -> None:
    work = Work()
    app = Turns(work, 4)
    flood = [asyncio.create_task(status_of(app, scope("192.0.2.1"))) for _ in range(500)]
    await until(lambda: len(work.begun) == 2)
    other = asyncio.create_task(status_of(app, scope("192.0.2.2")))
    await until(lambda: len(work.begun) == 3)
    assert work.begun == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    work.go.set()
    assert await other == 200
    assert set(await asyncio.gather(*flood)) == {200}


async def test_clients_that_wait_take_turns() -> None:
    work = Work()
    app = Turns(work, 2)
    first = [asyncio.create_task(status_of(app, scope(f"192.0.2.{n}"))) for n in (1, 2)]
    await until(lambda: len(work.begun) == 2)
    waiting = [
        asyncio.create_task(status_of(app, scope(client)))
        for client in [*["192.0.2.7"] * 50, "192.0.2.8", "192.0.2.9"]
    ]
    await until(lambda: sum(map(len, app._waiting.values())) == 52)
    work.go.set()
    await asyncio.gather(*first, *waiting)
    assert set(work.begun[2:5]) == {"192.0.2.7", "192.0.2.8", "192.0.2.9"}


async def test_who_waits_too_long_is_told_so_and_nothing_is_held() -> None:
    work = Work()
    app = Turns(work, 2, patience=0.05)
    busy = [asyncio.create_task(status_of(app, scope(f"192.0.2.{n}"))) for n in (1, 2)]
    await until(lambda: len(work.begun) == 2)
    assert await asyncio.gather(*(status_of(app, scope()) for _ in range(20))) == [503] * 20
    assert await status_of(app, scope(path="/healthz")) if work.go.set() else True
    assert await asyncio.gather(*busy) == [200, 200]
    assert (app._free, app._working, app._waiting) == (2, {}, {})


async def test_clients_that_leave_take_their_place_in_the_line_with_them() -> None:
    work = Work()
    app = Turns(work, 2)
    busy = [asyncio.create_task(status_of(app, scope(f"192.0.2.{n}"))) for n in (1, 2)]
    await until(lambda: len(work.begun) == 2)
    gone = [asyncio.create_task(status_of(app, scope())) for _ in range(10)]
    await until(lambda: app._waiting)
    for task in gone:
        task.cancel()
    work.go.set()
    await asyncio.gather(*busy, *gone, return_exceptions=True)
    assert (app._free, app._working, app._waiting) == (2, {}, {})


async def test_one_who_does_not_read_holds_no_turn() -> None:
    async def answer(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    stuck = asyncio.Event()

    async def never_read(_: Message) -> None:
        await stuck.wait()

    app = Turns(answer, 2)
    tasks = [
        asyncio.create_task(app(scope(), None, never_read))  # type: ignore[arg-type]  # unread
        for _ in range(50)
    ]
    assert await status_of(app, scope("192.0.2.2")) == 200
    assert await status_of(app, scope()) == 200
    stuck.set()
    await asyncio.gather(*tasks)


async def test_a_crash_gives_the_turn_back() -> None:
    async def crash(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("no")

    app = Turns(crash, 2)
    for _ in range(5):
        with pytest.raises(RuntimeError):
            await status_of(app, scope())
    assert app._free == 2
