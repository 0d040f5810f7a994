"""The API over loopback HTTP: filters, pages, errors, what it tells and what it does not."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from api_site import SETTINGS, STORIES, TOKEN, fill_for_api, site_for_api
from builders import HOUR, MINUTE, NOW, add_articles, add_source, fold, read_articles, story_write
from newsroom_runs import serve

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.web.api import answers
from aggregator.web.api.cursors import cursor
from aggregator.web.api.document import complete
from aggregator.web.api.routes import ANSWERS, api_app
from aggregator.web.app import create_app
from storage.database import Database, StorageTroubleError, open_database

READ_TOKEN = "fedcba9876543210-read"
PRIVATE = Settings.model_validate(
    {
        "server": {"base_url": "https://news.example", "read_token": READ_TOKEN},
        "output": [{"name": "world"}],
    }
)
MERGED = "story-0"
LIVING = [f"story-{n}" for n in (0, *range(STORIES - 2, 0, -1))]
"""As they are ranked."""


class Api:
    """Asks the API."""

    def __init__(self, session: aiohttp.ClientSession, url: str, ledger: Ledger) -> None:
        self.session = session
        self.url = url
        self.ledger = ledger

    async def __call__(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, Any, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(
            method, f"{self.url}/api{path}", headers=sent, allow_redirects=False
        ) as response:
            return response.status, response.headers, await response.read()

    async def json(self, path: str, **headers: str) -> Any:
        status, _, body = await self(path, **headers)
        assert status == 200, body
        return json.loads(body)

    async def ids(self, query: str) -> list[str]:
        """The stories of every page of a list."""
        found: list[str] = []
        following = ""
        while True:
            page = await self.json(f"/v1/stories?{query}&cursor={following}")
            found += [story["id"] for story in page["items"]]
            following = page["next"]
            if following is None:
                return found


@asynccontextmanager
async def api_at(
    path: Path, settings: Settings = SETTINGS, notices: Notices | None = None
) -> AsyncIterator[Api]:
    ledger = Ledger(open_database(f"sqlite:///{path / 'newsfold.db'}"))
    fill_for_api(ledger.database)
    app = create_app(await site_for_api(ledger, settings, notices))
    async with serve(app) as url, aiohttp.ClientSession() as session:
        yield Api(session, url, ledger)
    ledger.close()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_at(tmp_path) as found:
        yield found


# --- stories ----------------------------------------------------------------------------------


async def test_stories_come_ranked_and_newest_first(api: Api) -> None:
    assert await api.ids("") == LIVING
    assert await api.ids("order=newest") == [f"story-{n}" for n in range(STORIES - 2, -1, -1)]


@pytest.mark.parametrize("order", ["ranked", "newest"])
@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_pages_hold_everything_once(api: Api, order: str, limit: int) -> None:
    assert sorted(await api.ids(f"order={order}&limit={limit}")) == sorted(LIVING)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("category=world", LIVING),
        ("category=sport", [MERGED]),
        ("category=nothing", []),
        ("language=en", LIVING),
        ("language=de", []),
        ("min_outlets=2", [MERGED]),
        ("min_outlets=2&order=newest", [MERGED]),
        ("min_outlets=3", []),
        ("output=shared", [MERGED]),
        ("output=world&limit=4", LIVING),
        ("output=world&category=sport", [MERGED]),
        (
            "output=world&language=en&order=newest&limit=3",
            sorted(LIVING, key=lambda s: -int(s[6:])),
        ),
        ("since=2026-11-22T11:05:00Z", LIVING[1:7]),
        ("since=2026-11-22T12:05:00%2B01:00&order=newest", LIVING[1:7]),
        ("since=2026-11-22T12:05:00+01:00&order=newest&limit=2", LIVING[1:7]),
        ("until=2026-11-22T11:03:00Z", [MERGED, "story-2", "story-1"]),
        ("until=2026-11-22T11:03:00Z&order=newest&limit=1", ["story-2", "story-1", MERGED]),
        ("until=2026-11-22T11:03:00Z&output=world", [MERGED, "story-2", "story-1"]),
        ("since=0001-01-01T00:00:00%2B23:59&order=newest&limit=200", [*LIVING[1:], MERGED]),
        ("q=text", [*(f"story-{n}" for n in (0, *range(STORIES - 2, 0, -1)))]),
        ("q=text&limit=2&min_outlets=2", [MERGED]),
        ("q=text&until=2026-11-22T11:03:00Z&since=2026-11-22T11:01:00Z", ["story-2", "story-1"]),
        ("q=text&output=shared", [MERGED]),
        ("q=nowhere", []),
    ],
)
async def test_filters_hold_together(api: Api, query: str, expected: list[str]) -> None:
    found = await api.ids(query)
    if query.startswith(
        "q="
    ):  # by the article found; several of a story may stand on several pages
        assert set(found) == set(expected)
    else:
        assert found == expected


async def test_what_is_new_meanwhile_displaces_nothing(api: Api) -> None:
    first = await api.json("/v1/stories?order=newest&limit=4")
    database = api.ledger.database
    source = add_source(database, name="Late", url="https://late.example/feed.xml")
    ids = add_articles(database, source.id, "late1", "late2", at=NOW + HOUR)
    read_articles(database, *ids, at=NOW + HOUR)
    late = [story_write(100 + n, one, published_at=NOW + n * MINUTE) for n, one in enumerate(ids)]
    fold(database, *late, at=NOW + HOUR)
    second = await api.json(f"/v1/stories?order=newest&limit=4&cursor={first['next']}")
    assert [story["id"] for story in second["items"]] == [
        "story-6",
        "story-5",
        "story-4",
        "story-3",
    ]


async def test_a_story_has_everything(api: Api) -> None:
    story = await api.json(f"/v1/stories/{MERGED}")
    assert story["page_url"] == "https://news.example/story/story-0"
    assert story["uri"].startswith("tag:")
    assert (story["outlets"], story["copies"], story["article_count"]) == (2, 1, 3)
    copy = story["articles"][0]
    assert (copy["outlet"], copy["copy_of"], copy["reason"]["kind"]) == ("Post", 1, "copy")
    assert story["others"] == [
        {"outlet": "Post", "title": copy["title"], "url": copy["url"]},
    ]


async def test_a_story_that_ended_leads_to_its_successor(api: Api) -> None:
    status, headers, body = await api(f"/v1/stories/story-{STORIES - 1}")
    assert (status, headers["Location"], body) == (301, MERGED, b"")


# --- articles ---------------------------------------------------------------------------------


async def articles(api: Api, query: str) -> list[int]:
    page = await api.json(f"/v1/articles?{query}")
    return [article["id"] for article in page["items"]]


async def test_articles_by_source_story_language_and_time(api: Api) -> None:
    assert await articles(api, "") == list(range(STORIES + 2, 0, -1))
    assert await articles(api, "source=2") == [STORIES + 2, STORIES + 1]
    members = await articles(api, f"story={MERGED}")
    assert (len(members), members[0], members[-1]) == (3, STORIES + 1, 1)
    assert await articles(api, f"story=story-{STORIES - 1}") == []
    assert await articles(api, "story=nothing") == []
    assert await articles(api, "language=de") == [STORIES + 1]
    assert await articles(api, "since=2026-11-22T12:00:30Z") == [STORIES + 2, STORIES + 1]
    assert await articles(api, "since=2026-11-23T00:00:00Z") == []


async def test_articles_go_on(api: Api) -> None:
    first = await api.json("/v1/articles?limit=10")
    second = await api.json(f"/v1/articles?limit=10&cursor={first['next']}")
    assert [one["id"] for one in second["items"]] == [4, 3, 2, 1]
    assert second["next"] is None


async def test_an_article_that_waits_says_so(api: Api) -> None:
    waiting = await api.json(f"/v1/articles/{STORIES + 2}")
    assert (waiting["state"], waiting["story_id"], waiting["reason"]) == ("new", None, None)
    status, _, _ = await api(f"/v1/articles/{STORIES + 2}/explanation")
    assert status == 404


async def test_texts_are_shown_on_private_sites_only(api: Api, tmp_path: Path) -> None:
    article = await api.json("/v1/articles/1")
    assert (article["text"], article["summary"]) == (None, "A summary.")
    (tmp_path / "private").mkdir()
    async with api_at(tmp_path / "private", PRIVATE) as private:
        bearer = f"Bearer {READ_TOKEN}"
        article = await private.json("/v1/articles/1", Authorization=bearer)
        assert article["text"] == "The text."
        status, headers, body = await private("/v1/articles/1")
        assert (status, headers["Content-Type"]) == (401, "application/problem+json")
        assert json.loads(body)["status"] == 401
        _, headers, _ = await private("/v1/articles/1", Authorization=bearer)
        assert headers["Cache-Control"] == "private, max-age=60"
        document = await private.json("/openapi.json", Authorization=bearer)
        assert document["security"] == [{"bearer": []}, {"basic": []}, {"query": []}]
        status, _, page = await private(f"/docs?token={READ_TOKEN}")
        assert status == 200
        assert b"This site is private" in page
        status, headers, _ = await private(f"/v1/stories/story-11?token={READ_TOKEN}")
        assert headers["Location"] == f"{MERGED}?token={READ_TOKEN}"


async def test_an_explanation_is_the_recorded_reason_in_words(api: Api) -> None:
    explained = await api.json(f"/v1/articles/{STORIES + 1}/explanation")
    assert (explained["story_id"], explained["reason"]["kind"]) == (MERGED, "copy")
    assert explained["why"].startswith("same text as Times: ")


async def test_so_many_explanations_may_wait_and_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_EXPLAINING", 0)
    status, headers, body = await api("/v1/articles/1/explanation")
    assert (status, headers["Retry-After"]) == (503, "2")
    assert "at once" in json.loads(body)["detail"]


# --- sources, search, status ------------------------------------------------------------------


async def test_sources_and_how_they_are_doing(api: Api) -> None:
    first = await api.json("/v1/sources?limit=1")
    second = await api.json(f"/v1/sources?limit=1&cursor={first['next']}")
    assert [first["items"][0]["name"], second["items"][0]["name"]] == ["Times", "Post"]
    assert second["next"] is None
    assert len(first["items"][0]["entries_by_day"]) == 14
    assert (await api.json("/v1/sources?state=failing"))["items"] == []
    assert len((await api.json("/v1/sources?state=fine"))["items"]) == 2
    (post,) = (await api.json("/v1/sources?category=sport"))["items"]
    detail = await api.json(f"/v1/sources/{post['id']}")
    assert detail["polls"][0]["new_entries"] == 2
    assert {name: detail[name] for name in post} == post


async def test_a_search_says_where(api: Api) -> None:
    page = await api.json("/v1/search?q=text&limit=3")
    hit = page["items"][0]
    assert [piece["text"] for piece in hit["snippet"] if piece["found"]] == ["text"]
    assert hit["story"]["id"] == MERGED
    assert hit["article_id"] == STORIES + 1
    second = await api.json(f"/v1/search?q=text&limit=200&cursor={page['next']}")
    assert len({one["story"]["id"] for one in page["items"] + second["items"]}) == STORIES - 1
    assert second["next"] is None


async def test_the_status(tmp_path: Path) -> None:
    notices = Notices()
    notices.tell("storage", "the disk is full")
    async with api_at(tmp_path, notices=notices) as api:
        status = await api.json("/v1/status")
        assert await api.json("/v1/status") == status
    assert status["totals"] == {
        "sources": 2,
        "failing": 0,
        "entries": STORIES + 2,
        "articles": STORIES + 2,
        "stories": STORIES - 1,
    }
    assert status["notices"] == [{"about": "storage", "text": "the disk is full"}]
    waiting = {
        queue["stage"]: (queue["length"], queue["oldest_seconds"]) for queue in status["queues"]
    }
    assert waiting["extract"] == (1, 3540.0)
    assert waiting["fold"] == (0, None)
    assert [output["name"] for output in status["outputs"]] == ["world", "shared"]
    assert TOKEN not in json.dumps(status)


# --- errors, methods, caching -----------------------------------------------------------------


def problem(answer: tuple[int, Any, bytes], status: int) -> Any:
    assert answer[0] == status
    assert answer[1]["Content-Type"] == "application/problem+json"
    assert answer[1]["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in answer[1]
    said = json.loads(answer[2])
    assert said["status"] == status
    return said


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=5.5", "limit"),
        ("limit=+5", "limit"),
        ("order=best", "order"),
        ("since=yesterday", "since"),
        ("since=2026-11-22T00:00:00", "since"),
        ("since=2026-02-30T00:00:00Z", "since"),
        ("since=1700000000", "since"),
        ("language=english", "language"),
        ("categroy=world", "categroy"),
        (f"q={'x' * 301}", "q"),
        ("cursor=!!", "cursor"),
    ],
)
async def test_what_is_no_good_is_named(api: Api, query: str, where: str) -> None:
    said = problem(await api(f"/v1/stories?{query}"), 400)
    assert [fault["where"] for fault in said["errors"]] == [where]
    assert said["detail"].startswith(f"{where}: ")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v2/stories",
        "/",
        "/v1/stories/Nothing!",
        "/v1/stories/nothing",
        "/v1/articles/0",
        "/v1/articles/999999",
        "/v1/articles/999999/explanation",
        "/v1/sources/77",
        "/v1/sources/x",
        "/v1/stories?output=nothing",
        "/v1/stories?output=full",
        "/v1/stories?cursor=AAAA",
        "/v1/stories?cursor=A",
        f"/v1/stories?cursor={cursor('newest', '1_1')}",
        f"/v1/stories?cursor={cursor('ranked', 'nan_1')}",
        f"/v1/articles?cursor={cursor('articles', 'x')}",
        f"/v1/search?q=x&cursor={cursor('ranked', '1.0_1')}",
    ],
)
async def test_what_is_not_there_is_a_404(api: Api, path: str) -> None:
    assert problem(await api(path), 404)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed(api: Api, method: str) -> None:
    answer = await api("/v1/stories", method)
    assert answer[1]["Allow"] == "GET, HEAD"
    problem(answer, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/stories",
        f"/v1/stories/{MERGED}",
        "/v1/articles",
        "/v1/articles/1",
        "/v1/articles/1/explanation",
        "/v1/sources",
        "/v1/sources/1",
        "/v1/search?q=text",
        "/v1/status",
        "/openapi.json",
        "/docs",
    ],
)
async def test_head_tells_the_same_and_etags_hold(api: Api, path: str) -> None:
    status, headers, body = await api(path)
    assert status == 200
    head_status, head, nothing = await api(path, "HEAD")
    assert (head_status, nothing) == (200, b"")
    assert head["Content-Length"] == headers["Content-Length"] == str(len(body))
    assert head["ETag"] == headers["ETag"]
    status, again, nothing = await api(path, If_None_Match=headers["ETag"])
    assert (status, nothing) == (304, b"")
    assert again["Cache-Control"] == headers["Cache-Control"]


async def test_trouble_with_the_database_is_a_503(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: Database, __: object) -> None:
        raise StorageTroubleError("cannot use the database: secret-host is away")

    monkeypatch.setattr(answers, "find_listed", away)
    answer = await api("/v1/stories")
    assert answer[1]["Retry-After"] == "10"
    assert "secret-host" not in str(problem(answer, 503))
    with api.ledger.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE article RENAME TO gone")
    assert "gone" not in str(problem(await api("/v1/articles"), 500))
    assert "no such table" in caplog.text


# --- the document -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document() -> Any:
    unused: Any = None
    app = api_app(SETTINGS, unused, unused, lambda: NOW, Notices())
    return complete(app, private=True).described


def test_every_parameter_and_field_is_described_with_an_example(document: Any) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        assert set(schema["required"]) == set(schema["properties"]), name
        for field, described in schema["properties"].items():
            assert described["description"], (name, field)
            assert described["examples"], (name, field)
    for path, operations in document["paths"].items():
        for parameter in operations["get"]["parameters"]:
            assert parameter["description"], (path, parameter["name"])
            assert parameter["schema"]["examples"], (path, parameter["name"])


def test_every_operation_tells_every_error(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == set(ANSWERS)
    for operations in document["paths"].values():
        assert set(operations) == {"get"}
        told = operations["get"]["responses"]
        assert set(told) >= {"200", "304", "400", "401", "404", "405", "421", "429", "500", "503"}
        for status, response in told.items():
            if int(status) >= 400:
                text = {"421": {"text/plain"}, "503": {"text/plain", "application/problem+json"}}
                assert set(response["content"]) == text.get(status, {"application/problem+json"})
            assert response["description"]


def test_every_reference_leads_somewhere(document: Any) -> None:
    names = set(document["components"]["schemas"])
    found = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert found <= names
    assert names - found <= set(), "nothing is described that is never answered"


async def test_the_page_shows_the_document_and_asks_nobody_else(api: Api, document: Any) -> None:
    _, headers, body = await api("/docs")
    page = body.decode()
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in page
    assert "style=" not in page
    assert not re.search(r'(?:src|href)="(?!https://news\.example|#)', page)
    for path in document["paths"]:
        assert f"GET {path}" in page
    for name, schema in document["components"]["schemas"].items():
        assert f'id="{name}"' in page
        for field in schema["properties"]:
            assert f"<code>{field}</code>" in page


def test_every_address_is_in_the_documentation() -> None:
    page = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `/api([^`]+)` \|", page, re.MULTILINE))
    assert told == {*ANSWERS, "/docs", "/openapi.json"}


async def test_anything_can_be_searched_for(api: Api) -> None:
    for query in ('"', "-text", "' OR 1=1 --", "NEAR(a b)", "*", "\x00", "a:b ^c", "ё漢", " "):
        assert (await api(f"/v1/search?q={quote(query)}"))[0] == 200
        assert (await api(f"/v1/stories?q={quote(query)}"))[0] == 200
