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
from feeds.model import FailureKind, FetchFailure, FetchOutcome, FetchRequest, Response


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

    async def fetch_in_turn(self, request: FetchRequest) -> FetchOutcome:
        """Wait for the host's turn and fetch; a failure where it asks to be left alone."""
        async with self.pacer.turn(request.url) as held:
            if held:
                detail = f"the host asks to be left alone for another {held:.0f} s"
                return FetchFailure(request.url, FailureKind.HELD, detail)
            return await self.fetch(request)

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Fetch in a turn that the caller holds; hosts that redirects led to are paced too."""
        outcome = await self.fetcher.fetch(request)
        self.tally.metrics.fetched(outcome.wire_bytes if isinstance(outcome, Response) else 0)
        for hop in outcome.hops:
            self.pacer.visited(hop.target)
        return outcome
