import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from aggregator.stages.stage import Stage
from storage.database import StorageTroubleError


class Work:
    """A queue that is claimed from, and pieces that end when they are let."""

    def __init__(self, pieces: int) -> None:
        self.waiting = list(range(pieces))
        self.done: list[int] = []
        self.under_way: set[int] = set()
        self.most = 0
        self.gates: dict[int, asyncio.Event] = {}

    async def claim(self, limit: int) -> Sequence[int]:
        claimed, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return claimed

    async def handle(self, piece: int) -> None:
        self.under_way.add(piece)
        self.most = max(self.most, len(self.under_way))
        try:
            if piece in self.gates:
                await self.gates[piece].wait()
            else:
                await asyncio.sleep(0)
            self.done.append(piece)
        finally:
            self.under_way.remove(piece)


async def test_drain_does_everything_with_as_many_at_once_as_allowed() -> None:
    work = Work(20)
    await Stage("test", work.claim, work.handle, slots=3).drain()
    assert sorted(work.done) == list(range(20))
    assert work.most == 3


async def test_a_slow_piece_delays_no_other() -> None:
    work = Work(20)
    work.gates[0] = asyncio.Event()
    stage = Stage("test", work.claim, work.handle, slots=2)
    draining = asyncio.create_task(stage.drain())
    while len(work.done) < 19:
        await asyncio.sleep(0)
    assert not draining.done()
    work.gates[0].set()
    await draining
    assert work.done[-1] == 0


async def test_work_that_comes_later_is_done_when_woken_even_beside_a_slow_piece() -> None:
    work = Work(1)
    work.gates[0] = asyncio.Event()
    stage = Stage("test", work.claim, work.handle, slots=2)
    running = asyncio.create_task(stage.run())
    while 0 not in work.under_way:
        await asyncio.sleep(0)
    work.waiting.append(7)
    stage.wake()
    while 7 not in work.done:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_cancelling_abandons_what_is_under_way() -> None:
    work = Work(3)
    work.gates = {piece: asyncio.Event() for piece in range(3)}
    running = asyncio.create_task(Stage("test", work.claim, work.handle, slots=5).run())
    while len(work.under_way) < 3:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not work.under_way
    assert not work.done


async def test_a_piece_that_raises_is_logged_and_ends_nothing() -> None:
    work = Work(3)
    after: list[str] = []

    async def handle(piece: int) -> None:
        if piece == 1:
            raise RuntimeError("odd")
        await work.handle(piece)

    with capture_logs() as logs:
        await Stage("test", work.claim, handle, slots=1, after=lambda: after.append("x")).drain()
    assert work.done == [0, 2]
    assert after == ["x", "x"]
    assert [(line["event"], line["stage"]) for line in logs] == [("worked", "test")]


async def test_a_claim_that_raises_is_logged_and_tried_again_when_woken() -> None:
    work = Work(1)
    broken = [True]

    async def claim(limit: int) -> Sequence[int]:
        if broken[0]:
            raise OSError("no database")
        return await work.claim(limit)

    with capture_logs() as logs:
        stage = Stage("test", claim, work.handle, slots=1)
        await stage.drain()
        assert not work.done
        broken[0] = False
        await stage.drain()
    assert work.done == [0]
    assert [line["event"] for line in logs] == ["claimed"]


async def test_what_is_unfinished_when_it_ends_is_given_back() -> None:
    work = Work(4)
    work.gates = {1: asyncio.Event(), 3: asyncio.Event()}
    given_back: list[int] = []

    async def release(pieces: Sequence[int]) -> None:
        given_back.extend(pieces)

    draining = asyncio.create_task(
        Stage("test", work.claim, work.handle, slots=4, release=release).drain()
    )
    while len(work.done) < 2:
        await asyncio.sleep(0)
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)
    assert sorted(given_back) == [1, 3]


async def test_what_was_just_being_claimed_is_given_back_too() -> None:
    claiming, go_on = asyncio.Event(), asyncio.Event()
    given_back: list[int] = []

    async def claim(_: int) -> Sequence[int]:
        claiming.set()
        await go_on.wait()
        return [7]

    async def handle(_: int) -> None:
        raise AssertionError("it was cancelled before")

    async def release(pieces: Sequence[int]) -> None:
        given_back.extend(pieces)
        raise OSError("the disk is full")

    with capture_logs() as logs:
        draining = asyncio.create_task(
            Stage("test", claim, handle, slots=4, release=release).drain()
        )
        await claiming.wait()
        draining.cancel()
        await asyncio.sleep(0)
        go_on.set()
        result = await asyncio.gather(draining, return_exceptions=True)
    assert isinstance(result[0], asyncio.CancelledError)
    assert given_back == [7]
    assert [line["event"] for line in logs] == ["released"]


async def test_what_was_put_off_waits_until_it_can_be_given_back() -> None:
    given_back: list[int] = []
    left, well = [7], False

    async def claim(_: int) -> Sequence[int]:
        return [left.pop()] if left else []

    async def handle(_: int) -> None:
        raise StorageTroubleError("the disk is full")

    async def release(pieces: Sequence[int]) -> None:
        if not well:
            raise StorageTroubleError("the disk is full")
        given_back.extend(pieces)

    stage = Stage("test", claim, handle, slots=4, release=release)
    for _ in range(3):
        await stage.drain()
    assert given_back == []
    well = True
    await stage.drain()
    assert given_back == [7]
    await stage.drain()
    assert given_back == [7], "once"


async def test_a_claim_is_made_for_many_free_slots_at_once() -> None:
    work, claims = Work(100), []

    async def claim(limit: int) -> Sequence[int]:
        claims.append(limit)
        return await work.claim(limit)

    await Stage("test", claim, work.handle, slots=32).drain()
    assert sorted(work.done) == list(range(100))
    assert len(claims) < 30
    assert all(limit >= 4 for limit in claims)


async def test_what_a_claim_took_whose_answer_was_lost_is_recalled_but_not_what_is_held() -> None:
    work = Work(3)
    work.gates[0] = asyncio.Event()
    lost: list[int] = []
    recalled: list[list[int]] = []
    troubles = ["the answer to a claim", "the first recall"]

    async def claim(limit: int) -> Sequence[int]:
        claimed = await work.claim(min(limit, 1))
        if claimed == [1] and troubles == ["the answer to a claim", "the first recall"]:
            lost.extend(claimed)
            raise StorageTroubleError(troubles.pop(0))
        return claimed

    async def recall(held: Sequence[int]) -> None:
        if troubles:
            raise StorageTroubleError(troubles.pop())
        recalled.append(list(held))
        work.waiting += lost

    stage = Stage("test", claim, work.handle, slots=2, recall=recall)
    running = asyncio.create_task(stage.run())
    while sorted(work.done) != [1, 2]:
        stage.wake()
        await asyncio.sleep(0)
    assert recalled == [[0]], "once, and the piece under way stays"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
