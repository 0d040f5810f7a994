"""A stage of the road: claims work from the database and does many pieces of it at once.

The state in the database is the queue. A stage holds nothing that would be missed if the process
died: what was claimed and not finished comes back when its lease ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from storage.database import StorageTroubleError

_T = TypeVar("_T")
_log = structlog.get_logger()
_REFILLS = 8
"""Claims in which all slots are filled again, where nothing wakes the stage."""


class Stage(Generic[_T]):
    """Claims up to ``slots`` pieces of work and keeps that many under way.

    A slow piece occupies one slot and delays nobody else. ``handle`` turns its own failures into
    values; what it raises all the same is logged and does not end the stage. ``release`` gives
    pieces back, ``recall`` whatever else this process has claimed than these.
    """

    def __init__(
        self,
        name: str,
        claim: Callable[[int], Awaitable[Sequence[_T]]],
        handle: Callable[[_T], Awaitable[None]],
        slots: int,
        *,
        after: Callable[[], None] = lambda: None,
        release: Callable[[Sequence[_T]], Awaitable[None]] | None = None,
        recall: Callable[[Sequence[_T]], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._claim = claim
        self._handle = handle
        self._slots = slots
        self._after = after
        self._release = release
        self._recall = recall
        self._unsure = False
        self._something = asyncio.Event()
        self._woken = False
        self._more = False
        self._owed: list[_T] = []
        self._under_way: dict[asyncio.Task[None], _T] = {}

    def wake(self) -> None:
        """There may be work. Cheap; called by ticks and by the stage before."""
        self._woken = True
        self._something.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.drain()
            await self._something.wait()

    async def drain(self) -> None:
        """Work until nothing can be claimed and nothing is under way.

        When cancelled, what is under way is cancelled too and given back; what cannot be, because
        the process dies, comes back with its lease.
        """
        try:
            self._something.clear()
            while await self._fill() or self._under_way:
                await self._something.wait()
                self._something.clear()
        finally:
            await self._abandon()

    async def _fill(self) -> int:
        free = self._slots - len(self._under_way)
        if not free or not self._may_find(free):
            return 0
        self._woken = False
        await self._give_back_owed()
        await self._recall_unknown()
        work = await self._claimed(free)
        self._more = len(work) == free
        for piece in work:
            task = asyncio.create_task(self._do(piece), name=self.name)
            self._under_way[task] = piece
            task.add_done_callback(self._one_done)
        return len(work)

    def _may_find(self, free: int) -> bool:
        """Whether a claim, which is a transaction, is worth it: not for every piece that ends."""
        idle = not self._under_way
        return idle or self._woken or (self._more and free * _REFILLS >= self._slots)

    async def _claimed(self, free: int) -> Sequence[_T]:
        claiming = asyncio.ensure_future(self._claim_safely(free))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await self._give_back(await claiming)
            raise

    async def _claim_safely(self, free: int) -> Sequence[_T]:
        try:
            return await self._claim(free)
        except StorageTroubleError:  # the ledger has said so, once
            self._unsure = True  # whether it was written before the answer was lost
            return ()
        except Exception:  # noqa: BLE001 - whatever it was, the stage goes on; the log has it
            _log.exception("claimed", outcome="crashed", stage=self.name)
            return ()

    def _one_done(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._something.set()

    async def _do(self, piece: _T) -> None:
        try:
            await self._handle(piece)
        except StorageTroubleError as error:
            _log.warning("worked", outcome="put off", stage=self.name, error=str(error))
            self._owed.append(piece)
        except Exception:  # noqa: BLE001 - whatever it was, the stage goes on; the log has it
            _log.exception("worked", outcome="crashed", stage=self.name)
        else:
            self._after()

    async def _abandon(self) -> None:
        abandoned = dict(self._under_way)
        for task in abandoned:
            task.cancel()
        await asyncio.gather(*abandoned, return_exceptions=True)
        owed, self._owed = self._owed, []
        self._under_way.clear()
        await self._give_back(owed + [p for task, p in abandoned.items() if task.cancelled()])

    async def _give_back_owed(self) -> None:
        """What was put off for trouble with the database goes back once that is over."""
        owed, self._owed = self._owed, []
        await self._give_back(owed)

    async def _recall_unknown(self) -> None:
        """What a claim took whose answer never came goes back."""
        if not self._unsure or not self._recall:
            return
        try:
            await self._recall([*self._under_way.values(), *self._owed])
        except StorageTroubleError as error:
            _log.debug("released", outcome="put off", stage=self.name, error=str(error))
        else:
            self._unsure = False

    async def _give_back(self, pieces: Sequence[_T]) -> None:
        if not pieces or not self._release:
            return
        try:
            await self._release(pieces)
        except StorageTroubleError as error:
            _log.debug("released", outcome="put off", stage=self.name, error=str(error))
            self._owed += pieces
        except Exception:  # noqa: BLE001 - it comes back with its lease all the same
            _log.exception("released", outcome="crashed", stage=self.name)
