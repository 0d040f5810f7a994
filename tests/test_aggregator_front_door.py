"""Clients that are slow, many, greedy or odd, and the one beside them that is none of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.running.front_door import MOST_AHEAD, MOST_HEADERS, Door, Limits
from aggregator.running.server import bind, serving

DEADLINE = 20.0
LARGE = b"x" * 8_000_000
HEAD = Limits().head
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def large(_: Request) -> Response:
    return PlainTextResponse(LARGE)


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


APP = Starlette(
    routes=[Route("/", hello), Route("/large", large), Route("/echo", echo, methods=["POST"])]
)


class House:
    """A served application and raw connections to it."""

    def __init__(self, port: int, door: Door, stack: AsyncExitStack) -> None:
        self.door = door
        self.port = port
        self._stack = stack

    async def connect(self, sent: bytes = b"") -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.callback(writer.close)
        writer.write(sent)
        return reader, writer

    async def healthy(self) -> None:
        """Somebody who asks and reads is answered."""
        async with (
            asyncio.timeout(DEADLINE),
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/") as response,
        ):
            assert await response.text() == "hello"


@asynccontextmanager
async def house(**limits: Any) -> AsyncIterator[House]:
    with bind("127.0.0.1:0") as listener:
        async with (
            serving(APP, listener, Limits(**limits)) as door,
            AsyncExitStack() as stack,
        ):
            yield House(listener.getsockname()[1], door, stack)


async def ended(client: Client) -> bytes:
    """What it still got until the connection was ended."""
    got = b""
    async with asyncio.timeout(DEADLINE):
        try:
            while some := await client[0].read(65536):
                got += some
        except ConnectionResetError:
            pass
    return got


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfive.",
    ],
    ids=["nothing", "half a head", "half a body"],
)
async def test_a_request_that_is_never_finished_is_ended(sent: bytes) -> None:
    async with house(patience=0.2) as at:
        assert await ended(await at.connect(sent)) == b""
        await at.healthy()


async def test_dripping_does_not_prolong_it() -> None:
    async with house(patience=0.5) as at:
        client = await at.connect(b"GET / HTTP/1.1\r\n")

        async def drip() -> None:
            while True:
                client[1].write(b"X-Drip: 1\r\n")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await ended(client) == b""
        dripping.cancel()


async def test_a_client_that_does_not_read_is_ended_and_one_that_reads_gets_all() -> None:
    # At an ordinary pace it would take minutes.
    async with house(patience=0.3, slowest=1e9) as at, asyncio.timeout(DEADLINE):
        ask = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
        greedy = await at.connect(ask)
        await greedy[0].readuntil(b"200 OK")  # what is not read now stays with the server
        while at.door.waiting:
            await asyncio.sleep(0.01)
        assert len(await ended(greedy)) < len(LARGE)
        assert len(await ended(await at.connect(ask))) > len(LARGE)


async def test_an_idle_connection_is_kept_for_a_while_and_then_ended() -> None:
    async with house(patience=0.5) as at:
        client = await at.connect(GET)
        assert (await client[0].readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        client[1].write(GET)
        assert (await client[0].readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        assert await ended(client) == b""


async def test_beyond_the_limit_the_longest_idle_gives_way_to_the_newcomer() -> None:
    async with house(connections=20) as at:
        idle = [await at.connect() for _ in range(20)]
        await at.healthy()
        assert await ended(idle[0]) == b""
        for _ in range(100):
            await at.connect()
        await at.healthy()
        assert await ended(idle[-1]) == b""


async def test_a_head_that_does_not_end_is_refused() -> None:
    async with house() as at:
        client = await at.connect(b"GET / HTTP/1.1\r\n")
        for _ in range(2 * HEAD // 1000):
            client[1].write(b"X: " + b"x" * 995 + b"\r\n")
        assert (await ended(client)).startswith(b"HTTP/1.1 431 ")
        path = await at.connect(b"GET /" + b"x" * 2 * HEAD)
        assert (await ended(path)).startswith(b"HTTP/1.1 431 ")
        body = b"y" * 2 * HEAD
        head = f"POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(body)}"
        assert (await ended(await at.connect(f"{head}\r\n\r\n".encode() + body))).endswith(body)
        await at.healthy()


async def test_a_few_requests_may_be_sent_ahead_and_no_more() -> None:
    async with house(patience=1) as at:
        few = await at.connect(GET * MOST_AHEAD)
        assert (await ended(few)).count(b"hello") == MOST_AHEAD
        assert (await ended(await at.connect(GET * 5000))).count(b"hello") < 100
        await at.healthy()


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00", b"\r\n\r\n\r\nnonsense\r\n\r\n", b"GET /\x00 HTTP/9.9\r\n\r\n"],
)
async def test_what_is_no_http_is_told_so_and_ended(sent: bytes) -> None:
    async with house(patience=0.5) as at:
        assert (await ended(await at.connect(sent))).startswith(b"HTTP/1.1 400")
        await at.healthy()


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"Content-Length: 10000000\r\n\r\n", b"y" * 1000),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n" * 200),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"y" * 1000),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"Trailer: y\r\n" * 100),
    ],
    ids=["one length", "chunks", "a chunk's extension", "trailers"],
)
async def test_a_body_that_is_too_long_is_ended(start: bytes, more: bytes) -> None:
    async with house(body=10_000) as at:
        client = await at.connect(b"POST / HTTP/1.1\r\nHost: x\r\n" + start)
        client[1].write(more * 2000)
        assert (await ended(client)).count(b"HTTP/1.1") <= 2
        await at.healthy()


async def test_a_body_of_one_request_does_not_count_against_the_next() -> None:
    async with house() as at:
        body = b"y" * 2 * HEAD
        client = await at.connect(
            f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        client[1].write(body)
        async with asyncio.timeout(DEADLINE):
            await client[0].readuntil(b"\r\n\r\n")
            await client[0].readexactly(len(body))
            client[1].write(GET)
            assert (await client[0].readuntil(b"hello")).endswith(b"hello")


async def test_headers_are_counted() -> None:
    async with house() as at:
        head = b"GET / HTTP/1.1\r\nHost: x\r\n"
        many = await at.connect(head + b"A:\r\n" * MOST_HEADERS + b"\r\n")
        assert (await ended(many)).startswith(b"HTTP/1.1 431 ")
        few = await at.connect(head + b"A:\r\n" * (MOST_HEADERS - 2) + b"Connection: close\r\n\r\n")
        assert (await ended(few)).endswith(b"hello")
        await at.healthy()


async def test_a_request_that_asks_for_a_web_socket_stays_at_the_door() -> None:
    upgrade = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    async with house(patience=0.5) as at:
        assert (await ended(await at.connect(upgrade))).endswith(b"hello")
        await at.healthy()


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Length: -4\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"X : y\r\n\r\n",
        b"X: y\r\n z\r\n\r\n",
        b"X: y\nContent-Length: 0\n\n",
    ],
)
async def test_what_two_servers_could_read_in_two_ways_is_refused(sent: bytes) -> None:
    """Request smuggling (RFC 9112, 11.2): a proxy in front must not see other requests than we."""
    async with house() as at:
        client = await at.connect(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + sent + GET)
        assert (await ended(client)).startswith(b"HTTP/1.1 400 ")
