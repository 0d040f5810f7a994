"""Waking stages: those of this process at once, those of others through the database.

A word that is not heard costs time, nothing else: every stage looks for work by its tick too.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from aggregator.ledger import Ledger
from storage.database import StorageTroubleError
from storage.wakeups import listen, tell

GATHERING = 0.2
"""Seconds in which what is rung several times is told to others once."""
AGAIN = 2.0
"""Seconds until another try to listen."""
_log = structlog.get_logger()


class Bell:
    """Rings for stages by name. ``name`` is the process's own: it does not heed its own words."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self._ledger = ledger
        self._name = name
        self._here: dict[str, Callable[[], None]] = {}
        self._rung: set[str] = set()
        self._something = asyncio.Event()

    def answer(self, stage: str, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever it rings for ``stage``, in this process or another."""
        self._here[stage] = wake

    def ring(self, stage: str) -> None:
        """There may be work for ``stage``."""
        if stage in self._here:
            self._here[stage]()
        if self._ledger.database.is_shared:
            self._rung.add(stage)
            self._something.set()

    def for_stage(self, stage: str) -> Callable[[], None]:
        """What rings for ``stage`` when called."""
        return partial(self.ring, stage)

    async def run(self) -> None:
        """Tell others, and hear them, until cancelled."""
        await asyncio.gather(self._telling(), self._hearing())

    async def _telling(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            words = [f"{stage} {self._name}" for stage in self._rung]
            self._rung.clear()
            try:
                await self._ledger.beside(tell, words)
            except StorageTroubleError as error:
                _log.debug("wake-ups", outcome="not told", error=str(error))
            await asyncio.sleep(GATHERING)

    async def _hearing(self) -> None:
        while True:
            try:
                async for word in listen(self._ledger.database):
                    self._heard(word)
            except StorageTroubleError as error:
                _log.warning("wake-ups", outcome="not heard", error=str(error))
            await asyncio.sleep(AGAIN)

    def _heard(self, word: str) -> None:
        stage, _, name = word.partition(" ")
        if name == self._name:
            return
        for own, wake in self._here.items():
            # On beginning to hear (an empty word) all are woken: something may have been missed.
            if own == stage or not stage:
                wake()
