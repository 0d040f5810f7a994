"""What runs for as long as the process does, whatever it raises."""

import asyncio

import structlog

from aggregator.running.lasting import lasting


async def test_what_ends_by_an_error_is_logged_and_begun_again() -> None:
    begun = asyncio.Queue[int]()

    async def work() -> None:
        begun.put_nowait(1)
        msg = "unforeseen"
        raise RuntimeError(msg)

    with structlog.testing.capture_logs() as lines:
        task = asyncio.create_task(lasting("bell", work, again=0))
        for _ in range(3):
            await begun.get()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    said = [(line["event"], line["outcome"], line["work"], line["log_level"]) for line in lines]
    assert set(said) == {("work", "crashed", "bell", "error")}
    assert len(said) >= 2


async def test_what_ends_by_itself_has_ended() -> None:
    async def work() -> None:
        return

    await asyncio.wait_for(lasting("publish", work), 5)
