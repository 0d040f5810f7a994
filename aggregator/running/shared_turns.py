"""Turns at hosts among all processes that share a database; what the pacer asks (pacing.py)."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any, NamedTuple

import structlog

from aggregator.ledger import Ledger
from storage.database import StorageTroubleError
from storage.hosts import Leave, ask_leave, leave_alone, note_visits

GATHERING = 0.005
"""Seconds in which those who ask share a transaction."""
PATIENCE = 2.0
"""Seconds until a question is put again that the database did not answer."""
_log = structlog.get_logger()


class _Question(NamedTuple):
    pause: float
    host: str
    answer: asyncio.Future[tuple[float, float]]


class SharedTurns:
    """Asks the database for leave, for all who want it at about the same time together."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._asked: dict[str, _Question] = {}
        self._visited: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def leave(self, domain: str, host: str, pause: float) -> tuple[float, float]:
        """Seconds until ``domain`` may be asked, ``pause`` after the last request; 0: now.

        And for how long ``host`` is still to be left alone. Of a domain one at a time asks.
        """
        answer: asyncio.Future[tuple[float, float]] = asyncio.get_running_loop().create_future()
        if not self._asked and not self._visited:
            self._begin(self._gather())
        self._asked[domain] = _Question(pause, host, answer)
        return await answer

    def visited(self, domain: str) -> None:
        """``domain`` has just been asked, outside any turn."""
        if not self._asked and not self._visited:
            self._begin(self._gather())
        self._visited.add(domain)

    def hold(self, host: str, seconds: float) -> None:
        """``host`` is to be left alone for so long."""
        self._begin(self._hold(host, seconds))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gather(self) -> None:
        await asyncio.sleep(GATHERING)
        asked, self._asked = self._asked, {}
        visited, self._visited = self._visited, set()
        found = await self._ask(asked, visited)
        for domain, one in asked.items():
            if one.answer.done():  # nobody waits for it any more
                continue
            if found is None:
                one.answer.set_result((PATIENCE, 0.0))
            else:
                one.answer.set_result((found.waits[domain], found.held.get(one.host, 0.0)))

    async def _ask(self, asked: Mapping[str, _Question], visited: Collection[str]) -> Leave | None:
        """What the database says; None where it does not answer."""
        pauses = {domain: one.pause for domain, one in asked.items()}
        hosts = {one.host for one in asked.values()}
        try:
            if visited:
                await self._ledger.beside(note_visits, visited)
            return await self._ledger.beside(ask_leave, pauses, hosts)
        except StorageTroubleError as error:
            _log.debug("turns", outcome="put off", error=str(error))
            return None
        except Exception:  # noqa: BLE001 - whoever waits for an answer must have one
            _log.exception("turns", outcome="crashed")
            return None

    async def _hold(self, host: str, seconds: float) -> None:
        try:
            await self._ledger.beside(leave_alone, host, seconds)
        except StorageTroubleError as error:
            _log.warning("turns", outcome="not told", host=host, error=str(error))
