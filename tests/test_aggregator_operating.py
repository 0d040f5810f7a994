"""``newsfold status``, ``log`` and ``poll``, on both engines, with and without a daemon."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_sources,
    commit_poll,
    poll_commit,
    source_config,
)
from click.testing import CliRunner, Result
from fakes import rss
from newsroom_runs import settings_for
from scripted_server import ScriptedServer, reply

from aggregator.cli.commands import main
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.operating.history import plan_in_words, read_history
from aggregator.operating.polling_now import in_words, poll_now
from aggregator.operating.status import as_json, daemon_in_words, read_status, sources_in_words
from aggregator.running.daemon import daemon
from aggregator.running.server import bind
from storage.asked import claim_asked, named_sources, poll_times
from storage.database import Database, StorageError, open_as_it_is, open_database
from storage.exclusive import sole_use
from storage.processes import RunningProcess, give_sign
from storage.sources import source_health, sync_sources
from storage.values.poll import IncidentWrite


@pytest.fixture
async def outlet() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.on("/feed", reply(200, rss(("1", "One"), ("2", "Two")).encode()))
        server.on("/bad", reply(500))
        yield server


def local(database_url: str, outlet: ScriptedServer, *paths: str, **changes: Any) -> Settings:
    rows: list[dict[str, object]] = [
        {"url": outlet.url(path), "name": path, "full_text": "never", **changes} for path in paths
    ]
    return settings_for(database_url, rows, fetch={"min_interval": "1h"})


def two_sources(db: Database) -> None:
    good, bad = add_sources(db, source_config("times"), source_config("herald"))
    add_articles(db, good.id, "a", "b")
    commit_poll(
        db,
        poll_commit(
            bad.id,
            at=NOW - MINUTE,
            outcome="failed",
            error="the server\n answered 500",
            status=500,
            failures=2,
            incidents=(IncidentWrite("failing", "for a while"),),
        ),
    )


def test_status_says_how_everything_is_doing(database: Database, database_url: str) -> None:
    two_sources(database)
    found = as_json(read_status(database, database_url, NOW + MINUTE))
    assert found["sources"] | {"all": 2, "fine": 1, "failing": 1} == found["sources"]
    assert found["queues"]["extract"] == {"length": 2, "oldest_seconds": 60.0}
    hour = found["rates"]["hour"]
    assert (hour["polls"], hour["failed"], hour["new_entries"]) == (2, 1, 2)
    (error,) = found["errors"]
    assert (error["source"], error["failures"]) == ("Herald", 2)
    assert found["database"]["bytes"] > 100_000
    assert found["database"]["articles"] == 2
    assert json.dumps(found)


def test_what_was_done_long_ago_is_no_rate(database: Database, database_url: str) -> None:
    two_sources(database)
    later = as_json(read_status(database, database_url, NOW + 2 * HOUR))
    assert later["rates"]["hour"]["polls"] == 0
    assert later["rates"]["day"]["new_entries"] == 2


def test_a_source_has_one_state(database: Database, database_url: str) -> None:
    configs = [source_config(name) for name in ("fine", "fresh", "gone", "silent")]
    fine, _, gone, silent = add_sources(database, *configs)
    commit_poll(database, poll_commit(fine.id))
    commit_poll(database, poll_commit(gone.id, gone=True, failures=3, error="410"))
    commit_poll(database, poll_commit(silent.id, trouble="silent"))
    sync_sources(database, [*configs, source_config("off", enabled=False)], NOW)
    status = read_status(database, database_url, NOW)
    assert sources_in_words(status) == "5: 1 fine, 1 gone, 1 silent, 1 unread, 1 off"


def test_the_log_of_a_source(database: Database) -> None:
    two_sources(database)
    found = read_history(database, "herald", 5)
    assert [row.detail for row in found.fetches] == ["the server\n answered 500"]
    assert [one.kind for one in found.incidents] == ["failing"]
    assert plan_in_words(found, NOW) == "polled 1m ago, next in 59m"
    with pytest.raises(ApplicationError, match="there is no source 'nobody'"):
        read_history(database, "nobody", 5)


def test_a_name_that_several_have_needs_the_address(database: Database) -> None:
    add_sources(database, source_config("a", name="Same"), source_config("b", name="same"))
    with pytest.raises(ApplicationError, match=r"say which: https://a\.example/feed\.xml, "):
        read_history(database, "SAME", 5)
    assert len(named_sources(database, "https://b.example/feed.xml")) == 1


def test_of_one_name_the_configured_source_is_meant(database: Database) -> None:
    add_sources(database, source_config("a", name="Same"))
    add_sources(database, source_config("b", name="Same"))
    (found,) = named_sources(database, "same")
    assert found.url == "https://b.example/feed.xml"


def test_a_source_that_somebody_has_taken_is_not_taken_again(database: Database) -> None:
    (source,) = add_sources(database, source_config())
    asked = poll_times(database, source.id).next
    assert claim_asked(database, source.id, asked, NOW + HOUR) is not None
    assert claim_asked(database, source.id, asked, NOW + HOUR) is None


def test_processes_that_share_a_database_are_named(database: Database, database_url: str) -> None:
    if not database.is_shared:
        pytest.skip("an SQLite file has one process")
    for name, config in (("one:1:ab", "c1"), ("two:2:cd", "c2")):
        give_sign(database, RunningProcess(name, ("poll", "web"), config, "0.1.0", NOW), NOW)
    status = read_status(database, database_url, NOW)
    assert daemon_in_words(status) == (
        "one:1:ab (poll, web); two:2:cd (poll, web); under different configurations"
    )
    assert as_json(status)["daemon"]["running"]
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE process SET seen_at = seen_at - interval '1 minute'")
    status = read_status(database, database_url, NOW)
    assert daemon_in_words(status) == "not running; nothing was polled yet"


# --- poll ---------------------------------------------------------------------------------------


async def polled(settings: Settings, wanted: str, patience: float = 30.0) -> tuple[str, list[str]]:
    said: list[str] = []
    done = await asyncio.to_thread(poll_now, settings, wanted, said.append, patience=patience)
    return in_words(done, done.fetch.at), said


async def test_the_running_daemon_is_asked_to_poll(
    database_url: str, outlet: ScriptedServer
) -> None:
    settings = local(database_url, outlet, "/feed", "/bad")
    with bind("127.0.0.1:0") as listener:
        async with daemon(settings, listener) as application, asyncio.timeout(60):
            database = application.ledger.database
            while not all(source.last_poll_at for source in source_health(database)):
                await asyncio.sleep(0.05)
            asked = len(outlet.seen("/feed"))
            line, said = await polled(settings, "/feed")
            assert line.startswith("/feed: unchanged (200 in ")
            assert "daemon" in said[0]
            line, _ = await polled(settings, outlet.url("/bad"))
            assert "the server answered 500; asked again in" in line
            assert len(outlet.seen("/feed")) == asked + 1


async def test_without_a_daemon_it_polls_by_itself(
    database_url: str, outlet: ScriptedServer
) -> None:
    settings = local(database_url, outlet, "/feed", "/bad")
    line, _ = await polled(settings, "/feed", patience=0.3)
    assert "2 new and 0 changed entries" in line
    assert not outlet.seen("/bad"), "no other source is polled"
    line, _ = await polled(settings, "/FEED", patience=0.3)
    assert line.startswith("/feed: unchanged")
    with pytest.raises(ApplicationError, match="there is no source"):
        await polled(settings, "/other", patience=0.3)


async def test_what_is_off_is_not_polled(database_url: str, outlet: ScriptedServer) -> None:
    settings = local(database_url, outlet, "/feed", enabled=False)
    with pytest.raises(ApplicationError, match="is off"):
        await polled(settings, "/feed", patience=0.3)
    assert not outlet.requests


# --- the database as it is ----------------------------------------------------------------------


def test_looking_makes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'newsfold.db'}"
    with pytest.raises(StorageError, match="yet; newsfold run makes it"):
        open_as_it_is(url)
    assert list(tmp_path.iterdir()) == []


def test_looking_migrates_nothing(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    with pytest.raises(StorageError, match="holds nothing yet"):
        open_as_it_is(empty_url)
    db = open_database(empty_url)
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999'")
    db.close()
    with pytest.raises(StorageError, match="written by a newer newsfold"):
        open_as_it_is(empty_url)


# --- as it is typed -----------------------------------------------------------------------------


def newsfold(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def kept(tmp_path: Path, sqlite_template: Path) -> Path:
    path = tmp_path / "newsfold.toml"
    path.write_text(f'[storage]\nurl = "sqlite:///{tmp_path / "n.db"}"\n', encoding="utf-8")
    (tmp_path / "n.db").write_bytes(sqlite_template.read_bytes())
    db = open_database(f"sqlite:///{tmp_path / 'n.db'}")
    two_sources(db)
    db.close()
    return path


def test_status_and_log_are_tables(kept: Path) -> None:
    config = ("--config", str(kept))
    said = newsfold("status", *config)
    assert said.exit_code == 0, said.output
    assert "Daemon    not running; the last poll was" in said.stdout
    assert "Sources   2: 1 fine, 1 failing" in said.stdout
    assert "the server answered 500" in said.stdout, "in one line"
    with sole_use(f"sqlite:///{kept.parent / 'n.db'}"):
        assert "running (process " in newsfold("status", *config).stdout
        assert json.loads(newsfold("status", "--json", *config).stdout)["daemon"]["running"]
    said = newsfold("log", "Herald", *config)
    assert said.exit_code == 0, said.output
    assert "failed   500" in said.stdout
    assert (
        json.loads(newsfold("log", "times", "--json", *config).stdout)["polls"][0]["new_entries"]
        == 2
    )
    missing = newsfold("log", "nobody", *config)
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert (
        missing.stderr
        == "there is no source 'nobody'; newsfold sources list names those that there are\n"
    )
