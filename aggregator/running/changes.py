"""What a running daemon takes up from outside: an edited configuration, a backup put back.

It goes on with the new in a new life of the application inside the same process: connections
wait in the listening socket meanwhile, and nothing differs from a restart.
"""

import asyncio
import signal

import structlog

from aggregator.config.loading import ConfigError
from aggregator.config.settings import Settings
from aggregator.config.watch import ConfigWatch
from aggregator.notices import Notices
from storage.backup import is_waiting

LOOK = 2.0
"""Seconds between two looks at the files."""
ABOUT = "configuration"
_log = structlog.get_logger()


class Changes:
    """Waits for what changes. SIGHUP reads the configuration at once, edited or not."""

    def __init__(self, watch: ConfigWatch | None, notices: Notices, storage_url: str) -> None:
        self._watch = watch
        self._notices = notices
        self._storage_url = storage_url
        self._asked = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)

    async def next(self, stop: asyncio.Event) -> Settings | None:
        """New settings; None when the daemon is to stop, or to open its database anew."""
        while not stop.is_set():
            await self.pause(stop)
            asked = self._asked.is_set()
            self._asked.clear()
            settings = self._look(anyway=asked)
            if settings or is_waiting(self._storage_url):
                return settings
        return None

    def refuse(self, reason: str) -> None:
        """The new configuration does not work; the old one goes on."""
        if self._notices.tell(ABOUT, f"the edited configuration is not in use: {reason}"):
            _log.error("configuration", outcome="refused", error=reason)

    async def pause(self, stop: asyncio.Event) -> None:
        """Until the next look, the end, or somebody asks for one."""
        waits = [asyncio.create_task(event.wait()) for event in (stop, self._asked)]
        await asyncio.wait(waits, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _look(self, *, anyway: bool) -> Settings | None:
        found = self._watch.look(anyway=anyway) if self._watch else None
        if isinstance(found, ConfigError):
            self.refuse("; ".join(map(str, found.problems)))
            return None
        if found:
            _log.info("configuration", outcome="taken up", sources=len(found.source))
            self._notices.clear(ABOUT)
        return found
