"""Looking at an address as a poll would, and for the feeds of a site. Nothing is remembered.

Everything goes through the guard, waits its turn at the host, and is parsed in a child process, as
in the daemon.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aggregator.children import ChildFailure, Children
from aggregator.clock import Clock, utc_now
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.stages.extract.pages import AGENT
from aggregator.stages.poll.asking import Asking
from aggregator.stages.poll.findings import offered
from aggregator.stages.poll.schedule import permanent_target
from aggregator.stages.tools import InTurn, fetcher_of, pacer_of
from feeds.http.robots import Robots
from feeds.model import FailureKind, FetchFailure, FetchOutcome, NotAFeed, ParsedFeed, Response
from feeds.parsing.discover import guess_feeds
from feeds.parsing.parse import parse_feed
from feeds.urls import absolute_http_url

MOST_OFFERED = 8
"""Feeds of one page that are looked at."""
ALLOWING = "fetch.allow_networks in the configuration allows networks of your own"


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at ``url``. ``problem`` says in words why that is no feed, if it is none."""

    url: str
    at: datetime
    outcome: FetchOutcome
    feed: ParsedFeed | None = None
    problem: str | None = None
    feed_links: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """What belongs into the configuration: where the address has moved for good."""
        return permanent_target(self.outcome.hops) or self.url


@dataclass(frozen=True, slots=True)
class Found:
    """The feeds of an address. ``guessed`` if nothing names them and they were there all the same.

    ``first`` is what the address itself is.
    """

    first: Look
    feeds: tuple[Look, ...]
    guessed: bool = False


class Prober:
    """Looks at addresses. ``settings`` are those of the configuration, for sources in it too."""

    def __init__(
        self, settings: Settings, children: Children, network: InTurn, clock: Clock
    ) -> None:
        self._asking = Asking(settings)
        self._children = children
        self._network = network
        self._clock = clock
        self._robots = Robots(network, AGENT)

    async def look(self, url: str) -> Look:
        """What is at ``url``."""
        request = self._asking.feed(url, url)
        outcome = await self._network.fetch(request, self._asking.pause(url))
        now = self._clock()
        if isinstance(outcome, FetchFailure):
            return Look(url, now, outcome, problem=outcome.detail)
        if outcome.status != 200:
            return Look(url, now, outcome, problem=f"the server answered {outcome.status}")
        return await self.read(url, now, outcome)

    async def read(self, url: str, now: datetime, outcome: Response) -> Look:
        """What is in an answer of ``url``."""
        parsed = await self._children.run(
            parse_feed,
            outcome.body,
            outcome.url,
            content_type=outcome.headers.get("content-type"),
            now=now,
        )
        match parsed:
            case ParsedFeed():
                return Look(url, now, outcome, parsed)
            case NotAFeed():
                links = parsed.feed_links
                return Look(url, now, outcome, None, f"not a feed: {parsed.detail}", links)
            case ChildFailure():
                return Look(url, now, outcome, problem=f"it could not be read: {parsed.detail}")

    async def find(self, address: str) -> Found:
        """The feed at ``address``, or those that the page there offers, or those usually there.

        Raises:
            ApplicationError: it is no address.
        """
        first = await self.first_of(addresses(address))
        if first.feed is not None:
            return Found(first, (first,))
        looked = [await self.look(link) for link in first.feed_links[:MOST_OFFERED]]
        feeds = _distinct(looked)
        if feeds or isinstance(first.outcome, FetchFailure):
            return Found(first, feeds)
        for guess in guess_feeds(first.outcome.url):
            look = await self.look(guess)
            if look.feed is not None:
                return Found(first, (look,), guessed=True)
            if isinstance(look.outcome, FetchFailure):
                break  # a server that stops answering is not asked a dozen times more
        return Found(first, ())

    async def first_of(self, urls: Sequence[str]) -> Look:
        """What is at the first of ``urls`` that answers at all, or else at the last."""
        for url in urls:
            look = await self.look(url)
            if isinstance(look.outcome, Response):
                break
        return look

    async def page_refusal(self, look: Look, page_url: str) -> str | None:
        """Why the page of an article may not be fetched, by its robots.txt; None if it may."""
        rules = await self._robots.rules(self._asking.page(look.url, page_url))
        return rules.refusal(page_url)


@asynccontextmanager
async def open_prober(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Prober]:
    """A prober with a network and a child process of its own."""
    limits = settings.extract
    async with (
        Children(1, limits.timeout.total_seconds(), limits.memory) as children,
        fetcher_of(settings) as fetcher,
    ):
        yield Prober(settings, children, InTurn(fetcher, pacer_of(settings)), clock)


def addresses(text: str) -> tuple[str, ...]:
    """The addresses that ``text``, as a person types it, may mean, likeliest first.

    Raises:
        ApplicationError: it can be none.
    """
    text = text.strip()
    text = text[5:] if text.lower().startswith("feed:") else text
    text = text.removeprefix("//")
    full = [text] if "://" in text else [f"https://{text}", f"http://{text}"]
    if "@" in full[0].partition("://")[2].partition("/")[0]:
        raise ApplicationError(
            "the address holds a user name or password; list it without, and write "
            'username = "..." and password = "..." below its url in the configuration'
        )
    found = [url for url in map(absolute_http_url, full) if url]
    if not found or any(c.isspace() for c in text):
        raise ApplicationError(
            f"{text[:200]!r} is no address; write it like example.org or https://example.org/feed"
        )
    return tuple(found)


def _distinct(looks: Sequence[Look]) -> tuple[Look, ...]:
    """Those that are feeds, each address once."""
    found: dict[str, Look] = {}
    for look in looks:
        if look.feed is not None:
            found.setdefault(look.address, look)
    return tuple(found.values())


def trouble(look: Look) -> str:
    """What is wrong at an address, in a line."""
    hint = f"; {ALLOWING}" if is_private(look) else ""
    return f"{look.url}: {look.problem}{offered(look.feed_links)}{hint}"


def is_private(look: Look) -> bool:
    """Whether the guard refused it: it is, or leads, to no public address."""
    outcome = look.outcome
    return isinstance(outcome, FetchFailure) and outcome.kind is FailureKind.FORBIDDEN_ADDRESS
