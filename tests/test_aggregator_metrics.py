"""Metrics: what counts, who reads them, what services say of subscribers, and their documents."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from api_site import SETTINGS, TOKEN, fill_for_api, site_for_api
from builders import NOW, decision, entry_write, poll_commit, story_write
from newsroom_runs import serve
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from aggregator.config.server_settings import MetricsSettings
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.metrics.counting import Metrics, Observed
from aggregator.metrics.subscribers import EXPIRES, MOST_CLIENTS, Subscribers, reported
from aggregator.web.app import create_app
from aggregator.web.guesses import Guesses
from aggregator.web.metrics import admitted as admitted_to
from storage.database import open_database
from storage.health import Standing
from storage.queues import Queue
from storage.values.fold import FoldCommit
from storage.values.push import PushCommit

DOCS = Path(__file__).parent.parent / "docs"
STANDING = Standing(failing=2, off=1, unread=0, all=10)
OBSERVED = Observed(
    NOW,
    {"fold": Queue(3, NOW - timedelta(seconds=9)), "poll": Queue(0, None)},
    STANDING,
    {"storage": "the disk is full"},
)
METRICS_TOKEN = "0123456789abcdef-metrics"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: bytes) -> Samples:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"newsfold_{name}", tuple(sorted(labels.items()))]


def counted() -> Metrics:
    """Metrics with something of everything."""
    metrics = Metrics()
    metrics.polled(poll_commit(1, entry_write("a"), entry_write("b"), seconds=0.3))
    metrics.polled(poll_commit(1, outcome="failed", error="trouble"))
    metrics.fetched(1000)
    metrics.article_read("page")
    event = {"kind": "event", "score": 0.83}
    metrics.folded(
        FoldCommit(
            at=NOW,
            decisions=(
                decision(1),
                decision(2, reason=event),
                decision(3, reason=event | {"kind": "copy", "score": 1.0}),
            ),
            stories=(story_write(1, 1, 2, 3), story_write(2, 4, id=7)),
            retired={8: 0},
        )
    )
    metrics.child_killed("timeout")
    metrics.delivered(PushCommit(1, NOW, changed=(entry_write("c"),)))
    metrics.delivered(PushCommit(1, NOW))
    metrics.delivered(PushCommit(1, NOW, error="not a feed"))
    metrics.delivery_refused("unsigned")
    metrics.announced(told=True)
    metrics.announced(told=False)
    metrics.feed_requested("world", "atom", 304)
    metrics.request_refused(421)
    metrics.subscribers.heard("world", "atom", "Feedly/1.0 (x; 16 subscribers)", NOW)
    metrics.watch_connections(lambda: 5)
    return metrics


def test_what_happens_is_counted() -> None:
    found = samples(counted().exposition(OBSERVED))
    assert value(found, "polls_total", outcome="new") == 1
    assert value(found, "polls_total", outcome="failed") == 1
    assert value(found, "poll_duration_seconds_bucket", le="0.5") == 2
    assert value(found, "poll_duration_seconds_bucket", le="0.25") == 1
    assert value(found, "fetched_bytes_total") == 1000
    assert value(found, "entries_total", change="new") == 2
    assert value(found, "entries_total", change="changed") == 1
    assert value(found, "articles_read_total", text_source="page") == 1
    assert value(found, "articles_folded_total", kind="first") == 1
    assert value(found, "articles_folded_total", kind="copy") == 1
    assert value(found, "match_score_bucket", kind="event", le="0.9") == 1
    assert value(found, "match_score_bucket", kind="event", le="0.8") == 0
    assert value(found, "stories_founded_total") == 1
    assert value(found, "refused_requests_total", status="421") == 1
    assert value(found, "stories_retired_total") == 1
    assert value(found, "child_kills_total", reason="timeout") == 1
    for outcome in ("new", "unchanged", "failed", "unsigned"):
        assert value(found, "websub_deliveries_total", outcome=outcome) == 1
    assert value(found, "websub_announcements_total", outcome="refused") == 1
    assert value(found, "feed_requests_total", output="world", format="atom", status="304") == 1
    assert value(found, "subscribers", output="world", format="atom", client="feedly") == 16
    assert value(found, "queue_length", stage="fold") == 3
    assert value(found, "queue_oldest_seconds", stage="fold") == 9
    assert value(found, "queue_oldest_seconds", stage="poll") == 0
    assert value(found, "sources", state="fine") == 7
    assert value(found, "notices", about="storage") == 1
    assert value(found, "open_connections") == 5
    assert not [name for name, _ in found if name.endswith("_created")]


def test_what_stands_no_more_is_told_no_more() -> None:
    metrics = counted()
    metrics.exposition(OBSERVED)
    later = replace(OBSERVED, now=NOW + EXPIRES, notices={})
    names = {name for name, _ in samples(metrics.exposition(later))}
    assert "newsfold_notices" not in names
    assert "newsfold_subscribers" not in names


def test_two_sets_of_metrics_know_nothing_of_each_other() -> None:
    counted()
    found = samples(Metrics().exposition(OBSERVED))
    assert value(found, "fetched_bytes_total") == 0


# --- subscribers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "client", "count"),
    [
        (
            "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers; like FeedFetcher)",
            "feedly",
            16,
        ),
        ("Feedbin feed-id:1373711 - 142 subscribers", "feedbin", 142),
        ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 3 subscribers; )", "inoreader", 3),
        (
            "Mozilla/5.0 (compatible; inoreader.com; 7 subscribers; feed-id=12)",
            "inoreader",
            7,
        ),
        (
            "NewsBlur Feed Fetcher - 54 subscribers - https://www.newsblur.com/site/1",
            "newsblur",
            54,
        ),
        (
            "Mozilla/5.0 (compatible; theoldreader.com; 1 subscribers; feed-id=abc)",
            "theoldreader",
            1,
        ),
        ("BazQux/2.4 (+https://bazqux.com/fetcher; 1 subscribers)", "bazqux", 1),
        ("Bloglovin/1.0 (http://www.bloglovin.com; 2 Subscribers)", "bloglovin", 2),
        ("G2Reader-bot/1.0 (+http://g2reader.com; 33 readers)", "g2reader-bot", 33),
    ],
)
def test_services_say_how_many_subscribe(agent: str, client: str, count: int) -> None:
    found = reported(agent)
    assert found is not None
    assert (found.client, found.subscribers) == (client, count)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "NetNewsWire (RSS Reader; https://netnewswire.com/)",
        "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "Feedly/1.0 (12345678901 subscribers)",
        "(12 subscribers)",
        "x" * 2000 + " 12 subscribers",
    ],
)
def test_others_say_nothing(agent: str) -> None:
    assert reported(agent) is None


def test_the_last_word_of_a_service_counts_for_a_day() -> None:
    known = Subscribers()
    known.heard("world", "atom", "Feedly/1.0 (5 subscribers)", NOW)
    known.heard("world", "atom", "Feedly/1.0 (7 subscribers)", NOW)
    known.heard("world", "rss", "Feedly/1.0 (1 subscriber)", NOW)
    known.heard("world", "atom", "curl/8", NOW)
    assert set(known.standing(NOW)) == {
        ("world", "atom", "feedly", 7),
        ("world", "rss", "feedly", 1),
    }
    assert not list(known.standing(NOW + EXPIRES))


def test_inventing_services_costs_little() -> None:
    known = Subscribers()
    for number in range(10 * MOST_CLIENTS):
        known.heard("world", "atom", f"Made-up-{number}/1 (5 subscribers)", NOW)
    assert len(list(known.standing(NOW))) == MOST_CLIENTS
    known.heard("world", "atom", "Feedly/1.0 (5 subscribers)", NOW + EXPIRES)
    assert list(known.standing(NOW + EXPIRES)) == [("world", "atom", "feedly", 5)]


# --- over HTTP --------------------------------------------------------------------------------


@asynccontextmanager
async def site(tmp_path: Path, settings: Settings) -> AsyncIterator[Any]:
    ledger = Ledger(open_database(f"sqlite:///{tmp_path / 'newsfold.db'}"))
    fill_for_api(ledger.database)
    app = create_app(await site_for_api(ledger, settings))
    async with serve(app) as url, aiohttp.ClientSession() as session:

        async def get(path: str, **headers: str) -> tuple[int, Any, bytes]:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.get(url + path, headers=sent) as response:
                return response.status, response.headers, await response.read()

        yield get
    ledger.close()


async def test_feeds_asked_for_are_counted_and_readers_heard(tmp_path: Path) -> None:
    async with site(tmp_path, SETTINGS) as get:
        _, headers, _ = await get("/world.atom", User_Agent="Feedbin feed-id:1 - 12 subscribers")
        await get("/world.atom", If_None_Match=headers["ETag"])
        await get("/full.rss?token=wrong", User_Agent="Feedbin feed-id:1 - 99 subscribers")
        await get(f"/full.rss?token={TOKEN}")
        await get("/nothing.atom")
        assert (await get("/sources", Host="evil.example"))[0] == 421
        status, headers, body = await get("/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert headers["Cache-Control"] == "no-store"
    found = samples(body)
    requests = {
        tuple(labels[name] for name in ("output", "format", "status")): number
        for (name, pairs), number in found.items()
        if name == "newsfold_feed_requests_total" and (labels := dict(pairs))
    }
    assert requests == {
        ("world", "atom", "200"): 1,
        ("world", "atom", "304"): 1,
        ("full", "rss", "404"): 1,
        ("full", "rss", "200"): 1,
    }
    assert value(found, "subscribers", output="world", format="atom", client="feedbin") == 12
    assert value(found, "queue_length", stage="extract") == 1
    assert value(found, "refused_requests_total", status="421") == 1
    assert TOKEN.encode() not in body


async def test_metrics_have_a_guard_of_their_own(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "server": {"read_token": "fedcba9876543210-read"},
            "metrics": {"allow_networks": [], "token": METRICS_TOKEN},
        }
    )
    async with site(tmp_path, settings) as get:
        assert (await get("/metrics"))[0] == 403
        assert (await get("/metrics", Authorization="Bearer fedcba9876543210-read"))[0] == 403
        assert (await get("/metrics", Authorization=f"Bearer {METRICS_TOKEN}"))[0] == 200
        assert (await get("/", Authorization=f"Bearer {METRICS_TOKEN}"))[0] == 401


@pytest.mark.parametrize(
    ("host", "headers", "admitted"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("", {}, False),
        ("unix", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"via": "1.1 proxy"}, False),
        (
            "127.0.0.1",
            {"x-forwarded-for": "9.9.9.9", "authorization": f"bearer {METRICS_TOKEN}"},
            True,
        ),
        ("127.0.0.1", {"authorization": "Bearer ä"}, False),
    ],
)
def test_who_may_read(host: str, headers: dict[str, str], admitted: bool) -> None:
    settings = MetricsSettings.model_validate({"token": METRICS_TOKEN})
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = Request({"type": "http", "client": (host, 1), "headers": raw})
    assert admitted_to(settings, Guesses(most=9), request).opens is admitted
    if "authorization" in headers and admitted:
        assert not admitted_to(MetricsSettings(), Guesses(most=9), request).opens


# --- documents --------------------------------------------------------------------------------


def exposed() -> dict[str, set[str]]:
    """Every metric there is, with the names of its samples."""
    text = counted().exposition(OBSERVED).decode()
    return {
        family.name: {one.name for one in family.samples}
        for family in text_string_to_metric_families(text)
    }


def test_every_metric_is_documented_and_every_documented_metric_exists() -> None:
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|", page, re.MULTILINE)
    text = counted().exposition(OBSERVED).decode()
    there = {
        (family.name + ("_total" if family.type == "counter" else ""), family.type): set()
        for family in text_string_to_metric_families(text)
    }
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        for one in family.samples:
            there[name, family.type] |= set(one.labels) - {"le"}
    told = {(name, kind): set(re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}
    assert told == there


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_rules_and_dashboard_ask_for_what_there_is(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    asked = set(re.findall(r"\b(?:newsfold|process)_[a-z_]+\b", text))
    assert asked
    assert asked <= set().union(*exposed().values())
    read = yaml.safe_load(text) if name.endswith("yml") else json.loads(text)
    if name == "alerts.yml":
        (group,) = read["groups"]
        for rule in group["rules"]:
            assert {"alert", "expr", "labels", "annotations"} <= set(rule)
    else:
        assert all(panel["targets"] for panel in read["panels"])
