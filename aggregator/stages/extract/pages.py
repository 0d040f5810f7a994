"""Fetching an article's page, or its pages, politely: robots.txt, turns, the operator's rules.

Says why where there is none. What is in a page is read elsewhere; only the link to the next one is
asked for here, of a child process.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.stages.extract.site_rules import SiteRules
from aggregator.stages.poll.asking import Asking
from aggregator.stages.poll.schedule import host_not_before
from aggregator.stages.tools import InTurn, Tools, left_alone
from feeds.http.robots import Robots
from feeds.model import FetchFailure, FetchOutcome
from feeds.page.article import PageBytes
from feeds.page.extract import next_page_of
from feeds.page.page_rules import PageRules
from feeds.urls import registrable_domain

AGENT = "newsfold"
MOST_PAGES = 10
"""Pages of one article that are read."""
_HTML = ("text/html", "application/xhtml+xml")
_TRANSIENT = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class FetchedPages:
    """An article's pages in order, or none and the ``reasons``.

    ``answered`` is whether the site had its say: a failure of the moment teaches nothing about it.
    """

    pages: tuple[PageBytes, ...] = ()
    reasons: tuple[str, ...] = ()
    answered: bool = False
    rules: PageRules | None = None


class PageFetcher:
    """Fetches the pages of articles."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rules = SiteRules(tools.settings)
        self._asking = Asking(tools.settings)
        self._robots = Robots(InTurn(tools.fetcher, tools.pacer), AGENT)

    async def fetch(self, url: str, source_url: str, lease: datetime) -> FetchedPages:
        """The article's page at ``url``; the pages after it too, where a rule says how.

        Nothing is asked for once the lease is over.
        """
        first = await self._one(url, source_url, lease)
        if not first.pages:
            return first
        rules = self._rules.of(source_url, first.pages[0].url)
        if not rules or not rules.next_page:
            return replace(first, rules=rules)
        return await self._rest(first.pages[0], source_url, rules, lease)

    async def _rest(
        self, first: PageBytes, source_url: str, rules: PageRules, lease: datetime
    ) -> FetchedPages:
        pages, reasons = [first], list[str]()
        seen = {first.url}
        while len(pages) < MOST_PAGES:
            link = await self._next(pages[-1], rules)
            if link is None or link in seen:
                break
            fetched = await self._one(link, source_url, lease)
            if not fetched.pages:
                reasons += [f"page {len(pages) + 1} is missing: {why}" for why in fetched.reasons]
                break
            pages += fetched.pages
            seen |= {link, pages[-1].url}
        return FetchedPages(tuple(pages), tuple(reasons), answered=True, rules=rules)

    async def _next(self, page: PageBytes, rules: PageRules) -> str | None:
        """The next page's address, where it is on the same site."""
        link = await self._tools.children.run(
            next_page_of, page.body, page.url, content_type=page.content_type, rules=rules
        )
        if isinstance(link, str) and registrable_domain(link) == registrable_domain(page.url):
            return link
        return None

    async def _one(self, url: str, source_url: str, lease: datetime) -> FetchedPages:
        request = self._asking.page(source_url, url)
        if held := self._tools.pacer.held_for(url):
            return FetchedPages((), (left_alone(held),))
        rules = await self._robots.rules(request)
        if refused := rules.refusal(url):
            return FetchedPages((), (refused,), answered=True)
        pause = max(self._asking.pause(source_url), rules.crawl_delay or 0.0)
        async with self._tools.pacer.turn(url, pause) as held:
            if held:
                return FetchedPages((), (left_alone(held),))
            if self._tools.clock() >= lease:
                return FetchedPages()
            outcome = await self._tools.fetch(request)
        limits = self._asking.politeness(source_url)
        if until := host_not_before(outcome, self._tools.clock(), limits):
            await self._tools.hold(outcome.url, until)
        return usable_page(outcome)


def usable_page(outcome: FetchOutcome) -> FetchedPages:
    """The page, if what came is one; else why not."""
    if isinstance(outcome, FetchFailure):
        return FetchedPages((), (f"the page could not be fetched: {outcome.detail}",))
    if outcome.status != 200:
        final = outcome.status < 500 and outcome.status not in _TRANSIENT
        why = f"the page's server answered {outcome.status}"
        return FetchedPages((), (why,), answered=final)
    kind = outcome.headers.get("content-type", "text/html")
    if not kind.lower().startswith(_HTML):
        why = f"the page is {kind.partition(';')[0]}, not HTML"
        return FetchedPages((), (why,), answered=True)
    page = PageBytes(outcome.url, outcome.body, outcome.headers.get("content-type"))
    return FetchedPages((page,), answered=True)
