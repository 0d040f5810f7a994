"""Publishing for as long as the process runs: what changed is rendered, hubs are to be told.

Every process with the role ``web`` renders for itself; one of them, on duty, moves the outputs on
and says what hubs are to be told, and the others follow it.
"""

import asyncio
import time

import structlog

from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.push.announcing import Announcer
from storage.database import StorageTroubleError

_log = structlog.get_logger()


class Publishing:
    """Refreshes ``publisher`` whenever it is woken."""

    def __init__(self, publisher: Publisher, announcer: Announcer) -> None:
        self._publisher = publisher
        self._announcer = announcer
        self._something = asyncio.Event()

    def wake(self) -> None:
        """Something may have changed."""
        self._something.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            try:
                await self._refresh()
            except StorageTroubleError as error:
                _log.warning("published", outcome="put off", error=str(error))
            except Exception:  # noqa: BLE001 - the last good documents go on being served
                _log.exception("published", outcome="crashed")

    async def lead(self, _term: int) -> None:
        """Be the one that moves the outputs on, until cancelled."""
        self._publisher.leads = True
        self.wake()
        try:
            await asyncio.Event().wait()
        finally:
            self._publisher.leads = False

    async def _refresh(self) -> None:
        begun = time.monotonic()
        if await self._publisher.refresh():
            seconds = round(time.monotonic() - begun, 3)
            _log.info("published", outcome="changed", seconds=seconds)
        if self._publisher.leads:
            await self._announcer.note()
