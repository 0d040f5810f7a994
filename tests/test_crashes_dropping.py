"""Killed outright while retention lets go of articles: nothing comes back, nothing is left half.

``TESTS_DROPPING_ROUNDS`` kills (2; a release is tried with 50) on each engine. A life polls, folds,
publishes and drops, six hours of its own clock at a time, articles going after a day; it is killed
within moments of beginning to drop. After each kill everything is looked through, and at the end
the news stops, and the database gives back what it no longer needs.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable, MutableSequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from multiprocessing import get_context
from string import ascii_lowercase

from newsroom_runs import serve, settings_for
from sqlalchemy import Connection, func, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from test_crashes import check
from test_end_to_end_retention import follow

from aggregator.config.settings import Settings
from aggregator.running.application import Application, open_application
from aggregator.stages.publish.requested import Requested
from storage.database import Database, open_database
from storage.dropped import hashed
from storage.sources import make_all_due
from storage.tables.article import article_texts, articles, dropped_entries, entries
from storage.tables.output import archives, output_progress, publications
from storage.tables.source import source_days
from storage.tables.story import stories

ROUNDS = int(os.environ.get("TESTS_DROPPING_ROUNDS", "2"))
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(hours=6)
SOURCES = 12
SHOWN = 40
"""Steps of which a feed shows the items: ten days, so that it goes on showing what was dropped."""
LONGEST = 0.08
"""Seconds after it begins to drop within which a life is killed: about what a round takes."""
LOOKS = 2
"""Looks at what is old in which a round comes to its end."""
DEADLINE = 120.0


def words(seed: object, count: int = 12) -> str:
    letters = random.Random(str(seed))
    return " ".join("".join(letters.choices(ascii_lowercase, k=8)) for _ in range(count))


def told(source: int, step: int) -> Iterable[tuple[str, str, str]]:
    """What a source tells at a step: guids, paths, and words.

    Something of its own; what three others tell in the same words; something that one source a
    step takes up again for three days; and a link to another's, half of which were dropped.
    """
    other = (source + 1) % SOURCES
    yield f"own-{source}-{step}", f"/{source}/own-{step}", words((source, step))
    yield f"wire-{step}", f"/{source}/wire-{step}", words(("wire", source % 3, step))
    if step % SOURCES == source:
        yield f"again-{step}", f"/{source}/again-{step}", words(("again", step // SOURCES))
    earlier = step - (1 if step % 2 else 9)
    if earlier >= 0:
        yield f"link-{step}", f"/{other}/own-{earlier}", words((other, earlier))


def feed(source: int, step: int, here: str) -> str:
    items = (
        f"<item><title>{text}</title><guid isPermaLink='false'>{guid}</guid>"
        f"<link>{here}{path}</link><pubDate>{format_datetime(BEGIN + at * STEP)}</pubDate>"
        f"<description>{text}, says the council.</description></item>"
        for at in range(max(0, step - SHOWN), step + 1)
        for guid, path, text in told(source, at)
    )
    return f"<rss version='2.0'><channel><title>S{source}</title>{''.join(items)}</channel></rss>"


class Stage:
    """What time it is for the lives and their sources, in memory that they share with the test.

    No lock is on it, which one that is killed would keep.
    """

    def __init__(self, cells: MutableSequence[int]) -> None:
        self.cells = cells

    @property
    def step(self) -> int:
        return self.cells[0]

    @property
    def told(self) -> int:
        """The step whose news the sources tell: the last there is, once it has stopped."""
        return min(self.cells[0], self.cells[1])

    @property
    def dropping(self) -> int:
        """1 while a life is at it."""
        return self.cells[2]

    def clock(self) -> datetime:
        return BEGIN + self.step * STEP

    def steady(self) -> float:
        return (self.step * STEP).total_seconds()

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            source = int(request.path_params["source"])
            body = feed(source, self.told, f"http://{request.url.netloc}")
            return Response(body, media_type="application/rss+xml")

        return Starlette(routes=[Route("/feed/{source:int}", answer)])


def settings_of(database_url: str, url: str) -> Settings:
    some: list[dict[str, object]] = [
        {
            "url": f"{url}/feed/{n}",
            "name": f"S{n}",
            "publisher": f"s{n}.example",
            "full_text": "never",
        }
        for n in range(SOURCES)
    ]
    some[0]["max_articles"] = 10
    return settings_for(
        database_url,
        some,
        extract={"workers": 1},
        fetch={"min_interval": "1h"},
        retention={"max_age": "1d", "max_articles": 250},
        output=[{"name": "feed", "limit": 10}, {"name": "all", "fold": False, "limit": 10}],
    )


async def live(application: Application, stage: Stage) -> None:
    """Six hours: what is new is polled and read, what is old goes, the rest is published."""
    stage.cells[0] += 1
    await application.ledger.write(make_all_due, stage.clock())
    await application.poll_once(stage.clock())
    assert application.tally.failed == {}
    await application.reading.drain()
    stage.cells[2] = 1
    for _ in range(LOOKS):
        await application.folder.claim(1)
    stage.cells[2] = 0
    await application.folding.drain()
    await application.publisher.refresh()


@asynccontextmanager
async def opened(settings: Settings, stage: Stage) -> AsyncIterator[Application]:
    async with open_application(
        settings, clock=stage.clock, steady=stage.steady, rng=random.Random(1)
    ) as application:
        yield application


def live_on(settings: Settings, cells: MutableSequence[int]) -> None:
    """A life as a process, until it is killed."""
    os.setsid()

    async def main() -> None:
        stage = Stage(cells)
        async with opened(settings, stage) as application:
            while True:
                await live(application, stage)

    asyncio.run(main())


async def killed(settings: Settings, stage: Stage, rng: random.Random) -> bool:
    """A life that is killed within moments of beginning to drop; whether it was still at it.

    Half of them drop all that is to be dropped once before.
    """
    stage.cells[2] = 0
    step = stage.step + rng.randint(1, 2)
    process = get_context("spawn").Process(target=live_on, args=(settings, stage.cells))
    process.start()
    try:
        async with asyncio.timeout(DEADLINE):
            while stage.step < step or not stage.dropping:
                assert process.is_alive()
                await asyncio.sleep(0.005)
        await asyncio.sleep(rng.uniform(0, LONGEST))  # the random moment
        process.kill()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        await asyncio.to_thread(process.join)
    return bool(stage.dropping)


@dataclass
class Seen:
    """What was there: entries, and those that went; archives; who led, and under which id."""

    there: set[tuple[int, str]] = field(default_factory=set)
    gone: set[tuple[int, str]] = field(default_factory=set)
    archived: dict[tuple[str, int], str] = field(default_factory=dict)
    led: dict[str, str] = field(default_factory=dict)

    def look(self, db: Database) -> None:
        """What must hold whenever a life ended."""
        with db.read() as connection:
            self._entries(connection)
            self._archives(connection)
            self._stories(connection)
            check_whole(connection)

    def _entries(self, connection: Connection) -> None:
        rows = connection.execute(select(entries.c.source_id, entries.c.guid))
        now = {(row.source_id, row.guid) for row in rows}
        self.gone |= self.there - now
        self.there = now
        assert not now & self.gone, "dropped, and back as new"
        remembered = connection.execute(
            select(dropped_entries.c.source_id, dropped_entries.c.guid_hash)
        )
        tombstones = {(row.source_id, row.guid_hash) for row in remembered}
        assert {(source, hashed(guid)) for source, guid in self.gone} <= tombstones

    def _archives(self, connection: Connection) -> None:
        last: dict[str, int] = {}
        for row in connection.execute(select(archives).order_by(archives.c.number)):
            assert row.number == last.get(row.output, row.number - 1) + 1, "one in between is gone"
            last[row.output] = row.number
            digest = sha256(row.body).hexdigest()
            assert self.archived.setdefault((row.output, row.number), digest) == digest
        closed = connection.execute(select(output_progress.c.output, output_progress.c.archives))
        assert last == {row.output: row.archives for row in closed if row.archives}

    def _stories(self, connection: Connection) -> None:
        """A link that comes under another id would be seen twice."""
        leads = stories.join(articles, articles.c.id == stories.c.lead_article_id)
        living = select(articles.c.url, stories.c.uri).select_from(leads)
        for row in connection.execute(living.where(stories.c.retired_at.is_(None))):
            assert self.led.setdefault(row.url, row.uri) == row.uri


def check_whole(connection: Connection) -> None:
    """No story without articles, no article without story or text, nothing published of either."""
    held: dict[int, int] = {}
    texts = set(connection.execute(select(article_texts.c.article_id)).scalars())
    numbers = set()
    columns = (articles.c.id, articles.c.story_id, articles.c.fold_order, articles.c.state)
    for row in connection.execute(select(*columns)).all():
        numbers.add(row.id)
        assert row.id in texts or row.state == "new"
        assert (row.story_id is None) == (row.fold_order is None)
        if row.story_id is not None:
            held[row.story_id] = held.get(row.story_id, 0) + 1
    living = connection.execute(select(stories).where(stories.c.retired_at.is_(None))).all()
    assert held == {row.id: row.articles for row in living}, "as many articles as it says"
    assert {row.lead_article_id for row in living} <= numbers
    assert texts <= numbers
    ever = set(connection.execute(select(stories.c.id)).scalars())
    published = connection.execute(select(publications.c.output, publications.c.item_id))
    for output, item in published:
        assert item in (ever if output == "feed" else numbers), f"{output} publishes what is gone"


def check_all_came(db: Database, step: int, ever: set[tuple[int, str]]) -> None:
    """Each entry came as new once, but the links to what had been dropped."""
    with db.read() as connection:
        came = connection.execute(select(func.sum(source_days.c.entries))).scalar()
    assert came == len(ever)
    news = Counter(
        guid
        for at in range(step + 1)
        for source in range(SOURCES)
        for guid, _, _ in told(source, at)
        if at % 2 == 1 or not guid.startswith("link")
    )
    assert news <= Counter(guid for _, guid in ever)


async def follow_archives(application: Application) -> None:
    requested = Requested(application.ledger, application.settings, application.publisher)
    await follow(requested, application, {})


def pages(db: Database) -> int:
    """Pages of the file; 0 where a server keeps it."""
    if db.dialect != "sqlite":
        return 0
    with db.read() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


async def test_killed_while_it_drops_it_brings_nothing_back_and_leaves_nothing_half(
    database_url: str,
) -> None:
    rng = random.Random(int(os.environ.get("TESTS_CRASH_SEED", "1")))
    stage, seen, at_it = Stage(get_context("spawn").RawArray("l", [0, 10**6, 0])), Seen(), 0
    async with serve(stage.app()) as url:
        settings = settings_of(database_url, url)
        with closing(open_database(database_url)) as db:
            async with opened(settings, stage) as application:
                for _ in range(6):  # until there is as much as there will be
                    await live(application, stage)
                    seen.look(db)
            for _ in range(ROUNDS):
                at_it += await killed(settings, stage, rng)
                check(db)
                seen.look(db)
            assert at_it >= ROUNDS // 4, "they are killed while they drop something"
            async with opened(settings, stage) as application:
                await live(application, stage)
                seen.look(db)
                check_all_came(db, stage.step, seen.there | seen.gone)
                await follow_archives(application)
                full = pages(db)
                stage.cells[1] = stage.step  # no more news
                for _ in range(8):
                    await live(application, stage)
                    seen.look(db)
                assert await application.retention.everything() == 0, "it is all gone that may"
                assert len(seen.there) < SOURCES, "all but what stays for its number"
                assert db.dialect != "sqlite" or pages(db) < 0.8 * full, "the file gave pages back"
