"""The application over the demonstration newsroom, in this process and over loopback HTTP."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from builders import latest_stories
from starlette.types import ASGIApp

from aggregator.clock import utc_now
from aggregator.config.settings import Settings
from aggregator.newsroom import Newsroom, newsroom_app, newsroom_config_sources
from aggregator.operating.passes import full_pass
from aggregator.running.application import Application, open_application
from aggregator.running.server import bind, serving
from storage.values.publish import ArticleView, StoryView

FEED = ("feed", "atom")


@dataclass
class Stage:
    """A newsroom that is being served. ``moment`` is what time it is there."""

    newsroom: Newsroom
    url: str
    moment: datetime


@asynccontextmanager
async def serve(app: ASGIApp) -> AsyncIterator[str]:
    """Serve ``app`` on a free loopback port; gives its address."""
    with bind("127.0.0.1:0") as listener:
        async with serving(app, listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def on_stage(newsroom: Newsroom, moment: datetime) -> AsyncIterator[Stage]:
    """Serve ``newsroom`` as it is at ``moment``, which the test moves on."""
    stage = Stage(newsroom, "", moment)
    async with serve(newsroom_app(newsroom, lambda: stage.moment)) as url:
        stage.url = url
        yield stage


def settings_for(database_url: str, sources: list[dict[str, object]], **tables: Any) -> Settings:
    """Settings for loopback sources without any pause between requests."""
    values: dict[str, Any] = {
        "server": {"base_url": "https://news.example", "title": "News"},
        "storage": {"url": database_url},
        "fetch": {
            "allow_networks": ["127.0.0.0/8"],
            "min_interval": "0s",
            "host_interval": "0s",
            "host_concurrency": 32,
            "timeout": "10s",
        },
        "source": sources,
    }
    for name, table in tables.items():
        values[name] = {**values.get(name, {}), **table} if isinstance(table, dict) else table
    return Settings.model_validate(values)


def newsroom_settings(database_url: str, stage: Stage, **tables: Any) -> Settings:
    return settings_for(database_url, newsroom_config_sources(stage.newsroom, stage.url), **tables)


@asynccontextmanager
async def opened(
    settings: Settings, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Application]:
    async with open_application(settings, clock=clock, rng=random.Random(1)) as application:
        yield application


async def one_pass(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Application:
    """Open, do one full pass over every source, close."""
    async with opened(settings, clock) as application:
        await full_pass(application, everything=True)
    return application


async def all_stories(application: Application) -> tuple[StoryView, ...]:
    return await application.ledger.read(latest_stories)


def identities(newsroom: Newsroom, stories: tuple[StoryView, ...]) -> dict[str, set[str]]:
    """The newsroom's article ids in each story, by the story's uri."""
    by_path = {article.path: article.id for article in newsroom.articles}
    return {story.uri: {_id(by_path, article) for article in story.articles} for story in stories}


def _id(by_path: dict[str, str], article: ArticleView) -> str:
    assert article.url is not None
    return by_path[urlsplit(article.url).path]
