"""Waiting one's turn: how close together, and how many at once, requests may be.

Knows nothing of HTTP or of schedules; it only makes callers wait. Three limits hold together: a
pause between the starts of requests to one registrable domain, a number of requests under way to
one host, and one to all hosts together. They are taken in such an order that nobody who waits for
a slow host keeps a place that another host could use.

For one event loop; what other processes do is for ``shared`` to know. The clock and the sleep are
arguments, so that tests need not wait.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from feeds.urls import registrable_domain

# Hosts and domains that nobody asked about for so long are forgotten.
_REMEMBER = 3600.0
_FORGET_ABOVE = 10_000


class Shared(Protocol):
    """Whoever knows when other processes ask the same domains."""

    async def leave(self, domain: str, host: str, pause: float) -> tuple[float, float]:
        """Seconds until ``domain`` may be asked, ``pause`` after the last request; 0: now.

        And for how long ``host`` is still to be left alone.
        """

    def visited(self, domain: str) -> None:
        """``domain`` was asked outside any turn."""

    def hold(self, host: str, seconds: float) -> None:
        """``host`` is to be left alone for so long."""


class Pacer:
    """Gives out turns.

    Args:
        interval: seconds between the starts of two requests to one registrable domain.
        per_host: requests under way to one host at a time.
        total: requests under way to all hosts at a time.
        clock: monotonic seconds.
        sleep: waits so many seconds.
        shared: asked before each request, where other processes make requests too.
    """

    def __init__(
        self,
        *,
        interval: float = 1.0,
        per_host: int = 2,
        total: int = 50,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        shared: Shared | None = None,
    ) -> None:
        self._interval = interval
        self._per_host = per_host
        self._total = asyncio.Semaphore(total)
        self._clock = clock
        self._sleep = sleep
        self._shared = shared
        # Both live as long as somebody holds or awaits them.
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._domains: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._last = _Moments()
        self._held = _Moments()

    @asynccontextmanager
    async def turn(self, url: str, interval: float | None = None) -> AsyncIterator[float]:
        """Wait until ``url`` may be requested, and keep the place while it is.

        Args:
            url: what is about to be requested.
            interval: seconds since the last request to the domain, in place of the usual ones.

        Yields:
            Seconds that the host still asks to be left alone (see :meth:`hold`), which may have
            come up during the wait; the request may be made only if they are 0.
        """
        host, domain = _host(url), _domain(url)
        gap = self._interval if interval is None else interval
        async with self._hosts.setdefault(host, asyncio.Semaphore(self._per_host)):
            async with self._domains.setdefault(domain, asyncio.Lock()):
                await self._pause(domain, gap)
                await self._total.acquire()
                await self._take_leave(domain, host, gap)
                self._note(domain)
            try:
                yield self.held_for(url)
            finally:
                self._total.release()

    def visited(self, url: str) -> None:
        """Count a request that was made outside any turn, as to the target of a redirect."""
        self._note(_domain(url))
        if self._shared:
            self._shared.visited(_domain(url))

    def hold(self, url: str, seconds: float) -> None:
        """Leave the host of ``url`` alone for so long (``Retry-After``), or for longer if held."""
        host = _host(url)
        self._keep_off(host, seconds)
        if self._shared:
            self._shared.hold(host, seconds)

    def held_for(self, url: str) -> float:
        """Seconds that the host of ``url`` is still to be left alone, 0 if it is not."""
        return max(self._held.get(_host(url), 0.0) - self._clock(), 0.0)

    def _keep_off(self, host: str, seconds: float) -> None:
        until = max(self._clock() + seconds, self._held.get(host, 0.0))
        self._held.note(host, until, forget_before=self._clock())

    async def _take_leave(self, domain: str, host: str, gap: float) -> None:
        """Wait until no other process is in the way; the place among all is held at the end."""
        while self._shared:
            try:
                wait, held = await self._shared.leave(domain, host, gap)
            except BaseException:
                self._total.release()
                raise
            if held > 0:
                self._keep_off(host, held)
            if not wait or held > 0:
                return
            self._total.release()
            await self._sleep(wait)
            await self._total.acquire()

    async def _pause(self, domain: str, gap: float) -> None:
        # Asked again after each sleep: another request may have been counted meanwhile.
        while domain in self._last and (wait := self._last[domain] + gap - self._clock()) > 0:
            await self._sleep(wait)

    def _note(self, domain: str) -> None:
        now = self._clock()
        self._last.note(domain, now, forget_before=now - _REMEMBER)


class _Moments(dict[str, float]):
    """Moments by name. Old ones are forgotten whenever there are twice as many as were left."""

    _enough = _FORGET_ABOVE

    def note(self, name: str, moment: float, *, forget_before: float) -> None:
        self[name] = moment
        if len(self) > self._enough:
            for old in [key for key, its in self.items() if its < forget_before]:
                del self[old]
            self._enough = max(_FORGET_ABOVE, 2 * len(self))


@lru_cache(maxsize=_FORGET_ABOVE)
def _domain(url: str) -> str:
    return registrable_domain(url)


@lru_cache(maxsize=_FORGET_ABOVE)
def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
