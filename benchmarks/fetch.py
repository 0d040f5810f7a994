"""What the fetcher costs over a bare loop of its own HTTP client, which is the limit.

    python benchmarks/fetch.py [FEEDS]

A server process of its own serves FEEDS (1,000) feeds of about 58 kB from memory. Each pass asks
for all of them, 50 at once: ``cold`` (200, plain and gzip) and ``warm`` (304). ``bare`` is an
aiohttp session that throws the bytes away; ``fetcher`` is ``HttpFetcher`` with guard, meter,
decoder and deadline. CPU is this process's own, without the server's.
"""

import asyncio
import gzip
import multiprocessing
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import ClassVar

import aiohttp

from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from feeds.model import FetchRequest, Response, Validators

AT_ONCE = 50
ENTRY = (
    "<item><title>Headline number {0}</title><link>https://news.example/{0}</link>"
    "<guid>https://news.example/{0}</guid><description>{1}</description></item>"
)


def feed() -> bytes:
    words = " ".join(f"word{n % 997}" for n in range(230))
    items = "".join(ENTRY.format(n, words) for n in range(30))
    return f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>".encode()


class Server(asyncio.Protocol):
    """Answers /plain/N and /gzip/N; 304 to whatever is conditional."""

    # ruff: noqa: D102 - the methods are asyncio's

    answers: ClassVar[dict[bytes, bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        *requests, self.pending = (self.pending + data).split(b"\r\n\r\n")
        for request in requests:
            kind = b"304" if b"\r\nIf-None-Match: " in request else request.split(b"/", 2)[1]
            self.transport.write(self.answers[kind])


def prepare() -> None:
    body, packed = feed(), gzip.compress(feed())
    head = 'HTTP/1.1 {} OK\r\nETag: "1"\r\nContent-Type: application/rss+xml\r\n{}\r\n'
    length = "Content-Length: {}\r\n"
    coded = length + "Content-Encoding: gzip\r\n"
    Server.answers = {
        b"plain": head.format(200, length.format(len(body))).encode() + body,
        b"gzip": head.format(200, coded.format(len(packed))).encode() + packed,
        b"304": head.format(304, "").encode(),
    }


def serve(pipe: Connection) -> None:
    async def main() -> None:
        prepare()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Server, "127.0.0.1", 0, backlog=512)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)

    asyncio.run(main())


async def drain(urls: Iterator[str], get: Callable[[str], Awaitable[None]]) -> None:
    async def work() -> None:
        for url in urls:
            await get(url)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


Getter = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def bare(*, warm: bool) -> AsyncIterator[Getter]:
    headers = {"User-Agent": "bare", "If-None-Match": '"1"'} if warm else {"User-Agent": "bare"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), auto_decompress=False
    ) as session:

        async def get(url: str) -> None:
            async with session.get(url, headers=headers) as response:
                await response.read()

        yield get


@asynccontextmanager
async def fetcher(*, warm: bool) -> AsyncIterator[Getter]:
    async with HttpFetcher(Guard.allowing(["127.0.0.0/8"]), "newsfold/benchmark") as http:

        async def get(url: str) -> None:
            validators = Validators(url, etag='"1"') if warm else None
            outcome = await http.fetch(FetchRequest(url, validators=validators))
            assert isinstance(outcome, Response), outcome
            assert outcome.status == (304 if warm else 200)

        yield get


async def run(port: int, feeds: int) -> None:
    print(f"{'pass':<14}{'client':<10}{'feeds/s':>9}{'CPU s / 1,000':>15}")
    for name, kind, warm in (("cold, plain", "plain", False), ("cold, gzip", "gzip", False),
                             ("warm, 304", "plain", True)):  # fmt: skip
        for client in (bare, fetcher):
            async with client(warm=warm) as get:
                await drain(iter([f"http://127.0.0.1:{port}/{kind}/w"] * AT_ONCE), get)
                urls = (f"http://127.0.0.1:{port}/{kind}/{n}" for n in range(feeds))
                wall, cpu = time.perf_counter(), time.process_time()
                await drain(urls, get)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"{name:<14}{client.__name__:<10}{feeds / wall:>9.0f}{cpu / feeds * 1000:>15.2f}")


def main() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,))
    server.start()
    asyncio.run(run(here.recv(), int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
    here.send(None)
    server.join()


if __name__ == "__main__":
    main()
