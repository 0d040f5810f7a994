"""What robots.txt lets us fetch (RFC 9309). The only home of the robots.txt parser.

For article pages and what else is found by itself. Feeds that an operator subscribed to are
fetched on that person's behalf, as a browser would.

The file is read from each origin through a :class:`~feeds.http.fetch.Fetcher` and remembered. A
site without one (4xx) allows everything; a site that cannot say now (5xx, 429, no answer) allows
nothing for now, and neither does one that says more than anybody means: reading and matching it
would take seconds.
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
# The most that one site may say to us, and all of them together. The longest files of big shops
# hold some thousand rules; matching an address against a rule with a wildcard takes 10 µs.
_MAX_RULES = 10_000
_MAX_WILDCARDS = 1_000
_MAX_RULE = 8_000  # longer than any address
_MAX_KEPT = 8_000_000  # characters; the parser makes 16 bytes of each
# Longer files are read in a thread: 500 kB take half a second.
_SHORT = 8 * 1024

_USER_AGENT_LINE = re.compile(r"(user[- ]?agent\s*[:\s])\s*([^#]*)", re.IGNORECASE)
_DIRECTIVE = re.compile(
    r"(?!site-?maps?|host)(?:[a-z][a-z -]{0,30}:|(?:disallow|allow|crawl[ -]delay)\s)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site says to us.

    ``closed`` says in words why nothing may be fetched for now. ``crawl_delay`` is in seconds,
    None if the site asks for none. ``size`` counts the characters of its rules.
    """

    agent: str
    parsed: Protego | None = None
    closed: str | None = None
    crawl_delay: float | None = None
    size: int = 0

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
    lines = _said_to(agent, text)
    wildcards = sum("*" in line or "$" in line for line in lines)
    if len(lines) > _MAX_RULES or wildcards > _MAX_WILDCARDS:
        return Rules(agent, closed=f"robots.txt holds {len(lines)} rules, too many to be meant")
    parsed = Protego.parse("\n".join(lines))
    delay = parsed.crawl_delay(agent)
    return Rules(
        agent,
        parsed,
        crawl_delay=None if delay is None else min(delay, _MAX_CRAWL_DELAY),
        size=sum(map(len, lines)),
    )


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
        self._kept = 0
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
                self._remember(site, known)
            self._sites.move_to_end(site)
        return known[1]

    def _remember(self, site: str, known: tuple[float, Rules]) -> None:
        before = self._sites.pop(site, None)
        self._sites[site] = known
        self._kept += known[1].size - (before[1].size if before else 0)
        while len(self._sites) > _MAX_SITES or self._kept > _MAX_KEPT:
            _, (_, forgotten) = self._sites.popitem(last=False)
            self._kept -= forgotten.size

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
        long = isinstance(outcome, Response) and len(outcome.body) > _SHORT
        if long:
            rules = await asyncio.to_thread(read_rules, outcome, self._agent)
        else:
            rules = read_rules(outcome, self._agent)
        answered = rules.closed is None or long
        return self._clock() + (_LIFETIME if answered else _LIFETIME_UNREACHABLE), rules


def _said_to(agent: str, text: str) -> list[str]:
    """The file's groups for us and for everybody, ours named as RFC 9309, 2.2.1, matches it.

    The parser keeps each rule once for every name above it: 20,000 names over 20,000 rules, in a
    file of the permitted size, would be 400 million. It also takes "news" for our name. Where
    groups end is the parser's own reading.
    """
    lines: list[str] = []
    named = in_names = False
    for line in map(str.strip, text.splitlines()):
        if match := _USER_AGENT_LINE.match(line):
            name = _known_name(match[2], agent)
            named = bool(name) or (named and in_names)
            in_names = True
            if name:
                lines.append(f"{match[1]} {name}")
        elif _DIRECTIVE.match(line):
            in_names = False
            if named and len(line) <= _MAX_RULE:
                lines.append(line)
    return lines


def _known_name(names: str, agent: str) -> str:
    """The name in a ``User-agent`` line, if it means us; else nothing."""
    if names.strip() == "*":
        return "*"
    # "newsfold/1.0" names newsfold: the token ends at the first character that cannot be in one.
    token = _TOKEN.match(names)
    return agent if token is not None and token[0].lower() == agent.lower() else ""
