"""Counts what a connection really receives, so that framing cannot cost without end.

Limits on bodies and headers do not see interim answers (1xx), chunk sizes padded with zeros, chunk
extensions, or bodies in chunks of one byte: the HTTP parser swallows these, at a cost, for as long
as the server sends them. The meter stands between transport and parser and ends the connection.
"""

import asyncio

ALLOWANCE = 512 * 1024
"""Bytes that may arrive beyond what the content accounts for: headers, framing, and what the
transport and the parser hold back (at most 384 kB with asyncio's reads of 256 kB)."""


class ExcessError(Exception):
    """The server sent far more than its content explains.

    Not an ``OSError``: the HTTP client would take it for a lost connection and ask again.
    """


class Meter(asyncio.Protocol):
    """A protocol that hands everything on to another one, and counts.

    Put it on a connected transport with ``set_protocol``. Call :meth:`restart` for each request,
    and :meth:`account_for` as its content is read.
    """

    def __init__(self, inner: asyncio.Protocol, transport: asyncio.Transport) -> None:
        self._inner = inner
        self._transport = transport
        self._excess: ExcessError | None = None
        self.restart()

    def restart(self) -> None:
        """Begin to count for another request."""
        self._received = 0
        self._allowed = ALLOWANCE

    def account_for(self, content_bytes: int) -> None:
        """Say how much content came so far; its framing may take as much again."""
        self._allowed = ALLOWANCE + 2 * content_bytes

    def data_received(self, data: bytes) -> None:
        """Hand ``data`` on, or end the connection if there is too much of it."""
        self._received += len(data)
        if self._received <= self._allowed:
            self._inner.data_received(data)
        elif self._excess is None:
            self._excess = ExcessError(
                f"{self._received} bytes came that are hardly content, only framing"
            )
            self._transport.abort()

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand it on, with the real reason if it was the meter that ended the connection."""
        self._inner.connection_lost(self._excess or exc)

    def pause_writing(self) -> None:
        """Hand it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        self._inner.resume_writing()
