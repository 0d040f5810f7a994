"""What every stage works with. Put together once, in ``application.py``; substituted in tests."""

import random
from dataclasses import dataclass

from aggregator.children import Children
from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.tally import Tally
from feeds.http.fetch import Fetcher
from feeds.http.pacing import Pacer
from feeds.model import FetchOutcome, FetchRequest


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
