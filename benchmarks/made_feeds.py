"""Feeds to measure with: RSS 2.0, RSS 1.0 and Atom 1.0, 30 entries and about 58 kB each.

Made from a seed. Number ``feed`` has its own addresses, guids and titles; ``newest`` counts its
entries, so that ``newest + 1`` is the same feed with one new entry on top and the last one gone.
"""

import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape

ENTRIES = 30
BYTES = 58_000
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
_TEXTS = 97
_WORDS = re.findall(
    r"\w+",
    "harbour ferry council storm the of and a to in is was for on with as by at from that new said"
    " mayor police river bridge school court week after before city people plan vote fire water",
)


def rss(feed: int = 0, newest: int = ENTRIES) -> bytes:
    """RSS 2.0 as WordPress writes it."""
    items = "".join(
        f"<item><title>{_title(feed, n)}</title><link>{_site(feed)}/{n}-a</link>"
        f"<dc:creator><![CDATA[{_words(n, 2).title()}]]></dc:creator>"
        f"<pubDate>{format_datetime(_date(n))}</pubDate>"
        f"<category><![CDATA[{_words(n, 1)}]]></category>"
        f'<guid isPermaLink="false">{_site(feed)}/?p={n}</guid>'
        f"<description><![CDATA[<p>{_words(n, 30)}</p>]]></description>"
        f"<content:encoded><![CDATA[{_html(feed + n, BYTES // ENTRIES - 700)}]]></content:encoded>"
        f'<media:thumbnail url="{_site(feed)}/t/{n}.jpg" width="120" height="80"/></item>\n'
        for n in _numbers(newest)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><title>News {feed}</title><link>{_site(feed)}/</link><language>en</language>"
        f"<description>All of it</description><ttl>60</ttl>{items}</channel></rss>"
    ).encode()


def rdf(feed: int = 0, newest: int = ENTRIES) -> bytes:
    """RSS 1.0, its texts escaped."""
    items = "".join(
        f'<item rdf:about="{_site(feed)}/{n}"><title>{_title(feed, n)}</title>'
        f"<link>{_site(feed)}/{n}</link><dc:date>{_date(n).isoformat()}</dc:date>"
        f"<dc:creator>{_words(n, 2)}</dc:creator><dc:subject>{_words(n, 1)}</dc:subject>"
        f"<description>{escape(_html(feed + n, BYTES // ENTRIES - 600))}</description></item>\n"
        for n in _numbers(newest)
    )
    return (
        '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>News {feed}</title><link>{_site(feed)}/</link></channel>{items}</rdf:RDF>"
    ).encode()


def atom(feed: int = 0, newest: int = ENTRIES) -> bytes:
    """Atom 1.0, its texts escaped."""
    host = f"news-{feed}.example"
    entries = "".join(
        f"<entry><id>tag:{host},2026:{n}</id><title>{_title(feed, n)}</title>"
        f'<link rel="alternate" type="text/html" href="{_site(feed)}/{n}"/>'
        f"<published>{_date(n).isoformat()}</published><updated>{_date(n).isoformat()}</updated>"
        f'<author><name>{_words(n, 2)}</name></author><category term="{_words(n, 1)}"/>'
        f'<summary type="html">{escape(_words(n, 30))}</summary>'
        f'<content type="html">{escape(_html(feed + n, BYTES // ENTRIES - 900))}</content>'
        "</entry>\n"
        for n in _numbers(newest)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>tag:{host},2026:all</id><title>News {feed}</title>"
        f"<updated>{_date(newest).isoformat()}</updated>"
        f'<link href="{_site(feed)}/"/>{entries}</feed>'
    ).encode()


FORMATS = {"rss": rss, "rdf": rdf, "atom": atom}


def _numbers(newest: int) -> range:
    return range(newest, newest - ENTRIES, -1)


def _site(feed: int) -> str:
    return f"https://news-{feed}.example"


def _date(number: int) -> datetime:
    return FIRST + timedelta(hours=number)


def _title(feed: int, number: int) -> str:
    return f"{_words(feed + number, 9).title()} {number}"


def _words(seed: int, count: int) -> str:
    return _some_words(seed % _TEXTS, count)


@cache
def _some_words(seed: int, count: int) -> str:
    return " ".join(random.Random(seed).choices(_WORDS, k=count))


def _html(seed: int, size: int) -> str:
    return _some_html(seed % _TEXTS, size)


@cache
def _some_html(seed: int, size: int) -> str:
    """Paragraphs as blogs write them: emphasis, absolute and relative links, a picture."""
    chance = random.Random(seed)
    parts = [f'<p><img src="/i/{chance.randrange(9999)}.jpg" alt="{_words(seed, 4)}"></p>']
    while sum(map(len, parts)) < size:
        address = chance.choice(("https://news.example", "")) + f"/a/{chance.randrange(9999)}"
        first, second = (" ".join(chance.choices(_WORDS, k=25)) for _ in range(2))
        parts.append(
            f'<p>{first} <a href="{address}">{" ".join(chance.choices(_WORDS, k=3))}</a>'
            f" <em>{chance.choice(_WORDS)}</em> &amp; {second}</p>\n"
        )
    return "".join(parts)
