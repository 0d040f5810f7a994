"""What hostile servers cost: time, CPU, memory, and how long the event loop stood still.

    PYTHONPATH=.:tests python benchmarks/hostile.py [SUBSTRING]

The server runs in a process of its own; this one fetches each of ``tests/hostile_servers.py``
alone, with a deadline of 2 s and a limit of 1 MB, while a ticker measures the loop's lag. The peak
is what Python allocated during a second fetch, without the codecs' own buffers.
"""

import asyncio
import multiprocessing
import sys
import time
import tracemalloc
from multiprocessing.connection import Connection

from hostile_servers import CASES, Case, place
from scripted_server import ScriptedServer

from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from feeds.model import FetchOutcome, FetchRequest, Response, Validators

DEADLINE = 2.0
MAX_BYTES = 1024 * 1024
TICK = 0.002


def serve(pipe: Connection) -> None:
    """Serve each case in turn at the port and path that is sent through the pipe."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        while (index := await loop.run_in_executor(None, pipe.recv)) is not None:
            async with ScriptedServer() as server:
                pipe.send(place(CASES[index], server))
                await loop.run_in_executor(None, pipe.recv)

    asyncio.run(main())


async def worst_lag(done: asyncio.Event) -> float:
    worst = 0.0
    while not done.is_set():
        before = time.perf_counter()
        await asyncio.sleep(TICK)
        worst = max(worst, time.perf_counter() - before - TICK)
    return worst


async def measure(
    fetcher: HttpFetcher, case: Case, url: str
) -> tuple[FetchOutcome, float, float, float]:
    done = asyncio.Event()
    ticker = asyncio.create_task(worst_lag(done))
    await asyncio.sleep(TICK)
    validators = Validators(url, etag='"1"') if case.conditional else None
    request = FetchRequest(url, validators=validators, timeout=DEADLINE, max_bytes=MAX_BYTES)
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = await fetcher.fetch(request)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done.set()
    return outcome, wall, cpu, await ticker


async def peak_memory(fetcher: HttpFetcher, case: Case, url: str) -> float:
    tracemalloc.start()
    await measure(fetcher, case, url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


async def run(pipe: Connection, wanted: str) -> None:
    print(f"{'behaviour':<46}{'outcome':<20}{'s':>7}{'CPU s':>8}{'lag ms':>8}{'peak MB':>9}")
    for index, case in enumerate(CASES):
        if wanted not in case.name:
            continue
        pipe.send(index)
        url = pipe.recv()
        async with HttpFetcher(Guard.allowing(["127.0.0.0/8"]), "benchmark/1") as fetcher:
            outcome, wall, cpu, lag = await measure(fetcher, case, url)
            peak = await peak_memory(fetcher, case, url)
        pipe.send("next")
        word = str(outcome.status if isinstance(outcome, Response) else outcome.kind)
        print(
            f"{case.name:<46}{word:<20}{wall:>7.2f}{cpu:>8.3f}{lag * 1000:>8.1f}{peak / 1e6:>9.2f}"
        )
    pipe.send(None)


def main() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,))
    server.start()
    asyncio.run(run(here, "".join(sys.argv[1:2])))
    server.join()


if __name__ == "__main__":
    main()
