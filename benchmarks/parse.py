"""How long reading a feed takes, step by step: cold, with 29 of 30 known, and feedparser alone.

Run: ``python -m benchmarks.parse [ROUNDS]``. Reads made feeds (RSS 2.0, RSS 1.0, Atom 1.0; 30
entries, about 58 kB each) and prints milliseconds of CPU, the best and the median of all rounds:
the best is what the work costs, the median what a shared machine makes of it. ``feedparser`` reads
the whole document; its dates cost it nothing here, since :mod:`feeds.parsing.run_feedparser` has
taken them from it.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import feedparser  # type: ignore[import-untyped]  # feedparser 6 has no types

from benchmarks.made_feeds import BYTES, ENTRIES, FORMATS
from feeds.model import ParsedFeed
from feeds.parsing.decode import decode_document
from feeds.parsing.entries import finish_feed
from feeds.parsing.known import take_apart
from feeds.parsing.parse import parse_feed
from feeds.parsing.raw import RawFeed
from feeds.parsing.read_feedparser import read_head, read_plain_items

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://news.example/feed.xml"


def main(rounds: int = 40) -> None:
    print(f"{ENTRIES} entries, about {BYTES // 1000} kB, {rounds} rounds, ms of CPU: best (median)")
    print(f"{'':30}" + "".join(f"{name:>16}" for name in FORMATS))
    rows = [dict(steps(name)) for name in FORMATS]
    for step in rows[0]:
        timings = (milliseconds(row[step], rounds) for row in rows)
        cells = (f"{best:.2f} ({middle:.2f})" for best, middle in timings)
        print(f"{step:30}{''.join(f'{cell:>16}' for cell in cells)}")


def steps(kind: str) -> Iterator[tuple[str, Callable[[], object]]]:
    body = FORMATS[kind]()
    full = read(body)
    assert isinstance(full, ParsedFeed)
    assert len(full.entries) == ENTRIES
    known = frozenset(entry.raw_digest or b"" for entry in full.entries[1:])
    text = decode_document(body, None)
    apart = take_apart(text)
    assert apart is not None
    around, items = apart.items[0].around, [item.element for item in apart.items]
    feed = read_head(apart.head, kind)
    assert isinstance(feed, RawFeed)
    feed.entries = read_plain_items(around, items, kind)
    yield "cold", lambda: read(body)
    yield "  bytes to text", lambda: decode_document(body, None)
    yield "  items taken apart", lambda: take_apart(text)
    yield "  feedparser: head", lambda: read_head(apart.head, kind)
    yield "  feedparser: 30 items", lambda: read_plain_items(around, items, kind)
    yield "  cleaned, dated, named", lambda: finish_feed(feed, URL, NOW)
    yield "29 of 30 known", lambda: read(body, known)
    yield "feedparser alone", lambda: bare_feedparser(body, sanitise=False)
    yield "feedparser, sanitising too", lambda: bare_feedparser(body, sanitise=True)


def read(body: bytes, known: frozenset[bytes] = frozenset()) -> object:
    return parse_feed(body, URL, content_type="application/xml", now=NOW, known=known)


def bare_feedparser(body: bytes, *, sanitise: bool) -> object:
    return feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=sanitise,
        resolve_relative_uris=sanitise,
    )


def milliseconds(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    work()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return min(times), statistics.median(times)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
