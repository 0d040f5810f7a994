import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom_runs import settings_for

from aggregator.running.daemon import daemon
from aggregator.running.server import bind
from aggregator.running.supervisor import Supervisor


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(10)
        yield channel


def test_it_is_told_in_the_words_of_sd_notify(channel: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": channel.getsockname(), "WATCHDOG_USEC": "60000000"})
    assert supervisor.pause == 20.0
    supervisor.ready("3 sources")
    supervisor.alive()
    supervisor.stopping()
    said = [channel.recv(100).decode() for _ in range(3)]
    assert said == ["READY=1\nSTATUS=3 sources", "WATCHDOG=1", "STOPPING=1\nSTATUS=Stopping"]


def test_an_abstract_socket_has_an_at_for_its_null_byte() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0newsfold-test-supervisor")
        channel.settimeout(10)
        Supervisor({"NOTIFY_SOCKET": "@newsfold-test-supervisor"}).alive()
        assert channel.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"WATCHDOG_USEC": "60000000"}],
)
def test_without_anybody_who_listens_nothing_happens(environment: dict[str, str]) -> None:
    supervisor = Supervisor(environment)
    supervisor.alive()
    assert supervisor.pause is None


async def test_the_daemon_says_when_it_serves_and_that_it_lives(
    channel: socket.socket, tmp_path: Path
) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": channel.getsockname(), "WATCHDOG_USEC": "150000"})
    channel.setblocking(False)
    settings = settings_for(f"sqlite:///{tmp_path}/n.db", [])
    with bind("127.0.0.1:0") as listener:
        async with daemon(settings, listener, supervisor=supervisor):
            said: list[bytes] = []
            async with asyncio.timeout(20):
                while not any(line.startswith(b"READY=1") for line in said) or (
                    b"WATCHDOG=1" not in said
                ):
                    said.append(await asyncio.get_running_loop().sock_recv(channel, 100))
