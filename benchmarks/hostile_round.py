"""What one round over hostile servers costs the daemon, and what it costs the good sources in it.

    PYTHONPATH=.:tests python benchmarks/hostile_round.py [SECONDS]

Every behaviour of ``tests/hostile_servers.py`` and every document of ``tests/hostile_documents.py``
is a source on a loopback address of its own, served from a process of its own, beside 50 good
sources, which are last in line. The daemon is the real one, with its defaults but for the allowed
network, a deadline of SECONDS (10) and a minimum interval of an hour. Printed: when the good
sources were done, when all were, how long the front page took meanwhile (asked from a third
process), and the memory over that of the idle daemon (PSS; the children's apart). How late the
event loop is comes twice: by the clock, which counts whatever else the machine does, and what the
daemon itself computed meanwhile in all its threads: as late it would be on a machine of its own.
"""

import asyncio
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
import urllib.request
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from hostile_documents import DOCUMENTS, PAGES, ROBOTS, feed_of, rss
from hostile_servers import CASES, place
from scripted_server import ScriptedServer, reply

from aggregator.config.settings import Settings
from aggregator.running.daemon import daemon
from aggregator.running.logs import configure_logs
from aggregator.running.server import bind
from storage.sources import source_health

GOOD = 50


def serve(pipe: Connection) -> None:
    """Serve every source; their names and addresses go through the pipe."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    sources: list[tuple[str, str, str]] = []
    async with contextlib.AsyncExitStack() as stack:

        async def server() -> ScriptedServer:
            host = f"127.8.{len(sources) // 250}.{len(sources) % 250 + 1}"
            return await stack.enter_async_context(ScriptedServer(host=host))

        for case in CASES:
            sources.append((case.name, place(case, await server()), "never"))  # noqa: PERF401 - a server each, in order
        for document in DOCUMENTS:
            answer = reply(200, document.body, Content_Type=document.content_type)
            sources.append((document.name, (await server()).on("/feed", answer), "never"))
        for name, put in PAGES.items():
            own = await server()
            put(own, "/page")
            url = own.on("/feed", reply(200, feed_of(own.url("/page"))))
            sources.append((f"its page {name}", url, "always"))
        own = await server()
        own.on("/robots.txt", reply(200, ROBOTS))
        url = own.on("/feed", reply(200, feed_of(*(own.url(f"/{n}") for n in range(20)))))
        sources.append(("a robots.txt of 500 kB", url, "always"))
        for number in range(GOOD):
            item = f"<item><guid>{number}</guid><title>News of town {number}</title></item>"
            url = (await server()).on("/feed", reply(200, rss(item).encode()))
            sources.append((f"good {number}", url, "never"))
        pipe.send(sources)
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


def visit(url: str, begin: Event, stop: Event, pipe: Connection) -> None:
    """Ask for the front page again and again; the slowest answers go through the pipe."""
    taken: list[float] = []
    begin.wait()
    while not stop.is_set():
        started = time.perf_counter()
        with urllib.request.urlopen(url, timeout=60) as response:
            response.read()
        taken.append(time.perf_counter() - started)
        time.sleep(0.02)
    pipe.send(sorted(taken))


def proportional(process: Path) -> float:
    """The memory of a process in MB; what it shares counts in parts."""
    for line in (process / "smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def memory() -> tuple[float, float]:
    """Of this process, and of its child processes that parse, in MB."""
    children = 0.0
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if b"forkserver" in command.read_bytes() and _is_ours(command.parent):
                children += proportional(command.parent)
    return proportional(Path("/proc/self")), children


def _is_ours(process: Path) -> bool:
    session = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[3]
    return int(session) == os.getsid(0)


async def sampled(
    samples: list[tuple[float, float]], lags: list[tuple[float, float]], done: asyncio.Event
) -> None:
    """Memory of this process and of its children; lags of the loop, and what it computed then."""
    while not done.is_set():
        before, computed = time.perf_counter(), time.process_time()
        await asyncio.sleep(0.005)
        lag = time.perf_counter() - before - 0.005
        lags.append((lag, min(lag, time.process_time() - computed)))
        if len(lags) % 40 == 0:
            samples.append(await asyncio.to_thread(memory))


def settings_of(sources: list[tuple[str, str, str]], folder: str, seconds: str) -> Settings:
    rows = [{"name": n, "url": u, "full_text": text} for n, u, text in sources]
    values: dict[str, Any] = {
        "storage": {"url": f"sqlite:///{folder}/n.db"},
        "fetch": {
            "allow_networks": ["127.0.0.0/8"],
            "timeout": f"{seconds}s",
            "min_interval": "1h",
        },
        "source": rows,
    }
    return Settings.model_validate(values)


async def idle_memory(settings: Settings) -> tuple[float, float]:
    """Of the daemon that has read one good source, and its children."""
    storage = settings.storage.model_copy(update={"url": f"{settings.storage.url}.idle"})
    alone = settings.model_copy(update={"source": settings.source[-1:], "storage": storage})
    with bind("127.0.0.1:0") as listener:
        async with daemon(alone, listener) as application:
            while not application.tally.polled:  # noqa: ASYNC110 - a condition, turn by turn
                await asyncio.sleep(0.02)
            await asyncio.sleep(1)
            return memory()


async def round_of(settings: Settings, seconds: str) -> None:
    begin, stop = multiprocessing.Event(), multiprocessing.Event()
    here, there = multiprocessing.Pipe()
    samples: list[tuple[float, float]] = []
    lags: list[tuple[float, float]] = []
    finished = asyncio.Event()
    idle = await idle_memory(settings)
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        visitor = multiprocessing.Process(target=visit, args=(url, begin, stop, there))
        visitor.start()
        async with daemon(settings, listener) as application:
            begin.set()
            started = time.perf_counter()
            sampler = asyncio.create_task(sampled(samples, lags, finished))
            good, count = 0.0, len(settings.source)
            while application.tally.polled < count:
                await asyncio.sleep(0.1)
                health = await application.ledger.read(source_health)
                good_done = [h for h in health if h.name.startswith("good ") and h.last_success_at]
                if not good and len(good_done) == GOOD:
                    good = time.perf_counter() - started
            everything = time.perf_counter() - started
            finished.set()
            await sampler
            stop.set()
            taken = await asyncio.to_thread(here.recv)
    visitor.join()
    print(f"{count - GOOD} hostile and {GOOD} good sources, deadline {seconds} s")
    print(f"good sources done after     {good:8.2f} s")
    print(f"every source done after     {everything:8.2f} s")
    print(f"front page, median          {taken[len(taken) // 2] * 1000:8.1f} ms of {len(taken)}")
    print(f"front page, slowest         {taken[-1] * 1000:8.1f} ms")
    print(f"event loop, longest lag     {max(lags)[0] * 1000:8.1f} ms")
    print(f"of its own making           {max(own for _, own in lags) * 1000:8.1f} ms")
    print(f"memory over idle            {max(s[0] for s in samples) - idle[0]:8.1f} MB")
    print(f"children's over idle        {max(s[1] for s in samples) - idle[1]:8.1f} MB")
    together = max(map(sum, samples)) - sum(idle)
    print(f"together over idle          {together:8.1f} MB (idle: {sum(idle):.1f} MB)")
    print(f"load of the machine         {os.getloadavg()[0]:8.1f}")


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "10"
    configure_logs(json=False, level="error")
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,))
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(round_of(settings_of(here.recv(), folder, seconds), seconds))
    here.send("stop")
    server.join()


if __name__ == "__main__":
    main()
