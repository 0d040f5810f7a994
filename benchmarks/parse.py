"""How long reading a feed takes: cold, with 29 of 30 items known, and in feedparser alone.

Cold is feedparser's own time and that of finding the items, cleaning and dating them.

Run: ``python -m benchmarks.parse [ROUNDS]``. Makes its own feeds (RSS 2.0, RSS 1.0, Atom 1.0; 30
entries, about 58 kB each) from a seed, and prints milliseconds of CPU, the best and the median of
all rounds: the best is what the work costs, the median what a shared machine makes of it.
"""

import io
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

import feedparser  # type: ignore[import-untyped]  # feedparser 6 has no types

from feeds.model import ParsedFeed
from feeds.parsing.parse import parse_feed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://news.example/feed.xml"
ENTRIES = 30
BYTES = 58_000
WORDS = (
    "harbour ferry council storm the of and a to in is was for on with as by at from that new said"
    " mayor police river bridge school court week after before city people plan vote fire water"
)


def main(rounds: int = 40) -> None:
    print(f"{ENTRIES} entries, about {BYTES // 1000} kB, {rounds} rounds, ms of CPU: best (median)")
    print(f"{'':6}{'cold':>18}{'29 of 30 known':>18}{'feedparser':>18}{'sanitising too':>18}")
    for name, make in (("rss", rss), ("rdf", rdf), ("atom", atom)):
        body = make(random.Random(7))
        full = read(body)
        assert isinstance(full, ParsedFeed)
        assert len(full.entries) == ENTRIES
        known = frozenset(entry.raw_digest or b"" for entry in full.entries[1:])
        timings = (
            milliseconds(lambda body=body: read(body), rounds),
            milliseconds(lambda body=body, known=known: read(body, known), rounds),
            milliseconds(lambda body=body: bare_feedparser(body, sanitise=False), rounds),
            milliseconds(lambda body=body: bare_feedparser(body, sanitise=True), rounds),
        )
        print(f"{name:6}{''.join(f'{best:10.1f} ({middle:.1f})' for best, middle in timings)}")


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


def words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(WORDS.split(), k=count))


def html(chance: random.Random, size: int) -> str:
    """Paragraphs as blogs write them: emphasis, absolute and relative links, a picture."""
    parts = [f'<p><img src="/i/{chance.randrange(9999)}.jpg" alt="{words(chance, 4)}"></p>']
    while sum(map(len, parts)) < size:
        address = chance.choice(("https://news.example", "")) + f"/a/{chance.randrange(9999)}"
        parts.append(
            f'<p>{words(chance, 25)} <a href="{address}">{words(chance, 3)}</a>'
            f" <em>{words(chance, 2)}</em> &amp; {words(chance, 25)}</p>\n"
        )
    return "".join(parts)


def rss(chance: random.Random) -> bytes:
    items = "".join(
        f"<item><title>{words(chance, 9).title()}</title><link>https://news.example/{n}-a</link>"
        f"<dc:creator><![CDATA[{words(chance, 2).title()}]]></dc:creator>"
        f"<pubDate>Sat, 21 Nov 2026 {n % 24:02}:30:00 +0000</pubDate>"
        f"<category><![CDATA[{words(chance, 1)}]]></category>"
        f'<guid isPermaLink="false">https://news.example/?p={n}</guid>'
        f"<description><![CDATA[<p>{words(chance, 30)}</p>]]></description>"
        f"<content:encoded><![CDATA[{html(chance, BYTES // ENTRIES - 700)}]]></content:encoded>"
        f'<media:thumbnail url="https://news.example/t/{n}.jpg" width="120" height="80"/></item>\n'
        for n in range(ENTRIES)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">'
        "<channel><title>News</title><link>https://news.example/</link><language>en</language>"
        f"<description>All of it</description><ttl>60</ttl>{items}</channel></rss>"
    ).encode()


def rdf(chance: random.Random) -> bytes:
    items = "".join(
        f'<item rdf:about="https://news.example/{n}"><title>{words(chance, 9).title()}</title>'
        f"<link>https://news.example/{n}</link><dc:date>2026-11-21T{n % 24:02}:30:00Z</dc:date>"
        f"<dc:creator>{words(chance, 2)}</dc:creator><dc:subject>{words(chance, 1)}</dc:subject>"
        f"<description>{escape(html(chance, BYTES // ENTRIES - 600))}</description></item>\n"
        for n in range(ENTRIES)
    )
    return (
        '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<channel><title>News</title><link>https://news.example/</link></channel>"
        f"{items}</rdf:RDF>"
    ).encode()


def atom(chance: random.Random) -> bytes:
    entries = "".join(
        f"<entry><id>tag:news.example,2026:{n}</id><title>{words(chance, 9).title()}</title>"
        f'<link rel="alternate" type="text/html" href="https://news.example/{n}"/>'
        f"<published>2026-11-21T{n % 24:02}:30:00Z</published>"
        f"<updated>2026-11-21T{n % 24:02}:30:00Z</updated>"
        f'<author><name>{words(chance, 2)}</name></author><category term="{words(chance, 1)}"/>'
        f'<summary type="html">{escape(words(chance, 30))}</summary>'
        f'<content type="html">{escape(html(chance, BYTES // ENTRIES - 900))}</content></entry>\n'
        for n in range(ENTRIES)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        "<id>tag:news.example,2026:all</id><title>News</title><updated>2026-11-21T12:00:00Z</updated>"
        f'<link href="https://news.example/"/>{entries}</feed>'
    ).encode()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
