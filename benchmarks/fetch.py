"""How fast feeds are polled: Newsfold's poll stage, lemon24's ``reader``, and a bare HTTP client.

    python -m benchmarks.fetch [FEEDS] [ROUNDS]

FEEDS (1,000) made feeds of 30 entries and about 58 kB stand on a server on the loopback, in a
process of its own (nginx; where there is none, a few lines of asyncio). Three passes over all of
them: ``cold`` (everything is new), ``steady`` (each answers 200 with one new entry of thirty) and
``warm`` (304). Every rival starts each of ROUNDS (3) with an empty database of its own, in a
process of its own, one after the other:

``newsfold``  the poll stage as the daemon runs it: claims, pauses (0 s), validators, children that
              parse, decisions, its database, its log (thrown away)
``reader``    ``make_reader(..., plugins=[])``, ten workers (PyPI: ``reader``, ``sgmllib3k``)
``bare``      our HTTP client in a loop, fifty at once, the bytes thrown away: the limit

Each polls one more feed beforehand, so that what is loaded and started late is there.
Feeds per second are the median of the rounds (best in brackets); CPU is milliseconds per feed of
the rival's processes together, without the server's; ``ratio`` is of the medians, to ``reader``.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import uvloop

from aggregator.clock import utc_now
from aggregator.config.fetch_settings import FetchSettings
from aggregator.config.settings import Settings, StorageSettings
from aggregator.config.source_settings import SourceSettings
from aggregator.garbage import search_seldom
from aggregator.running.application import open_application
from aggregator.running.logs import configure_logs
from benchmarks.made_feeds import ENTRIES, FORMATS
from storage.sources import make_all_due

AT_ONCE = 50
START = "start.xml"
PASSES = ("cold", "steady", "warm")
NEW = {"cold": ENTRIES, "steady": 1, "warm": 0}
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; root {folder}/now;
  default_type application/xml;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; }}
}}
"""

# --- the server -------------------------------------------------------------------------------


def make_feeds(folder: Path, feeds: int) -> None:
    """``folder/first`` and ``folder/then``, where each feed has one more entry on top."""
    makers = list(FORMATS.values())
    for name, newest, changed in (("first", ENTRIES, 0), ("then", ENTRIES + 1, 3600)):
        (folder / name).mkdir()
        for feed in range(feeds):
            path = folder / name / f"{feed}.xml"
            path.write_bytes(makers[feed % len(makers)](feed, newest))
            at = 1_790_000_000 + changed  # in ETag and Last-Modified
            os.utime(path, (at, at))
        (folder / name / START).write_bytes(makers[0](feeds, ENTRIES))
        os.utime(folder / name / START, (1_790_000_000, 1_790_000_000))


def show(folder: Path, name: str) -> None:
    """Let the server answer with the feeds in ``folder/name`` from now on."""
    link = folder / "next"
    link.symlink_to(folder / name)
    link.replace(folder / "now")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of ``folder/now``."""
    port = free_port()
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx:
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port))
        command = [nginx, "-p", str(folder), "-c", str(config)]
    else:
        command = [sys.executable, "-m", "benchmarks.fetch", "--serve", str(port), str(folder)]
    server = subprocess.Popen(command)
    try:
        time.sleep(1.0)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


class FileServer(asyncio.Protocol):
    """GETs of files, with an ETag of time and size. Nothing that a benchmark does not need."""

    # ruff: noqa: D102 - the methods are asyncio's

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        *requests, self.pending = (self.pending + data).split(b"\r\n\r\n")
        for request in requests:
            path = self.folder / "now" / request.split(b" ", 2)[1].decode().lstrip("/")
            stat = path.stat()
            tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
            known = f"\r\nIf-None-Match: {tag}".encode() in request
            body = b"" if known else path.read_bytes()
            length = "" if known else f"Content-Length: {len(body)}\r\n"
            head = f"HTTP/1.1 {304 if known else 200} OK\r\nETag: {tag}\r\n{length}"
            self.transport.write(f"{head}Content-Type: application/xml\r\n\r\n".encode() + body)


async def serve(port: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FileServer(folder), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


# --- the rivals: each takes the name of a pass and gives back how many entries were new ---------

Poll = Callable[[str], Awaitable[int]]
Rival = Callable[[list[str], Path], contextlib.AbstractAsyncContextManager[Poll]]


@contextlib.asynccontextmanager
async def newsfold(urls: list[str], folder: Path) -> Any:  # noqa: ANN401 - see Rival
    configure_logs(json=True)
    search_seldom()
    settings = Settings(
        storage=StorageSettings(url=f"sqlite:///{folder}/newsfold.db"),
        fetch=FetchSettings.model_validate(
            {
                "allow_networks": ["127.0.0.0/8"],
                "host_interval": timedelta(0),
                "host_concurrency": AT_ONCE,
                "concurrency": AT_ONCE,
            }
        ),
        source=tuple(SourceSettings(url=url) for url in urls),
    )
    async with open_application(settings) as application:
        for source in await application.poller.claim(1):
            await application.poller.poll(source)

        async def poll(_name: str) -> int:
            before = application.tally.entries
            await application.ledger.write(make_all_due, utc_now())
            await application.poll_once(utc_now())
            assert not application.tally.failed, application.tally.failed
            return application.tally.entries - before

        yield poll


@contextlib.asynccontextmanager
async def reader(urls: list[str], folder: Path) -> Any:  # noqa: ANN401 - see Rival
    from reader import make_reader  # noqa: PLC0415 - a rival, not among our dependencies

    logging.disable()
    feeds = make_reader(f"{folder}/reader.sqlite", plugins=[])
    for url in urls:
        feeds.add_feed(url)
    feeds.update_feed(urls[0])

    async def poll(_name: str) -> int:
        new = 0
        for result in feeds.update_feeds_iter(scheduled=False, workers=10):
            assert not isinstance(result.value, Exception), result
            new += result.value.new if result.value else 0
        return new

    yield poll


@contextlib.asynccontextmanager
async def bare(urls: list[str], folder: Path) -> Any:  # noqa: ANN401, ARG001 - see Rival
    tags: dict[str, str] = {}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def get(url: str, name: str) -> int:
            headers = {"User-Agent": "bare"}
            if url in tags:
                headers["If-None-Match"] = tags[url]
            async with session.get(url, headers=headers) as response:
                await response.read()
                assert response.status == (304 if name == "warm" else 200), response
                tags[url] = response.headers["ETag"]
                return NEW[name]

        async def poll(name: str) -> int:
            waiting = iter(urls[1:])

            async def work() -> int:
                return sum([await get(url, name) for url in waiting])

            return sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))

        yield poll


RIVALS: dict[str, Rival] = {"newsfold": newsfold, "reader": reader, "bare": bare}


async def compete(rival: Rival, base: str, feeds: int, folder: Path) -> None:
    """Read names of passes from standard input; answer each with the seconds it took."""
    urls = [f"{base}/{START}", *(f"{base}/{feed}.xml" for feed in range(feeds))]
    async with rival(urls, folder) as poll:
        print("ready", flush=True)
        while name := sys.stdin.readline().strip():
            begun = time.perf_counter()
            new = await poll(name)
            seconds = time.perf_counter() - begun
            assert new == NEW[name] * feeds, f"{name}: {new} new entries"
            print(json.dumps(seconds), flush=True)


# --- the run ----------------------------------------------------------------------------------


def measure(name: str, base: str, folder: Path, feeds: int) -> dict[str, tuple[float, float]]:
    """Seconds and CPU seconds of each pass, with an empty database."""
    found = {}
    show(folder, "first")
    with tempfile.TemporaryDirectory() as own, (folder / name).open("w") as log:
        command = [sys.executable, "-m", "benchmarks.fetch", "--rival", name, base, own, str(feeds)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        with process:
            assert process.stdout.readline() == "ready\n", f"{name} does not start"
            for one in PASSES:
                show(folder, "first" if one == "cold" else "then")
                before = cpu_of_session(process.pid)
                print(one, file=process.stdin, flush=True)
                answer = process.stdout.readline()
                assert answer, f"{name} failed:\n{(folder / name).read_text()[-2000:]}"
                found[one] = (json.loads(answer), cpu_of_session(process.pid) - before)
            process.stdin.close()
    return found


def cpu_of_session(leader: int) -> float:
    """CPU seconds of all processes of the session, those that ended and were waited for too."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def table(results: dict[tuple[str, str], list[tuple[float, float]]], feeds: int) -> None:
    print(f"{'pass':<8}{'rival':<10}{'feeds/s':>9}{'(best)':>9}{'CPU ms/feed':>13}{'ratio':>8}")
    for one in PASSES:
        rates = {
            name: [feeds / seconds for seconds, _ in results[one, name]]
            for name in RIVALS
            if (one, name) in results
        }
        for name, rate in rates.items():
            cpu = statistics.median(cpu for _, cpu in results[one, name]) / feeds * 1000
            middle = statistics.median(rate)
            ratio = (
                f"{middle / statistics.median(rates['reader']):.1f}" if "reader" in rates else ""
            )
            print(f"{one:<8}{name:<10}{middle:>9.0f}{max(rate):>9.0f}{cpu:>13.2f}{ratio:>8}")


def run(feeds: int, rounds: int, rivals: list[str]) -> None:
    results: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_feeds(folder, feeds)
        show(folder, "first")
        with serving(folder) as base:
            for _ in range(rounds):
                for rival in rivals:
                    for one, cost in measure(rival, base, folder, feeds).items():
                        results[one, rival].append(cost)
    table(results, feeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("feeds", nargs="?", type=int, default=1000)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--rival", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        uvloop.run(serve(int(given.serve[0]), Path(given.serve[1])))
    elif given.rival:
        name, base, folder, feeds = given.rival
        uvloop.run(compete(RIVALS[name], base, int(feeds), Path(folder)))
    else:
        run(given.feeds, given.rounds, given.only)


if __name__ == "__main__":
    main()
