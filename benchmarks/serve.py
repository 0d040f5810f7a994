"""What serving a merged feed costs, and how long readers wait while news comes in.

    python benchmarks/serve.py [--rounds 7] [--seconds 3] [--feeds 1000] [--items 5]

Needs ``wrk`` (Debian: ``apt-get install wrk``). Two measurements, each in processes of its own:

``served``: a full-text output of 100 entries asked for by wrk over 50 connections, 200 (gzip) and
304, against constant bytes of the same size from a bare ASGI application in the same server
(``plain``: three headers; ``alike``: the very headers of the output). The rivals take turns; the
medians are shown, with the CPU time of the server per answer, which others on the machine disturb
least.

``while polling``: the same output asked for over 10 connections while the daemon takes in FEEDS
feeds of ITEMS new articles each: percentiles of wrk, and how late the event loop was.
"""

import argparse
import asyncio
import multiprocessing
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from aggregator.config.settings import Settings
from aggregator.running.daemon import daemon, run_async
from aggregator.running.logs import configure_logs
from aggregator.running.server import bind, serving
from storage.articles import count_by_state

SYLLABLES = ("an", "ber", "cor", "del", "esta", "fir", "gam", "hol", "ist", "kel", "lun", "mora")
ENTRIES = 100
TICK = 0.005
PATH = "/news.atom"

Heard = Callable[[], Awaitable[object]]
"""Waits for the next word of the parent; None is the last."""


def feed(number: int, items: int) -> bytes:
    chance = random.Random(number)

    def words(count: int) -> str:
        return " ".join("".join(chance.choices(SYLLABLES, k=3)) for _ in range(count))

    written = "".join(
        f"<item><title>{words(9)}</title><guid isPermaLink='false'>{number}-{n}</guid>"
        f"<description>{words(250)}</description></item>"
        for n in range(items)
    )
    return (
        f"<rss version='2.0'><channel><title>Outlet {number}</title>{written}</channel></rss>"
    ).encode()


# --- processes --------------------------------------------------------------------------------


def in_loop(pipe: Connection, serve: Callable[[Heard], Awaitable[None]]) -> None:
    """Run ``serve``, which hears what the parent says."""

    async def main() -> None:
        async def heard() -> object:
            return await asyncio.to_thread(pipe.recv)

        await serve(heard)

    run_async(main())


def serve_feeds(pipe: Connection) -> None:
    async def answer(request: Request) -> Response:
        number, items = request.path_params["number"], request.path_params["items"]
        return Response(feed(number, items), media_type="application/rss+xml")

    app = Starlette(routes=[Route("/{number:int}/{items:int}", answer)])

    async def serve(heard: Heard) -> None:
        with bind("127.0.0.1:0") as listener:
            async with serving(app, listener):
                pipe.send(listener.getsockname()[1])
                await heard()

    in_loop(pipe, serve)


def constant(body: bytes, headers: list[tuple[bytes, bytes]]) -> ASGIApp:
    """An application that knows one answer, or 304 to what is conditional."""
    whole = {"type": "http.response.start", "status": 200, "headers": headers}
    unchanged = {
        "type": "http.response.start",
        "status": 304,
        "headers": [item for item in headers if not item[0].startswith(b"content-")],
    }

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        conditional = any(name == b"if-none-match" for name, _ in scope["headers"])
        await send(unchanged if conditional else whole)
        await send({"type": "http.response.body", "body": b"" if conditional else body})

    return app


def serve_constant(pipe: Connection, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    async def serve(heard: Heard) -> None:
        with bind("127.0.0.1:0") as listener:
            async with serving(constant(body, headers), listener):
                pipe.send(listener.getsockname()[1])
                await heard()

    in_loop(pipe, serve)


def serve_newsfold(pipe: Connection, urls: list[str]) -> None:
    """The daemon over these feeds. Answers every word with (articles folded, lags in s)."""

    async def serve(heard: Heard) -> None:
        lags: list[float] = []
        with tempfile.TemporaryDirectory() as folder, bind("127.0.0.1:0") as listener:
            async with daemon(settings_for(urls, Path(folder)), listener) as application:
                pipe.send(listener.getsockname()[1])
                ticker = asyncio.create_task(tick(lags))
                while await heard():
                    states = await application.ledger.read(count_by_state)
                    pipe.send((states["folded"], lags[:]))
                    lags.clear()
                ticker.cancel()

    configure_logs(json=False, level="error")
    in_loop(pipe, serve)


async def tick(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(TICK)
        lags.append(time.perf_counter() - before - TICK)


def settings_for(urls: list[str], folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "server": {"base_url": "https://news.example", "title": "News"},
            "storage": {"url": f"sqlite:///{folder / 'newsfold.db'}"},
            "fetch": {
                "allow_networks": ["127.0.0.0/8"],
                "host_interval": "0s",
                "host_concurrency": 32,
                "min_interval": "1d",
            },
            "extract": {"full_text": "never"},
            "output": [{"name": "news", "content": "full", "republish": True, "limit": ENTRIES}],
            "source": [{"url": url} for url in urls],
        }
    )


@dataclass
class Process:
    """A server at ``port``."""

    port: int
    pid: int
    pipe: Connection

    @property
    def url(self) -> str:
        """What is asked for."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    def ask(self) -> tuple[int, list[float]]:
        """How many articles are folded, and how late the loop was since last asked."""
        self.pipe.send("well?")
        answer: tuple[int, list[float]] = self.pipe.recv()
        return answer

    def cpu(self) -> float:
        """CPU seconds so far, without its children."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextmanager
def started(target: Callable[..., None], *args: object) -> Iterator[Process]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(there, *args))
    process.start()
    try:
        yield Process(here.recv(), process.pid or 0, here)
    finally:
        here.send(None)
        process.join()


# --- measuring --------------------------------------------------------------------------------


@dataclass
class Load:
    """What wrk saw: answers a second, and latencies in ms by percentile."""

    rate: float
    answers: int
    latency: dict[int, float]


def wrk(url: str, seconds: int, connections: int, *headers: str) -> Load:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in ("Accept-Encoding: gzip", *headers):
        command += ["-H", header]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(done.stdout)
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    latency = {
        int(percent): float(value) * unit[kind]
        for percent, value, kind in re.findall(
            r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)$", done.stdout, re.MULTILINE
        )
    }
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    answers = re.search(r"(\d+) requests in", done.stdout)
    assert rate is not None
    assert answers is not None
    return Load(float(rate[1]), int(answers[1]), latency)


def taken_in(newsfold: Process, articles: int) -> None:
    while newsfold.ask()[0] < articles:
        time.sleep(0.5)
    time.sleep(3)  # and published


def compare(feeds: Process, rounds: int, seconds: int) -> None:
    with started(serve_newsfold, [f"http://127.0.0.1:{feeds.port}/0/{ENTRIES}"]) as newsfold:
        taken_in(newsfold, ENTRIES)
        request = urllib.request.Request(newsfold.url, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as response:
            body, head = response.read(), response.headers
        own = [
            (name.lower().encode(), value.encode())
            for name, value in head.items()
            if name.lower() not in {"date", "connection"}
        ]
        few = [(n, v) for n, v in own if n in (b"content-type", b"content-length", b"etag")]
        with (
            started(serve_constant, body, few) as plain,
            started(serve_constant, body, own) as alike,
        ):
            rivals = {"plain": plain, "alike": alike, "newsfold": newsfold}
            print(f"{ENTRIES} entries, {len(body):,} bytes gzipped; load {load()}")
            for kind, headers in (("200", ()), ("304", (f"If-None-Match: {head['ETag']}",))):
                report(kind, rivals, headers, rounds, seconds)


def report(
    kind: str, rivals: dict[str, Process], headers: tuple[str, ...], rounds: int, seconds: int
) -> None:
    rates: dict[str, list[float]] = {name: [] for name in rivals}
    costs: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, rival in rivals.items():
            before = rival.cpu()
            seen = wrk(rival.url, seconds, 50, *headers)
            rates[name].append(seen.rate)
            costs[name].append((rival.cpu() - before) / seen.answers * 1e6)
    for name in rivals:
        rate, cost = statistics.median(rates[name]), statistics.median(costs[name])
        share = rate / statistics.median(rates["plain"])
        share_of_cpu = statistics.median(costs["plain"]) / cost
        print(f"{kind}  {name:<9}{rate:>8.0f}/s {share:>5.0%} {cost:>7.1f} us {share_of_cpu:>5.0%}")


def while_polling(feeds: Process, count: int, items: int, seconds: int) -> None:
    urls = [f"http://127.0.0.1:{feeds.port}/{number}/{items}" for number in range(1, count + 1)]
    loads: list[Load] = []
    lags: list[float] = []
    begun = time.monotonic()
    with started(serve_newsfold, urls) as newsfold:
        folded = 0
        while folded < count * items:
            loads.append(wrk(f"{newsfold.url}", seconds, 10))
            folded, more = newsfold.ask()
            lags += more
    took = time.monotonic() - begun
    lags.sort()
    worst = max(load.latency[99] for load in loads)
    print(f"\n{count} feeds of {items} articles polled and folded in {took:.0f} s; load {load()}")
    for percent in (50, 99):
        middle = statistics.median(load.latency[percent] for load in loads)
        print(f"wrk, {percent}th percentile: median of {len(loads)} runs {middle:.1f} ms")
    print(f"wrk, 99th percentile of the worst run {worst:.1f} ms")
    for part in (0.5, 0.99, 0.999):
        print(f"event loop late, {part:.1%}: {lags[int(part * (len(lags) - 1))] * 1000:.1f} ms")
    print(f"event loop late, at worst: {lags[-1] * 1000:.1f} ms")


def load() -> str:
    return Path("/proc/loadavg").read_text().split()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--items", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed; on Debian: apt-get install wrk")
    with started(serve_feeds) as feeds:
        if options.rounds:
            compare(feeds, options.rounds, options.seconds)
        if options.feeds:
            while_polling(feeds, options.feeds, options.items, options.seconds)


if __name__ == "__main__":
    main()
