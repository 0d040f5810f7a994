"""Name lookups: bounded, failing as they fail, and waited for by nobody."""

import asyncio
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from feeds.http.resolving import _MOST_THREADS, Found, Lookups

ROOT = Path(__file__).parent.parent
ADDRESS: Found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))


class Names:
    """A resolver that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = threading.Event()

    def __call__(self, host: str, *_: int) -> list[Found]:
        self.asked.append(host)
        if host.startswith("slow"):
            assert self.answer.wait(30)
        if host.startswith("missing"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [ADDRESS]


async def test_addresses_are_found() -> None:
    found = await Lookups().addresses("127.0.0.1", 80, socket.AF_INET)
    assert [address[4][0] for address in found] == ["127.0.0.1"]


async def test_a_missing_name_is_an_error_where_it_is_awaited() -> None:
    with pytest.raises(socket.gaierror, match="no such name"):
        await Lookups(Names()).addresses("missing.example", 80, 0)


async def test_dead_names_hold_up_others_only_when_every_thread_is_taken() -> None:
    names = Names()
    lookups = Lookups(names)
    slow = [
        asyncio.create_task(lookups.addresses(f"slow{n}.example", 80, 0))
        for n in range(_MOST_THREADS - 1)
    ]
    assert await lookups.addresses("good.example", 80, 0) == [ADDRESS]
    slow.append(asyncio.create_task(lookups.addresses("slow.example", 80, 0)))
    while len(names.asked) <= _MOST_THREADS:
        await asyncio.sleep(0)
    for task in slow[:10]:
        task.cancel()  # whoever asked has given up; the threads are still taken
    waiting = asyncio.create_task(lookups.addresses("next.example", 80, 0))
    await asyncio.sleep(0)
    assert not waiting.done()
    names.answer.set()
    assert await waiting == [ADDRESS]
    assert await asyncio.gather(*slow[10:]) == [[ADDRESS]] * (_MOST_THREADS - 10)
    while any(thread.name.startswith("resolve") for thread in threading.enumerate()):
        await asyncio.sleep(0.001)


class NoThread(threading.Thread):
    def start(self) -> None:
        raise RuntimeError("can't start new thread")


async def test_a_system_without_threads_is_an_error_like_any_other() -> None:
    lookups = Lookups(Names(), NoThread)
    for _ in range(_MOST_THREADS + 1):
        with pytest.raises(OSError, match="can't start new thread"):
            await lookups.addresses("a.example", 80, 0)


def test_a_process_ends_while_a_name_is_still_looked_up() -> None:
    script = """
import asyncio, time
from feeds.http.resolving import Lookups
async def main():
    lookups = Lookups(lambda *name: time.sleep(300))
    try:
        async with asyncio.timeout(0.05):
            await lookups.addresses("dead.example", 80, 0)
    except TimeoutError:
        print("given up")
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n", "")
