"""A disk that is full: the daemon stays up, says so, serves, and recovers by itself.

On a small file system of its own, which only root can mount: skipped where it cannot be.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from fakes import rss
from scripted_server import ScriptedServer, reply
from test_aggregator_changes import Running
from test_aggregator_daemon import DEADLINE, started

TITLES = ("Harbour bridge reopens", "Frost ruins apples", "Ferry strike called off")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or not mounts(mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)):
        pytest.skip("no small file system can be mounted here (root only)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(disk: Path, how: str) -> None:
    """``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def mounts(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def fill(disk: Path) -> Path:
    """Take what room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return filler


def show(outlet: ScriptedServer, count: int) -> None:
    """Let the feed have so many items, large ones: they do not fit where there is no room."""
    extra = f"<category>{'x' * 20_000}</category>"
    items = [(str(n), TITLES[n]) for n in range(count)]
    outlet.on("/feed", reply(200, rss(*items, extra=extra).encode(), Content_Type="text/xml"))


def configured(folder: Path, disk: Path, outlet: ScriptedServer, port: int) -> Path:
    config = folder / "newsfold.toml"
    config.write_text(
        f'[server]\nlisten = "127.0.0.1:{port}"\n'
        f"[storage]\nurl = {json.dumps(f'sqlite:///{disk}/n.db')}\n"
        '[fetch]\nallow_networks = ["127.0.0.0/8"]\nhost_interval = "0s"\nmin_interval = "500ms"\n'
        'max_interval = "500ms"\n[extract]\nfull_text = "never"\n'
        f"[[source]]\nurl = {json.dumps(outlet.url('/feed'))}\n"
    )
    return config


async def test_it_serves_and_says_so_and_recovers_by_itself(
    disk: Path, tmp_path: Path, unused_tcp_port: int
) -> None:
    async with ScriptedServer() as outlet, aiohttp.ClientSession() as session:
        show(outlet, 1)
        config = configured(tmp_path, disk, outlet, unused_tcp_port)
        async with started(config) as process:
            daemon = Running(process, session)
            daemon.port = unused_tcp_port
            await daemon.logs("started")
            await daemon.shows("/feed.atom", TITLES[0])
            filler = fill(disk)
            show(outlet, 2)
            told = await daemon.logs("storage", "trouble")
            assert "full" in told["error"]
            health = json.loads(await daemon.get("/healthz"))
            assert health["status"] == "degraded"
            assert health["problems"]["storage"] == told["error"]
            assert "cannot use the database" in await daemon.get("/sources")
            feed = await daemon.get("/feed.atom")
            assert TITLES[0] in feed
            assert TITLES[1] not in feed

            filler.unlink()
            await daemon.logs("storage", "recovered")
            show(outlet, 3)
            await daemon.shows("/feed.atom", TITLES[2])
            assert TITLES[1] in await daemon.get("/feed.atom")
            assert json.loads(await daemon.get("/healthz"))["status"] == "ok"
            process.terminate()
            async with asyncio.timeout(DEADLINE):
                await process.communicate()
            assert process.returncode == 0


async def test_where_nothing_can_be_written_it_does_not_start_and_says_so_in_one_line(
    disk: Path, tmp_path: Path, unused_tcp_port: int
) -> None:
    async with ScriptedServer() as outlet:
        config = configured(tmp_path, disk, outlet, unused_tcp_port)
        remount(disk, "ro")
        async with started(config) as process:
            async with asyncio.timeout(DEADLINE):
                _, err = await process.communicate()
    assert process.returncode == 1
    (line,) = err.decode().splitlines()
    assert line == (
        f"cannot write beside the database {disk}/n.db: Read-only file system; "
        "its folder must be writable"
    )
