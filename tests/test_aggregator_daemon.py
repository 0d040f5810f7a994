"""The daemon in this process, and as the process that operators start and stop."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from conftest import ONE_ENGINE
from fakes import rss
from newsroom_runs import settings_for
from scripted_server import ScriptedServer, drip, hang, redirect, reply
from structlog.testing import capture_logs

from aggregator.config.settings import Settings
from aggregator.running.application import ApplicationError
from aggregator.running.daemon import daemon, run_daemon
from aggregator.running.server import bind
from storage.database import open_database
from storage.sources import make_all_due, source_health
from storage.status import totals

ROOT = Path(__file__).parent.parent
PROGRAM = "from aggregator.cli.commands import main; main(prog_name='newsfold')"
DEADLINE = 30.0
STOPS_WITHIN = 10.0


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
async def outlet() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        feed = rss(("1", "Harbour bridge reopens after repairs"))
        server.on("/feed", reply(200, feed.encode(), Content_Type="application/rss+xml"))
        server.on("/hangs", hang())
        server.on("/drips", drip(b"HTTP/1.1 200 OK\r\n\r\n<rss>"))
        server.on("/moved", redirect("/feed"))
        yield server


def local(database_url: str, outlet: ScriptedServer, *paths: str) -> Settings:
    sources: list[dict[str, object]] = [
        {"url": outlet.url(path), "name": path, "full_text": "never"} for path in paths
    ]
    return settings_for(database_url, sources, fetch={"min_interval": "1h"})


async def test_the_daemon_polls_folds_publishes_and_serves_by_itself(
    database_url: str, outlet: ScriptedServer
) -> None:
    settings = local(database_url, outlet, "/feed", "/hangs", "/moved")
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with daemon(settings, listener) as application, aiohttp.ClientSession() as session:
            async with asyncio.timeout(DEADLINE):
                body = ""
                while "Harbour bridge reopens" not in body:
                    async with session.get(f"{url}/feed.atom") as response:
                        body = await response.text()
            async with session.get(f"{url}/readyz") as response:
                assert response.status == 200
            assert len(outlet.seen("/hangs")) == 1, "one that hangs holds up nobody"
            # What becomes due by time alone is noticed.
            seen = len(outlet.seen("/feed"))
            await application.ledger.write(make_all_due, application.clock())
            await until(lambda: len(outlet.seen("/feed")) > seen)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)


async def test_a_publication_that_fails_is_tried_again_and_the_last_one_served(
    database_url: str, outlet: ScriptedServer
) -> None:
    settings = local(database_url, outlet, "/feed")
    with bind("127.0.0.1:0") as listener, capture_logs() as logs:
        async with daemon(settings, listener) as application:
            publisher = application.publisher
            await until(lambda: b"Harbour" in publisher.document("feed", "atom").body)  # type: ignore[union-attr]  # there is one from the start
            database = application.ledger.database
            with database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE setting RENAME TO gone")
            await until(lambda: "crashed" in [line.get("outcome") for line in logs])
            document = publisher.document("feed", "atom")
            assert document is not None
            assert b"Harbour" in document.body


def test_a_signal_during_the_run_ends_it_in_order(database_url: str) -> None:
    said: list[str] = []

    def announce(line: str) -> None:
        said.append(line)
        if line.startswith("Stop with"):
            os.kill(os.getpid(), signal.SIGTERM)

    settings = settings_for(database_url, [], server={"listen": "127.0.0.1:0"})
    run_daemon(settings, announce)
    assert said == [
        "Front page   https://news.example/",
        "Merged feed  https://news.example/feed.atom",
        "No sources   newsfold sources add ADDRESS; it is taken up by itself",
        "Stop with Ctrl-C.",
        "Stopping.",
    ]


def test_a_taken_port_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    with bind("127.0.0.1:0") as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = settings_for(f"sqlite:///{tmp_path}/n.db", [], server={"listen": listen})
        with pytest.raises(ApplicationError, match=f"cannot listen on {listen}"):
            run_daemon(settings, lambda _: None)
    assert not list(tmp_path.iterdir())


# --- as a process -------------------------------------------------------------------------------


def configure(folder: Path, *sources: str, listen: str = "127.0.0.1:0", url: str = "") -> Path:
    path = folder / "newsfold.toml"
    path.write_text(
        f"[server]\nlisten = {json.dumps(listen)}\n"
        f"[storage]\nurl = {json.dumps(url or 'sqlite:///n.db')}\n"
        '[fetch]\nallow_networks = ["127.0.0.0/8"]\nhost_interval = "0s"\ntimeout = "10m"\n'
        '[extract]\nfull_text = "never"\n'
        + "".join(f"[[source]]\nurl = {json.dumps(source)}\n" for source in sources),
        encoding="utf-8",
    )
    return path


@contextlib.asynccontextmanager
async def started(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """``newsfold run`` in a session of its own, so that all its processes can be told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        "run",
        "--config",
        str(config),
        "--log-json",
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def session_of(pid: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


async def announced(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        while line := await process.stdout.readline():
            if line.startswith(b"Stop with"):
                return
    raise AssertionError("it ended before it was up")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_and_its_children_while_sources_hang_and_drip(
    number: signal.Signals, outlet: ScriptedServer, tmp_path: Path
) -> None:
    slow = ("/hangs", "/drips")
    config = configure(tmp_path, outlet.url("/feed"), *map(outlet.url, slow))
    database = open_database(f"sqlite:///{tmp_path / 'n.db'}")
    async with started(config) as process:
        await announced(process)
        await until(lambda: all(map(outlet.seen, slow)))
        await until(lambda: totals(database).stories)
        assert len(session_of(process.pid)) > 1, "there are child processes"
        process.send_signal(number)
        async with asyncio.timeout(STOPS_WITHIN):
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert b"Stopping." in out
        assert b"Traceback" not in err
        assert json.loads(err.splitlines()[-1])["event"] == "stopped"
        await until(lambda: not session_of(process.pid))
    under_way = [h for h in source_health(database) if h.url.endswith(slow)]
    assert len(under_way) == 2
    for source in under_way:
        assert source.last_poll_at is None
        assert source.next_poll_at <= datetime.now(UTC), "it was given back"
    database.close()


async def test_killed_outright_it_leaves_no_children(
    outlet: ScriptedServer, tmp_path: Path
) -> None:
    config = configure(tmp_path, outlet.url("/feed"))
    database = open_database(f"sqlite:///{tmp_path / 'n.db'}")
    async with started(config) as process:
        await announced(process)
        await until(lambda: totals(database).stories)
        process.kill()
        await process.wait()
        await until(lambda: not session_of(process.pid))
    database.close()


@pytest.mark.parametrize("trouble", ["port", "database"])
async def test_what_it_cannot_start_with_is_said_in_one_line(trouble: str, tmp_path: Path) -> None:
    with bind("127.0.0.1:0") as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config = (
            configure(tmp_path, listen=listen)
            if trouble == "port"
            else configure(tmp_path, url="sqlite:///nowhere/at/all.db")
        )
        async with started(config) as process:
            async with asyncio.timeout(DEADLINE):
                out, err = await process.communicate()
            assert process.returncode == 1
            assert out == b""
            (line,) = err.decode().splitlines()
            assert line.startswith(f"cannot {'listen on' if trouble == 'port' else 'open'}")
            assert not session_of(process.pid)
