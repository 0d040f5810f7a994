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

MOST_HEAD = 32 * 1024
"""Bytes of request line and headers; the usual limit of servers is 8 to 64 kB."""
MOST_AHEAD = 16
"""Requests that may be sent before the first is answered."""
SWEEP = 0.5
"""Seconds between two looks for connections whose time is up."""

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


@dataclass(slots=True)
class Door:
    """The connections that wait for something of their client, longest first.

    ``most`` connections are open at once; a client has ``patience`` seconds to send a request,
    and for reading the answer that and more by its size.
    """

    most: int
    patience: float
    slowest: float = 8 * 1024
    """Bytes a second at which a client must at least read."""
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
        self._head = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Let it in, and somebody out where there are too many."""
        super().connection_made(transport)
        self._door.open += 1
        self._wait()
        if len(self.connections) > self._door.most:
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
        self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MOST_HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif len(self.pipeline) > MOST_AHEAD:
            self.drop()

    def on_message_begin(self) -> None:
        """What follows counts as a head."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What follows does not."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()

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
        unread = self.transport.get_write_buffer_size() / self._door.slowest
        self._door.waiting.pop(self, None)  # to the end of the line
        self._door.waiting[self] = time.monotonic() + self._door.patience + unread
