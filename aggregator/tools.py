"""What every stage works with. Put together once, in ``application.py``; substituted in tests."""

import random
from dataclasses import dataclass

from feeds.pacing import Pacer

from aggregator.children import Children
from aggregator.clock import Clock
from aggregator.ledger import Ledger
from aggregator.settings import Settings
from aggregator.tally import Tally
from feeds.fetch import Fetcher


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
