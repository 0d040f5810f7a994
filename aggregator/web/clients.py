"""Who asks: the address that limits are counted by, whether or not a proxy stands between."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_SUBSCRIBER = 64
"""Bits of an IPv6 address that one subscriber line has to itself (RFC 6177)."""
_MOST_HOPS = 20


class Clients:
    """Tells clients apart by address.

    A connection from one of the ``proxies`` comes for somebody else, whom the last address of
    ``X-Forwarded-For`` names that is no proxy itself; what stands before it anybody can write. From
    elsewhere the header says nothing. IPv6 counts by /64.
    """

    def __init__(self, proxies: Collection[Network] = ()) -> None:
        self._proxies = proxies

    def of(self, scope: Scope) -> str:
        """The client of an HTTP request."""
        peer = scope["client"][0] if scope.get("client") else ""
        address = _address(peer)
        if address is None or not self._is_proxy(address):
            return _grouped(address, peer)
        named = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        for text in reversed(named[-_MOST_HOPS:]):
            before = _address(text.strip())
            if before is None:
                break
            address = before
            if not self._is_proxy(address):
                break
        return _grouped(address, peer)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _grouped(address: Address | None, text: str) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _SUBSCRIBER), strict=False))
    return text if address is None else str(address)
