"""Stand-ins for the application's edges: network, child processes, time. Nothing is patched."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from builders import NOW

from aggregator.children import ChildFailure
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.tally import Tally
from aggregator.stages.tools import Tools
from feeds.model import FailureKind, FetchFailure, FetchOutcome, FetchRequest, Response

Answer = FetchOutcome | Callable[[FetchRequest], FetchOutcome]


class FakeClock:
    """What time it is, until the test says otherwise."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> None:
        self.moment += by


class FakeFetcher:
    """Answers each URL as it is told, again and again; 404 for any other."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = dict(answers)
        self.requests: list[FetchRequest] = []

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        self.requests.append(request)
        answer = self.answers.get(request.url, Response(request.url, 404, {}, b""))
        return answer(request) if callable(answer) else answer

    @property
    def asked(self) -> list[str]:
        return [request.url for request in self.requests]


class FakePacer:
    """Lets everybody through at once, unless a URL is held; remembers what it was told."""

    def __init__(self) -> None:
        self.held: dict[str, float] = {}
        self.held_in_turn: dict[str, float] = {}
        self.visits: list[str] = []
        self.holds: list[tuple[str, float]] = []
        self.turns: list[tuple[str, float | None]] = []
        self.while_waiting: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def turn(self, url: str, interval: float | None = None) -> AsyncIterator[float]:
        self.turns.append((url, interval))
        self.while_waiting()
        yield self.held_in_turn.get(url, self.held.get(url, 0.0))

    def held_for(self, url: str) -> float:
        return self.held.get(url, 0.0)

    def hold(self, url: str, seconds: float) -> None:
        self.holds.append((url, seconds))

    def visited(self, url: str) -> None:
        self.visits.append(url)


class FakeChildren:
    """Does the work right here; ``failures`` are what the next calls end with instead."""

    def __init__(self) -> None:
        self.failures: list[ChildFailure | None] = []
        self.calls = 0

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        failure = self.failures.pop(0) if self.failures else None
        return failure or work(*args, **kwargs)


class FakeTools:
    """Every edge faked but the database, and the ``Tools`` made of them."""

    def __init__(self, ledger: Ledger, **settings: Any) -> None:
        self.ledger = ledger
        self.children = FakeChildren()
        self.fetcher = FakeFetcher()
        self.pacer = FakePacer()
        self.clock = FakeClock()
        self.tally = Tally()
        self.tools = Tools(
            Settings.model_validate(settings),
            ledger,
            self.children,  # type: ignore[arg-type]  # of the same shape
            self.fetcher,
            self.pacer,  # type: ignore[arg-type]  # of the same shape
            self.clock,
            random.Random(1),
            self.tally,
        )

    def configure(self, **settings: Any) -> None:
        """Other settings; what is made of ``tools`` from now on has them."""
        self.tools = replace(self.tools, settings=Settings.model_validate(settings))


def answer(url: str, body: bytes | str = b"", status: int = 200, **headers: str) -> Response:
    """A response; ``_`` in header names stands for ``-``."""
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Response(url, status, named, raw)


def failure(url: str, kind: FailureKind = FailureKind.TIMEOUT) -> FetchFailure:
    return FetchFailure(url, kind, f"trouble: {kind}")


def rss(*items: tuple[str, str], extra: str = "") -> str:
    """An RSS document of (guid, title) items."""
    body = "".join(
        f"<item><title>{title}</title><guid isPermaLink='false'>{guid}</guid>"
        f"<link>https://times.example/{guid}</link>"
        f"<description>{title}.</description>{extra}</item>"
        for guid, title in items
    )
    return f"<rss version='2.0'><channel><title>Times</title>{body}</channel></rss>"
