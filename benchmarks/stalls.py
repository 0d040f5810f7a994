"""What holds the event loop while news comes in: who had the processor, and where in the code.

    python benchmarks/stalls.py [--feeds 1000] [--items 5] [--late 0.1]

The daemon takes in FEEDS feeds of ITEMS articles while somebody asks for the merged feed twenty
times a second. A thread watches how late the loop is; when it is late by more than LATE seconds it
notes the stacks of all threads, the CPU time that each used meanwhile, and how long each stood
ready without being let at a processor (schedstat, Linux): a stall in which the loop did is the
machine's. Shown are the stalls by what the busiest thread was doing, the longest first, and what
full collections of garbage took, which hold every thread.
"""

import argparse
import asyncio
import collections
import gc
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

import aiohttp
from serve import Heard, in_loop, load, serve_feeds, settings_for, started

from aggregator.garbage import search_seldom
from aggregator.running.daemon import daemon
from aggregator.running.logs import configure_logs
from aggregator.running.server import bind
from storage.articles import count_by_state

BEAT = 0.01
ROOT = str(Path(__file__).parent.parent)


@dataclass
class Stall:
    """The loop was late by so many ``seconds``; CPU seconds and place of the busiest thread.

    ``loop_ready`` are the seconds in which the loop's thread could have run and was not let.
    """

    seconds: float
    loop_cpu: float
    loop_ready: float
    loop_where: str
    busiest: str
    busiest_cpu: float
    where: str


@dataclass
class Watch:
    """Watches a loop from a thread of its own."""

    late: float
    stalls: list[Stall] = field(default_factory=list)
    collections: list[float] = field(default_factory=list)
    """Seconds that full collections of garbage took."""
    _collecting: float = 0.0
    beat: float = field(default_factory=time.monotonic)

    def collecting(self, phase: str, info: dict[str, int]) -> None:
        """Is called by the collector."""
        if info["generation"] == 2 and phase == "start":
            self._collecting = time.monotonic()
        elif info["generation"] == 2:
            self.collections.append(time.monotonic() - self._collecting)

    async def beating(self) -> None:
        """Runs in the loop."""
        while True:
            self.beat = time.monotonic()
            await asyncio.sleep(BEAT)

    def watching(self, main: threading.Thread) -> None:
        """Runs in a thread; ``main`` is the loop's."""
        before = cpu_times()
        while True:
            time.sleep(BEAT)
            seen = self.beat
            if time.monotonic() - seen < self.late:
                before = cpu_times()
                continue
            stacks = dict(sys._current_frames())  # noqa: SLF001 - there is no other way
            while self.beat == seen:
                time.sleep(BEAT / 2)
            self.stalls.append(self._stall(time.monotonic() - seen, before, stacks, main))
            before = cpu_times()

    def _stall(
        self,
        seconds: float,
        before: dict[int, tuple[float, float]],
        stacks: dict[int, FrameType],
        main: threading.Thread,
    ) -> Stall:
        used = {
            tid: (cpu - before.get(tid, (0.0, 0.0))[0], ready - before.get(tid, (0.0, 0.0))[1])
            for tid, (cpu, ready) in cpu_times().items()
        }
        named = {thread.native_id: thread for thread in threading.enumerate()}
        tid = max(used, key=lambda one: used[one])
        thread = named.get(tid)
        loop = used.get(main.native_id or 0, (0.0, 0.0))
        return Stall(
            seconds,
            *loop,
            place(stacks.get(main.ident or 0)),
            (thread.name if thread else "no thread of Python's").rstrip("0123456789_-"),
            used[tid][0],
            place(stacks.get(thread.ident or 0) if thread else None),
        )


def cpu_times() -> dict[int, tuple[float, float]]:
    """Of every thread of this process: CPU seconds, and seconds ready without a processor."""
    found = {}
    for stat in Path("/proc/self/task").glob("*/schedstat"):
        try:
            ran, waited, _ = stat.read_text().split()
        except OSError:
            continue
        found[int(stat.parent.name)] = int(ran) / 1e9, int(waited) / 1e9
    return found


def place(stack: FrameType | None) -> str:
    """The innermost lines of this project on a stack, and what they call."""
    if stack is None:
        return "?"
    frames = traceback.extract_stack(stack)
    own = [f for f in frames if f.filename.startswith(ROOT) and ".venv" not in f.filename]
    inner = frames[-1]
    lines = [f"{f.filename.removeprefix(ROOT + '/')}:{f.lineno} {f.name}" for f in own[-3:]]
    return " > ".join([*lines, f"({Path(inner.filename).name} {inner.name})"])


def watched_daemon(pipe: Connection, urls: list[str], late: float) -> None:
    async def serve(heard: Heard) -> None:
        watch = Watch(late)
        with tempfile.TemporaryDirectory() as folder, bind("127.0.0.1:0") as listener:
            async with daemon(settings_for(urls, Path(folder)), listener) as application:
                search_seldom()
                threading.Thread(
                    target=watch.watching, args=(threading.current_thread(),), daemon=True
                ).start()
                gc.callbacks.append(watch.collecting)
                beating = asyncio.create_task(watch.beating())
                pipe.send(listener.getsockname()[1])
                while await heard():
                    states = await application.ledger.read(count_by_state)
                    pipe.send((states["folded"], (watch.stalls[:], watch.collections[:])))
                beating.cancel()

    configure_logs(json=False, level="error")
    in_loop(pipe, serve)


async def ask(url: str, until: asyncio.Event) -> list[float]:
    """Milliseconds that answers took."""
    took = []
    async with aiohttp.ClientSession() as session:
        while not until.is_set():
            begun = time.perf_counter()
            async with session.get(url) as response:
                await response.read()
            took.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(0.05)
    return sorted(took)


async def measure(feeds: int, items: int, late: float) -> None:
    with started(serve_feeds) as source:
        urls = [
            f"http://127.0.0.1:{source.port}/{number}/{items}" for number in range(1, feeds + 1)
        ]
        with started(watched_daemon, urls, late) as newsfold:
            done = asyncio.Event()
            asking = asyncio.create_task(ask(newsfold.url, done))
            folded, stalls, collected = 0, [], []
            while folded < feeds * items:
                await asyncio.sleep(0.5)
                folded, (stalls, collected) = await asyncio.to_thread(newsfold.ask)
            done.set()
            took = await asking
    print(f"{feeds} feeds of {items} articles; load {load()}; {len(took)} answers")
    half, most = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"answered in ms: half {half:.1f}, 99 in 100 {most:.1f}, all {took[-1]:.1f}")
    print(
        f"full collections of garbage: {len(collected)}, {sum(collected):.2f} s in all, "
        f"longest {max(collected, default=0):.2f} s"
    )
    report(stalls)


def report(stalls: list[Stall]) -> None:
    print(f"late by more: {len(stalls)} times, {sum(s.seconds for s in stalls):.1f} s in all")
    kinds = collections.defaultdict(list)
    for stall in stalls:
        kinds[kind_of(stall)].append(stall)
    for kind, found in sorted(kinds.items(), key=lambda item: -sum(s.seconds for s in item[1])):
        longest = max(found, key=lambda stall: stall.seconds)
        print(
            f"{len(found):>4} times, {sum(s.seconds for s in found):5.1f} s, longest "
            f"{longest.seconds:.2f} s (loop: worked {longest.loop_cpu:.2f}, ready "
            f"{longest.loop_ready:.2f}; busiest: worked {longest.busiest_cpu:.2f})  {kind}"
        )


def kind_of(stall: Stall) -> str:
    if stall.loop_ready > stall.seconds / 2:
        return "the loop was not let at a processor"
    if stall.busiest_cpu > 0.3 * stall.seconds:
        return f"{stall.busiest}: {stall.where}"
    return f"nobody worked; the loop at {stall.loop_where}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--items", type=int, default=5)
    parser.add_argument("--late", type=float, default=0.1)
    given = parser.parse_args()
    asyncio.run(measure(given.feeds, given.items, given.late))


if __name__ == "__main__":
    main()
