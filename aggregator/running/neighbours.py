"""The other processes on the database: signs of life, and whether all follow one configuration."""

import asyncio
import json
import os
import secrets
import socket
from datetime import datetime
from hashlib import sha256

import structlog

from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.version import VERSION
from storage.database import StorageTroubleError
from storage.processes import Neighbours, RunningProcess, begin_alone, give_sign, leave

BEAT = 3.0
"""Seconds between two signs of life."""
ABOUT = "processes"
_ITS_OWN = {"process", "storage"}
_log = structlog.get_logger()


def process_name() -> str:
    """A name that no other process has, and that says where it is."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"


def config_version(settings: Settings) -> str:
    """The same for configurations that mean the same.

    What may differ between processes (roles, where they listen, the way to the database) and
    secrets are left out.
    """
    said = settings.model_dump(mode="json", exclude=_ITS_OWN)
    del said["server"]["listen"]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def describe(name: str, settings: Settings, started_at: datetime) -> RunningProcess:
    """This process, as the others see it."""
    return RunningProcess(
        name, settings.process.roles, config_version(settings), VERSION, started_at
    )


class Neighbourhood:
    """Gives signs of life, and tells where processes differ."""

    def __init__(self, ledger: Ledger, notices: Notices, own: RunningProcess, clock: Clock) -> None:
        self._ledger = ledger
        self._notices = notices
        self._own = own
        self._clock = clock

    async def begin(self) -> None:
        """Take away what nobody alive holds. To be called before anything is claimed."""
        if self._ledger.database.is_shared:
            await self._sign()
        else:
            await self._ledger.write(begin_alone, self._clock())

    async def run(self) -> None:
        """Give signs of life until cancelled; then, that this process ends."""
        try:
            while True:
                await asyncio.sleep(BEAT)
                try:
                    await self._sign()
                except StorageTroubleError as error:
                    _log.debug("process", outcome="silent", error=str(error))
        finally:
            self._notices.clear(ABOUT)

    async def end(self) -> None:
        """Nothing is done any more. To be called when everything was given back."""
        try:
            if self._ledger.database.is_shared:
                await self._ledger.write(leave, self._own.name, self._clock())
        except StorageTroubleError as error:
            _log.warning("process", outcome="not signed off", error=str(error))

    async def _sign(self) -> None:
        found = await self._ledger.beside(give_sign, self._own, self._clock())
        for name in found.dead:
            _log.warning("process", outcome="gone", process=name)
        trouble = difference(self._own, found)
        if trouble is None:
            self._notices.clear(ABOUT)
        elif self._notices.tell(ABOUT, trouble):
            _log.warning("process", outcome="differs", why=trouble)


def difference(own: RunningProcess, found: Neighbours) -> str | None:
    """In which the others differ from ``own``, in words; None where they do not."""
    others = [one for one in found.living if one.config != own.config]
    if others:
        names = ", ".join(one.name for one in others)
        return (
            f"{len(others)} of {len(found.living)} processes run another configuration than "
            f"{own.name}: {names}; give all the same file, and reload (SIGHUP) or restart them"
        )
    older = [one for one in found.living if one.version != own.version]
    if older:
        names = ", ".join(f"{one.name} ({one.version})" for one in older)
        return f"other versions of newsfold run beside {own.name} ({own.version}): {names}"
    return None
