"""Which network addresses may be connected to: the policy, and nothing else.

Pure: it judges addresses that were already resolved and opens no socket. Only globally reachable
unicast passes. ``ipaddress.is_private`` alone would let shared address space, multicast, NAT64,
6to4 and site-local addresses through, so the networks are listed here, from the IANA registries
(iana-ipv4-special-registry, iana-ipv6-special-registry; RFC 6890).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), words)
    for network, words in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared address space of a carrier"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("::ffff:0:0:0/96", "IPv4-translated"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discarded"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "reserved for documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique local"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")
_IPV4_IN_LAST_32_BITS = tuple(
    IPv6Network(network)
    for network in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
# Shorter than any private network there is: such a prefix can only mean "everything".
_SHORTEST_PREFIX = {4: 8, 6: 7}


@dataclass(frozen=True, slots=True)
class Guard:
    """The address policy: public addresses, and the networks an operator allows by name.

    Raises:
        ValueError: if ``allow`` holds a network so wide that it means "everything".
    """

    allow: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        for network in self.allow:
            shortest = _SHORTEST_PREFIX[network.version]
            if network.prefixlen < shortest:
                raise ValueError(
                    f"cannot allow {network}: it would open the guard for everything; "
                    f"name the networks you mean, each /{shortest} or narrower"
                )

    @classmethod
    def allowing(cls, networks: Iterable[str]) -> "Guard":
        """A guard that also lets the given networks pass, written as CIDR or single addresses.

        Raises:
            ValueError: naming the text that is no network, or is too wide a one.
        """
        return cls(tuple(_network(text) for text in networks))

    def refusal(self, address: str) -> str | None:
        """Why nothing may connect to ``address``, in words; None if it may be connected to.

        IPv4 addresses embedded in IPv6 are judged too, even inside an allowed network: a NAT64
        prefix that an operator allows must not become a way to 127.0.0.1.
        """
        if "%" in address:
            return f"{address} has a zone and so is not global"
        try:
            parsed = ip_address(address)
        except ValueError:
            return f"{address!r} is not an IP address"
        for inner in _layers(parsed):
            words = None if self._allowed(inner) else _not_public(inner)
            if words is not None:
                carried = "" if inner == parsed else f" carries {inner}, which"
                return f"{parsed}{carried} is {words}"
        return None

    def _allowed(self, address: Address) -> bool:
        # Membership across IP versions is false, not an error.
        return any(address in network for network in self.allow)


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not a network ({error}); write it like 10.0.0.0/8 or fd00::/8"
        ) from error


def _layers(address: Address) -> Iterator[Address]:
    """The address itself and every IPv4 address it embeds; a mapped one is only what it maps."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address in _MAPPED:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
        return
    yield address
    if int(address) > 1 and any(address in network for network in _IPV4_IN_LAST_32_BITS):
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _not_public(address: Address) -> str | None:
    for network, words in _NOT_PUBLIC:
        if address in network:
            return words
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "outside the global unicast space"
    return None
