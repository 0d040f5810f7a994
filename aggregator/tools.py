"""What every stage works with. Put together once, in ``application.py``; substituted in tests."""

import random
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from aggregator.children import Children
from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.tally import Tally
from feeds.http.fetch import Fetcher
from feeds.http.pacing import Pacer
from feeds.model import FetchOutcome, FetchRequest
from storage.sources import hold_host


@dataclass(frozen=True, slots=True)
class Tools:
    """The edges: database, children, network, time and chance."""

    settings: Settings
    ledger: Ledger
    children: Children
    fetcher: Fetcher
    pacer: Pacer
    clock: Clock
    rng: random.Random
    tally: Tally

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Fetch in a turn that the caller holds; hosts that redirects led to are paced too."""
        outcome = await self.fetcher.fetch(request)
        for hop in outcome.hops:
            self.pacer.visited(hop.target)
        return outcome

    async def hold(self, url: str, until: datetime) -> None:
        """Leave the host of ``url`` alone until then: in this process, every other, and later."""
        self.pacer.hold(url, (until - self.clock()).total_seconds())
        await self.ledger.write(hold_host, urlsplit(url).hostname or "", until)
