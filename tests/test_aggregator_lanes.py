"""Slow work is done apart and is not lost; a crowd of it holds up nobody else."""

import asyncio
import time

from aggregator.children import ChildFailure
from aggregator.lanes import _MOST_WAITING, QUICK, Lanes


def take(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


async def test_what_is_slow_is_done_all_the_same() -> None:
    async with Lanes(workers=1, timeout=60, memory=256) as lanes:
        assert await lanes.run(take, 0) == 0
        assert await lanes.run(take, QUICK + 0.2) == QUICK + 0.2
        assert lanes.killed == 1


async def test_a_short_limit_needs_no_second_lane() -> None:
    async with Lanes(workers=1, timeout=0.3, memory=256) as lanes:
        done = await lanes.run(take, 60)
        assert done == ChildFailure("timeout", "took longer than 0.3 s and was stopped")
        assert lanes.killed == 1


async def test_a_crowd_of_slow_work_is_given_up_and_nobody_else_waits_for_it() -> None:
    async with Lanes(workers=4, timeout=3600, memory=256) as lanes:
        await lanes.run(take, 0)
        slow = [asyncio.create_task(lanes.run(take, 3600)) for _ in range(_MOST_WAITING + 2)]
        async with asyncio.timeout(120):
            done, hanging = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 2:
                more, hanging = await asyncio.wait(hanging, return_when=asyncio.FIRST_COMPLETED)
                done |= more
            assert await lanes.run(take, 0.01) == 0.01
        for task in done:
            failure = task.result()
            assert isinstance(failure, ChildFailure)
            assert "as too much else is slow" in failure.detail
        assert len(hanging) == _MOST_WAITING
        for task in hanging:
            task.cancel()
        await asyncio.wait(hanging)
