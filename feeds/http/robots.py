"""What robots.txt lets us fetch (RFC 9309). The only home of the robots.txt parser.

For article pages and what else is found by itself. Feeds that an operator subscribed to are
fetched on that person's behalf, as a browser would.

The file is read from each origin through a :class:`~feeds.http.fetch.Fetcher` and remembered. A
site without one (4xx) allows everything; a site that cannot say now (5xx, 429, no answer) allows
nothing for now.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from protego import Protego

from feeds.http.fetch import Fetcher
from feeds.model import FailureKind, FetchOutcome, FetchRequest, Response

# RFC 9309, 2.5: at least 500 KiB must be read; what comes after that may be ignored.
_MAX_PARSED = 500 * 1024
_MAX_FETCHED = 2 * 1024 * 1024
# RFC 9309, 2.4: no longer than a day. A site that could not answer is asked again sooner.
_LIFETIME = 86400.0
_LIFETIME_UNREACHABLE = 900.0
_MAX_CRAWL_DELAY = 60.0
_MAX_SITES = 5000

_USER_AGENT_LINE = re.compile(r"(user[- ]?agent\s*[:\s])\s*([^#]*)", re.IGNORECASE)

_TOKEN = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site says to us.

    ``closed`` says in words why nothing may be fetched for now. ``crawl_delay`` is in seconds,
    None if the site asks for none.
    """

    agent: str
    parsed: Protego | None = None
    closed: str | None = None
    crawl_delay: float | None = None

    def refusal(self, url: str) -> str | None:
        """Why ``url``, an address of this site, may not be fetched; None if it may."""
        if self.closed is not None:
            return self.closed
        if self.parsed is None:
            return None
        try:
            allowed = self.parsed.can_fetch(url, self.agent)
        except ValueError:  # brackets in the URL that hold no address
            allowed = False
        return None if allowed else f"robots.txt does not let {self.agent} fetch this page"


def read_rules(outcome: FetchOutcome, agent: str) -> Rules:
    """What follows from how ``/robots.txt`` was answered. Pure.

    Args:
        outcome: of the request for it, redirects followed.
        agent: our product token, such as ``newsfold``.
    """
    if not isinstance(outcome, Response):
        # RFC 9309, 2.3.1.2: after too many redirects it may be taken for missing.
        if outcome.kind is FailureKind.REDIRECTS:
            return Rules(agent)
        return Rules(agent, closed=f"robots.txt cannot be read: {outcome.detail}")
    if outcome.status >= 500 or outcome.status == 429:
        return Rules(agent, closed=f"robots.txt cannot be read: status {outcome.status}")
    if not 200 <= outcome.status < 300:
        return Rules(agent)
    text = outcome.body[:_MAX_PARSED].decode("utf-8-sig", "replace")
    parsed = Protego.parse(_without_strangers(text, agent))
    delay = parsed.crawl_delay(agent)
    return Rules(agent, parsed, crawl_delay=None if delay is None else min(delay, _MAX_CRAWL_DELAY))


class Robots:
    """Remembers the rules of sites.

    Args:
        fetcher: fetches ``/robots.txt``.
        agent: our product token.
        clock: monotonic seconds.
    """

    def __init__(
        self, fetcher: Fetcher, agent: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetcher = fetcher
        self._agent = agent
        self._clock = clock
        self._sites: OrderedDict[str, tuple[float, Rules]] = OrderedDict()
        # Several pages of one site wait for one request; a lock lives while somebody holds it.
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def rules(self, request: FetchRequest) -> Rules:
        """The rules for ``request.url``, asked for first if need be.

        The request's proxy, user agent, TLS verification and deadline are used for that, its
        headers and credentials are not.
        """
        try:
            parts = urlsplit(request.url)
        except ValueError:
            return Rules(self._agent, closed="this is not a URL")
        site = f"{parts.scheme}://{parts.netloc}".lower()
        async with self._asking.setdefault(site, asyncio.Lock()):
            known = self._sites.get(site)
            if known is None or known[0] <= self._clock():
                known = await self._ask(site, request)
                self._sites[site] = known
            self._sites.move_to_end(site)
            while len(self._sites) > _MAX_SITES:
                self._sites.popitem(last=False)
        return known[1]

    async def _ask(self, site: str, request: FetchRequest) -> tuple[float, Rules]:
        outcome = await self._fetcher.fetch(
            FetchRequest(
                f"{site}/robots.txt",
                accept="text/plain, */*;q=0.1",
                user_agent=request.user_agent,
                proxy=request.proxy,
                verify_tls=request.verify_tls,
                timeout=request.timeout,
                max_bytes=_MAX_FETCHED,
                max_redirects=5,
            )
        )
        rules = read_rules(outcome, self._agent)
        lifetime = _LIFETIME if rules.closed is None else _LIFETIME_UNREACHABLE
        return self._clock() + lifetime, rules


def _without_strangers(text: str, agent: str) -> str:
    """The file with all other robots' names made one, and ours as RFC 9309, 2.2.1, matches it.

    The parser keeps each rule once for every name above it: 20,000 names over 20,000 rules, in a
    file of the permitted size, would be 400 million. It also takes "news" for our name.
    """
    return "\n".join(_renamed(line.strip(), agent) for line in text.splitlines())


def _renamed(line: str, agent: str) -> str:
    match = _USER_AGENT_LINE.match(line)
    if match is None or match[2].strip() == "*":
        return line
    # "newsfold/1.0" names newsfold: the token ends at the first character that cannot be in one.
    token = _TOKEN.match(match[2])
    ours = token is not None and token[0].lower() == agent.lower()
    return f"{match[1]} {agent if ours else 'someone-else'}"
