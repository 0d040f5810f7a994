import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from pebble import ProcessPool

from aggregator.children import ChildFailure, Children


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    async with Children(workers=2, timeout=1.0, memory=256) as pool:
        yield pool


def double(number: int) -> int:
    return number * 2


def hang() -> None:
    time.sleep(3600)


def hang_in_c() -> int:
    return sum(int("9" * 4000) ** 500 % 7 for _ in range(10**9))


def eat_memory() -> int:
    return len(bytearray(4 * 1024**3))


def die() -> None:
    os._exit(7)


def refuse(word: str) -> None:
    raise ValueError(word)


async def test_work_is_done_elsewhere(children: Children) -> None:
    assert await children.run(double, 21) == 42
    assert await children.run(os.getpid) != os.getpid()


@pytest.mark.parametrize("work", [hang, hang_in_c])
async def test_work_that_takes_too_long_is_killed_and_the_next_is_done(
    children: Children, work: object
) -> None:
    outcome = await children.run(work)  # type: ignore[arg-type]  # one of two callables
    assert outcome == ChildFailure("timeout", "took longer than 1 s and was stopped")
    assert children.killed == 1
    assert await children.run(double, 2) == 4


async def test_work_that_eats_memory_ends_alone(children: Children) -> None:
    outcome = await children.run(eat_memory)
    assert outcome == ChildFailure("memory", "needed more than 256 MiB")
    assert await children.run(double, 2) == 4


async def test_a_child_that_dies_is_replaced(children: Children) -> None:
    outcome = await children.run(die)
    assert isinstance(outcome, ChildFailure)
    assert outcome.kind == "died"
    assert await children.run(double, 2) == 4


async def test_an_exception_in_a_child_is_a_value(children: Children) -> None:
    assert await children.run(refuse, "no") == ChildFailure("raised", "ValueError: no")


async def test_one_that_hangs_holds_up_nobody(children: Children) -> None:
    hanging = asyncio.create_task(children.run(hang))
    results = await asyncio.gather(*(children.run(double, n) for n in range(20)))
    assert results == [n * 2 for n in range(20)]
    assert not hanging.done()
    assert isinstance(await hanging, ChildFailure)


async def test_closing_does_not_wait_for_what_hangs() -> None:
    async with Children(workers=1, timeout=3600, memory=256) as pool:
        hanging = asyncio.create_task(pool.run(hang))
        await asyncio.sleep(0)
    await asyncio.wait({hanging}, timeout=10)
    assert hanging.done()


async def test_a_pool_that_breaks_while_idle_is_replaced(children: Children) -> None:
    pid = await children.run(os.getpid)
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while (outcome := await children.run(double, 2)) != 4:
            assert isinstance(outcome, ChildFailure)
    assert await asyncio.gather(*(children.run(double, n) for n in range(4))) == [0, 2, 4, 6]


class Stillborn(Children):
    """Its children die as they are born, as long as it is ``ill``."""

    ill = True

    def _new_pool(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        initializer = {"initializer": die} if self.ill else {}
        return ProcessPool(max_workers=1, context=context, **initializer)


async def test_where_no_child_can_be_started_nobody_waits_for_ever() -> None:
    async with Stillborn(workers=1, timeout=1.0, memory=256) as pool, asyncio.timeout(30):
        outcomes = await asyncio.gather(*(pool.run(double, n) for n in range(3)))
        assert all(isinstance(outcome, ChildFailure) for outcome in outcomes)
        pool.ill = False
        while (outcome := await pool.run(double, 2)) != 4:
            assert isinstance(outcome, ChildFailure)


class Unstartable(Children):
    """No process can be started: the system has no more of them."""

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(max_workers=1, context=NoProcesses())  # type: ignore[arg-type]  # of a context's shape


class NoProcesses:
    def __getattr__(self, name: str) -> object:
        return getattr(multiprocessing.get_context("forkserver"), name)

    def Process(self, *_: object, **__: object) -> None:  # noqa: N802 - a context's own name
        raise OSError("no more processes")


async def test_a_system_out_of_processes_is_a_value() -> None:
    async with asyncio.timeout(30):
        pool = Unstartable(workers=1, timeout=1.0, memory=256)
        async with pool:
            outcome = await pool.run(double, 2)
        assert isinstance(outcome, ChildFailure)
        assert "no more processes" in outcome.detail
