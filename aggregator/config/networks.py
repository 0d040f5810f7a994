"""Networks and names of hosts, as they are written in a configuration."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, PlainValidator

from feeds.http.guard import Guard


def _network(value: object) -> IPv4Network | IPv6Network:
    if not isinstance(value, str):
        raise ValueError('is not a network; write for example "10.0.0.0/8"')
    try:
        network = ip_network(value)
    except ValueError as error:
        raise ValueError(f'is not a network: {error}; write for example "10.0.0.0/8"') from error
    if network.prefixlen == 0:
        raise ValueError("allows every address; name the networks your sources are on")
    Guard((network,))  # says what is too wide
    return network


Network = Annotated[
    IPv4Network | IPv6Network, PlainValidator(_network), PlainSerializer(str, return_type=str)
]


def _server_name(value: str) -> str:
    if value != "*" and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?", value):
        raise ValueError('is not a host name; write for example "news.example.org", without port')
    return value


ServerName = Annotated[str, AfterValidator(_server_name)]


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError('is not HOST:PORT, for example "127.0.0.1:8080" or "[::]:8080"')
    return value


Listen = Annotated[str, AfterValidator(_listen)]
