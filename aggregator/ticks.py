"""The clock of the daemon and its safety net: a handful of APScheduler jobs. Its only home.

Stages wake each other; the ticks see to it that what became due by time alone is noticed, and that
nothing waits for ever if a wake-up was missed.
"""

from collections.abc import Callable, Mapping

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Ticks:
    """Calls each of ``jobs`` every so many seconds, from the event loop."""

    def __init__(self, jobs: Mapping[str, tuple[float, Callable[[], None]]]) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={
                # The default of one second silently skips ticks on a busy machine.
                "misfire_grace_time": None,
                "coalesce": True,
                "max_instances": 1,
            },
        )
        for name, (seconds, call) in jobs.items():
            self._scheduler.add_job(_async(call), "interval", seconds=seconds, id=name)

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """End at once."""
        self._scheduler.shutdown(wait=False)


def _async(call: Callable[[], None]) -> Callable[[], object]:
    async def tick() -> None:  # a coroutine function runs in the loop, a plain one in a thread
        call()

    return tick
