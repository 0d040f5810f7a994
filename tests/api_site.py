"""A site with stories for tests of the API: two told by several, one retired, one not folded."""

from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_sources,
    as_write,
    decision,
    fold,
    read_articles,
    source_config,
    story_write,
)

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.stages.publish.publisher import Identity, Publisher
from aggregator.web.app import Site
from storage.database import Database
from storage.folding import commit_fold, stories_of
from storage.values.fold import FoldCommit

TOKEN = "0123456789abcdef-token"
SETTINGS = Settings.model_validate(
    {
        "server": {"base_url": "https://news.example", "title": "News"},
        "output": [
            {"name": "world"},
            {"name": "shared", "min_outlets": 2},
            {"name": "full", "content": "full", "token": TOKEN},
        ],
    }
)
STORIES = 12
"""Living ones: number 0 has three articles, one of them a copy; 11 ended in it."""


def fill_for_api(database: Database) -> None:
    times, post = add_sources(
        database,
        source_config("times", category="world"),
        source_config("post", category="sport", language="de"),
    )
    ids = add_articles(database, times.id, *(f"g{n}" for n in range(STORIES)))
    ids += add_articles(database, post.id, "p1", "p2", at=NOW + MINUTE)
    read_articles(database, *ids[:STORIES], at=NOW + MINUTE)
    read_articles(
        database, ids[-2], at=NOW + MINUTE, language="de", outlet="Post", publisher="post.example"
    )
    fold(
        database,
        *(
            story_write(n, ids[n], rank=float(n), published_at=NOW - HOUR + n * MINUTE)
            for n in range(STORIES)
        ),
    )
    first, ended = stories_of(database, [0, STORIES - 1], [])
    event = {"kind": "event", "partner": ids[0], "score": 0.8, "needed": 0.5, "parts": ["title"]}
    decided = decision(ids[-2], copy_of=ids[0], score=0.9, reason=event | {"kind": "copy"})
    members = (ids[0], ids[STORIES - 1], ids[-2])
    merged = as_write(first, members=members, outlets=2, copies=1, latest_at=NOW, rank=100.0)
    commit_fold(
        database,
        FoldCommit(at=NOW + MINUTE, decisions=(decided,), stories=(merged,), retired={ended.id: 0}),
    )


async def site_for_api(
    ledger: Ledger, settings: Settings = SETTINGS, notices: Notices | None = None
) -> Site:
    publisher = Publisher(ledger, settings, Identity("news.example", NOW))
    await publisher.refresh()
    return Site(
        settings,
        ledger,
        publisher,
        lambda: True,
        clock=lambda: NOW + HOUR,
        notices=notices or Notices(),
    )
