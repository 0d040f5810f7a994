"""Connections: made only to addresses that the guard lets pass, and metered."""

import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.tracing import Trace

from feeds.http.guard import Guard
from feeds.http.metering import Meter
from feeds.http.resolving import Lookups


class Connector(aiohttp.TCPConnector):
    """Connects to nothing that the guard, if there is one, refuses."""

    def __init__(
        self,
        guard: Guard | None,
        tls: ssl.SSLContext | bool,
        resolver: AbstractResolver,
        keepalive: float,
    ) -> None:
        super().__init__(
            ssl=tls,
            resolver=resolver,
            limit=0,
            keepalive_timeout=keepalive,
            socket_factory=self._socket,
        )
        self._guard = guard

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """Called with the very address that is about to be dialled."""
        family, kind, protocol, _, address = info
        self._check(str(address[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the overridden method's signature
    ) -> aiohttp.connector.Connection:
        """As the base class; checks the peer as well, before anything is sent to it."""
        connection = await super().connect(req, traces, timeout)
        transport, protocol = connection.transport, connection.protocol
        peer = transport.get_extra_info("peername") if transport else None
        if transport is None or protocol is None or peer is None:  # lost as soon as it was made
            connection.close()
            raise aiohttp.ServerDisconnectedError
        meter = transport.get_protocol()
        if isinstance(meter, Meter):  # a connection of the pool, judged when it was made
            meter.restart()
            return connection
        try:
            self._check(str(peer[0]))
        except RefusedAddressError:
            connection.close()
            raise
        transport.set_protocol(Meter(protocol, transport))
        return connection

    def _check(self, address: str) -> None:
        refusal = self._guard.refusal(address) if self._guard else None
        if refusal is not None:
            raise RefusedAddressError(refusal)


class RefusedAddressError(OSError):
    """An address the guard refuses.

    An ``OSError``, which the client takes for one address that could not be reached; its text is
    always the same, because of several such errors the client keeps the type only if they are.
    """

    def __init__(self, refusal: str) -> None:
        super().__init__("refused by the address policy")
        self.refusal = refusal


class SystemResolver(AbstractResolver):
    """The system's resolver, as the client wants it."""

    def __init__(self) -> None:
        self._lookups = Lookups()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of ``host``."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=of_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of_family, _, protocol, _, address in await self._lookups.addresses(
                host, port, family
            )
        ]

    async def close(self) -> None:
        """Nothing to give back."""
