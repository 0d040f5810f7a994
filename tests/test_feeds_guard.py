"""The address policy, address by address and over random ones."""

import ipaddress
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.http.guard import Guard

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "198.17.0.1",
    "198.20.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2001:200::1",
    "2001:4860:4860::8888",
    "3ffe::1",
    "::ffff:8.8.8.8",
]
NOT_PUBLIC = [
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("10.0.0.1", "private"),
    ("100.64.0.1", "carrier"),
    ("100.127.255.255", "carrier"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("169.254.169.254", "link-local"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.8", "protocols"),
    ("192.0.2.1", "documentation"),
    ("192.88.99.1", "6to4"),
    ("192.168.1.1", "private"),
    ("198.18.0.1", "benchmarks"),
    ("198.19.255.255", "benchmarks"),
    ("198.51.100.7", "documentation"),
    ("203.0.113.7", "documentation"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::2", "IPv4-compatible"),
    ("::8.8.8.8", "IPv4-compatible"),
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:10.0.0.1", "private"),
    ("::ffff:0:8.8.8.8", "IPv4-translated"),
    ("64:ff9b::8.8.8.8", "NAT64"),
    ("64:ff9b::7f00:1", "NAT64"),
    ("64:ff9b:1::1", "NAT64"),
    ("100::1", "discarded"),
    ("2001::1", "Teredo"),
    ("2001:2::1", "protocols"),
    ("2001:10::1", "protocols"),
    ("2001:20::1", "protocols"),
    ("2001:db8::1", "documentation"),
    ("2002:7f00:1::", "6to4"),
    ("2002:808:808::1", "6to4"),
    ("3fff::1", "documentation"),
    ("4000::1", "outside"),
    ("5f00::1", "segment"),
    ("fc00::1", "unique local"),
    ("fd12:3456::1", "unique local"),
    ("fe80::1", "link-local"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("fe80::1%eth0", "zone"),
    ("2606:4700::1%1", "zone"),
    ("localhost", "not an IP address"),
    ("127.1", "not an IP address"),
    ("2130706433", "not an IP address"),
    ("0x7f000001", "not an IP address"),
    ("0177.0.0.1", "not an IP address"),
    ("", "not an IP address"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert Guard().refusal(address) is None


@pytest.mark.parametrize(("address", "words"), NOT_PUBLIC)
def test_all_others_are_refused_in_words(address: str, words: str) -> None:
    refusal = Guard().refusal(address)
    assert refusal is not None
    assert words in refusal


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_whatever_python_calls_not_global_is_refused(address: ipaddress.IPv4Address) -> None:
    # The other direction does not hold: 192.88.99.0/24 and multicast are "global" to Python.
    if not address.is_global and str(address) not in {"192.0.0.9", "192.0.0.10"}:
        assert Guard().refusal(str(address)) is not None


@settings(deadline=None)
@given(st.ip_addresses(v=6))
def test_no_ipv6_outside_global_unicast_passes(address: ipaddress.IPv6Address) -> None:
    if Guard().refusal(str(address)) is None:
        assert address in ipaddress.ip_network("2000::/3") or address.ipv4_mapped is not None


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_maps(address: ipaddress.IPv4Address) -> None:
    mapped = Guard().refusal(f"::ffff:{address}")
    assert (mapped is None) == (Guard().refusal(str(address)) is None)


@settings(deadline=None)
@given(
    st.ip_addresses(v=4),
    st.sampled_from(["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"]),
)
def test_an_allowed_tunnel_does_not_reach_private_ipv4(
    inner: ipaddress.IPv4Address, network: str
) -> None:
    prefix = ipaddress.ip_network(network)
    value = int(prefix.network_address)
    if network == "2002::/16":
        value |= int(inner) << 80
    elif network == "2001::/32":
        value |= int(ipaddress.ip_address("8.8.8.8")) << 64 | (int(inner) ^ 0xFFFFFFFF)
    else:
        value |= int(inner)
    address = str(ipaddress.IPv6Address(value))
    assert Guard().refusal(address) is not None
    allowed = Guard.allowing([network]).refusal(address)
    if address not in {"::", "::1"}:  # allowed as themselves: they embed nothing
        assert (allowed is None) == (Guard().refusal(str(inner)) is None)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    refusal = Guard().refusal(text)
    if refusal is None:
        assert ipaddress.ip_address(text)


@settings(deadline=None)
@given(
    st.from_regex(r"(0x[0-9a-f]{1,8}|0[0-7]{1,11}|[0-9]{1,10})(\.[0-9x]{1,4}){0,2}", fullmatch=True)
)
def test_legacy_spellings_that_sockets_accept_are_not_addresses(text: str) -> None:
    try:
        socket.inet_aton(text)
    except OSError:
        return
    assert Guard().refusal(text) is not None


def test_allowed_networks_pass_and_only_they() -> None:
    guard = Guard.allowing(["127.0.0.0/8", " fd00::/8 ", "192.168.1.7"])
    assert guard.refusal("127.0.0.1") is None
    assert guard.refusal("::ffff:127.0.0.1") is None
    assert guard.refusal("fd00::5") is None
    assert guard.refusal("192.168.1.7") is None
    assert guard.refusal("192.168.1.8") is not None
    assert guard.refusal("10.0.0.1") is not None


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/7", "2000::/3"])
def test_everything_cannot_be_allowed(network: str) -> None:
    with pytest.raises(ValueError, match="would open the guard for everything"):
        Guard.allowing([network])


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "", "10.0.0.0/33", "*"])
def test_a_wrong_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a network") as error:
        Guard.allowing([text])
    assert repr(text) in str(error.value)


def test_the_embedded_address_is_named() -> None:
    refusal = Guard.allowing(["64:ff9b::/96"]).refusal("64:ff9b::7f00:1")
    assert refusal == "64:ff9b::7f00:1 carries 127.0.0.1, which is loopback"
