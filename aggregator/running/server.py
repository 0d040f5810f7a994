"""The web server inside the daemon's event loop. uvicorn's only home."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from math import ceil

import uvicorn
from starlette.types import ASGIApp

from aggregator.running.front_door import Door, Limits

BACKLOG = 4096
"""Connections that wait to be let in; beyond it clients try again after a second, or three."""
GRACE = 3
"""Seconds that open requests have to end in when the daemon stops."""


class ListenError(Exception):
    """The address cannot be listened on; the message says which and why."""


def bind(listen: str) -> socket.socket:
    """A listening socket at ``HOST:PORT``.

    Raises:
        ListenError: the address is taken, not this machine's, or not permitted.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]  # Python adds the address once more
        raise ListenError(f"cannot listen on {listen}: {why}") from error
    # Head and body of an answer are two writes: the second would else wait for the client's
    # delayed acknowledgement of the first, 40 ms on Linux. Connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def connections_within(most: int, others: int) -> int:
    """As many of ``most`` connections as the limit of open files allows beside ``others``.

    The limit is raised as far as that needs and may be: many systems begin with 1,024. Without room
    for a connection the server could not even refuse it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = most + others
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(10, min(most, soft - others))


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the daemon stops everything in order."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, limits: Limits | None = None
) -> AsyncIterator[Door]:
    """Serve ``app`` on ``listener`` for as long as the block runs, to clients within ``limits``."""
    limits = limits or Limits()
    door = Door(limits)
    config = uvicorn.Config(
        app,
        http=door.protocol,  # type: ignore[arg-type]  # uvicorn only ever calls it
        ws="none",  # a web socket would leave by the back door
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # web/clients.py knows whom to believe
        date_header=True,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=ceil(limits.patience),  # without one of its own it would be five seconds
    )
    server = _Server(config)
    # A duplicate, for the server closes it: the daemon goes on listening while its parts change.
    task = asyncio.create_task(server.serve(sockets=[listener.dup()]), name="web")
    sweep = asyncio.create_task(door.sweep(), name="door")
    try:
        await server.up.wait()
        yield door
    finally:
        server.should_exit = True
        await task
        sweep.cancel()
