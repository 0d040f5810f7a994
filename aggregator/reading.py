"""The extract stage: an article's page where that is worth it, the feed's text where it is not.

Failure never blocks an article: what cannot be fetched, read or understood leaves the feed's own
text, and the reason is kept.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from aggregator.article_text import Choice, FeedText, read_article
from aggregator.children import ChildFailure
from aggregator.tools import Tools
from feeds.model import FetchFailure, FetchOutcome, FetchRequest, Response
from feeds.robots import Robots
from storage.articles import claim_new, commit_reading
from storage.values import Appearance, ArticleReading, ArticleToRead

AGENT = "newsfold"
LEASE = timedelta(minutes=15)
"""How long a claimed article is somebody's: longer than it may wait, be fetched and be read."""
ENOUGH = 1500
"""Characters of text in the feed from which a page is not fetched, where that is left to us."""
MOST_ATTEMPTS = 3
"""Attempts after which the page is given up: reading it may be what ended the others."""
_HTML = ("text/html", "application/xhtml+xml")
_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"

_log = structlog.get_logger()


class Reader:
    """Reads articles: fetches pages politely, has them read in a child, writes what is settled."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._robots = Robots(tools.fetcher, AGENT)

    async def claim(self, limit: int) -> Sequence[ArticleToRead]:
        """Take articles that wait to be read."""
        now = self._tools.clock()
        return await self._tools.ledger.write(claim_new, now, now + LEASE, limit)

    async def read(self, article: ArticleToRead) -> None:
        """Settle what the text of a claimed article is."""
        shown = best_appearance(article.appearances)
        feed = feed_text(shown)
        page, why = await self._page(article, shown)
        choice = await self._choose(feed, page, why)
        reading = settle(article, shown, choice)
        await self._tools.ledger.write(commit_reading, reading)
        self._tools.tally.article_read()
        _log.debug(
            "read",
            article=article.id,
            source=shown.source_name,
            outcome=reading.text_source,
            why="; ".join(reading.text_reasons),
        )

    async def _page(
        self, article: ArticleToRead, shown: Appearance
    ) -> tuple[Response | None, tuple[str, ...]]:
        """The article's page, or why there is none."""
        if refusal := no_page(article, shown):
            return None, (refusal,)
        fetch = self._tools.settings.fetch
        request = FetchRequest(
            article.url or "",
            accept=_ACCEPT,
            timeout=fetch.timeout.total_seconds(),
            max_bytes=fetch.max_bytes,
        )
        rules = await self._robots.rules(request)
        if refusal := rules.refusal(request.url):
            return None, (refusal,)
        async with self._tools.pacer.turn(request.url, rules.crawl_delay) as held:
            if held:
                return None, (f"the host asks to be left alone for {held:.0f} s",)
            outcome = await self._tools.fetcher.fetch(request)
        problem = page_problem(outcome)
        if problem or not isinstance(outcome, Response):
            return None, (problem or "no page",)
        return outcome, ()
