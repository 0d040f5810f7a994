"""What can be reached from here, for ``newsfold doctor``: hosts of sources, our own address.

Everything that sources name goes through the guarded fetch, as ever.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_network
from urllib.parse import urlsplit

from aggregator.config.settings import Settings
from aggregator.operating import checks
from aggregator.operating.checks import Check
from aggregator.running.server import ListenError, bind
from aggregator.stages.extract.pages import AGENT
from aggregator.stages.poll.asking import Asking
from aggregator.stages.tools import fetcher_of
from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from feeds.model import FetchOutcome, FetchRequest, Response
from feeds.urls import registrable_domain

MOST_HOSTS = 3
"""Hosts of sources that are asked for their robots.txt."""
_PATIENCE = 10.0
_OWN_NETWORKS = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
)
"""Where the operator's own public address may be, seen from this machine."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a few ``hosts`` of sources answered, and our ``own`` public address."""

    hosts: Sequence[FetchOutcome]
    own: FetchOutcome

    @property
    def dates(self) -> list[datetime]:
        """What time the hosts said it is."""
        return [*_dates(self.hosts)]


def ask(settings: Settings) -> Asked:
    """Ask them all at once."""
    return asyncio.run(_ask(settings))


async def _ask(settings: Settings) -> Asked:
    asking = Asking(settings)
    requests = [
        asking.page(url, f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/robots.txt")
        for url in _first_hosts(settings)
    ]
    own = f"{settings.server.base_url.rstrip('/')}/healthz"
    async with (
        fetcher_of(settings) as fetcher,
        HttpFetcher(Guard(_OWN_NETWORKS), user_agent=AGENT) as beside,
    ):
        *hosts, answer = await asyncio.gather(
            *(fetcher.fetch(request) for request in requests),
            beside.fetch(FetchRequest(own, timeout=_PATIENCE)),
        )
    return Asked(hosts, answer)


def _first_hosts(settings: Settings) -> list[str]:
    """An address at each of the first few domains of sources."""
    found: dict[str, str] = {}
    for source in settings.source:
        if source.enabled:
            found.setdefault(registrable_domain(source.url), source.url)
    return list(found.values())[:MOST_HOSTS]


def _dates(outcomes: Sequence[FetchOutcome]) -> Iterator[datetime]:
    for outcome in outcomes:
        if isinstance(outcome, Response):
            try:
                told = parsedate_to_datetime(outcome.headers.get("date", ""))
            except ValueError:
                continue
            yield told if told.tzinfo else told.replace(tzinfo=UTC)


def address(
    settings: Settings, answer: FetchOutcome, now: datetime, *, daemon: bool
) -> Iterator[Check]:
    """Whether subscribers reach us where feeds and pages say."""
    if not daemon and (trouble := _taken(settings)):
        yield trouble
    yield checks.public_address(settings.server.base_url, daemon=daemon, answer=answer)
    parts = urlsplit(settings.server.base_url)
    if parts.scheme == "https" and parts.hostname:
        try:
            ends = _certificate_ends(parts.hostname, parts.port or 443)
        except OSError:
            return  # the answer before said why
        yield checks.own_certificate(parts.hostname, ends, now)


def _taken(settings: Settings) -> Check | None:
    try:
        bind(settings.server.listen).close()
    except ListenError as error:
        return Check("address", "failed", str(error), "stop what has it, or set server.listen")
    return None


def _certificate_ends(host: str, port: int) -> datetime:
    """When the certificate that this machine's own public address shows is no longer good."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_PATIENCE) as connection,
        context.wrap_socket(connection, server_hostname=host) as channel,
    ):
        shown = channel.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return datetime.fromtimestamp(ends, UTC)
