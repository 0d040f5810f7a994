import asyncio

from aggregator.running.ticks import Ticks


async def test_each_job_is_called_again_and_again_in_the_loop_until_stopped() -> None:
    calls: dict[str, list[asyncio.AbstractEventLoop]] = {"a": [], "b": []}
    enough = asyncio.Event()

    def tick(name: str) -> None:
        calls[name].append(asyncio.get_running_loop())
        if all(len(some) >= 2 for some in calls.values()):
            enough.set()

    ticks = Ticks({"a": (0.01, lambda: tick("a")), "b": (0.02, lambda: tick("b"))})
    ticks.start()
    async with asyncio.timeout(10):
        await enough.wait()
    ticks.stop()
    count = len(calls["a"])
    await asyncio.to_thread(lambda: None)
    assert len(calls["a"]) == count
    assert {id(loop) for some in calls.values() for loop in some} == {
        id(asyncio.get_running_loop())
    }
