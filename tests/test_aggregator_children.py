import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest

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
