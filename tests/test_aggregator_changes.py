"""A running daemon and what changes around it: its configuration, its database."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes import rss
from scripted_server import ScriptedServer, reply
from test_aggregator_daemon import DEADLINE, PROGRAM, ROOT, configure, started

from aggregator.config.loading import ConfigError, load_config
from aggregator.config.settings import Settings
from aggregator.config.watch import ConfigWatch


@pytest.fixture
async def outlet() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        for name, title in (("/one", "Harbour bridge reopens"), ("/two", "Frost ruins apples")):
            feed = rss((name, title)).encode()
            server.on(name, reply(200, feed, Content_Type="application/rss+xml"))
        yield server


# --- looking at the file ------------------------------------------------------------------------


def test_an_edit_is_noticed_once_and_a_broken_one_is_a_value(tmp_path: Path) -> None:
    path = tmp_path / "newsfold.toml"
    path.write_text('include = ["more.toml"]')
    more = tmp_path / "more.toml"
    more.write_text("")
    watch = ConfigWatch(path, {}, load_config(path, {}))
    assert watch.look() is None
    more.write_text('[[source]]\nurl = "https://one.example/feed"')
    found = watch.look()
    assert isinstance(found, Settings)
    assert [source.url for source in found.source] == ["https://one.example/feed"]
    assert watch.look() is None
    path.write_text('include = ["more.toml"]\n[server]\nlisten = 3')
    broken = watch.look()
    assert isinstance(broken, ConfigError)
    assert str(broken).startswith(f"{path}:3: listen")
    assert watch.look() is None, "told once"
    path.write_text('include = ["more.toml"]\n# a comment changes nothing')
    assert watch.look() is None
    assert watch.look(anyway=True) == found
    path.unlink()
    gone = watch.look()
    assert isinstance(gone, ConfigError)
    assert "cannot be read" in str(gone)
    path.write_bytes(b"\xff\xfe")
    assert isinstance(watch.look(), ConfigError)


# --- as a process -------------------------------------------------------------------------------


class Running:
    """``newsfold run``: what it says, and what it answers."""

    def __init__(self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.process = process
        self._session = session
        self.logged: list[dict[str, Any]] = []
        self.port = 0

    async def logs(self, event: str, outcome: str | None = None) -> dict[str, Any]:
        """Its next log line of this event and outcome."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            while line := await self.process.stderr.readline():
                self.logged.append(json.loads(line))
                if (event, outcome) == (self.logged[-1]["event"], self.logged[-1].get("outcome")):
                    return self.logged[-1]
        raise AssertionError(f"it ended: {self.logged}")

    async def get(self, path: str) -> str:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._session.get(url) as response:
            return await response.text()

    async def shows(self, path: str, text: str) -> None:
        """Wait until it does."""
        async with asyncio.timeout(DEADLINE):
            while text not in await self.get(path):
                await asyncio.sleep(0.05)


@pytest.fixture
def port(unused_tcp_port: int) -> int:
    return unused_tcp_port


async def test_sources_come_and_go_while_it_runs_and_a_broken_edit_changes_nothing(
    outlet: ScriptedServer, tmp_path: Path, port: int
) -> None:
    listen = f"127.0.0.1:{port}"
    config = configure(tmp_path, outlet.url("/one"), listen=listen)
    async with started(config) as process, aiohttp.ClientSession() as session:
        daemon = Running(process, session)
        daemon.port = port
        await daemon.logs("started")
        await daemon.shows("/feed.atom", "Harbour bridge reopens")

        configure(tmp_path, outlet.url("/two"), listen=listen)
        await daemon.logs("configuration", "taken up")
        await daemon.shows("/feed.atom", "Frost ruins apples")
        assert "Harbour bridge reopens" in await daemon.get("/feed.atom"), "what was read stays"

        wide = '[[output]]\nname = "wide"\ntitle = "All of it"\n'
        config.write_text(f"{config.read_text()}name = 'Two by name'\n{wide}")
        await daemon.logs("started")
        await daemon.shows("/wide.atom", "All of it")
        assert "Frost ruins apples" in await daemon.get("/wide.atom")
        assert "Two by name" in await daemon.get("/sources")
        configure(tmp_path, outlet.url("/two"), listen=listen)
        await daemon.logs("started")
        await daemon.shows("/feed.atom", "Frost ruins apples")
        good = config.read_text()
        config.write_text(good + "\n[fetch\n")
        refused = await daemon.logs("configuration", "refused")
        assert f"{config}: is not valid TOML" in refused["error"]
        health = json.loads(await daemon.get("/healthz"))
        assert health["status"] == "degraded"
        assert "is not valid TOML" in health["problems"]["configuration"]
        assert "Frost ruins apples" in await daemon.get("/feed.atom")

        config.write_text(good.replace("n.db", "no/such/folder/n.db"))
        refused = await daemon.logs("configuration", "refused")
        assert "cannot open the database" in refused["error"]
        await daemon.logs("started")
        assert "Frost ruins apples" in await daemon.get("/feed.atom")

        config.write_text(good)
        await daemon.logs("started")
        assert json.loads(await daemon.get("/healthz")) == {"status": "ok", "problems": {}}
        process.send_signal(signal.SIGHUP)
        await daemon.logs("configuration", "taken up")
        process.terminate()
        async with asyncio.timeout(DEADLINE):
            await process.communicate()
        assert process.returncode == 0


async def test_another_address_to_listen_on_is_taken_up_and_a_taken_one_refused(
    outlet: ScriptedServer, tmp_path: Path, port: int, unused_tcp_port_factory: Any
) -> None:
    config = configure(tmp_path, outlet.url("/one"), listen=f"127.0.0.1:{port}")
    other = unused_tcp_port_factory()
    async with started(config) as process, aiohttp.ClientSession() as session:
        daemon = Running(process, session)
        daemon.port = port
        await daemon.logs("started")
        configure(tmp_path, listen=outlet.url("").removeprefix("http://"))
        assert "cannot listen" in (await daemon.logs("configuration", "refused"))["error"]
        configure(tmp_path, listen=f"127.0.0.1:{other}")
        await daemon.logs("started")
        daemon.port = other
        assert json.loads(await daemon.get("/healthz"))["status"] == "ok"


async def test_a_second_daemon_is_refused_and_a_killed_one_leaves_no_lock(
    outlet: ScriptedServer, tmp_path: Path
) -> None:
    config = configure(tmp_path, outlet.url("/one"))
    async with started(config) as first, aiohttp.ClientSession() as session:
        await Running(first, session).logs("started")
        async with started(config) as second:
            async with asyncio.timeout(DEADLINE):
                _, err = await second.communicate()
            assert second.returncode == 1
            (line,) = err.decode().splitlines()
            assert f"another newsfold (process {first.pid}) is using" in line
        first.kill()
        await first.wait()
    async with started(config) as third, aiohttp.ClientSession() as session:
        await Running(third, session).logs("started")


async def newsfold(*arguments: str, folder: Path) -> tuple[int, str, str]:
    """Run a command to its end: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *arguments,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def set_aside(folder: Path) -> list[Path]:
    return list(folder.glob("n.db.replaced-*"))


async def test_a_backup_is_taken_and_put_back_while_it_runs(
    outlet: ScriptedServer, tmp_path: Path, port: int
) -> None:
    config = configure(tmp_path, outlet.url("/one"), listen=f"127.0.0.1:{port}")
    async with started(config) as process, aiohttp.ClientSession() as session:
        daemon = Running(process, session)
        daemon.port = port
        await daemon.logs("started")
        await daemon.shows("/feed.atom", "Harbour bridge reopens")
        before = await daemon.get("/feed.atom")

        code, out, err = await newsfold("backup", "saved.db", folder=tmp_path)
        assert (code, "saved.db: " in out, "article 1" in err) == (0, True, True), err
        configure(tmp_path, outlet.url("/one"), outlet.url("/two"), listen=f"127.0.0.1:{port}")
        await daemon.shows("/feed.atom", "Frost ruins apples")
        configure(tmp_path, outlet.url("/one"), listen=f"127.0.0.1:{port}")
        await daemon.logs("started")

        code, out, err = await newsfold("restore", "saved.db", folder=tmp_path)
        assert code == 0, err
        await daemon.logs("backup", "taken up")
        await daemon.logs("started")
        assert await daemon.get("/feed.atom") == before
        code, _, err = await newsfold("migrate-to", "sqlite:///new.db", folder=tmp_path)
        assert (code, "stop it first" in err) == (1, True)
    assert set_aside(tmp_path)
    code, out, err = await newsfold("migrate-to", "sqlite:///new.db", folder=tmp_path)
    assert code == 0, err
    assert "compared row by row" in out
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (1,)
    code, out, _ = await newsfold("restore", "saved.db", folder=tmp_path)
    assert (code, "is back" in out) == (0, True), "without a daemon too"
    code, _, err = await newsfold("restore", "newsfold.toml", folder=tmp_path)
    assert (code, "no backup of newsfold" in err) == (1, True)
