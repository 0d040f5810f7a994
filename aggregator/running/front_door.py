"""The connections of clients, bounded: in number, in time, and in what one may send ahead.

uvicorn waits for ever for a request that is never finished and for a client that never reads. Here
each connection has a deadline, and when there are too many, the one that was idle longest gives
way to the newcomer, so that whoever asks and reads is answered however many just sit there.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

MOST_AHEAD = 4
"""Requests that may be sent before the first is answered."""
MOST_HEADERS = 200
"""Headers of a request: kept, a header of four bytes takes fifty times as many."""
SWEEP = 0.5
"""Seconds between two looks for connections whose time is up."""

_ENDED = b"content-length: 0\r\nconnection: close\r\n\r\n"
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _ENDED
_BODY_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\n" + _ENDED


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take.

    ``connections`` are open at once. A client has ``patience`` seconds to send a request, and for
    reading the answer that and a second for every ``slowest`` bytes. ``head`` and ``body`` are
    bytes of a request, give or take what is read at once (256 kB).
    """

    connections: int = 1000
    patience: float = 30.0
    slowest: float = 8 * 1024
    head: int = 32 * 1024
    body: int = 10 * 1024 * 1024


@dataclass(slots=True)
class Door:
    """The connections that wait for something of their client, longest first."""

    limits: Limits
    open: int = 0
    """Connections that there are."""
    waiting: "dict[GuardedProtocol, float]" = field(default_factory=dict)
    """Each with its deadline. Roughly in order: an answer's size prolongs it."""

    def protocol(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], **_: object
    ) -> "GuardedProtocol":
        """What uvicorn calls for every connection."""
        return GuardedProtocol(self, config, server_state, app_state)

    async def sweep(self) -> None:
        """End the connections whose time is up, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            now = time.monotonic()
            for connection in [c for c, deadline in self.waiting.items() if deadline < now]:
                connection.drop()


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP connection, at ``door``."""

    def __init__(
        self, door: Door, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._door = door
        self._size = 0
        self._read = 0
        self._headers = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Let it in, and somebody out where there are too many."""
        super().connection_made(transport)
        self._door.open += 1
        self._wait()
        if len(self.connections) > self._door.limits.connections:
            next(iter(self._door.waiting)).drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """It waits no longer."""
        self._door.open -= 1
        self._door.waiting.pop(self, None)
        super().connection_lost(exc)

    def drop(self) -> None:
        """End the connection now; what was not read is lost."""
        self._door.waiting.pop(self, None)
        self.connections.discard(self)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Count what comes before a request is complete; the deadline stays."""
        if self.transport.is_closing():
            return
        self._size += len(data)
        self._read = len(data)
        super().data_received(data)
        limits = self._door.limits
        if self._size > (limits.head if self._in_head else limits.body):
            self._refuse(_HEAD_TOO_LARGE if self._in_head else _BODY_TOO_LARGE)
        elif len(self.pipeline) > MOST_AHEAD:
            self.drop()

    def _refuse(self, answer: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:  # or it would stand inside another
            self.transport.write(answer)
        self.transport.close()

    def on_message_begin(self) -> None:
        """What follows counts as a head."""
        self._in_head, self._headers = True, 0
        self._size, self._read = self._read, 0  # what was read counts for the first in it
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count it; those that follow a body are nobody's business."""
        if self._in_head:
            self._headers += 1
            if self._headers > MOST_HEADERS:
                raise ValueError("too many headers")  # which ends in send_400_response
            super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with what cannot be read."""
        if self._headers > MOST_HEADERS:
            self._refuse(_HEAD_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        """What follows counts as a body."""
        self._in_head, self._size = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """It does not count for the next request."""
        self._read -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Now it is our turn, which has no deadline."""
        self._door.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Now it is theirs again: to read, and to ask."""
        super().on_response_complete()
        if not self.pipeline and (self.cycle is None or self.cycle.response_complete):
            self._wait()

    def _wait(self) -> None:
        limits = self._door.limits
        unread = self.transport.get_write_buffer_size() / limits.slowest
        self._door.waiting.pop(self, None)  # to the end of the line
        self._door.waiting[self] = time.monotonic() + limits.patience + unread
