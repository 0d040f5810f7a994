"""What every stage works with. Put together once, in ``application.py``; substituted in tests."""

import random
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.lanes import Lanes
from aggregator.ledger import Ledger
from aggregator.stages.tally import Tally
from aggregator.version import VERSION
from feeds.http.fetch import Fetcher, HttpFetcher
from feeds.http.guard import Guard
from feeds.http.pacing import Pacer, Shared
from feeds.model import FailureKind, FetchFailure, FetchOutcome, FetchRequest, Response
from storage.sources import ALONE, hold_host


class InTurn:
    """A fetcher that waits its turn at every host, and leaves alone those that ask for it."""

    def __init__(self, fetcher: Fetcher, pacer: Pacer) -> None:
        self._fetcher = fetcher
        self._pacer = pacer

    async def fetch(self, request: FetchRequest, pause: float | None = None) -> FetchOutcome:
        """Fetch once; ``pause`` is between two requests to the domain, if not the usual one."""
        async with self._pacer.turn(request.url, pause) as held:
            if held:
                return FetchFailure(request.url, FailureKind.HELD, left_alone(held))
            return await fetch_in_turn(self._fetcher, self._pacer, request)


async def fetch_in_turn(fetcher: Fetcher, pacer: Pacer, request: FetchRequest) -> FetchOutcome:
    """Fetch in a turn that the caller holds; hosts that redirects led to are paced too."""
    outcome = await fetcher.fetch(request)
    for hop in outcome.hops:
        pacer.visited(hop.target)
    return outcome


def left_alone(seconds: float) -> str:
    """Why a host is not asked."""
    return f"the host asks to be left alone for {seconds:.0f} s"


def pacer_of(settings: Settings, shared: Shared | None = None) -> Pacer:
    """What makes requests wait their turn."""
    fetch = settings.fetch
    return Pacer(
        interval=fetch.host_interval.total_seconds(),
        per_host=fetch.host_concurrency,
        total=fetch.concurrency,
        shared=shared,
    )


def fetcher_of(settings: Settings) -> HttpFetcher:
    """The guarded way to the network."""
    contact = settings.fetch.contact or settings.server.base_url
    return HttpFetcher(
        Guard(settings.fetch.allow_networks), user_agent=f"newsfold/{VERSION} (+{contact})"
    )


@dataclass(frozen=True, slots=True)
class Tools:
    """The edges: database, children, network, time and chance."""

    settings: Settings
    ledger: Ledger
    children: Lanes
    fetcher: Fetcher
    pacer: Pacer
    clock: Clock
    rng: random.Random
    tally: Tally
    name: str = ALONE
    """The process's own, under which it claims."""

    async def fetch_in_turn(self, request: FetchRequest) -> FetchOutcome:
        """Wait for the host's turn and fetch; a failure where it asks to be left alone."""
        return await InTurn(self.fetcher, self.pacer).fetch(request)

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Fetch in a turn that the caller holds; hosts that redirects led to are paced too."""
        outcome = await fetch_in_turn(self.fetcher, self.pacer, request)
        self.tally.metrics.fetched(outcome.wire_bytes if isinstance(outcome, Response) else 0)
        return outcome

    async def hold(self, url: str, until: datetime) -> None:
        """Leave the host of ``url`` alone until then: in this process, every other, and later."""
        self.pacer.hold(url, (until - self.clock()).total_seconds())
        await self.ledger.write(hold_host, urlsplit(url).hostname or "", until)
