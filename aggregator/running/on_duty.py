"""Doing what one process at a time does for all (storage/duties.py), and taking it over.

Every process that could do it tries for the duty; one has it, and works. When that one ends, or
loses its connection, another has the duty within seconds and begins from what the database says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from aggregator.ledger import Ledger
from aggregator.running.lasting import lasting
from storage.database import StorageTroubleError
from storage.duties import ALONE, Duties

LOOK = 1.0
"""Seconds between two looks at who has a duty."""
_log = structlog.get_logger()
Work = Callable[[int], Coroutine[Any, Any, None]]


class OnDuty:
    """Does ``work`` while this process has the duty. ``work`` is told the term, and cancelled."""

    def __init__(self, ledger: Ledger, duties: Duties, name: str, work: Work) -> None:
        self._ledger = ledger
        self._duties = duties
        self._name = name
        self._work = work
        self._term: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until cancelled."""
        if not self._ledger.database.is_shared:
            await self._work(ALONE)
            return
        try:
            while True:
                await self._follow(await self._take())
                await asyncio.sleep(LOOK)
        finally:
            await self._follow(None)
            await asyncio.to_thread(self._duties.drop, self._name)

    async def _take(self) -> int | None:
        try:
            return await asyncio.to_thread(self._duties.take, self._name)
        except StorageTroubleError as error:
            if self._term is not None:
                _log.warning("duty", outcome="lost", duty=self._name, error=str(error))
            return None
        except Exception:  # noqa: BLE001 - whatever it was, this is tried again; the log has it
            _log.exception("duty", outcome="crashed", duty=self._name)
            return None

    async def _follow(self, term: int | None) -> None:
        """Work under ``term``, and under no other."""
        if term == self._term and not (self._task and self._task.done()):
            return
        task, self._task, self._term = self._task, None, term
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if term is not None:
            _log.info("duty", outcome="taken", duty=self._name, term=term)
            work = partial(self._work, term)
            self._task = asyncio.create_task(lasting(self._name, work), name=self._name)


async def do_once(duties: Duties, name: str, work: Callable[[int], Awaitable[None]]) -> bool:
    """Do ``work`` if the duty is to be had now; whether it was."""
    term = await asyncio.to_thread(duties.take, name)
    if term is None:
        return False
    try:
        await work(term)
    finally:
        await asyncio.to_thread(duties.drop, name)
    return True
