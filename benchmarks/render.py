"""Measures how long a full-text output of 100 entries takes to write, in each format.

Run: ``python benchmarks/render.py [--entries 100] [--kilobytes 2] [--rounds 200]``

Beside it two rivals on the same machine and content: ``json.dumps`` of the bare fields (what no
writer can beat by much), and feedgen from PyPI writing Atom and RSS, where it is installed
(``pip install feedgen``); feedgen is given no coverage list and no ``atom:source``.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from feeds.model import Coverage, OutputEntry, OutputFeed, OutputSource
from feeds.write_atom import render_atom
from feeds.write_json import render_json
from feeds.write_rss import render_rss

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


def sample_feed(entries: int, kilobytes: float) -> OutputFeed:
    chance = random.Random(5)
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


def feedgen_atom(feed: OutputFeed) -> Callable[[], bytes]:
    from feedgen.feed import FeedGenerator  # noqa: PLC0415 (a rival that need not be there)

    def write() -> bytes:
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
        return generator.atom_str()

    return write


def milliseconds(work: Callable[[], bytes], rounds: int) -> tuple[float, float]:
    """The best and the median of ``rounds`` runs: the machine's noise only ever adds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return times[0], times[rounds // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100)
    parser.add_argument("--kilobytes", type=float, default=2, help="of text in each entry")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    feed = sample_feed(options.entries, options.kilobytes)
    bare = asdict(feed)
    works: dict[str, Callable[[], bytes]] = {
        "json.dumps (rival)": lambda: json.dumps(bare, ensure_ascii=False, default=str).encode(),
        "Atom": lambda: render_atom(feed),
        "RSS": lambda: render_rss(feed),
        "JSON Feed": lambda: render_json(feed),
    }
    if find_spec("feedgen"):
        works["feedgen Atom (rival)"] = feedgen_atom(feed)
    floor = 0.0
    print(f"{'writer':22}{'kB':>8}{'best ms':>10}{'median ms':>11}{'x json.dumps':>14}")
    for name, work in works.items():
        best, median = milliseconds(work, options.rounds)
        floor = floor or best
        print(f"{name:22}{len(work()) / 1000:8.0f}{best:10.2f}{median:11.2f}{best / floor:14.1f}")


if __name__ == "__main__":
    main()
