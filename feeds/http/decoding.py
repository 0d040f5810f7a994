"""Undoing content codings of a response body, as it comes in and within bounds.

Knows bytes only, no network. At no time is more than ``max_bytes`` plus one small piece of decoded
data in memory, however the body was packed: every layer of nested codings hands on at most
``_PIECE`` bytes at a time and is itself held to ``max_bytes``.

Codings: gzip, deflate (with and without the zlib wrapper: servers send both), br, zstd, and their
combinations (RFC 9110, 8.4). A stream that ends before its own end mark is an error, not a short
document: half a feed would look like entries withdrawn.
"""

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPT_ENCODING = "gzip, deflate, br, zstd"
"""What may be offered to servers, for the ``Accept-Encoding`` header."""

_PIECE = 64 * 1024
_MAX_CODINGS = 3
# One body may be many gzip members or zstd frames (blocked gzip has one per 64 kB), but each costs
# a fresh decoder: a body made of nothing else is an attack.
_MAX_MEMBERS = 2000
# RFC 9659: a zstd content coding needs no window above 8 MB.
_ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 23}
# Of a frame, and of the sixteen kinds of skippable frame (RFC 8878, 3.1).
_ZSTD_FIRST_BYTES = bytes([0x28, *range(0x50, 0x60)])
# What servers write into Content-Encoding when they mean "none".
_NO_CODING = frozenset({"", "identity", "none", "binary", "utf-8"})


class DecodingError(Exception):
    """The body is not what its ``Content-Encoding`` says; the message says how."""


class BodyTooLargeError(Exception):
    """The body, or what it decodes to, is larger than was allowed."""


class _Layer(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of about ``_PIECE`` bytes."""

    @property
    def complete(self) -> bool:
        """Whether the stream may end here."""


class BodyDecoder:
    """Collects one body: :meth:`feed` what arrives, then take it from :meth:`finish`.

    Args:
        content_encoding: the header's value, empty if there is none.
        max_bytes: the most that the body may hold, both as it comes and decoded.

    Raises:
        DecodingError: for a coding that is not known, and from ``feed`` and ``finish``.
    """

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        self.wire_bytes = 0
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._layers = _layers(content_encoding)
        self._sizes = [0] * (len(self._layers) + 1)

    def feed(self, data: bytes) -> None:
        """Take bytes in the order they arrived.

        Raises:
            BodyTooLargeError: as soon as the body is known to exceed ``max_bytes``.
            DecodingError: if they do not decode.
        """
        self.wire_bytes += len(data)
        self._pieces.extend(self._decode(data, 0))

    def finish(self) -> bytes:
        """The whole decoded body.

        Raises:
            DecodingError: if a coded stream is cut short.
        """
        if self.wire_bytes and not all(layer.complete for layer in self._layers):
            raise DecodingError(f"the coded body is cut short after {self.wire_bytes} bytes")
        return b"".join(self._pieces)

    def _decode(self, data: bytes, depth: int) -> Iterator[bytes]:
        self._sizes[depth] += len(data)
        if self._sizes[depth] > self._max_bytes:
            raise BodyTooLargeError(f"the body is larger than {self._max_bytes} bytes")
        if depth == len(self._layers):
            if data:
                yield data
            return
        for piece in self._layers[depth].feed(data):
            yield from self._decode(piece, depth + 1)


def _layers(content_encoding: str) -> Sequence[_Layer]:
    """The decoders, outermost (last applied) first."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    names = [name for name in names if name not in _NO_CODING]
    if len(names) > _MAX_CODINGS:
        raise DecodingError(f"the body is coded {len(names)} times over")
    for name in names:
        if name not in _CODINGS:
            raise DecodingError(f"the body has an unknown content coding, {name[:40]!r}")
    return [_CODINGS[name]() for name in reversed(names)]


class _Gzip:
    """gzip, one or more members (RFC 1952, 2.2); junk after the last one is ignored."""

    def __init__(self) -> None:
        self._members = _Members()
        self._decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def complete(self) -> bool:
        return self._decoder.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decoder.eof:
                if not self._members.starts_another(data, b"\x1f"):
                    return
                self._decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
            yield from _inflate(self._decoder, data)
            data = self._decoder.unused_data


class _Deflate:
    """deflate: the zlib format as specified (RFC 1950), or bare (RFC 1951) as often sent."""

    def __init__(self) -> None:
        self._start = b""
        self._decoder: zlib._Decompress | None = None

    @property
    def complete(self) -> bool:
        return self._decoder is not None and self._decoder.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._decoder is None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return
            wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        if not self._decoder.eof:
            yield from _inflate(self._decoder, data)


class _Brotli:
    """br (RFC 7932). The library takes no bytes after its end, so junk there is an error."""

    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()

    @property
    def complete(self) -> bool:
        return bool(self._decoder.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while piece := self._decoder.process(data, output_buffer_limit=_PIECE):
                yield piece
                data = b""
        except brotli.error as error:
            raise DecodingError(f"the body is not valid brotli: {error}") from error


class _Zstd:
    """zstd, one or more frames (RFC 8878); junk after the last one is ignored."""

    def __init__(self) -> None:
        self._members = _Members()
        self._decoder = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)

    @property
    def complete(self) -> bool:
        return self._decoder.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data:
                if self._decoder.eof:
                    if not self._members.starts_another(data, _ZSTD_FIRST_BYTES):
                        return
                    self._decoder = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
                yield self._decoder.decompress(data, _PIECE)
                while not self._decoder.eof and not self._decoder.needs_input:
                    yield self._decoder.decompress(b"", _PIECE)
                data = self._decoder.unused_data if self._decoder.eof else b""
        except zstd.ZstdError as error:
            raise DecodingError(f"the body is not valid zstd: {error}") from error


class _Members:
    """Counts the independent streams that follow one another in one body."""

    def __init__(self) -> None:
        self._count = 1
        self._junk = False

    def starts_another(self, data: bytes, first_bytes: bytes) -> bool:
        """Whether ``data``, which follows the end of a stream, begins the next one."""
        self._junk = self._junk or data[0] not in first_bytes
        self._count += 1
        if self._count > _MAX_MEMBERS:
            raise DecodingError(f"the body is more than {_MAX_MEMBERS} coded streams in a row")
        return not self._junk


def _inflate(decoder: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    try:
        while not decoder.eof:
            piece = decoder.decompress(data, _PIECE)
            yield piece
            data = decoder.unconsumed_tail
            # A full piece may have left output inside the decoder even when all input is taken.
            if not data and len(piece) < _PIECE:
                return
    except zlib.error as error:
        raise DecodingError(f"the body is not valid gzip or deflate: {error}") from error


_CODINGS: dict[str, Callable[[], _Layer]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
