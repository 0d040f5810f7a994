"""What strangers and operators hand us, and what has to hold whatever they hand us.

Each target has ordinary inputs to start from and a check. A check raises where something is wrong,
and returns what happened, roughly: an input that makes something new happen is worth spoiling
further.
"""

import atexit
import gzip
import json
import pickle
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import brotli
import output_builders
from fuzz_corpus import newsroom
from fuzz_site import check_request, request_corpus
from lxml import etree

from aggregator.config.environment import variables
from aggregator.config.example import example
from aggregator.config.loading import ConfigError, load_config
from aggregator.config.settings import Settings
from aggregator.matching.fold import fold
from aggregator.matching.jsonl import read_rows
from aggregator.matching.model import Model
from feeds.http.decoding import BodyDecoder, BodyTooLargeError, DecodingError, zstd
from feeds.http.robots import read_rules
from feeds.model import FeedEntry, ParsedFeed, Response
from feeds.page.article import PageBytes, assemble, read_feed, read_pages
from feeds.page.choose import FeedMaterial
from feeds.page.page_rules import PageRules
from feeds.parsing.parse import parse_feed
from feeds.parsing.read_opml import read_subscriptions
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_opml import render_opml
from feeds.writing.write_rss import render_rss

URL = "https://outlet.example/feed.xml"
NOW = datetime(2026, 11, 28, tzinfo=UTC)
DATA = Path(__file__).parent / "data"
MOST_DECODED = 1_000_000
_SCRIPT = re.compile(r"<script|javascript:|<[^>]*\son\w+\s*=", re.IGNORECASE)
_PARSER = etree.XMLParser(resolve_entities=False, huge_tree=True)


@dataclass(frozen=True)
class Target:
    """``limit``: seconds of CPU time that an input may take. ``apart``: it is read in a child
    process that is killed at a limit, so that what takes longer is worth knowing and no fault.
    """

    name: str
    corpus: Callable[[], Sequence[bytes]]
    check: Callable[[bytes], Hashable]
    words: Sequence[bytes] = ()
    limit: float = 2.0
    apart: bool = False


# --- feeds --------------------------------------------------------------------------------------


def feed_corpus() -> list[bytes]:
    samples = [path.read_bytes() for path in sorted((DATA / "feeds").iterdir())]
    return [*newsroom("feeds"), *samples]


def check_feed(data: bytes) -> Hashable:
    """From the bytes of a feed to the documents that we write of it."""
    outcome = parse_feed(data, URL, content_type=None, now=NOW)
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    if not isinstance(outcome, ParsedFeed):
        return outcome.detail
    assert len(outcome.entries) <= 500
    for entry in outcome.entries:
        check_entry(entry)
    digests = frozenset(e.raw_digest for e in outcome.entries if e.raw_digest)
    again = parse_feed(data, URL, content_type=None, now=NOW, known=digests)
    assert isinstance(again, ParsedFeed)
    left = [e for e in outcome.entries if e.raw_digest not in again.known_seen]
    assert list(again.entries) == left
    check_written(outcome.entries[:3])
    return outcome.format, len(outcome.entries).bit_length(), *outcome.problems


def check_entry(entry: FeedEntry) -> None:
    assert entry.guid
    check_text(entry.title, entry.guid, *entry.authors, *entry.categories)
    check_html(entry.summary_html)
    check_html(entry.content_html)
    check_links(entry.url, entry.canonical_url, entry.image, entry.source_url)
    check_links(*(enclosure.url for enclosure in entry.enclosures))
    for moment in (entry.published, entry.updated):
        assert moment is None or moment.utcoffset() == timedelta(0)


def check_written(entries: Sequence[FeedEntry]) -> None:
    written = [output_of(entry) for entry in entries]
    feed = output_builders.feed(*written)
    etree.fromstring(render_atom(feed), _PARSER)
    etree.fromstring(render_rss(feed), _PARSER)
    json.loads(render_json(feed))


def output_of(entry: FeedEntry) -> Any:
    material = FeedMaterial(entry.title, entry.url, entry.summary_html, entry.content_html)
    choice = assemble(read_feed(material), None).choice
    check_html(choice.html)
    return output_builders.entry(
        title=entry.title,
        summary=choice.text[:400],
        content_html=choice.html,
        authors=entry.authors,
        categories=entry.categories,
        language=entry.language,
        image=entry.image,
        **({"url": entry.url} if entry.url else {}),
    )


def check_text(*texts: str) -> None:
    for text in texts:
        text.encode()


def check_html(html: str) -> None:
    html.encode()
    assert not _SCRIPT.search(re.sub(r">[^<]*<", "><", html)), "a script is left"


def check_links(*links: str | None) -> None:
    for link in links:
        assert link is None or link.startswith(("http://", "https://")), link


# --- pages --------------------------------------------------------------------------------------

_RULES = PageRules(select=("article", "main p"), remove=("aside",), next_page="a[rel=next]")


def page_corpus() -> list[bytes]:
    return newsroom("pages")


def check_page(data: bytes) -> Hashable:
    """From the bytes of a page to what is kept of the article."""
    feed = read_feed(FeedMaterial("A title", URL, "<p>What the feed says.</p>", ""))
    seen: list[Hashable] = []
    for rules in (None, _RULES):
        page = read_pages((PageBytes(URL, data, "text/html"),), "A title", rules)
        material = assemble(feed, page)
        check_text(page.title, page.text, page.matching_text, *page.authors, *page.reasons)
        check_html(page.html)
        check_html(material.choice.html)
        check_links(page.canonical_url, page.image)
        assert page.published is None or page.published.utcoffset() == timedelta(0)
        seen += [page.wall, page.published_source, len(page.text).bit_length(), *page.reasons[:1]]
    return tuple(seen)


# --- what servers say beside it -----------------------------------------------------------------


def coded_corpus() -> list[bytes]:
    text = newsroom("feeds")[0][:4000]
    packed = {
        "gzip": gzip.compress(text, mtime=0),
        "deflate": zlib.compress(text),
        "br": brotli.compress(text),
        "zstd": zstd.compress(text),
        "gzip, br": brotli.compress(gzip.compress(text, mtime=0)),
        "identity": text,
    }
    return [coding.encode() + b":" + body for coding, body in packed.items()]


def check_coded(data: bytes) -> Hashable:
    """A body in content codings, which stand before the first colon."""
    codings, _, body = data.partition(b":")
    try:
        decoder = BodyDecoder(codings.decode("latin-1"), MOST_DECODED)
        for start in range(0, len(body), 1000):
            decoder.feed(body[start : start + 1000])
        found = decoder.finish()
    except (DecodingError, BodyTooLargeError) as error:
        return re.sub(r"\d+", "", str(error))[:60]
    assert len(found) <= MOST_DECODED
    return len(found).bit_length()


def robots_corpus() -> list[bytes]:
    return [
        b"User-agent: *\nDisallow: /private/*$\nCrawl-delay: 5\nAllow: /\nSitemap: /s.xml\n",
        b"User-agent: newsfold\nUser-agent: other\nDisallow:\nRequest-rate: 1/5s 0900-1700\n",
    ]


def check_robots(data: bytes) -> Hashable:
    rules = read_rules(Response("https://outlet.example/robots.txt", 200, {}, data), "newsfold")
    delay = rules.crawl_delay
    assert delay is None or delay >= 0
    return delay, rules.refusal("https://outlet.example/private/one?a=b%20c")


# --- what operators write -----------------------------------------------------------------------


def config_corpus() -> list[bytes]:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    whole = "\n".join(line.removeprefix("# ") for line in example().splitlines())
    rest = (
        'include = ["more.toml"]\n[server]\nread_token = "0123456789abcdef"\nhubs = ["https://h/"]\n'
        '[metrics]\nallow_networks = ["10.0.0.0/8", "::1/128"]\n[websub]\npoll_factor = 2\n'
        '[[site]]\nhost = "a.example"\nselect = ["div > p:not(.x)"]\n[[source]]\n'
        'url = "https://a.example/f"\nusername = "ann"\npassword = "geheim-pw"\n'
        'interval = "1h30m"\n'
        'headers = { X-Key = "geheim-kopf" }\nproxy = "http://u:geheim-proxy@p:1/"\n'
        'user_agent = "x"\ntls_verify = false\n[[output]]\nname = "o"\ncontent = "full"\n'
        'token = "geheim-token-0123456789"\ninclude = [{ regex = "a(b|c)+", in = "title" }]\n'
    )
    return [text.encode() for text in (shown, example(), whole, rest)]


def check_config(data: bytes) -> Hashable:
    """A config file; behind a last NUL, what a variable of the environment says."""
    text, mark, said = data.rpartition(b"\0")
    path = folder() / "newsfold.toml"
    path.write_bytes(text if mark else data)
    names = sorted(variables(Settings))
    value = said.decode("utf-8", "replace")
    environment = {names[len(said) % len(names)]: value} if mark else {}
    try:
        settings = load_config(path, environment)
    except ConfigError as error:
        lines = list(map(str, error.problems))
        check_text(*lines)
        if not lines or "\n" in "".join(lines):
            raise AssertionError(lines) from error
        return tuple(re.sub(r"\"[^\"]*\"|\d+", "", problem.text)[:60] for problem in error.problems)
    repr(settings)
    return len(settings.source), len(settings.outputs())


@cache
def folder() -> Path:
    """Where the files of this process lie; one that the config corpus includes is there."""
    made = Path(tempfile.mkdtemp(prefix="newsfold-fuzz-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    (made / "more.toml").write_text('[[source]]\nurl = "https://b.example/"\nname = "B"\n')
    return made


def opml_corpus() -> list[bytes]:
    rows = "".join(f"{name}\thttps://{name}.example/\n" for name in "abc").encode()
    newsboat = b'https://a.example/f "tag one" ~Title !\n"query:x:y"\n# note\nhttps://b.example/f\n'
    opml = render_opml("Sources", ())
    nested = (
        b'<opml version="2.0"><head><title>x</title></head><body><outline text="News">'
        b'<outline type="rss" text="A &amp; B" title="A" xmlUrl="https://a.example/f" '
        b'htmlUrl="https://a.example/" category="/World/Europe,Tech"/></outline>'
        b'<outline type="rss" text="no address"/></body></opml>'
    )
    return [nested, opml, newsboat, rows]


def check_opml(data: bytes) -> Hashable:
    found = read_subscriptions(data)
    for feed in found.feeds:
        check_links(feed.url, feed.site_url)
        check_text(feed.title, *feed.folders, *feed.tags)
    check_text(*(row.reason for row in found.bad))
    assert len({feed.url for feed in found.feeds}) == len(found.feeds)
    return len(found.feeds).bit_length(), *sorted({row.reason[:20] for row in found.bad})


# --- the matcher's piles ------------------------------------------------------------------------


def pile_corpus() -> list[bytes]:
    lines = (DATA / "invented-stories.jsonl").read_bytes().splitlines(keepends=True)
    return [b"".join(lines[start : start + 6]) for start in range(0, min(len(lines), 60), 6)]


@cache
def _model() -> Model:
    return Model.load()


def check_pile(data: bytes) -> Hashable:
    """Articles as JSON Lines, read and folded."""
    path = folder() / "pile.jsonl"
    path.write_bytes(data)
    rows, bad = read_rows(path)
    outcomes = fold(rows, _model())
    assert [one.id for one in outcomes] == [row.id for row in rows]
    ids = {row.id for row in rows}
    for one in outcomes:
        assert one.story in ids
        assert one.copy_of is None or one.copy_of in ids
        json.dumps(one.why).encode()
    check_text(*map(str, bad))
    problems = {re.sub(r"\d+|'.*'", "", line.problem)[:40] for line in bad}
    return len(rows).bit_length(), len({one.story for one in outcomes}), *sorted(problems)


# --- all of them --------------------------------------------------------------------------------

_SHARDS = (
    b"<textInput>",
    b"<source>",
    b"<image>",
    b'<link href="http://[x"/>',
    b' xml:base="http://["',
)
_HEADERS = (
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
)

TARGETS = {
    target.name: target
    for target in (
        Target("feeds", feed_corpus, check_feed, _SHARDS, limit=5, apart=True),
        Target("pages", page_corpus, check_page, (b"<template>", b"<svg>"), limit=5, apart=True),
        Target("codings", coded_corpus, check_coded),
        Target("robots", robots_corpus, check_robots),
        Target("config", config_corpus, check_config, (b"[[source]]\n", b"[[output]]\n", b"\0")),
        Target("opml", opml_corpus, check_opml, (b'<outline xmlUrl="https://c/"/>',)),
        Target("requests", request_corpus, check_request, _HEADERS),
        Target("piles", pile_corpus, check_pile, (b'"cluster":', b'"lang":', b'"url":'), limit=5),
    )
}
"""By name."""
