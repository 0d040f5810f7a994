"""What servers do to those who ask: broken, hostile and merely odd behaviours, each with what the
fetcher should make of it. For tests and benchmarks only.
"""

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
from scripted_server import (
    Behaviour,
    Exchange,
    ScriptedServer,
    drip,
    endless,
    hang,
    head,
    raw,
    redirect,
    reply,
)

from feeds.http.decoding import zstd
from feeds.model import FailureKind

MAX_BYTES = 256 * 1024
BODY = b"<rss version='2.0'/>"

CONNECT = FailureKind.CONNECT
TIMEOUT = FailureKind.TIMEOUT
TOO_LARGE = FailureKind.TOO_LARGE
REDIRECTS = FailureKind.REDIRECTS
FORBIDDEN = FailureKind.FORBIDDEN_ADDRESS
BAD_URL = FailureKind.BAD_URL
PROTOCOL = FailureKind.PROTOCOL
DECODING = FailureKind.DECODING

Outcome = FailureKind | int


@dataclass(frozen=True)
class Case:
    """One behaviour. ``expected`` is a kind of failure, or the status of the response."""

    name: str
    behaviour: Behaviour
    expected: Outcome
    body: bytes | None = None
    scheme: str = "http"
    conditional: bool = False


def _chunked(data: bytes) -> bytes:
    return head(200, Transfer_Encoding="chunked") + data


def _packed(coding: str, data: bytes, status: int = 200) -> Behaviour:
    return reply(status, data, Content_Encoding=coding)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _to_self(path: str) -> Behaviour:
    """Redirects to another path of the same server."""
    return redirect(path)


def _endless_chain() -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        _, _, count = exchange.request.target.partition("?")
        await redirect(f"/case?{int(count or 0) + 1}")(exchange)

    return behave


def _two_step_loop() -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        other = "/case" if "?" in exchange.request.target else "/case?b"
        await redirect(other)(exchange)

    return behave


def _pieces(*pieces: bytes, pause: float = 0.01) -> Behaviour:
    """Sends its bytes piece by piece, each in a packet of its own."""

    async def behave(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.send(piece)
            await asyncio.sleep(pause)

    return behave


def _reads_nothing_more() -> Behaviour:
    """Sends half a body and goes on reading, for ever."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(head(200, Content_Length="1000") + b"half")
        with contextlib.suppress(OSError):
            await asyncio.Event().wait()

    return behave


_ZEROS = bytes(20 * 1024 * 1024)
_GZIP_BOMB = gzip.compress(_ZEROS)
_OK = head(200, Content_Length=str(len(BODY))) + BODY
_GZIP = gzip.compress(BODY * 50)
_WINDOW = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
_WIDE_ZSTD = _WINDOW.compress(BODY, zstd.ZstdCompressor.FLUSH_BLOCK) + _WINDOW.flush()
_EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * 4000
_SKIPPABLE_ZSTD = b"\x50\x2a\x4d\x18\x00\x00\x00\x00"

TRANSPORT = [
    Case("closes at once", raw(b""), PROTOCOL),
    Case("resets at once", raw(b"", then="reset"), CONNECT),
    Case("never answers", hang(), TIMEOUT),
    Case("one byte and silence", raw(b"H", then="hang"), TIMEOUT),
    Case("closes inside the status line", raw(b"HTTP/1."), PROTOCOL),
    Case("closes inside the headers", raw(b"HTTP/1.1 200 OK\r\nA: b\r\n"), PROTOCOL),
    Case(
        "half-closes inside the headers", raw(b"HTTP/1.1 200 OK\r\n", then="half_close"), PROTOCOL
    ),
    Case("half-closes after the answer", raw(_OK, then="half_close"), 200, BODY),
    Case("resets inside the body", raw(_OK[:-4], then="reset"), PROTOCOL),
    Case("keeps silent inside the body", _reads_nothing_more(), TIMEOUT),
    Case("drips its status line", drip(b"HTTP/1.1 200 ", b"O"), TIMEOUT),
    Case("drips headers", drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), TIMEOUT),
    Case("drips one header", drip(b"HTTP/1.1 200 OK\r\nX: ", b"y"), TIMEOUT),
    Case("drips its body", drip(head(200, Content_Length="100000")), TIMEOUT),
    Case("drips a body without length", drip(head(200)), TIMEOUT),
    Case("drips chunks", drip(_chunked(b""), b"1\r\nx\r\n"), TIMEOUT),
    Case("drips a chunk size", drip(_chunked(b""), b"0"), TIMEOUT),
    Case("drips a coded body", drip(head(200, Content_Encoding="gzip") + _GZIP[:10], b""), TIMEOUT),
    Case("answers byte by byte", _pieces(*(bytes([b]) for b in _OK), pause=0.0), 200, BODY),
    Case("speaks TLS on the plain port", raw(b"\x15\x03\x01\x00\x02\x02\x28" * 40), PROTOCOL),
    Case("speaks SSH", raw(b"SSH-2.0-OpenSSH_9.6\r\n"), PROTOCOL),
    Case("speaks SMTP", raw(b"220 mail.example ESMTP\r\n"), PROTOCOL),
    Case("speaks HTTP/2", raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)), PROTOCOL),
    Case("random bytes without end", endless(b"", bytes(range(256)) * 16), PROTOCOL),
    Case("silence on the TLS port", hang(), TIMEOUT, scheme="https"),
]

STATUS = [
    Case("HTTP/0.9", raw(BODY), PROTOCOL),
    Case("no such HTTP version", raw(b"HTTP/9.9 200 OK\r\n\r\n"), PROTOCOL),
    Case("Icecast's status line", raw(b"ICY 200 OK\r\n\r\n" + BODY), PROTOCOL),
    Case("a status of letters", raw(b"HTTP/1.1 abc OK\r\n\r\n"), PROTOCOL),
    Case("a status of four digits", raw(b"HTTP/1.1 2000 OK\r\n\r\n"), PROTOCOL),
    Case("a status of two digits", raw(b"HTTP/1.1 99 OK\r\n\r\n"), PROTOCOL),
    Case("a negative status", raw(b"HTTP/1.1 -200 OK\r\n\r\n"), PROTOCOL),
    Case("no status", raw(b"HTTP/1.1\r\n\r\n"), PROTOCOL),
    Case("status 000", raw(b"HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n"), PROTOCOL),
    Case("status 999", reply(999, b"no"), 999, b""),
    Case("a status without reason", raw(_OK.replace(b" Status", b"")), 200, BODY),
    Case("an endless status line", endless(b"HTTP/1.1 200 ", b"O" * 4096), PROTOCOL),
    Case("NUL in the status line", raw(_OK.replace(b"Status", b"O\x00K")), 200, BODY),
    Case("HTTP/1.0 without length", raw(b"HTTP/1.0 200 OK\r\n\r\n" + BODY), 200, BODY),
    Case("100 before the answer", raw(b"HTTP/1.1 100 Continue\r\n\r\n" + _OK), 200, BODY),
    Case("103 before the answer", raw(b"HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\n" + _OK), 200, BODY),
    Case("100 and nothing more", raw(b"HTTP/1.1 100 Continue\r\n\r\n", then="hang"), TIMEOUT),
    Case("a flood of 100", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), PROTOCOL),
    Case("101", raw(head(101, Connection="upgrade", Upgrade="h2c") + b"junk" * 100), PROTOCOL),
    Case("204 with a body", raw(head(204, Content_Length="5")), 204, b""),
    Case("205 with a body", reply(205, b"hello"), 205),
    Case("206", reply(206, b"part", Content_Range="bytes 0-3/100"), PROTOCOL),
    Case("304 unasked", reply(304), PROTOCOL),
    Case("304 with a length", raw(head(304, Content_Length="5")), 304, b"", conditional=True),
    Case("304 and a late body", _pieces(head(304), BODY), 304, b"", conditional=True),
    Case("two answers at once", raw(_OK + _OK), 200, BODY),
    Case("410 with a bomb", _packed("gzip", _GZIP_BOMB, 410), 410, b""),
    Case("503 without end", endless(head(503, Retry_After="60"), b"x" * 4096), 503, b""),
    Case("404 in an unknown coding", _packed("unheard-of", b"x", 404), 404, b""),
]

HEADERS = [
    Case("headers without end", endless(b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 100), PROTOCOL),
    Case("a header without end", endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4096), PROTOCOL),
    Case("a name without end", endless(b"HTTP/1.1 200 OK\r\n", b"y" * 4096), PROTOCOL),
    Case("a thousand headers", raw(head(200, **{f"X{n}": "y" for n in range(1000)})), PROTOCOL),
    Case("a header of 100 kB", raw(head(200, X="y" * 100_000) + BODY), PROTOCOL),
    Case("a header of 20 kB", reply(200, BODY, CSP="y" * 20_000), 200, BODY),
    Case("150 headers", reply(200, BODY, **{f"X{n}": "y" for n in range(150)}), 200, BODY),
    Case("a header without colon", raw(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), PROTOCOL),
    Case("NUL in a header", raw(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n"), PROTOCOL),
    Case("bytes above 127 in a header", reply(200, BODY, X="\xe9\xff"), 200, BODY),
    Case("bare LF as line end", raw(_OK.replace(b"\r\n", b"\n")), 200, BODY),
    Case("a length of letters", raw(head(200, Content_Length="abc") + BODY), PROTOCOL),
    Case("a negative length", raw(head(200, Content_Length="-1") + BODY), PROTOCOL),
    Case("a length beyond 64 bits", raw(head(200, Content_Length="9" * 30) + BODY), PROTOCOL),
    Case(
        "two lengths",
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n12345"),
        PROTOCOL,
    ),
    Case(
        "length and chunks",
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        PROTOCOL,
    ),
    Case("Set-Cookie in plenty", reply(200, BODY, Set_Cookie="a=" + "b" * 4000), 200, BODY),
]

BODIES = [
    Case("less than its length", raw(head(200, Content_Length="1000") + BODY), PROTOCOL),
    Case("more than its length", raw(_OK + b"and more"), PROTOCOL),
    Case("length 0 and a body", raw(head(200, Content_Length="0") + BODY), PROTOCOL),
    Case("announces 10 GB", raw(head(200, Content_Length="10000000000"), then="hang"), TOO_LARGE),
    Case("a body without end", endless(head(200), b"x" * 8192), TOO_LARGE),
    Case(
        "chunks without end", endless(_chunked(b""), b"1000\r\n" + b"x" * 4096 + b"\r\n"), TOO_LARGE
    ),
    Case("one-byte chunks without end", endless(_chunked(b""), b"1\r\nx\r\n" * 500), PROTOCOL),
    Case("a chunk without end", endless(_chunked(b"FFFFFFFFF\r\n"), b"x" * 8192), TOO_LARGE),
    Case("a chunk size that is none", raw(_chunked(b"ZZ\r\nx\r\n0\r\n\r\n")), PROTOCOL),
    Case("a negative chunk size", raw(_chunked(b"-1\r\nx\r\n0\r\n\r\n")), PROTOCOL),
    Case("a chunk size beyond 64 bits", raw(_chunked(b"F" * 20 + b"\r\nx\r\n")), PROTOCOL),
    Case("a chunk longer than its size", raw(_chunked(b"2\r\nxyz\r\n0\r\n\r\n")), PROTOCOL),
    Case("no last chunk", raw(_chunked(b"3\r\nxyz\r\n")), PROTOCOL),
    Case("a chunk size without end", endless(_chunked(b""), b"0" * 4096), PROTOCOL),
    Case("a chunk extension without end", endless(_chunked(b"1;"), b"x" * 4096), PROTOCOL),
    Case("trailers without end", endless(_chunked(b"0\r\n"), b"X: y\r\n" * 100), PROTOCOL),
    Case("a gzip bomb", _packed("gzip", _GZIP_BOMB), TOO_LARGE),
    Case("a deflate bomb", _packed("deflate", zlib.compress(_ZEROS)), TOO_LARGE),
    Case("a bare deflate bomb", _packed("deflate", _raw_deflate(_ZEROS)), TOO_LARGE),
    Case("a brotli bomb", _packed("br", brotli.compress(_ZEROS, quality=5)), TOO_LARGE),
    Case("a zstd bomb", _packed("zstd", zstd.compress(_ZEROS)), TOO_LARGE),
    Case("a bomb in a bomb", _packed("gzip, gzip", gzip.compress(_GZIP_BOMB)), TOO_LARGE),
    Case(
        "three bombs in each other",
        _packed("zstd, br, gzip", gzip.compress(brotli.compress(zstd.compress(_ZEROS)))),
        TOO_LARGE,
    ),
    Case(
        "a bomb in chunks",
        raw(
            head(200, Transfer_Encoding="chunked", Content_Encoding="gzip")
            + b"%x\r\n%s\r\n0\r\n\r\n" % (len(_GZIP_BOMB), _GZIP_BOMB)
        ),
        TOO_LARGE,
    ),
    Case(
        "deflate that decodes to nothing, without end",
        endless(head(200, Content_Encoding="deflate"), _EMPTY_BLOCKS),
        TOO_LARGE,
    ),
    Case(
        "a gzip header without end",
        endless(head(200, Content_Encoding="gzip") + _GZIP[:3] + b"\x08" + bytes(6), b"n" * 8192),
        TOO_LARGE,
    ),
    Case("empty gzip members in plenty", _packed("gzip", gzip.compress(b"") * 5000), DECODING),
    Case("empty zstd frames in plenty", _packed("zstd", _SKIPPABLE_ZSTD * 5000), DECODING),
    Case("a zstd window of 128 MB", _packed("zstd", _WIDE_ZSTD), DECODING),
    Case("a cut gzip body", _packed("gzip", _GZIP[:-5]), DECODING),
    Case("a cut brotli body", _packed("br", brotli.compress(BODY * 50)[:-5]), DECODING),
    Case("a cut zstd body", _packed("zstd", zstd.compress(BODY * 50)[:-5]), DECODING),
    Case("gzip with a wrong checksum", _packed("gzip", _GZIP[:-8] + bytes(8)), DECODING),
    Case("gzip that is plain text", _packed("gzip", BODY), DECODING),
    Case("brotli that is gzip", _packed("br", _GZIP), DECODING),
    Case("an unknown coding", _packed("sdch", BODY), DECODING),
    Case("a hundred codings", _packed(", ".join(["gzip"] * 100), _GZIP), DECODING),
    Case("a charset as its coding", _packed("UTF-8", BODY), 200, BODY),
    Case("gzip and junk after it", _packed("gzip", _GZIP + b"\n<!-- -->"), 200, BODY * 50),
    Case("bare deflate", _packed("deflate", _raw_deflate(BODY)), 200, BODY),
    Case("an empty body that claims gzip", _packed("gzip", b""), 200, b""),
]

REDIRECTING = [
    Case("redirects to itself", _to_self("/case"), REDIRECTS),
    Case("redirects in a circle of two", _two_step_loop(), REDIRECTS),
    Case("redirects for ever", _endless_chain(), REDIRECTS),
    Case("redirects to a file", redirect("file:///etc/passwd"), BAD_URL),
    Case("redirects to gopher", redirect("gopher://127.0.0.1:70/_x"), BAD_URL),
    Case("redirects to data", redirect("data:text/xml,<rss/>"), BAD_URL),
    Case("redirects to ftp", redirect("ftp://example.com/feed"), BAD_URL),
    Case("redirects to javascript", redirect("javascript:alert(1)"), BAD_URL),
    Case("redirects to private 10/8", redirect("http://10.0.0.1/"), FORBIDDEN),
    Case("redirects to cloud metadata", redirect("http://169.254.169.254/latest/"), FORBIDDEN),
    Case("redirects to IPv6 loopback", redirect("http://[::1]/"), FORBIDDEN),
    Case("redirects to mapped IPv4", redirect("http://[::ffff:10.0.0.1]/"), FORBIDDEN),
    Case("redirects to NAT64", redirect("http://[64:ff9b::7f00:1]/"), FORBIDDEN),
    Case("redirects to a decimal host", redirect("http://167772161/"), BAD_URL),
    Case("redirects to a hex host", redirect("http://0x0a.1/"), BAD_URL),
    Case("redirects to an octal host", redirect("http://012.0.0.1/"), BAD_URL),
    Case(
        "redirects to a wide-digit host",
        redirect("http://\uff11\uff10.0.0.1/".encode().decode("latin-1")),
        FORBIDDEN,
    ),
    Case("redirects with a password", redirect("http://user:pw@example.com/"), BAD_URL),
    Case("redirects to port 0", redirect("http://example.com:0/"), BAD_URL),
    Case("redirects to no port", redirect("http://example.com:port/"), BAD_URL),
    Case("redirects to 10 kB of URL", redirect("/" + "a" * 10_000), BAD_URL),
    Case("redirects with a broken bracket", redirect("http://[::1"), BAD_URL),
    Case("redirects with a backslash", redirect("http://example.com\\@evil.example/"), BAD_URL),
    Case("redirects to nowhere", redirect(""), 302, b""),
    Case("redirects without Location", reply(301), 301, b""),
    Case("300 with a Location", redirect("/other", 300), 300, b""),
    Case("redirects to a path in UTF-8", redirect("/\u00c3\u00a9"), 404),
    Case("redirects, body without end", endless(head(302, Location="/gone"), b"x" * 4096), 404),
    Case("redirects, lying length", raw(head(302, Location="/gone", Content_Length="99")), 404),
]

CASES: list[Case] = [*TRANSPORT, *STATUS, *HEADERS, *BODIES, *REDIRECTING]
Place = Callable[[ScriptedServer], str]


def place(case: Case, server: ScriptedServer, path: str = "/case") -> str:
    """Put a behaviour on a server; returns the URL that meets it."""
    return server.on(path, case.behaviour).replace("http", case.scheme, 1)
