"""Four workers and a web process on one PostgreSQL, killed and cut off while the news changes.

Every entry is read once in each wording, every article is read and folded once, no host is asked
faster than its limit, and the merged feed is that of one process that nobody disturbed.

``TESTS_PRESS_SOURCES`` says how many sources (20; each night 2000), and ``TESTS_PRESS_BLOWS`` how
many blows are dealt (3; each night 48).
"""

import asyncio
import json
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from conftest import Postgres
from loopback_press import ENTRIES, STEPS, VERSIONS, Press, on_air
from newsroom_runs import one_pass, settings_for
from sqlalchemy import func, make_url, select, text
from test_aggregator_daemon import PROGRAM, ROOT

from aggregator.config.loading import load_config
from aggregator.operating.correcting import refold_since
from storage.articles import count_by_state
from storage.database import Database, open_database
from storage.duties import key_of
from storage.tables.article import articles, entries
from storage.tables.source import source_days
from storage.tables.story import days, stories

SOURCES = int(os.environ.get("TESTS_PRESS_SOURCES", "20"))
BLOWS = int(os.environ.get("TESTS_PRESS_BLOWS", "3"))
WORKERS = 4
INTERVAL = 0.5
"""Seconds between two requests to one host."""
BETWEEN = 4.0
"""Seconds between two blows: one of four workers lives for some sixteen, of which it needs up to
nine to begin with 2,000 sources on two cores that are busy (2.5 of CPU)."""
EVERY = max(5, SOURCES // 60)
"""Seconds between two polls of a source: some sixty polls a second at most, for what is to be tried
is what becomes of blows, not how fast two cores poll."""
DEADLINE = 120.0 + SOURCES
PART = 600
"""Sources whose stories, three of every two sources, are all in one output: it holds a thousand."""
PARTS = [f"part{n}" for n in range(-(-SOURCES // PART))]
OUTPUTS = [
    {"name": part, "categories": [part], "limit": 1000, "max_bytes": 100_000_000} for part in PARTS
]


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


def described(press: Press) -> list[dict[str, object]]:
    """The sources as configured: of some, pages are read."""
    return [
        {
            "url": press.url(n),
            "name": f"S{n}",
            "category": PARTS[n // PART],
            "full_text": "always" if n % 10 == 0 else "never",
        }
        for n in range(press.sources)
    ]


def table(values: Mapping[str, object]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def configure(folder: Path, press: Press, url: str, port: int) -> Path:
    path = folder / "newsfold.toml"
    sources = "".join(f"[[source]]\n{table(one)}" for one in described(press))
    outputs = "".join(f"[[output]]\n{table(one)}" for one in OUTPUTS)
    path.write_text(
        f'[server]\nlisten = "127.0.0.1:{port}"\nbase_url = "https://news.example"\n'
        f"[storage]\nurl = {json.dumps(url)}\n[extract]\nworkers = 1\n"
        f'[fetch]\nallow_networks = ["127.0.0.0/8"]\nhost_interval = "{INTERVAL}s"\n'
        f'min_interval = "{EVERY}s"\nmax_interval = "{EVERY}s"\n'
        f"{outputs}{sources}",
        encoding="utf-8",
    )
    return path


class Worker:
    """A process that dies and is started again. What it says is read away."""

    def __init__(self, config: Path, roles: str) -> None:
        self._arguments = ["run", "--config", str(config), "--log-json", "--roles", roles]
        self._folder = config.parent
        self.process: asyncio.subprocess.Process | None = None
        self.log = config.parent / f"{roles}-{id(self)}.log"
        self._begins_at = 0

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._begins_at = log.tell()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                PROGRAM,
                *self._arguments,
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def kill(self) -> None:
        """Outright, with its children."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """In order, once it has begun; its exit code."""
        assert self.process is not None
        async with asyncio.timeout(60):
            while b'"started"' not in self.log.read_bytes()[self._begins_at :]:
                await asyncio.sleep(0.1)
        self.process.terminate()
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def workers(config: Path) -> AsyncIterator[list[Worker]]:
    """Four that do everything but serve, and one that serves."""
    some = [Worker(config, "poll,extract,fold") for _ in range(WORKERS)]
    every = [Worker(config, "web"), *some]
    try:
        for one in every:
            await one.start()
        yield every
    finally:
        for one in every:
            if one.process and one.process.returncode is None:
                await one.kill()


class Blows:
    """What befalls the workers: one is killed, the folder is killed, the database goes away."""

    def __init__(self, every: list[Worker], postgres: Postgres, url: str) -> None:
        self._workers = every[1:]
        self._postgres = postgres
        self._name = make_url(url).database
        self._rng = random.Random(1)
        self.dealt: Counter[str] = Counter()

    async def deal(self, number: int) -> None:
        await self.revive()
        kinds = (self.kill_one, self.kill_folder, self.cut, self.kill_one)
        blow = kinds[number % len(kinds)]
        await blow()
        self.dealt[blow.__name__] += 1

    async def revive(self) -> None:
        """Start those again that ended, as whoever watches over them would.

        One that starts while the database is away says so and ends.
        """
        for one in self._workers:
            if one.process and one.process.returncode is not None:
                await one.start()

    async def kill_one(self) -> None:
        await self._again(self._rng.choice(self._workers))

    async def kill_folder(self) -> None:
        """Whoever has the duty; it is another's before the one killed is back."""
        async with asyncio.timeout(60):
            while (folder := self.folder()) is None:
                await asyncio.sleep(0.1)
            await folder.kill()
            while self.folder() in {None, folder}:
                await asyncio.sleep(0.1)
        await folder.start()

    async def cut(self) -> None:
        """The database refuses everybody for a while, and ends every connection."""
        self._ask(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._ask(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'"
        )
        await asyncio.sleep(3)
        self._ask(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")

    def folder(self) -> Worker | None:
        """The worker that holds the lock of the duty to fold."""
        held = self._ask(
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND granted AND classid = 4637 "
            f"AND objid = {key_of('fold') % 2**32}"
        )
        found = [one for one in self._workers if (f"newsfold {one.pid}",) in held]
        return found[0] if found else None

    async def _again(self, worker: Worker) -> None:
        await worker.kill()
        await worker.start()

    def _ask(self, statement: str) -> Sequence[tuple[str]]:
        with self._postgres.admin.connect() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []


def at_rest(db: Database, press: Press) -> bool:
    """Everything that is told by now was read, in its wording of now, and folded."""
    with db.read() as connection:
        counted = select(entries.c.title, func.count()).group_by(entries.c.title)
        found = {row[0]: row[1] for row in connection.execute(counted)}
    wanted = Counter(name for n in range(press.sources) for name in press.titles(n))
    states = count_by_state(db)
    return found == wanted and not states["new"] and not states["read"]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            with suppress(Exception):  # the database is away now and then
                if await asyncio.to_thread(condition):
                    return
            await asyncio.sleep(0.5)


def groups(db: Database) -> list[tuple[str, ...]]:
    """The stories that live, each as the addresses it holds."""
    with db.read() as connection:
        rows = connection.execute(
            select(articles.c.story_id, articles.c.url).order_by(articles.c.story_id)
        ).all()
    found: dict[int, list[str]] = {}
    for story, url in rows:
        found.setdefault(story, []).append(urlsplit(url).path)
    return sorted(tuple(sorted(paths)) for paths in found.values())


def told(document: bytes) -> list[tuple[str, ...]]:
    """What an output tells: each entry's title and the articles it links to, in no order.

    Which of two in the same words leads is a matter of which came first.
    """
    found = []
    for item in json.loads(document)["items"]:
        paths = re.findall(r"https?://127[^/]*(/\d+/a\d+)", json.dumps(item))
        found.append((item["title"], *sorted(set(paths))))
    return sorted(found)


async def served(port: int) -> list[tuple[str, ...]]:
    found = []
    async with aiohttp.ClientSession() as session:
        for part in PARTS:
            async with session.get(f"http://127.0.0.1:{port}/{part}.json") as response:
                assert response.status == 200
                found += told(await response.read())
    return found


async def until_told(port: int, wanted: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What is served, at last if it never is what is ``wanted``."""
    for _ in range(60 + SOURCES // 10):
        found = await served(port)
        if found == wanted:
            break
        await asyncio.sleep(0.5)
    return found


@dataclass(frozen=True)
class Outcome:
    groups: list[tuple[str, ...]]
    feed: list[tuple[str, ...]]


async def undisturbed(press: Press, folder: Path) -> Outcome:
    """What one process makes of the same, in peace, on a file."""
    url = f"sqlite:///{folder / 'alone.db'}"
    application = await one_pass(settings_for(url, described(press), output=OUTPUTS))
    feed = []
    for part in PARTS:
        document = application.publisher.document(part, "json")
        assert document is not None
        feed += told(document.body)
    with closing(open_database(url)) as db:
        return Outcome(groups(db), feed)


def check_once(db: Database, press: Press, told: int) -> None:
    """Nothing was lost, nothing done twice; so many stories were ``told``."""
    with db.read() as connection:

        def one(statement: object) -> object:
            return connection.execute(statement).scalar()  # type: ignore[call-overload]

        total = press.sources * ENTRIES
        assert one(select(func.count()).select_from(entries)) == total
        assert one(select(func.sum(source_days.c.entries))) == total, "each came as new once"
        versions = one(select(func.sum(articles.c.version + 1)))
        assert versions == press.sources * VERSIONS, "each wording was read once"
        assert one(select(func.count(articles.c.id))) == total
        assert one(select(func.count(func.distinct(articles.c.fold_order)))) == total
        assert one(select(func.sum(days.c.articles))) == total
        # One folded twice would have founded a story that ended in another.
        assert one(select(func.count(stories.c.id))) == told


def check_politeness(asked: Mapping[str, Sequence[float]]) -> None:
    """No host was asked faster than its limit, over any ten intervals."""
    for host, times in asked.items():
        for at, begin in enumerate(times):
            within = [t for t in times[at:] if t < begin + 10 * INTERVAL]
            # Eleven fit; one more for what is late on its way.
            assert len(within) <= 12, f"{host} was asked {len(within)} times"


async def test_several_processes_do_what_one_does(
    database_url: str, postgres: Postgres, tmp_path: Path, unused_tcp_port: int
) -> None:
    begun = datetime.now(UTC) - timedelta(hours=1)
    async with on_air(SOURCES) as press:
        config = configure(tmp_path, press, database_url, unused_tcp_port)
        with closing(open_database(database_url)) as db:
            async with workers(config) as every:
                blows = Blows(every, postgres, database_url)
                for step in range(STEPS):
                    press.step = step
                    for number in range(BLOWS * step // STEPS, BLOWS * (step + 1) // STEPS):
                        await asyncio.sleep(BETWEEN)
                        await blows.deal(number)
                    await until(lambda: at_rest(db, press))
                assert blows.dealt.total() == BLOWS
                asked = {host: list(times) for host, times in press.asked.items()}
                alone = await undisturbed(press, tmp_path)
                assert await until_told(unused_tcp_port, alone.feed) == alone.feed
                await blows.revive()
                for worker in every:
                    assert await worker.stop() == 0
            check_once(db, press, len(alone.groups))
            check_politeness(asked)
            assert groups(db) == alone.groups
        report = refold_since(load_config(config, {}), begun, dry_run=True)
        assert "0 change, 0 are new, 0 end in another" in report
