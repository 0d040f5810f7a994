"""The database from inside the event loop: one thread that writes, a few that read.

SQLite has one writer in any case; queueing for it here, in order, beats waiting for its lock. Only
this module puts storage calls on threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from aggregator.notices import Notices
from storage.database import Database, StorageTroubleError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_READERS = 4
_ABOUT = "storage"
_log = structlog.get_logger()


class Ledger:
    """Runs storage's functions for coroutines. ``close`` waits for what is under way."""

    def __init__(self, database: Database, notices: Notices | None = None) -> None:
        self.database = database
        self._notices = notices or Notices()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")

    async def write(
        self,
        function: Callable[Concatenate[Database, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Run a storage function that writes. Not interrupted: once begun, it is finished."""
        try:
            done = await self._run(self._writer, lambda: function(self.database, *args, **kwargs))
        except StorageTroubleError as error:
            if self._notices.tell(_ABOUT, str(error)):
                _log.error("storage trouble", error=str(error))
            raise
        if self._notices.clear(_ABOUT):
            _log.info("storage recovered")
        return done

    async def read(
        self,
        function: Callable[Concatenate[Database, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Run a storage function that only reads."""
        return await self._run(self._readers, lambda: function(self.database, *args, **kwargs))

    async def _run(self, threads: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(threads, call)

    def close(self) -> None:
        """Finish what is queued, then close the database."""
        self._writer.shutdown()
        self._readers.shutdown()
        self.database.close()
