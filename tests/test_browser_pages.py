"""The pages in a real browser: seen, heard, reached by keyboard, and safe from what feeds say."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import DESK, PHONE, browser, needs_browser, visit
from builders import (
    HOUR,
    NOW,
    add_articles,
    add_sources,
    article_reading,
    commit_poll,
    decision,
    poll_commit,
    source_config,
    story_write,
)
from playwright.async_api import Browser, Page

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.running.server import bind, serving
from aggregator.stages.publish.publisher import Identity, Publisher
from aggregator.web.app import Site, create_app
from storage.articles import claim_new, commit_reading
from storage.database import Database, open_database
from storage.folding import commit_fold
from storage.values.fold import FoldCommit

pytestmark = needs_browser

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
HOSTILE = [
    SCRIPT,
    "wide " + "W" * 5000,
    "\u202egnp.live\u202c " + "right to left override",
    "Z" + "\u0301\u0489\u0316" * 400 + "algo",
    "word " * 400_000,
    "عنوان من اليمين إلى اليسار",
    "\"><svg onload=alert(3)> ' {{ 7*7 }} javascript:alert(4)",
    "",
]
MANY = 82
PATHS = {
    "front": "/",
    "newest": "/?order=newest",
    "search": "/?q=text",
    "nothing found": "/?q=xyzzy",
    "story": "/story/story-1",
    "story of many outlets": "/story/story-2",
    "hostile story": "/story/story-3",
    "sources": "/sources",
    "source": "/source/1",
    "missing": "/nothing",
}


def fill(database: Database) -> None:
    """Some plain stories, one that very many tell, and what no feed should say."""
    sources = add_sources(
        database,
        *(
            source_config(
                f"outlet{n}",
                name=SCRIPT if n == 2 else f"Outlet {n}",
                category=("world", "sport", SCRIPT)[n % 3],
            )
            for n in range(6)
        ),
    )
    commit_poll(
        database,
        poll_commit(sources[0].id, outcome="failed", failures=3, error=f"no answer {SCRIPT}"),
    )
    names = [f"g{n}" for n in range(40 + MANY + len(HOSTILE))]
    ids = add_articles(database, sources[1].id, *names)
    plain, many, hostile = ids[:40], ids[40 : 40 + MANY], ids[40 + MANY :]
    titles = dict(zip(hostile, HOSTILE, strict=True))
    for article in claim_new(database, NOW, NOW, limit=1000):
        title = titles.get(article.id, f"A headline of some length, number {article.id}")
        commit_reading(
            database,
            article_reading(
                article.id,
                version=article.version,
                title=title,
                outlet=f"Outlet {article.id}" if article.id not in titles else title[:3000],
                publisher=f"p{article.id}",
                summary=titles.get(article.id, "A summary that says a little more of it. " * 3),
                text=titles.get(article.id, "The text.") or "text",
                authors=(title[:100],),
                language=SCRIPT if article.id in titles else "en",
                published=NOW - (article.id % 50) * HOUR / 4,
            ),
        )
    reason = {"kind": "event", "partner": ids[0], "score": 0.9, "needed": 0.8, "parts": [SCRIPT]}
    stories = [story_write(100 + n, article, rank=n) for n, article in enumerate(plain[2:])]
    stories += [story_write(200 + n, article, rank=99) for n, article in enumerate(hostile)]
    evidence = ((plain[4], -900, 10),)
    commit_fold(
        database,
        FoldCommit(
            at=NOW,
            decisions=tuple(
                decision(
                    article,
                    reason=reason,
                    evidence=evidence,
                    copy_of=many[0] if article in many[60:] else None,
                )
                for article in ids
            ),
            stories=(
                story_write(1, *plain[:2], rank=500, title="A story", copies=0),
                story_write(2, *many, rank=400, outlets=60, copies=22, title="A story of many"),
                story_write(
                    3,
                    *hostile,
                    rank=300,
                    title=HOSTILE[0],
                    events=(("founded", SCRIPT), ("title", SCRIPT)),
                ),
                *stories[: len(plain) - 2],
            ),
        ),
    )


@asynccontextmanager
async def site(database_url: str, **server: Any) -> AsyncIterator[tuple[str, Settings]]:
    settings = Settings.model_validate(
        {
            "server": {"base_url": "http://127.0.0.1", "title": "The Fold"} | server,
            "source": [{"url": "https://outlet1.example/feed.xml"}],
        }
    )
    ledger = Ledger(open_database(database_url))
    publisher = Publisher(ledger, settings, Identity("news.example", NOW))
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        named = settings.server.model_copy(update={"base_url": url})
        here = settings.model_copy(update={"server": named})
        app = create_app(Site(here, ledger, publisher, lambda: True, clock=lambda: NOW))
        await publisher.refresh()
        async with serving(app, listener):
            yield url, here
    ledger.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("browser") / "newsfold.db"
    database = open_database(f"sqlite:///{path}")
    fill(database)
    database.close()
    return f"sqlite:///{path}"


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as started:
        yield started


async def violations(page: Page) -> list[str]:
    """What axe-core has against a page (https://github.com/dequelabs/axe-core)."""
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    # Not as a script of the page's: the Content-Security-Policy admits none.
    found = await page.evaluate(f"() => {{ {axe}; return axe.run(); }}")
    return [
        f"{one['id']}: {one['help']}: {json.dumps([n['html'][:200] for n in one['nodes']][:3])}"
        for one in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_is_whole_at_every_width_in_light_and_dark(
    chromium: Browser, filled: str, size: tuple[int, int], scheme: str
) -> None:
    async with site(filled) as (url, _):
        for name, path in PATHS.items():
            async with visit(chromium, url, path, size, color_scheme=scheme) as seen:
                widths = await seen.page.evaluate("[document.body.scrollWidth, innerWidth]")
                assert widths[0] <= widths[1], f"{name} is wider than the window"
                assert await violations(seen.page) == [], name
                expected = ["404"] if name == "missing" else []
                assert len(seen.complaints) == len(expected), (name, seen.complaints)
                assert seen.elsewhere == [], name
                height = await seen.page.evaluate("document.body.scrollHeight")
                assert height < 25_000, name


async def test_no_script_of_a_feed_runs_and_nothing_leaves_the_site(
    chromium: Browser, filled: str
) -> None:
    token = "0123456789abcdef"
    async with site(filled, read_token=token) as (url, _):  # with full texts
        for path in PATHS.values():
            query = "&" if "?" in path else "?"
            async with visit(chromium, url, f"{path}{query}token={token}") as seen:
                await seen.page.wait_for_load_state("networkidle")
                assert seen.elsewhere == []
                assert not [c for c in seen.complaints if "404" not in c]
                assert (
                    await seen.page.locator("script, img, iframe, object, main style").count() == 0
                )


async def test_everything_is_reached_by_keyboard(chromium: Browser, filled: str) -> None:
    async with site(filled) as (url, _), visit(chromium, url) as seen:
        page = seen.page
        await page.keyboard.press("Tab")
        skip = page.locator(".skip")
        assert await skip.evaluate("e => e === document.activeElement")
        assert (await skip.bounding_box() or {})["x"] >= 0, "it shows where it has the focus"
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/#main")
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.querySelector('main').contains(document.activeElement)"
        )
        await page.focus("#q")
        await page.keyboard.type("headline")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/?q=headline")
        first = page.locator("article h2 a").first
        await first.focus()
        outline = await first.evaluate("e => getComputedStyle(e).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/story/**")
        await page.focus("summary")
        await page.keyboard.press("Enter")
        assert await page.locator(".operator code").first.is_visible()
        assert seen.complaints == []


async def test_the_list_goes_on_without_scripts(chromium: Browser, filled: str) -> None:
    async with (
        site(filled) as (url, _),
        visit(chromium, url, "/?order=newest", java_script_enabled=False) as seen,
    ):
        titles = await seen.page.locator("article h2").all_inner_texts()
        await seen.page.click("a[rel=next]")
        more = await seen.page.locator("article h2").all_inner_texts()
        assert len(titles) == 30
        assert more
        assert titles != more
        await seen.page.click("a[rel=prev]")
        assert await seen.page.locator("article h2").all_inner_texts() == titles


async def test_one_headline_never_covers_another(chromium: Browser, filled: str) -> None:
    """Neither a word without end nor a tower of marks leaves its own box."""
    async with site(filled) as (url, _):
        for size in (PHONE, DESK):
            async with visit(chromium, url, "/?order=newest", size) as seen:
                boxes = await seen.page.evaluate(
                    "[...document.querySelectorAll('article')].map(a => "
                    "{const r = a.getBoundingClientRect(); return [r.top, r.bottom, r.height]})"
                )
                assert len(boxes) == 30
                for above, below in pairwise(boxes):
                    assert above[1] <= below[0] + 1
                assert max(box[2] for box in boxes) < 700


async def test_an_empty_site_says_what_to_do(chromium: Browser, tmp_path: Path) -> None:
    async with site(f"sqlite:///{tmp_path / 'new.db'}") as (url, _):
        for path in ("/", "/sources"):
            async with visit(chromium, url, path, PHONE) as seen:
                assert await seen.page.locator(".empty").is_visible()
                assert await violations(seen.page) == []
                assert seen.complaints == []


async def test_on_paper_there_is_only_what_is_read(chromium: Browser, filled: str) -> None:
    async with site(filled) as (url, _), visit(chromium, url, "/story/story-1") as seen:
        await seen.page.emulate_media(media="print")
        assert not await seen.page.locator("form.search").is_visible()
        assert not await seen.page.locator("footer nav").is_visible()
        assert await seen.page.locator("article.reading").is_visible()
        paper = await seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
