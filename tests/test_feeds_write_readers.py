"""Real feed readers subscribe to what is written and show what they took in.

newsboat (a program) and lemon24's reader (a library) are not needed to run Newsfold; where one is
not installed, its tests say so and are skipped.
"""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import feedparser
import pytest
from output_builders import coverage, entry, feed

from feeds.model import OutputFeed
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_rss import render_rss

WRITERS: dict[str, Callable[[OutputFeed], bytes]] = {
    "atom": render_atom,
    "rss": render_rss,
    "json": render_json,
}
MERGED = feed(
    entry(1, authors=("Ada Writer",)),
    entry(2, authors=("Ben Editor",), title="AT&T buys 5 < 6 👩\u200d👧 “quoted”"),
    entry(3, authors=(), content_html=None),
)
EXPECTED = {
    (
        item.id,
        item.title,
        item.url,
        "".join(item.authors) or "The Gazette",
        item.published,
    )
    for item in MERGED.entries
}
NEWSBOAT = shutil.which("newsboat")


def reader_works() -> bool:
    return all(find_spec(name) for name in ("reader", "sgmllib"))


@pytest.mark.skipif(NEWSBOAT is None, reason="newsboat is not installed")
@pytest.mark.parametrize("form", ["atom", "rss"])  # older versions know no JSON Feed
def test_newsboat_takes_in_every_entry(form: str, tmp_path: Path) -> None:
    document = tmp_path / f"news.{form}"
    document.write_bytes(WRITERS[form](MERGED))
    (tmp_path / "urls").write_text(f"file://{document}\n")
    (tmp_path / "config").touch()
    command = [NEWSBOAT or "", "-x", "reload", "-u", "urls", "-c", "cache.db", "-C", "config"]
    environment = {"HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
    with closing(sqlite3.connect(tmp_path / "cache.db")) as cache:
        rows = cache.execute("select guid, title, url, author, pubDate, content from rss_item")
        items = rows.fetchall()
        (home,) = cache.execute("select url from rss_feed").fetchone()
    read = {(*row[:4], datetime.fromtimestamp(row[4], UTC)) for row in items}
    assert read == EXPECTED
    assert all("How The Herald put it" in row[5] for row in items)
    assert home == "https://news.example/"


@pytest.mark.skipif(not reader_works(), reason="reader (with sgmllib3k) is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own dependencies
@pytest.mark.parametrize("form", list(WRITERS))
def test_reader_takes_in_every_entry(form: str, tmp_path: Path) -> None:
    from reader import make_reader

    (tmp_path / f"news.{form}").write_bytes(WRITERS[form](MERGED))
    with closing(make_reader(":memory:", feed_root=str(tmp_path))) as reader:
        reader.add_feed(f"news.{form}")
        reader.update_feeds()
        entries = list(reader.get_entries())
        (subscribed,) = reader.get_feeds()
    read = {(e.id, e.title, e.link, e.authors_str, e.published) for e in entries}
    assert read == EXPECTED
    assert subscribed.title == "Merged news"
    for item in entries:
        assert item.updated == MERGED.updated
        assert "How The Herald put it" in item.get_content().value
        if form != "json":  # which knows no source of an item
            assert item.source is not None
            assert item.source.title == "The Gazette: News"
            assert item.source.url == "https://gazette.example/feed.xml"


@pytest.mark.parametrize("form", ["atom", "rss"])  # it reads no JSON Feed
def test_feedparser_takes_in_everything(form: str) -> None:
    parsed = feedparser.parse(WRITERS[form](MERGED))
    assert not parsed.bozo
    assert (parsed.feed.title, parsed.feed.link) == ("Merged news", "https://news.example/")
    assert {
        (item.id, item.title, item.link, item.author, when(item.published_parsed))
        for item in parsed.entries
    } == EXPECTED
    for item, given in zip(parsed.entries, MERGED.entries, strict=True):
        assert when(item.updated_parsed) == given.updated
        assert item.source.title == "The Gazette: News"
        feed_url = item.source.links[0].href if form == "atom" else item.source.href
        assert feed_url == "https://gazette.example/feed.xml"
        assert [tag.term for tag in item.tags] == ["Local", "Weather"]
        assert "How The Herald put it" in item.content[0].value
        assert item.media_content[0]["url"] == "https://gazette.example/bridge.jpg"


def when(parsed: tuple[int, ...]) -> datetime:
    return datetime(*parsed[:6], tzinfo=UTC)


def test_json_holds_everything_for_those_that_read_it() -> None:
    items = json.loads(render_json(MERGED))["items"]
    assert {
        (
            item["id"],
            item["title"],
            item["url"],
            item["authors"][0]["name"],
            datetime.fromisoformat(item["date_published"]),
        )
        for item in items
    } == EXPECTED
    for item in items:
        assert item["_newsfold"]["source"]["feed_url"] == "https://gazette.example/feed.xml"
        assert item["_newsfold"]["source"]["title"] == "The Gazette: News"
        assert item["tags"] == ["Local", "Weather"]
        assert item["image"] == "https://gazette.example/bridge.jpg"


@pytest.mark.skipif(NEWSBOAT is None, reason="newsboat is not installed")
@pytest.mark.parametrize("form", ["atom", "rss"])
def test_newsboat_shows_no_entry_twice_that_gained_coverage(form: str, tmp_path: Path) -> None:
    """Another outlet, another page of the feed: what was read stays read."""
    document = tmp_path / f"news.{form}"
    (tmp_path / "urls").write_text(f"file://{document}\n")
    (tmp_path / "config").touch()
    command = [NEWSBOAT or "", "-x", "reload", "-u", "urls", "-c", "cache.db", "-C", "config"]
    environment = {"HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"}
    more = tuple(
        replace(item, coverage=(*item.coverage, coverage("Late Edition")), outlets=3)
        for item in MERGED.entries
    )
    for entries in (MERGED.entries, more, more[:2]):
        document.write_bytes(WRITERS[form](replace(MERGED, entries=entries)))
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
        with closing(sqlite3.connect(tmp_path / "cache.db")) as cache:
            unread = cache.execute("select count(*), sum(unread) from rss_item").fetchone()
            cache.execute("update rss_item set unread = 0")
            cache.commit()
        assert unread == (3, 3 if entries is MERGED.entries else 0)
