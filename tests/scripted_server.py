"""A server on the loopback that records every request and answers just as it is told.

For tests only. It writes raw bytes, so it can be as wrong as any server ever was: a behaviour is an
async function of the :class:`Exchange`, and the functions here build the common ones.

    async with ScriptedServer() as server:
        server.on("/feed", reply(200, b"<rss/>", ETag='"1"'), reply(304))
        ... fetch server.url("/feed") ...
        assert server.requests[0].header("user-agent") == "test"
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_MAX_REQUEST = 1024 * 1024


@dataclass(frozen=True)
class Recorded:
    """One request as it came: ``headers`` in order, names as written, bytes as latin-1."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    connection: int
    """Which connection it came on, counted from 0."""

    def header(self, name: str) -> str | None:
        """The value of a header, None if it was not sent."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


@dataclass
class Exchange:
    """One request and the means to answer it."""

    request: Recorded
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    keep: bool = False
    """Whether the connection stays open for another request after this one."""

    async def send(self, data: bytes) -> None:
        """Write ``data`` and wait until the other side takes it."""
        self.writer.write(data)
        await self.writer.drain()

    def half_close(self) -> None:
        """Say that nothing more will be sent, and keep listening."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Break the connection with RST, as a crash does."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Exchange], Awaitable[None]]


class ScriptedServer:
    """Answers each path by the behaviours given to :meth:`on`; 404 for any other.

    Args:
        tls: serve https with this context.
        greeting: raw bytes to send to every connection before any request, instead of HTTP.
        host: the loopback address to listen on.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        greeting: bytes | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.requests: list[Recorded] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self._scripts: dict[str, list[Behaviour]] = defaultdict(list)
        self._tls = tls
        self._greeting = greeting
        self._host = host
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        # A coroutine as callback would be the library's task, which complains when cancelled.
        self._server = await asyncio.start_server(
            self._accept, self._host, 0, ssl=self._tls, limit=_MAX_REQUEST
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """The address of ``path`` here; ``host`` to call the server by another name."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{host or self._host}:{self.port}{path}"

    def on(self, path: str, *behaviours: Behaviour) -> str:
        """Answer ``path`` by these, one request each; the last one stays. Returns the URL."""
        self._scripts[path] = list(behaviours)
        return self.url(path)

    def seen(self, path: str) -> list[Recorded]:
        """The requests for one path."""
        return [request for request in self.requests if request.target == path]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection, self.connections = self.connections, self.connections + 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, EOFError):
                if self._greeting is not None:
                    writer.write(self._greeting)
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    exchange = Exchange(_recorded(head, connection), reader, writer)
                    self.requests.append(exchange.request)
                    await self._behaviour(exchange.request.target)(exchange)
                    if not exchange.keep:
                        break
        finally:
            self.open -= 1
            writer.close()

    def _behaviour(self, target: str) -> Behaviour:
        script = self._scripts.get(target.partition("?")[0], [])
        if not script:
            return reply(404)
        return script.pop(0) if len(script) > 1 else script[0]


def _recorded(head: bytes, connection: int) -> Recorded:
    first, *rest = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = first.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (h.partition(":") for h in rest))
    return Recorded(method, target, version, headers, connection)


# --- behaviours ---------------------------------------------------------------------------------


def head(status: int, **headers: str) -> bytes:
    """A status line and headers; ``_`` in names stands for ``-``."""
    lines = [f"HTTP/1.1 {status} Status"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Behaviour:
    """A proper answer, after which the connection stays open."""
    length = {} if status in {204, 304} else {"Content_Length": str(len(body))}

    async def behave(exchange: Exchange) -> None:
        exchange.keep = True
        await exchange.send(head(status, **length, **headers) + body)

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    """A redirect without a body."""
    return reply(status, Location=location)


def raw(data: bytes, *, then: str = "close") -> Behaviour:
    """These bytes, whatever they are; ``then`` close, reset, half_close or hang."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(data)
        if then == "reset":
            exchange.reset()
        elif then == "half_close":
            exchange.half_close()
        if then in {"hang", "half_close"}:
            await asyncio.Event().wait()

    return behave


def hang() -> Behaviour:
    """No answer at all."""
    return raw(b"", then="hang")


def endless(start: bytes, chunk: bytes) -> Behaviour:
    """``start`` once, then ``chunk`` for ever, as fast as it is taken."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(start)
        while True:
            await exchange.send(chunk)
            await asyncio.sleep(0)  # drain() alone may never let another task run

    return behave


def drip(start: bytes, chunk: bytes = b"x", every: float = 0.02) -> Behaviour:
    """``start`` once, then ``chunk`` again and again, ``every`` so many seconds."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(start)
        while True:
            await exchange.send(chunk)
            await asyncio.sleep(every)

    return behave
