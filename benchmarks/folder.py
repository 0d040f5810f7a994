"""How many articles a second pass through the fold stage, and how long it takes to start again.

The articles are those of ``benchmarks/fold.py``, read but not folded, in a new SQLite file (or in
``--database``). The folder takes them batch by batch as in the daemon: it claims, decides, works
out the stories and writes all of it. Then a new matcher is built from the database, as at start.
Seconds are of the processor, of this process with its threads; the matcher alone is timed on the
same articles, so that what is left is the database's.

    python benchmarks/folder.py --articles 10000
"""

import argparse
import asyncio
import itertools
import logging
import tempfile
import time
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog
from fold import START, Planted, articles, held
from sqlalchemy import insert

from aggregator.ledger import Ledger
from aggregator.matching.matcher import Matcher
from aggregator.matching.model import Model
from aggregator.stages.fold.folding import BATCH, Folder, rebuild
from aggregator.stages.tally import Tally
from storage.database import Database, open_database
from storage.sources import sync_sources
from storage.tables.article import Article, ArticleText, article_texts
from storage.tables.article import articles as article_table
from storage.tables.rows import new_row
from storage.values.source import SourceConfig

SOURCES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--database", help="default: a new SQLite file, thrown away")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with tempfile.TemporaryDirectory(prefix="newsfold-folder-") as directory:
        url = arguments.database or f"sqlite:///{Path(directory) / 'folder.db'}"
        ledger = Ledger(open_database(url))
        try:
            fill(ledger.database, arguments.articles)
            asyncio.run(fold(ledger, arguments.articles))
            decide(arguments.articles)
            start_again(ledger.database, arguments.articles)
        finally:
            ledger.close()


def fill(database: Database, count: int) -> None:
    """Articles that wait to be folded."""
    sources = [
        SourceConfig(url=f"https://p{n}.example/feed.xml", name=f"P {n}", publisher=f"p{n}.example")
        for n in range(SOURCES)
    ]
    sync_sources(database, sources, START)
    stream = enumerate(articles(count), 1)
    while some := list(islice(stream, 2_000)):
        with database.write() as connection:
            connection.execute(insert(article_table), [_article(n, one) for n, one in some])
            connection.execute(insert(article_texts), [_text(n, one) for n, one in some])


def _article(number: int, one: Planted) -> dict[str, object]:
    source = number % SOURCES
    address = f"https://p{source}.example/{number}"
    return new_row(
        Article,
        id=number,
        key=address,
        url=address,
        state="read",
        source_id=source + 1,
        title=one.document.title,
        outlet=f"P {source}",
        publisher=f"p{source}.example",
        language="en",
        published_at=one.document.published,
        arrived_at=one.document.arrived,
        text_source="feed",
        text_length=len(one.document.text),
        text_hash=str(number),
    )


def _text(number: int, one: Planted) -> dict[str, object]:
    text = one.document.text
    return new_row(
        ArticleText, article_id=number, text=text, matching_title=one.document.title,
        matching_text=text,
    )  # fmt: skip


async def fold(ledger: Ledger, count: int) -> None:
    numbers = itertools.count()

    def mint(_: datetime) -> tuple[str, str]:
        number = next(numbers)
        return f"tag:news.example,2026:story/{number}", f"s{number}"

    now = START + timedelta(seconds=30 * count)
    folder = Folder(ledger, Model.load(), mint, lambda: now, Tally())
    seconds, clock = time.process_time(), time.monotonic()
    while batches := await folder.claim(1):
        for batch in batches:
            await folder.fold(batch)
    told("through the stage", count, seconds, clock)


def decide(count: int) -> None:
    """The matcher alone, on the same articles."""
    matcher = Matcher(Model.load())
    stream = articles(count)
    seconds = clock = 0.0
    while some := [one.document for one in islice(stream, BATCH)]:
        seconds, clock = seconds - time.process_time(), clock - time.monotonic()
        matcher.prepare(some)
        for document in some:
            matcher.add(document)
        seconds, clock = seconds + time.process_time(), clock + time.monotonic()
    told("the matcher alone", count, time.process_time() - seconds, time.monotonic() - clock)


def start_again(database: Database, count: int) -> None:
    model, before = Model.load(), held()
    seconds, clock = time.process_time(), time.monotonic()
    matcher = rebuild(database, model)
    told("rebuilt at start", count, seconds, clock)
    print(f"{(held() - before) / 1e6:,.0f} MB for the {len(matcher):,} in memory")


def told(what: str, count: int, seconds: float, clock: float) -> None:
    """Print the pace since ``seconds`` of the processor and ``clock``."""
    seconds, clock = time.process_time() - seconds, time.monotonic() - clock
    print(
        f"{what}: {count:,} articles, {count / seconds:,.0f} per second of processor, "
        f"{count / clock:,.0f} by the clock ({clock:.1f} s)",
        flush=True,
    )


if __name__ == "__main__":
    main()
