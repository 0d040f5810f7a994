"""Reading pages by hand: addresses and files in, what is made of them out.

The work of ``newsfold extract``. It uses what the daemon uses: the guarded, polite fetch, the
children that can be killed, the page rules of the configuration. Nothing is stored.
"""

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from aggregator.children import ChildFailure, Children
from aggregator.config.settings import Settings
from aggregator.stages.extract.pages import AGENT, usable_page
from aggregator.stages.extract.site_rules import SiteRules
from aggregator.stages.tools import InTurn, fetcher_of, pacer_of
from feeds.http.fetch import Fetcher
from feeds.http.pacing import Pacer
from feeds.http.robots import Robots
from feeds.model import FetchFailure, FetchRequest, PageReading
from feeds.page.html_tree import MAX_CHARACTERS
from feeds.page.page_rules import PageRules
from feeds.page.stored import ReadPage, Unreadable, read_body, read_file

STDIN = "-"
_AHEAD = 4
"""Pages that are under way for each child: enough that none waits, and no more are held."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came of one argument: a reading, or an ``error`` in words."""

    source: str
    reading: PageReading | None = None
    error: str = ""
    next_page: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read: addresses, files or ``-``; ``url`` is the address of what is in a file.

    ``rules`` count before those of the configuration.
    """

    sources: Sequence[str]
    rules: PageRules
    url: str = ""


def extract_all(wish: Wish, settings: Settings, show: Callable[[Extracted], None]) -> None:
    """Read everything, with all cores, and ``show`` each as it is done, in the order asked for."""
    asyncio.run(_extract_all(wish, settings, show))


async def _extract_all(wish: Wish, settings: Settings, show: Callable[[Extracted], None]) -> None:
    workers = min(len(wish.sources), _cores())
    limits = settings.extract
    async with AsyncExitStack() as stack:
        children = await stack.enter_async_context(
            Children(workers, limits.timeout.total_seconds(), limits.memory)
        )
        fetcher = await stack.enter_async_context(fetcher_of(settings))
        extractor = _Extractor(wish, settings, children, fetcher, pacer_of(settings))
        async for one in extractor.all(_AHEAD * workers):
            show(one)


def _cores() -> int:
    # not os.cpu_count(): a container may have been given fewer
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Extractor:
    def __init__(
        self, wish: Wish, settings: Settings, children: Children, fetcher: Fetcher, pacer: Pacer
    ) -> None:
        self._wish = wish
        self._fetch = settings.fetch
        self._configured = SiteRules(settings)
        self._children = children
        self._fetcher = fetcher
        self._pacer = pacer
        self._robots = Robots(InTurn(fetcher, pacer), AGENT)

    async def all(self, ahead: int) -> AsyncIterator[Extracted]:
        under_way: deque[asyncio.Task[Extracted]] = deque()
        for source in self._wish.sources:
            under_way.append(asyncio.create_task(self._one(source)))
            if len(under_way) >= ahead:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()

    async def _one(self, source: str) -> Extracted:
        if source.startswith(("http://", "https://")):
            made = await self._address(source)
        elif source == STDIN:
            body = await asyncio.to_thread(sys.stdin.buffer.read, MAX_CHARACTERS)
            made = await self._children.run(read_body, body, self._wish.url, None, self._rules())
        else:
            made = await self._children.run(read_file, Path(source), self._wish.url, self._rules())
        if isinstance(made, ReadPage):
            return Extracted(source, made.reading, next_page=made.next_page)
        if isinstance(made, ChildFailure):
            return Extracted(source, error=f"could not be read: {made.detail}")
        return Extracted(source, error=made.why)

    async def _address(self, url: str) -> ReadPage | Unreadable | ChildFailure:
        request = FetchRequest(
            url, timeout=self._fetch.timeout.total_seconds(), max_bytes=self._fetch.max_bytes
        )
        rules = await self._robots.rules(request)
        if refused := rules.refusal(url):
            return Unreadable(refused)
        async with self._pacer.turn(url, rules.crawl_delay):
            outcome = await self._fetcher.fetch(request)
        if isinstance(outcome, FetchFailure):
            return Unreadable(outcome.detail)
        fetched = usable_page(outcome)
        if not fetched.pages:
            return Unreadable("; ".join(fetched.reasons))
        page = fetched.pages[0]
        return await self._children.run(
            read_body, page.body, page.url, page.content_type, self._rules(page.url)
        )

    def _rules(self, url: str | None = None) -> PageRules:
        """The rules given by hand; where they leave something open, the configuration's."""
        own = self._wish.rules
        site = self._configured.of("", url or self._wish.url) or PageRules()
        return PageRules(
            select=own.select or site.select,
            remove=own.remove + site.remove,
            next_page=own.next_page or site.next_page,
        )
