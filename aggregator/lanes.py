"""Two lanes of child processes: what is slow is done apart, so that it holds up nobody.

Two documents made to take the whole limit would keep two workers from every other source for as
long, and a hundred of them for half an hour.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from aggregator.children import ChildFailure, Children

_P = ParamSpec("_P")
_T = TypeVar("_T")
QUICK = 2.0
"""Seconds. An ordinary feed takes 0.03, an ordinary page less."""
_MOST_WAITING = 10
"""Slow pieces at a time: with the usual limit they are done before anybody's lease ends."""


class Lanes:
    """Child processes with a limit for each piece of work, as :class:`Children`.

    What takes longer than ``QUICK`` seconds is begun again in a lane of one worker, where it may
    take all of ``timeout``. Where too many wait for that already, it is given up. ``on_kill`` is
    told why, whenever a child is lost.
    """

    def __init__(
        self,
        workers: int,
        timeout: float,
        memory: int,
        on_kill: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._quick = Children(workers, min(QUICK, timeout), memory, on_kill)
        self._patient = Children(1, timeout, memory, on_kill)
        self._has_more = timeout > QUICK
        self._waiting = 0
        self._stack = AsyncExitStack()

    @property
    def killed(self) -> int:
        """Children that were stopped at a limit, or died."""
        return self._quick.killed + self._patient.killed

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._quick)
        await self._stack.enter_async_context(self._patient)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def run(
        self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T | ChildFailure:
        """Do ``work`` in a child, where it may be begun twice. Cancelling kills the child."""
        done = await self._quick.run(work, *args, **kwargs)
        if not (isinstance(done, ChildFailure) and done.kind == "timeout" and self._has_more):
            return done
        if self._waiting >= _MOST_WAITING:
            return ChildFailure("timeout", f"{done.detail}, as too much else is slow as well")
        self._waiting += 1
        try:
            return await self._patient.run(work, *args, **kwargs)
        finally:
            self._waiting -= 1
