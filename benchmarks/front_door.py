"""What hostile clients cost the others: memory of the daemon, and how long a healthy client waits.

    python benchmarks/front_door.py [--seconds 10] [--idle 5000] [--flood 200]

Starts `newsfold demo` (the real daemon on the demonstration's newsroom), waits for its stories, and
lets clients loose on it, each kind from a loopback address of its own, in processes of their own:

idle        connections that send half a head and wait; those that are ended come again
slow        ask for the whole feed and read nothing
flood       as fast as answers come: pages, searches, parts of feeds, what is not there
guess       tokens and names
spoiled     requests of tests/fuzz_site.py with their wounds, heads and bodies without end

A healthy client asks ten times a second for a feed, a page and a story, on a new connection each
time, first alone and then beside each kind and all of them. Shown are its percentiles, how many of
its requests were not answered with 200 within ten seconds, and the daemon's memory.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from fuzz_mutations import Mutator
from fuzz_site import request_corpus

Attack = Callable[[int, str], Awaitable[None]]
STORIES = 40
PATIENCE = 10.0
"""Seconds after which a request of the healthy client counts as not answered."""


async def opened(port: int, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))


def get(path: str, *headers: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")
    return "\r\n".join(lines).encode()


# --- hostile clients ----------------------------------------------------------------------------


async def idle(port: int, host: str) -> None:
    reader, writer = await opened(port, host)
    writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
    with suppress(OSError):
        await reader.read()
    writer.close()
    await asyncio.sleep(random.uniform(0, 10))


async def slow(port: int, host: str) -> None:
    _, writer = await opened(port, host)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # or it would read for us
    writer.write(get("/feed.json", "Accept-Encoding: identity") * 4)
    await asyncio.sleep(20)
    writer.close()


PATHS = (
    "/",
    "/?q=election",
    "/?order=newest",
    "/feed.atom?q=storm",
    "/sources",
    "/nothing",
    "/opml",
)


async def flood(port: int, host: str) -> None:
    reader, writer = await opened(port, host)
    try:
        for path in itertools.cycle(PATHS):
            writer.write(get(path))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
    finally:
        writer.close()


async def guess(port: int, host: str) -> None:
    for number in itertools.count():
        reader, writer = await opened(port, host)
        token = f"/feed.atom?token={number:016}"
        asked = get(token, f"Authorization: Bearer {number:016}", "Connection: close")
        writer.write(asked.replace(b"127.0.0.1", b"evil.example") if number % 2 else asked)
        await reader.read()
        writer.close()


async def spoiled(port: int, host: str) -> None:
    mutator = Mutator(request_corpus(), seed=os.getpid())
    endless = (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A:\r\n" * 60_000, b"GET /" + b"x" * 1_000_000)
    for turn in itertools.count():
        reader, writer = await opened(port, host)
        with suppress(OSError, TimeoutError):
            writer.write(endless[turn // 10 % 2] if turn % 10 == 0 else mutator.next())
            async with asyncio.timeout(0.05):
                await reader.read()
        writer.close()


ATTACKS: dict[str, Attack] = {f.__name__: f for f in (idle, slow, flood, guess, spoiled)}


def attack(name: str, port: int, clients: int, host: str) -> None:
    """Runs in a process of its own until it is killed."""
    os.nice(10)  # they would be on other machines

    async def again() -> None:
        while True:
            try:
                await ATTACKS[name](port, host)
            except (OSError, EOFError):
                await asyncio.sleep(0.05)

    async def all_of_them() -> None:
        await asyncio.gather(*(again() for _ in range(clients)))

    asyncio.run(all_of_them())


@contextmanager
def attacked(counts: dict[str, int], port: int) -> Iterator[None]:
    processes = [
        multiprocessing.Process(
            target=attack, args=(name, port, clients, f"127.0.1.{number + 1}"), daemon=True
        )
        for number, (name, clients) in enumerate(counts.items())
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


# --- the healthy one ----------------------------------------------------------------------------


@dataclass
class Waited:
    """Milliseconds of the requests that were answered, and how many were not."""

    times: list[float]
    unanswered: int

    def row(self) -> str:
        """Percentiles, and how many were not answered."""
        cuts = statistics.quantiles(self.times, n=100)
        shown = "".join(f"{cuts[n - 1]:>8.1f}" for n in (50, 95, 99))
        return f"{shown}{max(self.times):>9.1f}{self.unanswered:>8}"


async def healthy(port: int, paths: list[str], seconds: float) -> Waited:
    async def ask(path: str) -> float | None:
        start = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await opened(port, "127.0.0.1")
                writer.write(get(path, "Connection: close", "Accept-Encoding: gzip"))
                answer = await reader.read()
                writer.close()
        except (OSError, TimeoutError):
            return None
        good = answer.startswith(b"HTTP/1.1 200 ")
        return 1000 * (time.perf_counter() - start) if good else None

    tasks = []
    for number in range(int(10 * seconds)):
        tasks.append(asyncio.create_task(ask(paths[number % len(paths)])))
        await asyncio.sleep(0.1)
    found = await asyncio.gather(*tasks)
    times = [one for one in found if one is not None]
    return Waited(times, len(found) - len(times))


# --- the daemon ---------------------------------------------------------------------------------


@contextmanager
def demonstration() -> Iterator[tuple[int, int]]:
    """The process and the port of a daemon with stories."""
    folder = tempfile.mkdtemp()
    command = [Path(sys.executable).parent / "newsfold", "demo", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "Front page" in line)
            port = int(re.search(r":(\d+)/", line)[1])  # type: ignore[index]  # it is there
            while len(stories(port)) < 5:
                time.sleep(0.5)
            time.sleep(10)  # until the last are folded
            yield process.pid, port
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)


def stories(port: int) -> list[str]:
    async def page() -> bytes:
        reader, writer = await opened(port, "127.0.0.1")
        writer.write(get("/", "Connection: close"))
        return await reader.read()

    with suppress(OSError):
        return sorted(set(re.findall(r"/story/[a-z0-9-]+(?=[\"?])", asyncio.run(page()).decode())))
    return []


def memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]  # it is there


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--flood", type=int, default=200)
    parser.add_argument("--only", action="append", help="of the rows")
    given = parser.parse_args()
    counts = {"idle": given.idle, "slow": 300, "flood": given.flood, "guess": 20, "spoiled": 20}
    with demonstration() as (pid, port):
        paths = ["/feed.atom", "/", stories(port)[0]]
        print(f"load {os.getloadavg()[0]:.1f}; milliseconds of a healthy client")
        print(f"{'beside':<10}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>9}{'failed':>8}{'MB':>8}")
        kinds = {"nobody": {}, **{name: {name: n} for name, n in counts.items()}, "all": counts}
        for name, chosen in kinds.items():
            if given.only and name not in given.only:
                continue
            with attacked(chosen, port):
                time.sleep(3 if chosen else 0)
                waited = asyncio.run(healthy(port, paths, given.seconds))
                print(f"{name:<10}{waited.row()}{memory(pid):>8.0f}", flush=True)
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
