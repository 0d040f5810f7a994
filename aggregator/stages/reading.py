"""The extract stage: an article's page where that is worth it, the feed's text where it is not.

Failure never blocks an article: what cannot be fetched, read or understood leaves the feed's own
text, and the reason is kept.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from aggregator.children import ChildFailure
from aggregator.tools import Tools
from feeds.http.robots import Robots
from feeds.model import (
    DateSource,
    FailureKind,
    FetchFailure,
    FetchOutcome,
    FetchRequest,
    PageReading,
)
from feeds.page.article import ArticleMaterial, FeedMaterial, PageBytes, read_article
from feeds.page.choose import Choice
from storage.articles import claim_new, commit_reading, release_new
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
        self._robots = Robots(_InTurn(tools), AGENT)

    async def claim(self, limit: int) -> Sequence[ArticleToRead]:
        """Take articles that wait to be read."""
        now = self._tools.clock()
        return await self._tools.ledger.write(claim_new, now, now + LEASE, limit)

    async def release(self, articles: Sequence[ArticleToRead]) -> None:
        """Give back what was claimed and will not be read now."""
        await self._tools.ledger.write(release_new, articles)

    async def read(self, article: ArticleToRead) -> None:
        """Settle what the text of a claimed article is."""
        shown = best_appearance(article.appearances)
        page, why = await self._page(article, shown)
        if self._tools.clock() >= article.claimed_until:
            return  # it waited its turn for too long, and is somebody else's by now
        material, trouble = await self._material(feed_text(shown), page)
        reading = settle(article, shown, material, (*why, *trouble))
        await self._tools.ledger.write(commit_reading, reading)
        self._tools.tally.article_read()
        self._tools.tally.metrics.article_read(reading.text_source)
        _log.debug(
            "read",
            article=article.id,
            source=shown.source_name,
            outcome=reading.text_source,
            why="; ".join(reading.text_reasons),
        )

    async def _page(
        self, article: ArticleToRead, shown: Appearance
    ) -> tuple[PageBytes | None, tuple[str, ...]]:
        """The article's page, or why there is none."""
        refusal = no_page(article, shown)
        if article.url is None or refusal:
            return None, (refusal,)
        fetch = self._tools.settings.fetch
        request = FetchRequest(
            article.url,
            accept=_ACCEPT,
            timeout=fetch.timeout.total_seconds(),
            max_bytes=fetch.max_bytes,
        )
        if held := self._tools.pacer.held_for(request.url):
            return None, (_left_alone(held),)
        rules = await self._robots.rules(request)
        if refused := rules.refusal(request.url):
            return None, (refused,)
        async with self._tools.pacer.turn(request.url, rules.crawl_delay) as held:
            if held:
                return None, (_left_alone(held),)
            if self._tools.clock() >= article.claimed_until:
                return None, ()
            outcome = await self._tools.fetch(request)
        return usable_page(outcome)

    async def _material(
        self, feed: FeedMaterial, page: PageBytes | None
    ) -> tuple[ArticleMaterial, tuple[str, ...]]:
        """What a child makes of page and feed; of the feed alone where the page is too much."""
        trouble: list[str] = []
        for attempt in (page, None) if page else (None,):
            made = await self._tools.children.run(read_article, feed, attempt)
            if not isinstance(made, ChildFailure):
                return made, tuple(trouble)
            what = "the page" if attempt else "the feed's text"
            trouble.append(f"{what} could not be read: {made.detail}")
        return ArticleMaterial(Choice("", "", "", "feed", full=False, reasons=()), "", None), tuple(
            trouble
        )


class _InTurn:
    """A fetcher that waits its turn, for what is asked for besides pages: robots.txt."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        async with self._tools.pacer.turn(request.url) as held:
            if held:
                return FetchFailure(request.url, FailureKind.CONNECT, _left_alone(held))
            return await self._tools.fetch(request)


def _left_alone(seconds: float) -> str:
    return f"the host asks to be left alone for {seconds:.0f} s"


def best_appearance(appearances: Sequence[Appearance]) -> Appearance:
    """The entry that speaks for an article: the preferred source's, then the one with most text."""
    return max(appearances, key=lambda a: (a.priority, len(a.content_html or a.summary_html)))


def feed_text(shown: Appearance) -> FeedMaterial:
    """What the feed itself says of the article."""
    return FeedMaterial(shown.title, shown.url, shown.summary_html, shown.content_html)


def no_page(article: ArticleToRead, shown: Appearance) -> str:
    """Why the article's page is not fetched; empty if it is."""
    if article.url is None:
        return "the entry names no page"
    if shown.full_text == "never":
        return "pages of this source are not fetched, as configured"
    if shown.full_text == "auto" and len(shown.content_html) >= ENOUGH:
        return "the feed carries the text itself"
    if article.attempts > MOST_ATTEMPTS:
        return f"given up after {MOST_ATTEMPTS} attempts"
    return ""


def usable_page(outcome: FetchOutcome) -> tuple[PageBytes | None, tuple[str, ...]]:
    """The page, if what came is one; else why not."""
    if isinstance(outcome, FetchFailure):
        return None, (f"the page could not be fetched: {outcome.detail}",)
    if outcome.status != 200:
        return None, (f"the page's server answered {outcome.status}",)
    kind = outcome.headers.get("content-type", "text/html")
    if not kind.lower().startswith(_HTML):
        return None, (f"the page is {kind.partition(';')[0]}, not HTML",)
    return PageBytes(outcome.url, outcome.body, outcome.headers.get("content-type")), ()


def settle(
    article: ArticleToRead, shown: Appearance, material: ArticleMaterial, reasons: Sequence[str]
) -> ArticleReading:
    """Everything that reading an article settles. Pure.

    The feed's word goes before the page's where both have one: a publisher writes it with care.
    """
    page, choice = material.page, material.choice
    published, guessed = _published(shown, page)
    title = shown.title or (page.title if page else "")
    return ArticleReading(
        article_id=article.id,
        version=article.version,
        title=title,
        outlet=shown.source_name,
        publisher=shown.publisher,
        authors=shown.authors or (page.authors if page else ()),
        categories=shown.categories,
        language=shown.language or (page.language if page else None) or shown.source_language,
        image=shown.image or (page.image if page else None),
        published=published,
        published_guessed=guessed,
        agency=page.wire.agency if page and page.wire else None,
        place=page.place if page else None,
        summary=material.summary,
        text=choice.text,
        html=choice.html,
        matching_text=choice.matching_text,
        text_source=choice.source,
        text_reasons=(*reasons, *choice.reasons),
        text_hash=text_hash(title, choice.matching_text),
        wall=page.wall if page else None,
    )


def _published(shown: Appearance, page: PageReading | None) -> tuple[datetime | None, bool]:
    if shown.published and not shown.published_guessed:
        return shown.published, False
    if page and page.published and page.published_source is not DateSource.GUESSED:
        return page.published, False
    return shown.published, True


def text_hash(title: str, text: str) -> str:
    """Names what an article says, whatever its white space, punctuation and capitals."""
    words = re.findall(r"\w+", f"{title} {text}".casefold())
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
