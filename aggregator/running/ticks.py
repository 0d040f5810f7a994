"""The clock of the daemon and its safety net: a handful of APScheduler jobs. Its only home.

Stages wake each other; the ticks see to it that what became due by time alone is noticed, and that
nothing waits for ever if a wake-up was missed.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Ticks:
    """Calls each of ``jobs`` every so many seconds, from the event loop.

    The scheduler goes by the clock on the wall: set back by a year, it would wait for a year. So
    one looks after it, every ``look`` seconds of time itself.
    """

    def __init__(
        self, jobs: Mapping[str, tuple[float, Callable[[], None]]], look: float = 5.0
    ) -> None:
        self._pauses = {name: timedelta(seconds=seconds) for name, (seconds, _) in jobs.items()}
        self._look = look
        self._looking: asyncio.TimerHandle | None = None
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
        self._look_after()

    def _look_after(self) -> None:
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now + 2 * self._pauses[job.id]:  # the clock was set back
                job.modify(next_run_time=now)
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._look, self._look_after)

    def stop(self) -> None:
        """End at once."""
        if self._looking is not None:
            self._looking.cancel()
        self._scheduler.shutdown(wait=False)


def _async(call: Callable[[], None]) -> Callable[[], object]:
    async def tick() -> None:  # a coroutine function runs in the loop, a plain one in a thread
        call()

    return tick
