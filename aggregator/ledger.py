"""The database from inside the event loop: one thread that writes, a few that read.

SQLite has one writer in any case; queueing for it here, in order, beats waiting for its lock. Only
this module puts storage calls on threads.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog

from aggregator.notices import Notices
from storage.database import Database, StorageTroubleError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_READERS = 4
_GROUP = 100
"""Items written in one transaction at the most: others wait for the writer too."""
_GATHERING = 0.02
"""Seconds for which an item waits for others to share its transaction."""
SETTLED = 3.0
"""Seconds without trouble after which the database is well again. On a full disk what changes
nothing can be written still, and so can, now and then, a little."""
_ABOUT = "storage"
_log = structlog.get_logger()


class Ledger:
    """Runs storage's functions for coroutines. ``close`` waits for what is under way."""

    def __init__(
        self, database: Database, notices: Notices | None = None, settled: float = SETTLED
    ) -> None:
        self.database = database
        self._notices = notices or Notices()
        self._settled = settled
        self._well_from = 0.0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting: dict[object, list[tuple[Any, asyncio.Future[None]]]] = {}
        self._grouping: dict[object, asyncio.Task[None]] = {}
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
            self._well_from = asyncio.get_running_loop().time() + self._settled
            if self._notices.tell(_ABOUT, str(error)):
                _log.error("storage", outcome="trouble", error=str(error))
            raise
        well = asyncio.get_running_loop().time() >= self._well_from
        if well and self._notices.clear(_ABOUT):
            _log.info("storage", outcome="recovered")
        return done

    async def write_grouped(
        self, function: Callable[[Database, Sequence[_T]], None], item: _T
    ) -> None:
        """Run a storage function that writes many items, with ``item`` and all that wait meanwhile.

        They share a transaction: a commit costs more than what it commits. Where one cannot be
        written each is written by itself, so that it keeps no other from it.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(function, [])
        waiting.append((item, written))
        if function not in self._grouping:
            self._grouping[function] = asyncio.create_task(self._write_groups(function))
        await written

    async def _write_groups(self, function: Callable[[Database, Sequence[Any]], None]) -> None:
        try:
            while waiting := self._waiting.get(function):
                await asyncio.sleep(_GATHERING)
                group, self._waiting[function] = waiting[:_GROUP], waiting[_GROUP:]
                await self._write_group(function, group)
        finally:
            del self._grouping[function]

    async def _write_group(
        self,
        function: Callable[[Database, Sequence[Any]], None],
        group: list[tuple[Any, asyncio.Future[None]]],
    ) -> None:
        error: Exception | None = None
        try:
            await self.write(function, [item for item, _ in group])
        except Exception as failure:  # noqa: BLE001 - handed on to whoever waits
            error = failure
        shared = error is not None and not isinstance(error, StorageTroubleError)
        if shared and len(group) > 1:
            for one in group:
                await self._write_group(function, [one])
            return
        for _, written in group:
            if written.done():  # nobody waits for it any more
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    async def read(
        self,
        function: Callable[Concatenate[Database, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Run a storage function that only reads."""
        return await self._run(self._readers, lambda: function(self.database, *args, **kwargs))

    async def beside(
        self,
        function: Callable[Concatenate[Database, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Run a storage function that writes a little, past whoever waits for the writer.

        For what processes tell each other; only where the engine has many writers.
        """
        return await self._run(self._readers, lambda: function(self.database, *args, **kwargs))

    async def _run(self, threads: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(threads, call)

    def close(self) -> None:
        """Finish what is queued, then close the database."""
        self._writer.shutdown()
        self._readers.shutdown()
        self.database.close()
