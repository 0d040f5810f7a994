"""How fast the pages are with 100,000 stories in the database, while something else writes to it.

    python benchmarks/pages.py [--database URL] [--stories 100000] [--rounds 40]

Makes the database if it holds no story yet (some minutes), serves it over loopback HTTP with the
server that the daemon uses, and asks for each page while a writer commits polls side by side. First
byte in milliseconds, weight in kB without compression.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import insert, text

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.running.server import bind, serving
from aggregator.stages.publish.publisher import Identity, Publisher
from aggregator.web.app import Site, create_app
from storage.chunks import chunks
from storage.database import Database, open_database
from storage.polling import commit_polls
from storage.search_index import index_article
from storage.sections import file_stories
from storage.sources import sync_sources
from storage.tables.article import Article, ArticleText, article_texts, articles
from storage.tables.rows import new_row
from storage.tables.source import Fetch, SourceDay, fetches, source_days
from storage.tables.story import Day, Story, days, stories
from storage.values.poll import PollCommit
from storage.values.source import SourceConfig

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOURCES = 500
CATEGORIES = ("world", "business", "science", "sport", "culture", "technology", "politics")
WIDE = 80  # articles of the widest story


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="default: a new SQLite file, thrown away")
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="newsfold-pages-") as folder:
        url = arguments.database or f"sqlite:///{Path(folder) / 'pages.db'}"
        ledger = Ledger(open_database(url))
        try:
            fill(ledger.database, arguments.stories)
            asyncio.run(measure(ledger, arguments.rounds))
        finally:
            ledger.close()


def fill(db: Database, count: int) -> None:
    """Stories as news makes them: most told once, few by many; one by ``WIDE``."""
    with db.read() as connection:
        if connection.execute(text("SELECT count(*) FROM story")).scalar():
            return
    rng = random.Random(1)
    words = [_word(rng) for _ in range(30_000)]
    begun = time.monotonic()
    sync_sources(db, [_source(number) for number in range(SOURCES)], NOW)
    article_id = 0
    for some in chunks(range(1, count + 1), 2_000):
        with db.write() as connection:
            rows, texts, told = [], [], []
            for story_id in some:
                size = WIDE if story_id == count - 3 else min(30, int(rng.paretovariate(1.4)))
                at = NOW - timedelta(seconds=40 * (count - story_id))
                first = article_id + 1
                for place in range(size):
                    article_id += 1
                    title, source = _sentence(rng, words, 9), 1 + rng.randrange(SOURCES)
                    rows.append(
                        _article(
                            article_id, story_id, first, place, at=at, title=title, source=source
                        )
                    )
                    texts.append(_text(article_id, rng, words))
                told.append(_story(story_id, first, size, at, rows[-size]["title"]))
            connection.execute(insert(stories), told)
            connection.execute(insert(articles), rows)
            connection.execute(insert(article_texts), texts)
            for row, written in zip(rows, texts, strict=True):
                index_article(connection, row["id"], f"{row['title']}\n{written['text']}")
            file_stories(connection, some)
        print(f"{some[-1]:,} stories, {article_id:,} articles", end="\r", flush=True)
    with db.write() as connection:
        connection.execute(insert(source_days), list(_source_days(rng)))
        connection.execute(insert(days), list(_days(rng)))
        connection.execute(insert(fetches), list(_fetches(rng)))
        connection.exec_driver_sql("ANALYZE")
    print(f"\nmade in {time.monotonic() - begun:.0f} s")


def _word(rng: random.Random) -> str:
    return "".join(
        rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(1, 4))
    )


def _sentence(rng: random.Random, words: list[str], length: int) -> str:
    """Some words far more often than others, as in any language."""
    return " ".join(words[int(len(words) * rng.random() ** 4)] for _ in range(length)).capitalize()


def _source(number: int) -> SourceConfig:
    name = f"outlet{number}"
    return SourceConfig(
        url=f"https://{name}.example/feed.xml",
        name=f"Outlet {number}",
        publisher=f"{name}.example",
        category="rare" if number == 0 else CATEGORIES[number % len(CATEGORIES)],
        language=("en", "de", "fr")[number % 3],
    )


def _article(
    number: int, story: int, first: int, place: int, *, at: datetime, title: str, source: int
) -> dict[str, Any]:
    return new_row(
        Article,
        id=number,
        key=f"https://outlet{source}.example/{number}",
        url=f"https://outlet{source}.example/{number}",
        state="folded",
        source_id=source,
        title=title,
        outlet=f"Outlet {source}",
        publisher=f"outlet{source}.example",
        language=("en", "de", "fr")[story % 3],
        published_at=at + timedelta(minutes=7 * place),
        arrived_at=at + timedelta(minutes=7 * place + 5),
        folded_at=at + timedelta(minutes=7 * place + 6),
        text_source=("page", "feed")[number % 2],
        text_length=700,
        fold_order=number,
        story_id=story,
        copy_of=first if place and place % 4 == 0 else None,
        score=0.93,
        reason={
            "kind": "event" if place else "first",
            "partner": first,
            "score": 0.93,
            "needed": 0.79,
            "parts": ["names in common: Northgate, Pinder", "body 0.34", "title 0.43"],
        },
    )


def _text(number: int, rng: random.Random, words: list[str]) -> dict[str, Any]:
    return new_row(
        ArticleText,
        article_id=number,
        summary=_sentence(rng, words, 30),
        text="\n\n".join(_sentence(rng, words, 40) for _ in range(3)),
        evidence=[[max(1, number - n), -1500 - n, 20] for n in range(1, 12)],
    )


def _story(number: int, first: int, size: int, at: datetime, title: str) -> dict[str, Any]:
    return new_row(
        Story,
        id=number,
        uri=f"tag:news.example,2026:story/{number}",
        slug=f"s{number}",
        key=number,
        first_article_id=first,
        lead_article_id=first,
        title=title,
        language=("en", "de", "fr")[number % 3],
        articles=size,
        outlets=size,
        rank=at.timestamp() / 21_600 + size**0.5,
        copies=size // 4,
        published_at=at,
        latest_at=at + timedelta(minutes=7 * size),
        updated_at=at,
        created_at=at,
        changed_at=at,
    )


def _source_days(rng: random.Random) -> Iterator[dict[str, Any]]:
    for source in range(1, SOURCES + 1):
        for back in range(60):
            day = (NOW - timedelta(days=back)).date()
            yield new_row(SourceDay, source_id=source, day=day, entries=rng.randrange(30))


def _days(rng: random.Random) -> Iterator[dict[str, Any]]:
    for back in range(60):
        stories_of_day = rng.randrange(1500, 2500)
        yield new_row(
            Day,
            day=(NOW - timedelta(days=back)).date(),
            articles=stories_of_day * 2,
            copies=stories_of_day // 4,
            stories=stories_of_day,
        )


def _fetches(rng: random.Random) -> Iterator[dict[str, Any]]:
    for source in range(1, SOURCES + 1):
        for back in range(100):
            yield new_row(
                Fetch,
                source_id=source,
                at=NOW - timedelta(minutes=15 * back),
                outcome="new",
                status=200,
                seconds=rng.random(),
                wire_bytes=rng.randrange(90_000),
                new_entries=rng.randrange(4),
            )


async def measure(ledger: Ledger, rounds: int) -> None:
    settings = Settings.model_validate({"server": {"base_url": "https://news.example"}})
    publisher = Publisher(ledger, settings, Identity("news.example", NOW))
    site = Site(settings, ledger, publisher, lambda: True, clock=lambda: NOW)
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with serving(create_app(site), listener), aiohttp.ClientSession(url) as session:
            writing = asyncio.create_task(_write(ledger))
            print(f"{'page':<44}{'median ms':>10}{'p95 ms':>9}{'kB':>7}")
            for name, path in await _paths(session):
                await _ask(session, path)
                taken = [await _ask(session, path) for _ in range(rounds)]
                times = sorted(seconds * 1000 for seconds, _ in taken)
                weight = taken[0][1] / 1000
                median, late = statistics.median(times), times[int(len(times) * 0.95)]
                print(f"{name:<44}{median:>10.1f}{late:>9.1f}{weight:>7.1f}")
            writing.cancel()


async def _paths(session: aiohttp.ClientSession) -> list[tuple[str, str]]:
    paths = [
        ("front page", "/"),
        ("newest first", "/?order=newest"),
        ("a category", "/?category=science"),
        ("a rare category", "/?category=rare"),
        ("a category in a language", "/?category=science&language=fr"),
        ("1,000 pages down", ""),
        ("search, a frequent word", ""),
        ("search, two words", ""),
        ("search, a rare word", ""),
        ("search, a word's beginning", ""),
        ("search, nothing found", "/?q=xyzzyxyzzy"),
        ("the widest story", ""),
        ("a story", "/story/s5000"),
        ("sources", "/sources"),
        ("a source", "/source/7"),
    ]
    rng = random.Random(1)
    words = [_word(rng) for _ in range(30_000)]
    async with session.get("/?order=newest") as response:
        page = await response.text()
    first = int(page.split("/story/s", 1)[1].split('"', 1)[0])
    deep = (NOW - timedelta(seconds=40 * 30_000) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    found = {
        "1,000 pages down": f"/?order=newest&after={deep}_{first - 30_000}",
        "search, a frequent word": f"/?q=%22{words[0]}%22",
        "search, two words": f"/?q=%22{words[3]}%22+%22{words[900]}%22",
        "search, a rare word": f"/?q=%22{words[29_000]}%22",
        "search, a word's beginning": f"/?q={words[2][:4]:a<4}",
        "the widest story": f"/story/s{first - 3}",
    }
    return [(name, path or found[name]) for name, path in paths]


async def _ask(session: aiohttp.ClientSession, path: str) -> tuple[float, int]:
    begun = time.perf_counter()
    async with session.get(path) as response:
        await response.content.read(1)
        seconds = time.perf_counter() - begun
        rest = await response.read()
        assert response.status == 200, path
    return seconds, len(rest) + 1


async def _write(ledger: Ledger) -> None:
    """Polls that bring nothing new, as most do, 50 a second."""
    for number in range(1_000_000):
        commit = PollCommit(1 + number % SOURCES, NOW, "unchanged", NOW, {}, status=304)
        await ledger.write(commit_polls, [commit])
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
