"""The HTTP edge: one polite request in, one value out.

Decides nothing about when to ask or what to make of an answer. Whatever a server does ends as a
:class:`~feeds.model.Response` or a :class:`~feeds.model.FetchFailure`, never as an exception, and
within the request's deadline and size.

One fetch:

1. :mod:`feeds.http.target` checks the URL; the guard judges a literal address.
2. A connection is taken from the pool or made (:mod:`feeds.http.connecting`); the guard judges the
   very address that is dialled and the peer that answered. A name that resolves differently a
   moment later (DNS rebinding) gains nothing, because no other resolution is ever used.
3. The request (a GET, or the POST of a form) goes out: no cookies, no Referer; validators only to
   the URL they were stored for; the operator's headers and credentials only to the origin of the
   request, which alone may be let off proving who it is.
4. A redirect with a ``Location`` goes back to 1, up to ``max_redirects`` times; its body is not
   read. A form is sent on by 307 and 308 only, and never from https to http.
5. The body is decoded as it arrives (:mod:`feeds.http.decoding`) and counted, coded and decoded.
   Only 2xx bodies are read: of an error the status and headers matter, and its body may be a trap.

Through a proxy the guard judges literal addresses in URLs only: names are resolved by the proxy,
and the proxy's own address is the operator's choice.

The client retries once, at once, where a connection is dropped before any answer (RFC 9112,
9.3.1): it cannot tell an idle connection that just closed from a server that hangs up. It does not
where a form was sent.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import TracebackType
from typing import Protocol, Self

import aiohttp
from aiohttp.abc import AbstractResolver

from feeds.http.connecting import Connector, RefusedAddressError, SystemResolver
from feeds.http.decoding import BodyDecoder, BodyTooLargeError, DecodingError
from feeds.http.exchange import (
    ExchangeError,
    check_status,
    follows,
    is_conditional,
    request_body,
    request_headers,
    response_headers,
)
from feeds.http.guard import Guard
from feeds.http.metering import ExcessError, Meter
from feeds.http.target import Target, TargetError, proxy_url, redirect_url, target_of
from feeds.model import (
    FailureKind,
    FetchFailure,
    FetchOutcome,
    FetchRequest,
    Hop,
    Response,
)

# Content-Security-Policy headers of real sites outgrow the client's default of 8 kB.
_MAX_HEADER_BYTES = 32 * 1024
_MAX_HEADERS = 200
_TARGETS = 2_000
"""Addresses that need not be checked again; they may be 8 kB long each."""


class Fetcher(Protocol):
    """What fetches. Tests and callers may put anything of this shape in place of the network."""

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Fetch once; never raises for anything a server does."""


class HttpFetcher:
    """Fetches over HTTP/1.1. An async context manager, to be used in one event loop.

    It does not limit how many fetches run at once (see :mod:`feeds.http.pacing`): a limit in here
    would let slow servers use up other requests' deadlines.

    Args:
        guard: which addresses may be connected to.
        user_agent: sent where the request names none, such as ``newsfold/1.0 (+https://...)``.
        tls: verifies servers; None for the system's trusted authorities.
        resolver: resolves names; None for the system's resolver.
        keepalive: seconds an idle connection is kept for the next request to its host.
    """

    def __init__(
        self,
        guard: Guard,
        user_agent: str,
        *,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        keepalive: float = 5.0,
    ) -> None:
        self._guard = guard
        # The same feeds are asked for again and again.
        self._target = lru_cache(_TARGETS)(partial(target_of, guard=guard))
        self._user_agent = user_agent
        self._tls = tls
        self._resolver = resolver
        self._keepalive = keepalive

    async def __aenter__(self) -> Self:
        resolver = self._resolver or SystemResolver()
        # Two pools: a proxy's own address is not the guard's business.
        self._direct, self._proxied = (
            _session(Connector(guard, self._tls or True, resolver, self._keepalive))
            for guard in (self._guard, None)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._direct.close()
        await self._proxied.close()

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """GET ``request.url`` or POST the request's form there, following redirects.

        Returns:
            A response of any final status (the body empty unless the status is 2xx), or why there
            is none. 304 is a response only if validators were sent with the request it answers.
        """
        trip = _Trip(request)
        try:
            async with asyncio.timeout(request.timeout):
                return await self._follow(trip)
        except TimeoutError:
            return trip.failure(FailureKind.TIMEOUT, trip.unfinished())
        except _FAILURES as error:
            return trip.failure(*_explain(error, trip.host, proxied=request.proxy is not None))

    async def _follow(self, trip: "_Trip") -> Response:
        request = trip.request
        target = self._target(request.url)
        trip.host, home = target.host, target.origin
        body = request_body(request)
        proxy = proxy_url(request.proxy)
        session = self._direct if proxy is None else self._proxied
        while True:
            at_home = target.origin == home
            headers = request_headers(request, self._user_agent, trip.url, at_home=at_home)
            async with session.request(
                "GET" if body is None else "POST",
                target.url,
                data=body,
                headers=headers,
                allow_redirects=False,
                proxy=proxy,
                ssl=request.verify_tls or not at_home,
            ) as response:
                location = _location(response, request)
                if location is None:
                    return await _read(response, trip, conditional=is_conditional(headers))
                status = response.status
            target = self._redirected(trip, target, location)
            trip.follow(status, target)

    def _redirected(self, trip: "_Trip", source: Target, location: str) -> Target:
        """The target of a redirect from ``source``, if it may be followed."""
        limit = trip.request.max_redirects
        if len(trip.hops) >= limit:
            raise ExchangeError(FailureKind.REDIRECTS, f"redirects more than {limit} times")
        target = target_of(redirect_url(trip.url, location), self._guard)
        if str(target.url) in trip.visited:
            raise ExchangeError(
                FailureKind.REDIRECTS,
                "redirects in a circle (it may insist on cookies, which are never kept)",
            )
        downgraded = source.url.scheme == "https" and target.url.scheme == "http"
        if downgraded and trip.request.form is not None:
            raise ExchangeError(
                FailureKind.REDIRECTS, "redirects from https to http, where no form is sent on"
            )
        return target


@dataclass(slots=True)
class _Trip:
    """Where one fetch has got to; what an error is reported with."""

    request: FetchRequest
    started: float = field(default_factory=time.monotonic)
    host: str = ""
    hops: list[Hop] = field(default_factory=list)
    body: BodyDecoder | None = None

    @property
    def url(self) -> str:
        return self.hops[-1].target if self.hops else self.request.url

    @property
    def visited(self) -> frozenset[str]:
        return frozenset([self.request.url, *(hop.target for hop in self.hops)])

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def follow(self, status: int, target: Target) -> None:
        self.hops.append(Hop(status, self.url, str(target.url)))
        self.host = target.host

    def unfinished(self) -> str:
        limit = f"within {self.request.timeout:g} s"
        if self.body is None:
            return f"{self.host} did not answer {limit}"
        return f"{self.host} sent {self.body.wire_bytes} bytes but did not finish {limit}"

    def failure(self, kind: FailureKind, detail: str) -> FetchFailure:
        return FetchFailure(
            self.request.url, kind, _one_line(detail), tuple(self.hops), self.seconds
        )


async def _read(response: aiohttp.ClientResponse, trip: _Trip, *, conditional: bool) -> Response:
    """The final response with its body.

    Raises:
        ExchangeError: for an answer that nobody asked for.
    """
    check_status(response.status, conditional=conditional)
    headers = response_headers(response.raw_headers)
    body = b""
    if 200 <= response.status < 300:
        limit = trip.request.max_bytes
        if (response.content_length or 0) > limit:
            raise BodyTooLargeError(f"announces a body larger than {limit} bytes")
        trip.body = BodyDecoder(headers.get("content-encoding", ""), limit)
        meter = _meter(response)
        async for chunk in response.content.iter_any():
            trip.body.feed(chunk)
            if meter is not None:
                meter.account_for(trip.body.wire_bytes)
        body = trip.body.finish()
    return Response(
        url=trip.url,
        status=response.status,
        headers=headers,
        body=body,
        hops=tuple(trip.hops),
        wire_bytes=trip.body.wire_bytes if trip.body else 0,
        seconds=trip.seconds,
    )


def _meter(response: aiohttp.ClientResponse) -> Meter | None:
    """What counts the connection's bytes; None where all of them have come already."""
    transport = response.connection and response.connection.transport
    protocol = transport and transport.get_protocol()
    return protocol if isinstance(protocol, Meter) else None


def _location(response: aiohttp.ClientResponse, request: FetchRequest) -> str | None:
    if not follows(request, response.status):
        return None
    # Not from response.headers: the client reads those as UTF-8, which may lose bytes.
    return response_headers(response.raw_headers).get("location") or None


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # fetch() has the deadline
        auto_decompress=False,
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
        max_headers=_MAX_HEADERS,
    )


# --- failures in words --------------------------------------------------------------------------


_FAILURES = (
    TargetError,
    ExchangeError,
    BodyTooLargeError,
    DecodingError,
    ExcessError,
    aiohttp.ClientError,
    OSError,
    # The client and the codecs below it let some out for hosts and headers they cannot encode.
    ValueError,
)

_CLIENT_ERRORS: tuple[tuple[type[Exception], FailureKind, str], ...] = (
    # The first that fits counts: subclasses stand before their bases.
    (BodyTooLargeError, FailureKind.TOO_LARGE, "{error}"),
    (DecodingError, FailureKind.DECODING, "{error}"),
    (ExcessError, FailureKind.PROTOCOL, "{error}"),
    (aiohttp.ClientConnectorDNSError, FailureKind.DNS, "the name does not resolve ({reason})"),
    (aiohttp.ClientProxyConnectionError, FailureKind.CONNECT, "no way to the proxy ({reason})"),
    (aiohttp.ClientHttpProxyError, FailureKind.CONNECT, "the proxy refuses ({reason})"),
    (aiohttp.ClientSSLError, FailureKind.TLS, "no secure connection ({reason})"),
    (ssl.SSLError, FailureKind.TLS, "the secure connection broke ({reason})"),
    (aiohttp.ClientConnectorError, FailureKind.CONNECT, "no connection ({reason})"),
    (aiohttp.ServerDisconnectedError, FailureKind.PROTOCOL, "hung up without an answer"),
    (aiohttp.ClientPayloadError, FailureKind.PROTOCOL, "the body broke off ({reason})"),
    (aiohttp.ClientResponseError, FailureKind.PROTOCOL, "the answer is not valid HTTP ({reason})"),
    (OSError, FailureKind.CONNECT, "the connection broke ({reason})"),
)


def _explain(error: Exception, host: str, *, proxied: bool) -> tuple[FailureKind, str]:
    """What kind of failure an exception is, and a line about it that names the host."""
    if isinstance(error, TargetError):
        via = f"{host} redirects to a place that is not followed: " if host else ""
        return error.kind, f"{via}{error}"
    if isinstance(error, ExchangeError):
        return error.kind, f"{host} {error}"
    refused = _refusal(error)
    if refused is not None:
        return FailureKind.FORBIDDEN_ADDRESS, f"{host}: {refused}"
    if proxied and isinstance(error, aiohttp.ClientConnectorDNSError):
        return FailureKind.CONNECT, f"{host}: the proxy's name does not resolve ({_reason(error)})"
    for of_type, kind, words in _CLIENT_ERRORS:
        if isinstance(error, of_type):
            return kind, f"{host}: {words.format(error=error, reason=_reason(error))}"
    return FailureKind.PROTOCOL, f"{host}: {type(error).__name__}: {error}"


def _refusal(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, RefusedAddressError):
            return error.refusal
        error = error.__cause__
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"{error.status} {error.message}"
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message.partition("\n")[0].rstrip(" :")  # below it is what the server sent
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error).removeprefix("Response payload is not completed: ")


def _one_line(detail: str) -> str:
    line = " ".join(detail.split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= 300 else f"{line[:300]}..."
