"""Killed outright at random moments while the news changes: nothing lost, nothing twice.

``TESTS_CRASH_ROUNDS`` kills (6; a release is tried with 100) on each engine, dealt over the days
of the demonstration newsroom. After each moment's kills one life goes on until all is done, and at
the end the stories are compared with those of a fold that nobody disturbed.
"""

import asyncio
import json
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from builders import latest_stories
from newsroom_runs import Stage, identities, on_stage
from sqlalchemy import func, select, update
from test_aggregator_daemon import announced, started

from aggregator.config.loading import load_config
from aggregator.newsroom import load_newsroom, newsroom_config_sources
from aggregator.operating.correcting import refold_since
from storage.articles import count_by_state
from storage.database import Database, open_database
from storage.sources import make_all_due, source_health
from storage.tables.article import articles, entries

NEWSROOM = load_newsroom()
ROUNDS = int(os.environ.get("TESTS_CRASH_ROUNDS", "6"))
STEPS = 3
"""Moments of the newsroom at which it is killed."""
LONGEST = 4.0
"""Seconds within which it is killed: about what a life takes from its start to its rest."""
DEADLINE = 120.0


def configure(folder: Path, stage: Stage, url: str, port: int) -> Path:
    path = folder / "newsfold.toml"
    sources = "".join(
        "[[source]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in source.items())
        for source in newsroom_config_sources(stage.newsroom, stage.url)
    )
    path.write_text(
        f'[server]\nlisten = "127.0.0.1:{port}"\nbase_url = "https://news.example"\n'
        f"[storage]\nurl = {json.dumps(url)}\n"
        '[fetch]\nallow_networks = ["127.0.0.0/8"]\nhost_interval = "0s"\nmin_interval = "1s"\n'
        'max_interval = "1s"\nhost_concurrency = 16\n'
        f"{sources}",
        encoding="utf-8",
    )
    return path


class Subscriber:
    """Reads the merged feed whenever it can, and remembers under which ids it saw what."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/feed.json"
        self.seen: dict[str, set[str]] = {}

    async def follow(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                await self.look(session)
                await asyncio.sleep(0.05)

    async def look(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(self._url) as response:
                if response.status != 200:
                    return
                feed = await response.json(content_type=None)
        except (aiohttp.ClientError, ConnectionError):
            return
        for item in feed["items"]:
            self.seen.setdefault(item["url"], set()).add(item["id"])


@asynccontextmanager
async def life(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The daemon as a process; what it says is read away."""
    async with started(config) as process:
        assert process.stderr is not None
        reading = asyncio.create_task(process.stderr.read())
        try:
            yield process
        finally:
            reading.cancel()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.05)


def at_rest(db: Database, stage: Stage) -> bool:
    """Everything that is published by now was read, in its version of now, and folded."""
    visible = [a for a in (x.at(stage.moment) for x in NEWSROOM.articles) if a is not None]
    with db.read() as connection:
        titles = {
            urlsplit(row.url).path: row.title
            for row in connection.execute(select(entries.c.url, entries.c.title))
            if row.url
        }
    states = count_by_state(db)
    return (
        all(titles.get(article.path) == article.title for article in visible)
        and not states["new"]
        and not states["read"]
    )


def moments() -> list[datetime]:
    begin = min(article.published for article in NEWSROOM.articles)
    end = max(article.modified for article in NEWSROOM.articles)
    return [begin + (end - begin) * (step + 1) / STEPS for step in range(STEPS)]


async def through_the_days(
    folder: Path, url: str, port: int, kills: int, rng: random.Random
) -> tuple[list[set[str]], Subscriber]:
    """The stories (as the newsroom's ids) after all days, with so many kills on the way."""
    subscriber = Subscriber(port)
    following = asyncio.create_task(subscriber.follow())
    async with on_stage(NEWSROOM, moments()[0]) as stage:
        config = configure(folder, stage, url, port)
        with closing(open_database(url)) as db:
            for step, moment in enumerate(moments()):
                stage.moment = moment
                for _ in range(kills * (step + 1) // STEPS - kills * step // STEPS):
                    async with life(config) as process:
                        await asyncio.sleep(rng.uniform(0, LONGEST))  # the random moment
                        process.kill()
                        await process.wait()
                    check(db)
                leases_end(db)
                async with life(config) as process:
                    await announced(process)
                    await until(lambda: asyncio.to_thread(at_rest, db, stage))
                    async with aiohttp.ClientSession() as session:
                        await subscriber.look(session)
                    process.terminate()
                    async with asyncio.timeout(DEADLINE):
                        assert await process.wait() == 0
            following.cancel()
            check(db)
            stories = latest_stories(db)
            return list(identities(NEWSROOM, stories).values()), subscriber


def leases_end(db: Database) -> None:
    """As if the quarter of an hour had passed after which a dead one's work is anybody's."""
    now = datetime.now(UTC)
    make_all_due(db, now)
    with db.write() as connection:
        connection.execute(update(articles).values(claimed_until=None))


def check(db: Database) -> None:
    """What must hold at every moment."""
    if db.dialect == "sqlite":
        path = db.engine.url.database
        assert path is not None
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with db.read() as connection:
        total = connection.execute(select(func.count()).select_from(entries)).scalar_one()
        kinds = select(entries.c.source_id, entries.c.guid).distinct().subquery()
        assert connection.execute(select(func.count()).select_from(kinds)).scalar_one() == total
        urls = select(articles.c.url, func.count()).group_by(articles.c.url)
        assert all(count == 1 for _, count in connection.execute(urls))
        told = select(entries.c.source_id, func.count()).group_by(entries.c.source_id)
        counts = {row[0]: row[1] for row in connection.execute(told)}
    for source in source_health(db):
        if source.last_success_at:
            assert counts.get(source.id), f"{source.name}: validators without its entries"


async def test_killed_at_any_moment_it_loses_nothing_and_doubles_nothing(
    empty_url: str, tmp_path: Path, unused_tcp_port: int
) -> None:
    rng = random.Random(int(os.environ.get("TESTS_CRASH_SEED", "1")))
    stories, subscriber = await through_the_days(tmp_path, empty_url, unused_tcp_port, ROUNDS, rng)
    told = sorted(article for story in stories for article in story)
    assert told == sorted(article.id for article in NEWSROOM.articles), "each in one story"
    # One matcher that nobody interrupts, over the same articles in the order they came.
    settings = load_config(tmp_path / "newsfold.toml", {})
    report = refold_since(settings, min(moments()), dry_run=True)
    assert f"{len(told)} articles folded anew" in report
    assert "0 change, 0 are new, 0 end in another" in report
    twice = {url: ids for url, ids in subscriber.seen.items() if len(ids) > 1}
    assert not twice, "one article led entries of two identities"
    assert subscriber.seen
