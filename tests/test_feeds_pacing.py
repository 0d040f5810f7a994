"""Turns: spaced per domain, limited per host and in all, with a clock that tests move."""

import asyncio
import itertools
import random
import time

import pytest

from feeds.http.pacing import Pacer


class Clock:
    """Time that passes only when everybody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._count = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.now + seconds, next(self._count), woken))
        await woken.wait()

    async def run(self, *tasks: "asyncio.Task[None]", until: float = 1e9) -> None:
        while not all(task.done() for task in tasks):
            for _ in range(20):  # let everything that can go on go on
                await asyncio.sleep(0)
            if not self._sleepers or min(self._sleepers)[0] > until:
                break
            self._sleepers.sort()
            self.now, _, woken = self._sleepers.pop(0)
            woken.set()
        self.now = max(self.now, until) if until < 1e9 else self.now


class Log:
    """Requests that take ``seconds`` each, and when they began."""

    def __init__(self, pacer: Pacer, clock: Clock, seconds: float = 0.0) -> None:
        self.pacer, self.clock, self.seconds = pacer, clock, seconds
        self.starts: list[tuple[str, float]] = []
        self.under_way: list[str] = []
        self.most = 0

    async def request(self, url: str, interval: float | None = None) -> None:
        async with self.pacer.turn(url, interval):
            self.starts.append((url, self.clock.now - 1000.0))
            self.under_way.append(url)
            self.most = max(self.most, len(self.under_way))
            if self.seconds:
                await self.clock.sleep(self.seconds)
            self.under_way.remove(url)

    def times(self) -> list[float]:
        return [moment for _, moment in self.starts]


def setup(
    *, seconds: float = 0.0, interval: float = 1.0, per_host: int = 2, total: int = 50
) -> tuple[Log, Clock]:
    clock = Clock()
    pacer = Pacer(interval=interval, per_host=per_host, total=total, clock=clock, sleep=clock.sleep)
    return Log(pacer, clock, seconds), clock


async def all_of(log: Log, clock: Clock, *urls: str, interval: float | None = None) -> None:
    tasks = [asyncio.create_task(log.request(url, interval)) for url in urls]
    await clock.run(*tasks)
    await asyncio.gather(*tasks)


async def test_requests_to_one_domain_are_spaced() -> None:
    log, clock = setup()
    await all_of(log, clock, *["https://a.example.com/1", "https://b.example.com/2"] * 2)
    assert log.times() == [0.0, 1.0, 2.0, 3.0]


async def test_other_domains_do_not_wait() -> None:
    log, clock = setup()
    urls = [f"https://site{n}.example/" for n in range(20)]
    await all_of(log, clock, *urls, *urls)
    assert log.times() == [0.0] * 20 + [1.0] * 20


async def test_the_first_request_does_not_wait_even_early_on_the_clock() -> None:
    log, clock = setup(interval=5000.0)
    await all_of(log, clock, "https://a.example/")
    assert log.times() == [0.0]


async def test_a_source_may_ask_for_another_pause_or_none() -> None:
    log, clock = setup()
    await all_of(log, clock, *["https://a.example/"] * 3, interval=5.0)
    assert log.times() == [0.0, 5.0, 10.0]
    await all_of(log, clock, *["https://a.example/"] * 3, interval=0.0)
    assert log.times()[3:] == [10.0] * 3


async def test_zero_is_no_pause_at_all() -> None:
    log, clock = setup(interval=0.0, per_host=100)
    await all_of(log, clock, *["https://a.example/"] * 50)
    assert log.times() == [0.0] * 50


async def test_requests_under_way_to_one_host_are_limited() -> None:
    log, clock = setup(seconds=10.0, interval=0.0, per_host=2)
    await all_of(log, clock, *["https://a.example/"] * 6)
    assert log.times() == [0.0, 0.0, 10.0, 10.0, 20.0, 20.0]
    assert log.most == 2


async def test_requests_under_way_in_all_are_limited() -> None:
    log, clock = setup(seconds=10.0, total=3)
    await all_of(log, clock, *[f"https://site{n}.example/" for n in range(7)])
    assert log.times() == [0.0] * 3 + [10.0] * 3 + [20.0]
    assert log.most == 3


async def test_waiting_for_a_slow_host_takes_no_place_from_others() -> None:
    log, clock = setup(seconds=60.0, total=3, per_host=1)
    slow = ["https://slow.example/"] * 40
    await all_of(log, clock, *slow, "https://a.example/", "https://b.example/")
    starts = dict(reversed(log.starts))
    assert starts["https://a.example/"] == starts["https://b.example/"] == 0.0


async def test_a_slow_host_does_not_hold_up_its_domain() -> None:
    log, clock = setup(seconds=60.0, per_host=1)
    await all_of(log, clock, *["https://slow.example.com/"] * 3, "https://www.example.com/")
    assert dict(reversed(log.starts))["https://www.example.com/"] == 1.0


async def test_the_pause_holds_after_waiting_for_a_place() -> None:
    log, clock = setup(seconds=10.0, total=1)
    await all_of(log, clock, "https://x.example/", "https://a.example/", "https://a.example/")
    assert log.times() == [0.0, 10.0, 20.0]


async def test_a_redirects_target_counts() -> None:
    log, clock = setup()
    log.pacer.visited("https://a.example/moved")
    await all_of(log, clock, "https://a.example/")
    assert log.times() == [1.0]


async def test_a_held_host_is_said_to_be_held() -> None:
    log, clock = setup()
    log.pacer.hold("https://a.example/x", 600.0)
    log.pacer.hold("https://a.example/y", 60.0)  # does not shorten the first
    async with log.pacer.turn("https://a.example/z") as held:
        assert held == 600.0
    async with log.pacer.turn("https://b.example/") as held:
        assert held == 0.0
    clock.now += 601.0
    assert log.pacer.held_for("https://a.example/") == 0.0


async def test_a_hold_during_the_wait_is_seen() -> None:
    log, clock = setup()
    await all_of(log, clock, "https://a.example/")

    async def late() -> None:
        async with log.pacer.turn("https://a.example/") as held:
            assert held == 299.0

    task = asyncio.create_task(late())
    await asyncio.sleep(0)
    log.pacer.hold("https://a.example/", 300.0)
    await clock.run(task)
    await task


async def test_a_cancelled_wait_gives_its_place_back() -> None:
    log, clock = setup(seconds=10.0, per_host=1, total=1)
    tasks = [asyncio.create_task(log.request("https://a.example/")) for _ in range(4)]
    await clock.run(*tasks, until=1005.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.under_way.clear()
    await all_of(log, clock, "https://a.example/")
    assert len(log.starts) == 2


async def test_an_error_in_a_turn_gives_its_place_back() -> None:
    log, _ = setup(per_host=1, total=1, interval=0.0)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with log.pacer.turn("https://a.example/"):
                raise RuntimeError


async def test_memory_of_domains_is_bounded() -> None:
    log, clock = setup()
    for n in range(30_000):
        clock.now += 1.0
        log.pacer.visited(f"https://site{n}.example/")
        log.pacer.hold(f"https://site{n}.example/", 5.0)
    assert len(log.pacer._last) <= 10_001
    assert len(log.pacer._held) <= 10_001


@pytest.mark.parametrize("url", ["", "not a url", "http://[", "http://127.0.0.1:80/"])
async def test_any_url_gets_a_turn(url: str) -> None:
    log, clock = setup()
    await all_of(log, clock, url, url)
    assert log.times() == [0.0, 1.0]


async def test_a_crowd_keeps_all_limits() -> None:
    rng = random.Random(7)
    log, clock = setup(seconds=3.0, per_host=2, total=6)
    urls = [f"https://h{rng.randrange(3)}.site{rng.randrange(5)}.com/" for _ in range(120)]
    await all_of(log, clock, *urls)
    assert len(log.starts) == 120
    assert log.most <= 6
    by_domain: dict[str, list[float]] = {}
    for url, moment in log.starts:
        by_domain.setdefault(url.split(".", 1)[1], []).append(moment)
    for moments in by_domain.values():
        assert all(b - a >= 1.0 for a, b in itertools.pairwise(moments))


def test_however_many_domains_are_asked_in_an_hour_each_costs_the_same() -> None:
    """All were gone through at each request, once there were ten thousand."""
    pacer = Pacer(clock=lambda: 0.0)
    begun = time.process_time()
    for number in range(30_000):
        pacer.visited(f"https://d{number}.example/")
    assert time.process_time() - begun < 2.5
