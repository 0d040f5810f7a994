"""Measures what writing a full-text output of 100 entries takes, in each format.

Run: ``python benchmarks/render.py [--entries 100] [--kilobytes 2] [--rounds 60]``

``first`` is a feed none of whose entries was ever written; ``changed`` the usual case, one entry of
the last feed replaced by a new one. Beside it two rivals on the same machine and content:
``json.dumps`` of the bare texts, and feedgen from PyPI writing Atom, where it is installed
(``pip install feedgen``); feedgen is given no coverage list, links or ``atom:source``.
"""

import argparse
import gc
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from feeds.model import Coverage, OutputEntry, OutputFeed, OutputSource
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_rss import render_rss

Writer = Callable[[OutputFeed], bytes]

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SYLLABLES = [
    "an",
    "ber",
    "cor",
    "del",
    "esta",
    "fir",
    "gam",
    "hol",
    "ist",
    "kel",
    "lun",
    "mora",
    "nes",
    "—",
    "“or”",
    "par",
    "é",
    "quin",
    "ros",
    "sul",
]


def words(count: int, chance: random.Random) -> str:
    return " ".join("".join(chance.choices(SYLLABLES, k=2)) for _ in range(count))


def sample_feed(entries: int, kilobytes: float, seed: int) -> OutputFeed:
    chance = random.Random(seed)
    return OutputFeed(
        id="tag:news.example,2026:output/news",
        title="Merged news",
        subtitle="Every story once",
        home_url="https://news.example/",
        self_urls={form: f"https://news.example/news.{form}" for form in ("atom", "rss", "json")},
        updated=NOON,
        entries=tuple(sample_entry(number, kilobytes, chance) for number in range(entries)),
        language="en",
        hubs=("https://hub.example/",),
    )


def sample_entry(number: int, kilobytes: float, chance: random.Random) -> OutputEntry:
    paragraphs = (f"<p>{words(40, chance)}</p>" for _ in range(round(kilobytes * 1000 / 300)))
    host = f"outlet{number % 30}.example"
    # Two stories of three are told by one outlet; the average is 2.3.
    outlets = 1 if number % 3 else 1 + number % 9
    return OutputEntry(
        id=f"tag:news.example,2026:story/{number}",
        url=f"https://{host}/2026/11/22/{number}",
        page_url=f"https://news.example/stories/{number}",
        title=words(9, chance),
        summary=words(30, chance),
        content_html="\n".join(paragraphs),
        published=NOON - timedelta(minutes=number),
        updated=NOON,
        source=OutputSource(
            f"https://{host}/feed", host, f"https://{host}/feed", f"https://{host}/"
        ),
        coverage=tuple(sample_coverage(number + i, chance) for i in range(outlets)),
        authors=(words(2, chance),),
        categories=("News", words(1, chance)),
        image=f"https://{host}/{number}.jpg",
        outlets=outlets,
    )


def sample_coverage(number: int, chance: random.Random) -> Coverage:
    host = f"outlet{number % 30}.example"
    return Coverage(host, words(9, chance), f"https://{host}/2026/11/22/{number}", NOON)


def feedgen_atom(feed: OutputFeed) -> bytes:
    from feedgen.feed import FeedGenerator  # noqa: PLC0415 (a rival that need not be there)

    generator = FeedGenerator()
    generator.id(feed.id)
    generator.title(feed.title)
    generator.link(href=feed.self_urls["atom"], rel="self")
    generator.description(feed.subtitle)
    for entry in feed.entries:
        item = generator.add_entry(order="append")
        item.id(entry.id)
        item.title(entry.title)
        item.link(href=entry.url)
        item.published(entry.published)
        item.updated(entry.updated)
        item.author({"name": entry.authors[0]})
        item.summary(entry.summary)
        item.content(entry.content_html, type="html")
    document: bytes = generator.atom_str()
    return document


def bare_json(feed: OutputFeed) -> bytes:
    texts = [(e.id, e.url, e.title, e.summary, e.content_html, e.authors) for e in feed.entries]
    return json.dumps(texts, ensure_ascii=False).encode()


def milliseconds(write: Writer, feeds: list[OutputFeed]) -> list[float]:
    """The processor time of each writing, sorted: the best is least disturbed by others."""
    times = []
    for feed in feeds:
        start = time.process_time()
        write(feed)
        times.append((time.process_time() - start) * 1000)
    return sorted(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100)
    parser.add_argument("--kilobytes", type=float, default=2, help="of text in each entry")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    feeds = [
        sample_feed(options.entries, options.kilobytes, seed) for seed in range(options.rounds)
    ]
    changed = [
        replace(feeds[-1], entries=(feed.entries[0], *feeds[-1].entries[1:])) for feed in feeds
    ]
    gc.freeze()  # the samples, which no collection of rubbish need look through
    writers: dict[str, Writer] = {"json.dumps (rival)": bare_json}
    if find_spec("feedgen"):
        writers["feedgen Atom (rival)"] = feedgen_atom
    writers |= {"Atom": render_atom, "RSS": render_rss, "JSON Feed": render_json}
    print(f"{'best (median), CPU ms':22}{'kB':>6}{'first':>16}{'changed':>16}")
    for name, write in writers.items():
        figures = [milliseconds(write, which) for which in (feeds, changed)]
        cells = [f"{times[0]:.1f} ({times[len(times) // 2]:.1f})" for times in figures]
        print(f"{name:22}{len(write(feeds[0])) / 1000:6.0f}{cells[0]:>16}{cells[1]:>16}")


if __name__ == "__main__":
    main()
