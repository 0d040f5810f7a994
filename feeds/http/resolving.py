"""Names to addresses by the system's resolver, in threads of its own that nobody waits for.

A name whose servers do not answer holds its thread for some 10 to 30 seconds, whatever became of
the request. The event loop's default pool has a handful of threads: a few dead names would hold
them all, and with them every other source. And the threads of any pool are waited for when the
process ends; these are not.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
LookUp = Callable[[str, int, int, int], Sequence[Found]]
_MOST_THREADS = 64


class Lookups:
    """Looks names up, so many at a time. For one event loop.

    Args:
        look_up: the blocking call.
        thread: what it is called in.
    """

    def __init__(self, look_up: LookUp = socket.getaddrinfo, thread: type[Thread] = Thread) -> None:
        self._look_up = look_up
        self._thread = thread
        self._free = asyncio.Semaphore(_MOST_THREADS)

    async def addresses(self, host: str, port: int, family: int) -> Sequence[Found]:
        """What ``getaddrinfo`` finds for TCP.

        Raises:
            OSError: what it raises, ``socket.gaierror`` for a name without addresses.
        """
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Found]] = loop.create_future()

        def work() -> None:
            try:
                found: Sequence[Found] | Exception = self._look_up(
                    host, port, family, socket.SOCK_STREAM
                )
            except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
                found = error
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(self._done, answer, found)

        try:
            self._thread(target=work, name=f"resolve {host}", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            self._free.release()
            raise OSError(str(error)) from error
        return await answer

    def _done(
        self, answer: asyncio.Future[Sequence[Found]], found: Sequence[Found] | Exception
    ) -> None:
        self._free.release()
        if answer.cancelled():
            return
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)
