"""Another engine: subscribers notice nothing."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import NOW
from conftest import Postgres
from newsroom_runs import newsroom_settings, on_stage, one_pass, opened

from aggregator.config.settings import Settings
from aggregator.newsroom import load_newsroom
from aggregator.operating.moving import run_migration
from aggregator.running.application import ApplicationError
from aggregator.stages.publish.documents import Document
from aggregator.stages.publish.outputs import FORMATS
from storage.database import open_database
from storage.processes import RunningProcess, give_sign

OUTPUTS = [
    {"name": "feed", "limit": 20},
    {"name": "covered", "min_outlets": 2},
    {"name": "all", "fold": False, "limit": 20},
]


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    url = postgres.create()
    yield url
    postgres.drop(url)


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"storage": settings.storage.model_copy(update={"url": url})})


async def documents(settings: Settings, moment: datetime) -> dict[tuple[str, str], Document]:
    """Everything that subscribers get, when a daemon starts on the database."""
    async with opened(settings, lambda: moment) as application:
        publisher = application.publisher
        await publisher.refresh()
        found = {
            (output.name, form): publisher.document(output.name, form)
            for output in settings.outputs()
            for form in FORMATS
        }
    return {key: document for key, document in found.items() if document}


async def test_feeds_are_the_same_bytes_on_the_other_engine_and_back_again(
    postgres_url: str, tmp_path: Path
) -> None:
    newsroom = load_newsroom()
    moment = datetime.now(UTC)
    async with on_stage(newsroom, max(one.modified for one in newsroom.articles)) as stage:
        first = newsroom_settings(f"sqlite:///{tmp_path / 'one.db'}", stage, output=OUTPUTS)
        await one_pass(first)
    before = await documents(first, moment)
    assert len(before) == len(OUTPUTS) * len(FORMATS)
    run_migration(first, postgres_url)
    moved = at(first, postgres_url)
    assert await documents(moved, moment + timedelta(minutes=5)) == before
    back = at(first, f"sqlite:///{tmp_path / 'back.db'}")
    run_migration(moved, back.storage.url)
    assert await documents(back, moment + timedelta(minutes=10)) == before


def test_a_database_that_processes_work_on_is_not_moved(database_url: str, tmp_path: Path) -> None:
    with closing(open_database(database_url)) as db:
        give_sign(db, RunningProcess("here:1", ("web",), "abc", "1.0", NOW), NOW)
    settings = Settings.model_validate({"storage": {"url": database_url}})
    with pytest.raises(ApplicationError, match="here:1"):
        run_migration(settings, f"sqlite:///{tmp_path / 'copy.db'}")
