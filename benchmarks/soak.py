r"""Simulated days of the whole road: what grows, and what must not.

    python benchmarks/soak.py                                  # two hours
    python benchmarks/soak.py --minutes 30 --json out.json
    python benchmarks/soak.py --database postgresql:///empty   # an empty one of a server

    python benchmarks/soak.py --days 4 --sources 10 --step 2h --gap 8h --shown 4 --flood 20 \
        --kept 1d --warm-up 2 --growth 20                      # the short form of CI

A clock of its own moves in steps; after each, what is due is polled over loopback HTTP, read,
folded and published, as the daemon would. The news is ``made_days.py``: floods, failures, rubbish.
The application ends and starts again every day, and every fourth day rests for six hours.

Measured once in two simulated hours: resident memory of this process and of its children, open
files, processes, the size of the database and its articles; of every story that is new in the feed
the time since it was published. At the end, after warm-up (a week longer than articles are kept:
so long the caches of entries and of the database's connections take to fill):

- memory grows by less than 1 MB a simulated day (least squares);
- neither files nor processes grow;
- the database is as large as its articles and what is remembered of dropped ones say;
- the median and the 99th percentile from publication to feed. A step is their resolution.

Exits with 1 where something grows.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from made_days import Pace, made_days

from aggregator.config.durations import parse_duration
from aggregator.config.settings import Settings
from aggregator.running.application import Application, open_application
from aggregator.running.memory import give_back

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
SAMPLED = timedelta(hours=2)
DAY = 86400.0
SLACK = 8
_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}
TOMBSTONE = 60
"""Bytes remembered of each article that was dropped."""


@dataclass(frozen=True)
class Sample:
    """What was seen at a simulated time, in days; memory in MB, the database in bytes."""

    day: float
    memory: float
    children: float
    files: int
    processes: int
    database: int
    articles: int
    dropped: int


@dataclass
class Soak:
    """The clock, and what was seen."""

    settings: Settings
    step: timedelta
    shared: "multiprocessing.sharedctypes.Synchronized[float]"
    now: datetime = BEGIN
    polls: int = 0
    failures: int = 0

    def __post_init__(self) -> None:
        self.samples: list[Sample] = []
        self.latencies: list[float] = []
        self.seen: set[str] = set()

    def clock(self) -> datetime:
        """The simulated time."""
        return self.now

    def steady(self) -> float:
        """The same in seconds."""
        return (self.now - BEGIN).total_seconds()

    def move(self, by: timedelta) -> None:
        """Let time pass, here and at the sources."""
        self.now += by
        self.shared.value = self.now.timestamp()

    async def day(self, number: int, deadline: float) -> None:
        """A simulated day in one life of the application."""
        end = BEGIN + timedelta(days=number + 1)
        async with open_application(
            self.settings, clock=self.clock, steady=self.steady, rng=random.Random(number)
        ) as application:
            await application.poller.spread_overdue()
            while self.now < end and time.monotonic() < deadline:
                self.move(self.step)
                await self.look(application)
                if (self.now - BEGIN) % SAMPLED < self.step:
                    give_back()  # as the daemon does every five minutes
                    self.samples.append(sample(self, application))
            self.polls += application.tally.polled
            self.failures += len(application.tally.failed)
        if number % 4 == 3:
            self.move(timedelta(hours=6))

    async def look(self, application: Application) -> None:
        """Do what is due, and see what is new in the feed."""
        await application.poll_once(self.now)
        await application.reading.drain()
        await application.folding.drain()
        await application.publisher.refresh()
        document = application.publisher.document("feed", "json")
        assert document is not None
        for item in json.loads(document.body)["items"]:
            if item["id"] not in self.seen:
                self.seen.add(item["id"])
                published = datetime.fromisoformat(item["date_published"])
                if published > BEGIN:  # the first look finds days of it
                    self.latencies.append((self.now - published).total_seconds())


def sample(soak: Soak, application: Application) -> Sample:
    database = application.ledger.database
    with database.read() as connection:
        numbers = [
            connection.exec_driver_sql(query).scalar_one()
            for query in (
                "SELECT count(*) FROM article",
                "SELECT count(*) FROM dropped_article",
            )
        ]
        size = connection.exec_driver_sql(_SIZE[database.dialect]).scalar_one()
    own = os.getpid()
    offspring = descendants(own)
    return Sample(
        (soak.now - BEGIN).total_seconds() / DAY,
        resident(own),
        sum(map(resident, offspring)),
        len(list(Path(f"/proc/{own}/fd").iterdir())),
        len(offspring),
        size,
        *numbers,
    )


def resident(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descendants(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(number) for number in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def slope(samples: Sequence[Sample], name: str) -> float:
    """How much of it comes with a day, by least squares."""
    if len(samples) < 3:
        return 0.0
    days = [one.day for one in samples]
    return statistics.linear_regression(days, [getattr(one, name) for one in samples]).slope


def grows(samples: Sequence[Sample], name: str) -> bool:
    """Whether more of it is open at once in the later half than ever in the earlier, and a few."""
    numbers = [getattr(one, name) for one in samples]
    half = len(numbers) // 2
    return bool(max(numbers[half:]) > max(numbers[:half]) + SLACK)


def settings_of(database: str, url: str, sources: int, kept: str) -> Settings:
    return Settings.model_validate(
        {
            "server": {"base_url": "https://news.example"},
            "storage": {"url": database},
            "retention": {"max_age": kept},
            "websub": {"enabled": False},
            "fetch": {
                "allow_networks": ["127.0.0.0/8"],
                "host_interval": "0s",
                "host_concurrency": 16,
                "retry_after": "source",
                "timeout": "10s",
            },
            "source": [
                {
                    "url": f"{url}/feed/{n}",
                    "publisher": f"outlet-{n}.example",
                    "name": f"Outlet {n}",
                }
                for n in range(sources)
            ],
        }
    )


def report(soak: Soak, warm: float, growth: float) -> bool:
    """Print what came of it; whether all is well."""
    after = [one for one in soak.samples if one.day >= warm]
    last = soak.samples[-1]
    print(
        f"{last.day:.1f} simulated days, {soak.polls} polls, {len(soak.seen)} stories in the feed"
    )
    if len(after) < 3:
        print(f"too short: nothing is known after the warm-up of {warm:g} days")
        return False
    memory, files = slope(after, "memory"), slope(after, "files")
    processes = slope(after, "processes")
    print(f"memory {after[0].memory:.0f} to {after[-1].memory:.0f} MB: {memory:+.2f} MB a day")
    print(f"children {after[0].children:.0f} to {after[-1].children:.0f} MB")
    print(f"files {after[0].files} to {after[-1].files}: {files:+.2f} a day")
    print(f"processes {after[0].processes} to {after[-1].processes}: {processes:+.2f} a day")
    # What an article takes is learnt before; the search index grows and is merged in between.
    before = [one for one in soak.samples if min(1.0, warm / 2) <= one.day < warm]
    each = max(one.database / one.articles for one in before)
    expected = max(one.articles for one in after) * each + last.dropped * TOMBSTONE
    largest = max(one.database for one in after)
    print(
        f"database {largest / 1e6:.1f} MB at the most, {expected / 1e6:.1f} by calculation; "
        f"{last.database / last.articles:.0f} bytes an article, {last.articles} articles, "
        f"{last.dropped} dropped"
    )
    found = statistics.quantiles(soak.latencies, n=100)
    print(f"from publication to feed: p50 {found[49] / 60:.0f} min, p99 {found[98] / 60:.0f} min")
    well = (
        memory < growth
        and not any(grows(after, of) for of in ("files", "processes"))
        and largest <= 1.15 * expected
    )
    print("well" if well else "NOT WELL: something grows")
    return well


async def run(soak: Soak, days: int, deadline: float) -> None:
    for number in range(days):
        if time.monotonic() >= deadline:
            break
        begun = time.monotonic()
        await soak.day(number, deadline)
        one = soak.samples[-1]
        print(
            f"day {number + 1}: {one.memory:.0f} MB, {one.files} files, {one.processes} processes, "
            f"{one.articles} articles, {one.database / 1e6:.1f} MB, "
            f"{time.monotonic() - begun:.0f} s",
            file=sys.stderr,
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=120, help="at the most")
    arguments.add_argument("--days", type=int, default=10_000, help="at the most")
    arguments.add_argument("--sources", type=int, default=200)
    arguments.add_argument("--step", type=parse_duration, default="10m")
    arguments.add_argument("--gap", type=parse_duration, default="4h", help="between two items")
    arguments.add_argument("--shown", type=int, default=30, help="items in a feed")
    arguments.add_argument("--flood", type=int, default=300, help="items in a flood")
    arguments.add_argument("--kept", default="3d", help="how long articles are kept")
    arguments.add_argument("--warm-up", type=float, help="days; default: kept, and a week")
    arguments.add_argument("--growth", type=float, default=1.0, help="MB of memory a day allowed")
    arguments.add_argument("--database", help="address; default: an SQLite file of its own")
    arguments.add_argument("--json", type=Path, help="write every sample there")
    given = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    shared = multiprocessing.get_context("spawn").Value("d", BEGIN.timestamp())
    deadline = time.monotonic() + 60 * given.minutes
    pace = Pace(given.gap.total_seconds(), given.shown, given.flood)
    with tempfile.TemporaryDirectory() as folder, made_days(shared, pace) as url:
        database = given.database or f"sqlite:///{folder}/soak.db"
        settings = settings_of(database, url, given.sources, given.kept)
        soak = Soak(settings, given.step, shared)
        asyncio.run(run(soak, given.days, deadline))
    warm = given.warm_up
    if warm is None:
        warm = parse_duration(given.kept).total_seconds() / DAY + 7
    if given.json:
        seen = {"samples": [asdict(one) for one in soak.samples], "latencies": soak.latencies}
        given.json.write_text(json.dumps(seen))
    sys.exit(0 if report(soak, warm, given.growth) else 1)


if __name__ == "__main__":
    main()
