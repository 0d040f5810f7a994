"""The web application over loopback HTTP, answered by the server that the daemon uses."""

import base64
import gzip
import html
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import brotli
import pytest
from builders import HOUR, NOW, add_articles, add_source, as_write, fold, read_articles, story_write
from lxml import etree
from newsroom_runs import serve
from starlette.routing import Mount, Route

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.masthead import Identity
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from aggregator.web.app import Site, create_app, routes
from aggregator.web.front import PAGE_SIZE
from aggregator.web.guesses import Guesses
from aggregator.web.pages import ICON_PATH, STYLE, STYLE_PATH
from feeds.writing.output_values import MEDIA_TYPES
from storage.database import open_database
from storage.folding import stories_of

TOKEN = "0123456789abcdef-token"
SETTINGS = Settings.model_validate(
    {
        "server": {"base_url": "https://news.example", "title": "News"},
        "output": [
            {"name": "world"},
            {"name": "full", "content": "full", "token": TOKEN},
            {"name": "paged", "limit": 10, "max_bytes": 10_000, "token": TOKEN},
        ],
    }
)
ROOT = Path(__file__).parent.parent
PAGE, STORY, WORLD = "/", "/story/story-0", "/world.atom"
PUBLIC = [
    PAGE,
    STORY,
    *(f"{name}.{form}" for name in ("/world", "/status", STORY) for form in FORMATS),
    "/sources",
    "/source/1",
    "/opml",
    STYLE_PATH,
    ICON_PATH,
]
HEADERS = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-robots-tag",
}
STORIES = 45


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with stories, to copy."""
    path = tmp_path_factory.mktemp("filled") / "newsfold.db"
    ledger = Ledger(open_database(f"sqlite:///{path}"))
    fill(ledger)
    ledger.close()
    return path


@pytest.fixture
def database_url(filled: Path, tmp_path: Path) -> str:
    shutil.copy(filled, tmp_path / "newsfold.db")
    return f"sqlite:///{tmp_path / 'newsfold.db'}"


def fill(ledger: Ledger) -> None:
    """45 stories: two pages; story-1 became part of story-0."""
    database = ledger.database
    source = add_source(database, category="world")
    ids = add_articles(database, source.id, *(f"g{number}" for number in range(STORIES)))
    read_articles(database, *ids)
    fold(database, *(story_write(key, article_id) for key, article_id in enumerate(ids)))
    survivor, ended = stories_of(database, [0, 1], [])
    members = [*survivor.members, *ended.members]
    merged = as_write(survivor)
    merged = story_write(
        0, *(m.id for m in members), id=merged.id, uri=merged.uri, slug=merged.slug
    )
    fold(database, merged, at=NOW + HOUR, retired={ended.id: 0})


def names(headers: Any) -> set[str]:
    return {name.lower() for name in headers}


class Client:
    """GETs and HEADs exactly as asked; nothing is decoded or followed."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def __call__(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, Any, bytes]:
        sent = {"Accept-Encoding": "identity"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        async with self.session.request(
            method, self.url + path, headers=sent, allow_redirects=False
        ) as response:
            return response.status, response.headers, await response.read()


@asynccontextmanager
async def site_at(
    database_url: str, *, ready: bool = True, refresh: bool = True, settings: Settings = SETTINGS
) -> AsyncIterator[tuple[Client, Ledger]]:
    ledger = Ledger(open_database(database_url))
    publisher = Publisher(ledger, settings, Identity("news.example", NOW))
    if refresh:
        await publisher.refresh()
    app = create_app(Site(settings, ledger, publisher, lambda: ready))
    async with (
        serve(app) as url,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        yield Client(session, url), ledger
    ledger.close()


@pytest.fixture
async def get(database_url: str) -> AsyncIterator[Client]:
    async with site_at(database_url) as (client, _):
        yield client


@pytest.mark.parametrize("path", [*PUBLIC, "/healthz", "/readyz", f"/full.atom?token={TOKEN}"])
async def test_every_address_answers_get_and_head_alike(get: Client, path: str) -> None:
    status, headers, body = await get(path)
    assert status == 200
    assert body
    head_status, head_headers, nothing = await get(path, "HEAD")
    assert (head_status, nothing) == (200, b"")
    assert head_headers["Content-Length"] == headers["Content-Length"] == str(len(body))
    assert head_headers["Content-Type"] == headers["Content-Type"]


async def test_security_headers_stand_on_every_answer(get: Client) -> None:
    for path, expected in [(path, 200) for path in PUBLIC] + [
        ("/nothing", 404),
        ("/?order=0", 404),
        ("/story/story-1", 301),
        ("/healthz", 200),
    ]:
        status, headers, _ = await get(path)
        assert status == expected
        assert names(headers) >= HEADERS, path
    status, headers, _ = await get(PAGE, "POST")
    assert status == 405
    assert names(headers) >= HEADERS
    assert "script" not in headers["Content-Security-Policy"]


async def test_security_headers_stand_on_a_crash_too(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with site_at(database_url) as (get, ledger):
        with ledger.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE story RENAME TO gone")
        for path in ("/healthz", PAGE):
            status, headers, body = await get(path)
            assert status == 500
            assert names(headers) >= HEADERS
            assert b"stories" not in body, "what went wrong is the operator's business"
        assert (await get(WORLD))[0] == 200, "the last good documents go on being served"
    assert "no such table" in caplog.text


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
async def test_what_was_not_changed_is_not_sent_again(get: Client, form: str) -> None:
    path = f"/world.{form}"
    _, headers, body = await get(path)
    assert body
    for condition in (
        {"If_None_Match": headers["ETag"]},
        {"If_None_Match": f'"other", W/{headers["ETag"]}'},
        {"If_Modified_Since": headers["Last-Modified"]},
    ):
        for method in ("GET", "HEAD"):
            status, again, nothing = await get(path, method, **condition)
            assert (status, nothing) == (304, b"")
            for name in ("ETag", "Last-Modified", "Vary", "Cache-Control"):
                assert again[name] == headers[name]
    assert (await get(path, If_None_Match='"other"'))[0] == 200
    earlier = "Sat, 21 Nov 2026 00:00:00 GMT"
    assert (await get(path, If_Modified_Since=earlier))[0] == 200


async def test_documents_come_in_the_coding_that_was_asked_for(get: Client) -> None:
    _, plain, body = await get(WORLD)
    assert "Content-Encoding" not in plain
    assert plain["Vary"] == "Accept-Encoding"
    tags = {plain["ETag"]}
    for coding, decode in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        _, headers, coded = await get(WORLD, Accept_Encoding=coding)
        assert headers["Content-Encoding"] == coding
        assert headers["Vary"] == "Accept-Encoding"
        assert decode(coded) == body
        tags.add(headers["ETag"])
        status, again, _ = await get(WORLD, Accept_Encoding=coding, If_None_Match=headers["ETag"])
        assert status == 304
        assert again["Vary"] == "Accept-Encoding"
    assert len(tags) == 3
    _, headers, _ = await get(WORLD, Accept_Encoding="gzip, br;q=0")
    assert headers["Content-Encoding"] == "gzip"
    _, headers, _ = await get(WORLD, Accept_Encoding="identity;q=0, *;q=0")
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize(
    ("path", "kind", "cached"),
    [
        (WORLD, "application/atom+xml; charset=utf-8", "public, max-age=300"),
        ("/world.rss", "application/rss+xml; charset=utf-8", "public, max-age=300"),
        ("/world.json", "application/feed+json; charset=utf-8", "public, max-age=300"),
        (f"/full.rss?token={TOKEN}", "application/rss+xml; charset=utf-8", "private, max-age=300"),
        (PAGE, "text/html; charset=utf-8", "public, max-age=60"),
        (STORY, "text/html; charset=utf-8", "public, max-age=60"),
        ("/sources", "text/html; charset=utf-8", "no-cache"),
        ("/opml", "text/x-opml; charset=utf-8", "public, max-age=60"),
        (STYLE_PATH, "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        (ICON_PATH, "image/svg+xml", "public, max-age=31536000, immutable"),
        ("/nothing", "text/html; charset=utf-8", "no-cache"),
    ],
)
async def test_types_and_how_long_answers_keep(
    get: Client, path: str, kind: str, cached: str
) -> None:
    _, headers, _ = await get(path)
    assert headers["Content-Type"] == kind
    assert headers["Cache-Control"] == cached


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/nothing.atom",
        "/world.xml",
        "/world.atom.rss",
        "/story/nothing",
        "/story/%00",
        "/story/..%2f..%2fetc",
        "/story/" + "a" * 5000,
        "/?after=1_2&before=1_0",
        "/?after=many",
        "/?after=many_1",
        "/?after=nan_1",
        "/?after=inf_-1",
        "/?after=1e999_1",
        "/?order=newest&after=1.5_1",
        "/?order=newest&after=9999999999999999999999_1",
        "/?order=newest&after=1_99999999999999999999999",
        "/?order=sideways",
        "/?q=the&after=-1",
        "/?q=the&after=many",
        "/?output=nothing",
        "/?output=full",
        "/?output=world&after=45",
        "/?output=world&after=x",
        "/?category=" + "a" * 101,
        "/source/0",
        "/source/2",
        "/source/many",
        "/source/99999999999999999999999",
        "/sources?page=2",
        "/sources?page=0",
        "/static/newsfold.svg",
        "/static/newsfold.css",
        "/full.atom",
        "/full.atom?token=",
        "/world/1.atom",
        "/world/2.atom",
        "/world/99999999999999999999999.atom",
        "/world/-1.atom",
        "/world/x.atom",
        "/world/2.xml",
        "/world/archive/1.atom",
        "/paged/2.atom",
        "/paged/archive/1.atom",
        f"/paged/archive/0.atom?token={TOKEN}",
        f"/paged/archive/99.atom?token={TOKEN}",
        f"/paged/archive/99999999999999999999.atom?token={TOKEN}",
        f"/paged/99.atom?token={TOKEN}",
        f"/paged/99.atom?token={TOKEN}&q=story",
        "/full.atom?q=story",
        "/full.atom?limit=bad",
        "/status.xml",
        "/status/2.atom",
        "/story/nothing.atom",
        "/story/story-0.xml",
        "/story/Story.atom",
        f"/full.atom?token={TOKEN[:-1]}",
        f"/full.atom?token={TOKEN}x",
        "/full.atom?token=%ff%fe",
        "/full.atom?token=%C3%A9",
        "/docs",
        "/openapi.json",
    ],
)
async def test_what_is_not_there_or_not_for_you_is_404(get: Client, path: str) -> None:
    status, _, body = await get(path)
    assert status == 404
    assert b"Nothing here" in body
    assert TOKEN.encode() not in body


async def test_a_token_is_told_to_nobody_who_has_it_not(get: Client) -> None:
    for path in PUBLIC:
        status, headers, body = await get(path)
        assert status == 200
        assert TOKEN.encode() not in body
        assert b"full.atom" not in body
        assert TOKEN not in str(headers)
    _, _, body = await get(f"/full.atom?token={TOKEN}")
    assert b"The text." in body


async def test_pages_of_older_stories(get: Client) -> None:
    for asked in ("/", "/?order=newest", "/?category=world", "/?language=en", "/?output=world"):
        _, _, first = await get(asked)
        _, _, second = await get(link(first, "next"))
        slugs = [re.findall(rb"/story/(story-\d+)", page) for page in (first, second)]
        assert len(slugs[0]) == PAGE_SIZE
        assert len(slugs[1]) == STORIES - 1 - PAGE_SIZE
        assert not set(slugs[0]) & set(slugs[1])
        assert link(second, "next") == ""
        _, _, again = await get(link(second, "prev"))
        assert re.findall(rb"/story/(story-\d+)", again) == slugs[0]


def link(page: bytes, rel: str) -> str:
    """The path that a page leads to."""
    found = re.search(rf'rel="{rel}" href="https://news.example([^"]*)"', page.decode())
    return html.unescape(found[1]) if found else ""


async def test_a_search_finds_goes_on_and_stays_in_its_part(get: Client) -> None:
    _, _, first = await get("/?q=text&category=world")
    assert len(re.findall(rb"<mark>text</mark>", first)) == PAGE_SIZE
    _, _, second = await get(link(first, "next"))
    assert len(re.findall(rb"<mark>text</mark>", second)) == STORIES - 1 - PAGE_SIZE
    assert b"category=world" in second
    _, _, none = await get("/?q=text&category=sport")
    assert b"Nothing found" in none
    _, _, none = await get("/?q=-text")
    assert b"Nothing found" in none


@pytest.mark.parametrize("query", ['"', "a\"b'c", "' OR 1=1 --", "NEAR(a b)", "*", "%00", "a:b ^c"])
async def test_a_search_for_anything_at_all_is_answered(get: Client, query: str) -> None:
    status, _, body = await get("/?q=" + quote(query, safe="%"))
    assert status == 200
    assert b"Nothing found" in body or b"story-" in body


async def test_an_output_shows_what_its_feed_holds(get: Client) -> None:
    _, _, page = await get("/?output=world")
    _, _, feed = await get("/world.atom")
    shown = re.findall(r"/story/(story-\d+)", page.decode())
    told = list(dict.fromkeys(re.findall(r"/story/(story-\d+)", feed.decode())))
    assert shown == told[:PAGE_SIZE]


async def test_a_page_of_a_source(get: Client) -> None:
    status, headers, body = await get("/source/1")
    assert status == 200
    assert headers["Cache-Control"] == "no-cache"
    assert b"/story/story-44" in body


# --- a private site ---------------------------------------------------------------------------

READ_TOKEN = "fedcba9876543210-read"
PRIVATE = Settings.model_validate(
    SETTINGS.model_dump(exclude={"output"})
    | {
        "server": {"base_url": "https://news.example", "read_token": READ_TOKEN},
        "output": [{"name": "world"}, {"name": "full", "content": "full", "token": TOKEN}],
    }
)
BASIC = "Basic " + base64.b64encode(f"anyone:{READ_TOKEN}".encode()).decode()


@pytest.fixture
async def private(database_url: str) -> AsyncIterator[Client]:
    async with site_at(database_url, settings=PRIVATE) as (client, _):
        yield client


@pytest.mark.parametrize("path", [*PUBLIC, "/nothing", "/source/1", "/full.atom"])
async def test_a_private_site_answers_nobody_without_its_token(private: Client, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        status, headers, body = await private(path, method)
        assert status == 401
        assert body in {b"", b"This site is private: a token is needed.\n"}
        assert headers["WWW-Authenticate"].startswith("Basic ")
        assert headers["Cache-Control"] == "no-store"
        assert names(headers) >= HEADERS


@pytest.mark.parametrize(
    "offered",
    [
        "Bearer",
        "Bearer ",
        f"Bearer {READ_TOKEN[:-1]}",
        f"Bearer {READ_TOKEN}x",
        f"Basic {READ_TOKEN}",
        "Basic !!!",
        "Basic " + base64.b64encode(READ_TOKEN.encode()).decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        f"Digest {READ_TOKEN}",
    ],
)
async def test_what_is_not_the_token_is_refused(private: Client, offered: str) -> None:
    assert (await private("/", Authorization=offered))[0] == 401
    assert (await private(f"/?token={quote(offered)}&token=x"))[0] == 401


@pytest.mark.parametrize("offered", [f"Bearer {READ_TOKEN}", f"bearer  {READ_TOKEN}", BASIC])
async def test_a_private_site_answers_whoever_has_its_token(private: Client, offered: str) -> None:
    for path in PUBLIC:
        status, headers, body = await private(path, Authorization=offered)
        assert status == 200
        assert READ_TOKEN.encode() not in body
        assert "public" not in headers["Cache-Control"]
    assert (await private("/nothing", Authorization=offered))[0] == 404


async def test_a_token_in_the_address_goes_along(private: Client) -> None:
    _, _, page = await private(f"/?token={READ_TOKEN}")
    links = [html.unescape(found) for found in re.findall(r'href="([^"#]+)"', page.decode())]
    assert len(links) > 30
    for found in links:
        if found.startswith("https://news.example/"):
            status, _, _ = await private(found.removeprefix("https://news.example"))
            assert status == 200, found
    status, headers, _ = await private(f"/story/story-1?token={READ_TOKEN}")
    assert (status, headers["Location"]) == (301, f"story-0?token={READ_TOKEN}")


async def test_what_has_a_token_of_its_own_and_probes_answer_as_before(private: Client) -> None:
    assert (await private(f"/full.atom?token={TOKEN}"))[0] == 200
    assert (await private("/full.atom", Authorization=f"Bearer {TOKEN}"))[0] == 404
    for path in ("/full.atom", f"/world.atom?token={TOKEN}", f"/?token={TOKEN}"):
        assert (await private(path))[0] == 401
    assert (await private("/healthz"))[0] == 200
    assert (await private("/readyz"))[0] == 200


async def test_a_private_story_shows_its_text_a_public_one_its_summary(
    private: Client, get: Client
) -> None:
    _, _, body = await private(STORY, Authorization=BASIC)
    assert b"The text." in body
    _, _, body = await get(STORY)
    assert b"The text." not in body
    assert b"A summary." in body


async def test_a_public_site_repeats_nobodys_token(get: Client) -> None:
    _, _, body = await get("/?token=whatever-this-is")
    assert b"whatever" not in body


async def test_a_story_that_became_part_of_another_leads_there(get: Client) -> None:
    status, headers, body = await get("/story/story-1")
    assert (status, body) == (301, b"")
    assert headers["Location"] == "story-0"
    assert "max-age=60" in headers["Cache-Control"], "it may be undone"
    assert (await get("/story/" + headers["Location"]))[0] == 200


async def test_the_feed_of_such_a_story_leads_there_too(get: Client) -> None:
    status, headers, _ = await get("/story/story-1.rss")
    assert (status, headers["Location"]) == (301, "story-0.rss")
    _, _, body = await get("/story/story-0.json")
    feed = json.loads(body)
    assert [item["title"] for item in feed["items"]] == ["Title 2", "Title 1"], "latest first"
    assert feed["feed_url"] == "https://news.example/story/story-0.json"
    _, headers, _ = await get("/story/story-0.atom")
    status, _, _ = await get("/story/story-0.atom", If_None_Match=headers["ETag"])
    assert status == 304


async def test_pages_and_archives_are_found_by_their_links(get: Client) -> None:
    token = f"?token={TOKEN}"
    url, seen = f"/paged.json{token}", 0
    for _ in range(50):
        status, headers, body = await get(url)
        assert status == 200
        assert headers["Cache-Control"].startswith("private, max-age=")
        assert ("archive" in url) == ("86400" in headers["Cache-Control"])
        status, _, _ = await get(url, If_None_Match=headers["ETag"])
        assert status == 304
        feed = json.loads(body)
        seen += len(feed["items"])
        if "next_url" not in feed:
            break
        url = feed["next_url"].removeprefix("https://news.example")
        assert url.endswith(token)
    assert "archive/1.json" in url, "the eldest comes last"
    assert seen >= STORIES - 1
    status, _, _ = await get("/paged/archive/1.atom" + token)
    assert status == 200


async def test_what_follows_the_last_archive_is_the_current_document(get: Client) -> None:
    token = f"?token={TOKEN}"
    _, _, body = await get(f"/paged.atom{token}")
    (link,) = re.findall(rb'rel="prev-archive" href="https://news.example(/[^"]*)"', body)
    last = int(re.findall(rb"archive/(\d+)", link)[0])
    status, headers, _ = await get(f"/paged/archive/{last + 1}.atom{token}")
    assert (status, headers["Location"]) == (307, f"../../paged.atom{token}")


async def test_a_part_of_an_output(get: Client) -> None:
    async def titles(query: str) -> list[str]:
        status, headers, body = await get(f"/world.json?{query}")
        assert (status, headers["Content-Type"]) == (200, "application/feed+json; charset=utf-8")
        return [item["title"] for item in json.loads(body)["items"]]

    assert await titles("q=story%207") == [f"Story {n}" for n in (37, 27, 17, 7)]
    assert await titles("q=text&limit=2") == ["Story 44", "Story 43"]
    assert len(await titles("category=world&category=x")) == STORIES - 1
    assert await titles("category=x") == []
    assert await titles("language=de") == []
    assert len(await titles("language=en&limit=3")) == 3
    _, _, whole = await get("/world.json")
    for query in ("", "q=", "limit=", "utm_source=x&x=y", "category="):
        assert (await get(f"/world.json?{query}"))[2] == whole
    _, headers, _ = await get("/world.atom?q=story")
    for condition in (
        {"If_None_Match": headers["ETag"]},
        {"If_Modified_Since": headers["Last-Modified"]},
    ):
        assert (await get("/world.atom?q=story", **condition))[0] == 304


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("limit=0", "limit: a whole number from 1 to 1000"),
        ("limit=1001", "limit: a whole number from 1 to 1000"),
        ("limit=-1", "limit: a whole number from 1 to 1000"),
        ("limit=many", "limit: a whole number from 1 to 1000"),
        ("limit=%D9%A3", "limit: a whole number from 1 to 1000"),
        ("limit=" + "9" * 5000, "limit: a whole number from 1 to 1000"),
        ("q=" + "x" * 201, "q: at most 10 words of 200 characters in all"),
        ("q=" + "x+" * 11, "q: at most 10 words of 200 characters in all"),
        ("language=%3Cb%3E", 'language: a tag such as "en" or "pt-BR"'),
        ("category=%00", "category: holds characters that no category has"),
        ("category=" + "x" * 201, "category: at most 20, of 200 characters each"),
        ("&".join(f"category={n}" for n in range(21)), "category: at most 20, of 200 character"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_in_a_line(
    get: Client, query: str, line: str
) -> None:
    status, headers, body = await get(f"/world.atom?{query}")
    assert status == 400
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert body.decode().startswith(line)
    assert body.count(b"\n") == 1


async def test_pages_advertise_the_feeds_that_go_with_them(get: Client) -> None:
    for page, feeds in ((PAGE, ["/world"]), (STORY, ["/world", STORY])):
        _, _, body = await get(page)
        root = etree.HTML(body)
        linked = {(link.get("type"), link.get("href")) for link in root.iterfind(".//link")}
        for form in FORMATS:
            for feed in feeds:
                assert (MEDIA_TYPES[form], f"https://news.example{feed}.{form}") in linked


async def test_the_sources_as_opml(get: Client) -> None:
    _, _, body = await get("/opml")
    (outline,) = etree.fromstring(body).xpath("//outline[@xmlUrl]")
    assert outline.get("xmlUrl") == "https://times.example/feed.xml"


async def test_the_style_is_the_file(get: Client) -> None:
    assert (await get(STYLE_PATH))[2] == STYLE


async def test_before_the_first_publication_nothing_is_ready(database_url: str) -> None:
    async with site_at(database_url, ready=False, refresh=False) as (get, _):
        status, _, body = await get("/readyz")
        assert (status, body) == (503, b'{"status":"starting"}')
        for path in (WORLD, "/world.atom?q=x", "/status.rss"):
            status, headers, _ = await get(path)
            assert status == 503
            assert headers["Retry-After"] == "5"
        assert (await get("/healthz"))[2] == b'{"status":"ok","problems":{}}'


async def test_nobody_says_which_server_this_is(get: Client) -> None:
    _, headers, _ = await get(PAGE)
    assert "Server" not in headers


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    site = Site(SETTINGS, None, None, lambda: True)  # type: ignore[arg-type]  # nothing is asked
    found = routes(site, Guesses(most=1)).routes
    there = {route.path for route in found if isinstance(route, Route)}
    there |= {
        mount.path + route.path
        for mount in found
        if isinstance(mount, Mount)
        for route in mount.routes
        if isinstance(route, Route)
    }
    there = {path.replace(STYLE_PATH, "/static/newsfold.{hash}.css") for path in there}
    there = {path.replace(ICON_PATH, "/static/newsfold.{hash}.svg") for path in there}
    there = {path.replace(":int}", "}") for path in there}
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(/[^`]*)` \|", page, re.MULTILINE)) == there
    assert "max-age=300" in page.replace("\n", " ")
