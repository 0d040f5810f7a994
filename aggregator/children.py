"""Child processes that parse and extract, and that can be killed.

feedparser needs half a minute for one 62 kB author field, trafilatura for one tag with 50,000
attributes. In a thread that would hold the whole daemon still; here it costs one child, which is
killed at its limit and replaced. Pebble's only home.
"""

import asyncio
import importlib
import logging
import multiprocessing
import resource
import signal
import warnings
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from aggregator.garbage import search_seldom

_P = ParamSpec("_P")
_T = TypeVar("_T")
_PRELOAD = ("feeds.page.article", "feeds.parsing.parse")
_TASKS_PER_CHILD = 2000
_CHECK = 1.0
"""Seconds between looks whether the pool that owes a result is still there."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ChildFailure:
    """The work did not come to an end.

    ``kind`` is ``timeout``, ``memory``, ``died``, ``raised``, or ``broken`` where no child could be
    started at all.
    A value, because one bad document is one source's error and nobody else's.
    """

    kind: str
    detail: str


class Children:
    """A pool of child processes with a wall-clock and a memory limit for each piece of work.

    ``timeout`` in seconds, ``memory`` in MiB on top of what a fresh child holds. Use as an
    asynchronous context manager. ``on_kill`` is told why, whenever a child is lost: ``timeout`` or
    ``died``.
    """

    def __init__(
        self,
        workers: int,
        timeout: float,
        memory: int,
        on_kill: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._workers = workers
        self._timeout = timeout
        self._memory = memory
        self.killed = 0
        self._on_kill = on_kill
        self._open = False
        self._starting: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> Self:
        self._pool = self._new_pool()
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._open = False
        if self._starting is not None:
            await self._starting
        await _close(self._pool)

    async def _ready(self) -> ProcessPool:
        """The pool with its processes started: the first waits seconds for what is preloaded."""
        if self._starting is None:
            self._starting = asyncio.create_task(asyncio.to_thread(_is_active, self._pool))
        await asyncio.shield(self._starting)
        return self._pool

    def _new_pool(self) -> ProcessPool:
        # A fork server, loaded once, replaces a killed child in milliseconds, and has none of the
        # daemon's threads, locks and sockets to inherit.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_PRELOAD))
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=_TASKS_PER_CHILD,
            initializer=_begin,
            initargs=(self._memory,),
            context=context,
        )

    async def run(
        self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T | ChildFailure:
        """Do ``work`` in a child. Its arguments and its result are pickled.

        Cancelling kills the child.
        """
        pool = await self._ready()
        try:
            future = pool.schedule(work, args=args, kwargs=kwargs, timeout=self._timeout)
            return await _result(pool, asyncio.wrap_future(future))
        except (FutureTimeoutError, TimeoutError):
            return self._lost("timeout", f"took longer than {self._timeout:g} s and was stopped")
        except MemoryError:
            return ChildFailure("memory", f"needed more than {self._memory} MiB")
        except ProcessExpired as error:
            return self._lost("died", f"the child process died (exit code {error.exitcode})")
        except Exception as error:  # noqa: BLE001 - whatever a document provokes is a value here
            if self._open and not _is_active(pool):
                await self._replace(pool)
                why = error.__cause__ or error
                return ChildFailure("broken", f"no child process could do the work: {why}")
            return ChildFailure("raised", f"{type(error).__name__}: {error}"[:500])

    def _lost(self, kind: str, detail: str) -> ChildFailure:
        self.killed += 1
        self._on_kill(kind)
        return ChildFailure(kind, detail)

    async def _replace(self, broken: ProcessPool) -> None:
        """A new pool for a broken one, once for all who found it broken."""
        if self._pool is broken:
            self._pool = self._new_pool()
            self._starting = None
            await _close(broken)


async def _result(pool: ProcessPool, future: asyncio.Future[_T]) -> _T:
    """The result of work in ``pool``.

    A pool whose threads have died, because no process could be started, never says so.
    """
    try:
        while not (await asyncio.wait({future}, timeout=_CHECK))[0]:
            if not _is_active(pool):
                raise RuntimeError("the pool of child processes has broken")
        return future.result()
    finally:
        future.cancel()


def _is_active(pool: ProcessPool) -> bool:
    try:
        return pool.active
    except (OSError, BrokenProcessPool):  # it starts its processes when first looked at
        return False


async def _close(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # Pebble leaves it unannotated
    await asyncio.to_thread(pool.join)


def _begin(memory: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us in order
    # What is to be said of a document is in its outcome, and logged by the parent.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for name in _PRELOAD:
        importlib.import_module(name)
    search_seldom()
    limit = _address_space() + memory * _MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    try:
        with open("/proc/self/statm") as statm:  # noqa: PTH123 - not a file of ours
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 2048 * _MIB  # macOS: no /proc, and no enforcement of RLIMIT_AS either
