"""The extract stage: an article's page where that is worth it, the feed's text where it is not.

1. read what the feed itself carries, in a child process (feeds/page/article.py)
2. decide whether the page is wanted (``wanted``), and fetch it (aggregator/stages/extract/pages.py)
3. read the page in a child; is it a text that this host gives for other articles too?
4. choose, settle, write; remember what the source's page was worth

Failure never blocks an article: what cannot be fetched, read or understood leaves the feed's own
text, and the reason is kept.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from aggregator.children import ChildFailure
from aggregator.stages.extract.material_change import materially_changed, text_hash
from aggregator.stages.extract.one_document import addresses_said
from aggregator.stages.extract.pages import FetchedPages, PageFetcher
from aggregator.stages.tools import Tools
from feeds.model import DateSource, PageReading
from feeds.page.article import ArticleMaterial, FeedReading, assemble, read_feed, read_pages
from feeds.page.choose import Choice, FeedMaterial, FeedText
from feeds.page.walls import REPEATED, repeated, text_key
from feeds.page.worth import RECENT, Trial, worth_fetching
from storage.articles import claim_new, commit_reading, read_alike_again, release_new, titles_alike
from storage.processes import recall_articles
from storage.values.extract import Appearance, ArticleReading, ArticleToRead, PageTrial

LEASE = timedelta(minutes=15)
"""How long a claimed article is somebody's: longer than it may wait, be fetched and be read."""
MOST_ATTEMPTS = 10
"""Attempts after which the page is given up: reading it may be what ended the others.

So many, because a process that was killed leaves what it held with one attempt more, and of those
articles hardly one has to do with its end.
"""
_NOTHING = FeedReading(FeedText("", "", "", "", None), "")

_log = structlog.get_logger()


class Reader:
    """Reads articles: fetches pages politely, has them read in a child, writes what is settled."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._pages = PageFetcher(tools)

    async def claim(self, limit: int) -> Sequence[ArticleToRead]:
        """Take articles that wait to be read."""
        now = self._tools.clock()
        lease = now + LEASE
        return await self._tools.ledger.write(claim_new, now, lease, limit, self._tools.name)

    async def release(self, articles: Sequence[ArticleToRead]) -> None:
        """Give back what was claimed and will not be read now."""
        await self._tools.ledger.write(release_new, articles)

    async def recall(self, held: Sequence[ArticleToRead]) -> None:
        """Give back what was claimed in this process's name besides what it holds."""
        ids = [article.id for article in held]
        await self._tools.ledger.write(recall_articles, self._tools.name, ids)

    async def read(self, article: ArticleToRead) -> None:
        """Settle what the text of a claimed article is."""
        begun = time.monotonic()
        shown = best_appearance(article.appearances)
        feed, trouble = await self._feed(shown)
        fetch, why = wanted(article, shown, feed.text)
        fetched = FetchedPages()
        if fetch and article.url:
            fetched = await self._pages.fetch(article.url, shown.source_url, article.claimed_until)
        if self._tools.clock() >= article.claimed_until:
            await self.release([article])  # it waited its turn for too long: that is no attempt
            return
        page, unread = await self._page(fetched, shown.title)
        key = page_key(page)
        page = await self._unless_repeated(article, shown, page, key)
        material = assemble(feed, page)
        reasons = (*trouble, *(() if fetch else (why,)), *fetched.reasons, *unread)
        reading = replace(
            settle(article, shown, material, reasons),
            page_key=key,
            trial=trial_of(shown, fetch=fetch, answered=fetched.answered, feed=feed, made=material),
        )
        await self._write(reading)
        report(reading, why, (*trouble, *unread), time.monotonic() - begun)

    async def _feed(self, shown: Appearance) -> tuple[FeedReading, tuple[str, ...]]:
        """What a child makes of the feed's own text."""
        made = await self._tools.children.run(read_feed, feed_material(shown))
        if isinstance(made, ChildFailure):
            return _NOTHING, (f"the feed's text could not be read: {made.detail}",)
        return made, ()

    async def _page(
        self, fetched: FetchedPages, headline: str
    ) -> tuple[PageReading | None, tuple[str, ...]]:
        """What a child makes of the page."""
        if not fetched.pages:
            return None, ()
        made = await self._tools.children.run(read_pages, fetched.pages, headline, fetched.rules)
        if isinstance(made, ChildFailure):
            return None, (f"the page could not be read: {made.detail}",)
        return made, ()

    async def _unless_repeated(
        self, article: ArticleToRead, shown: Appearance, page: PageReading | None, key: str | None
    ) -> PageReading | None:
        """The page; marked as a wall where its host gave the same for other articles."""
        if page is None or key is None:
            return page
        others = await self._tools.ledger.read(titles_alike, key, article.id)
        wall = repeated(page.matching_text, shown.title or page.title, others)
        if not wall:
            return page
        why = (*page.reasons, f"{wall.kind}: {wall.sign}")
        return replace(page, wall=wall.kind, quality=0.0, reasons=why)

    async def _write(self, reading: ArticleReading) -> None:
        await self._tools.ledger.write(commit_reading, reading)
        if reading.wall == REPEATED and reading.page_key:
            await self._tools.ledger.write(read_alike_again, reading.page_key)
        self._tools.tally.article_read()
        self._tools.tally.metrics.article_read(reading.text_source)


def report(reading: ArticleReading, page: str, troubles: Sequence[str], seconds: float) -> None:
    """Log what was read; ``page`` is why its page was fetched, or was not."""
    log = _log.warning if troubles else _log.debug
    log(
        "read",
        source=reading.outlet,
        article=reading.article_id,
        outcome=reading.text_source,
        seconds=round(seconds, 3),
        wall=reading.wall,
        page=page,
        error="; ".join(troubles),
    )


def best_appearance(appearances: Sequence[Appearance]) -> Appearance:
    """The entry that speaks for an article: the preferred source's, then the one with most text."""
    return max(appearances, key=lambda a: (a.priority, len(a.content_html or a.summary_html)))


def feed_material(shown: Appearance) -> FeedMaterial:
    """What the feed itself says of the article."""
    return FeedMaterial(shown.title, shown.url, shown.summary_html, shown.content_html)


def wanted(article: ArticleToRead, shown: Appearance, feed: FeedText) -> tuple[bool, str]:
    """Whether to fetch the article's page, and why."""
    if article.url is None:
        return False, "the entry names no page"
    if shown.full_text == "never":
        return False, "pages of this source are not fetched, as configured"
    if article.attempts > MOST_ATTEMPTS:
        return False, f"given up after {MOST_ATTEMPTS} attempts"
    if shown.full_text == "always":
        return True, "pages of this source are always fetched, as configured"
    return worth_fetching(feed, shown.page_trials, shown.pages_passed)


def trial_of(
    shown: Appearance, *, fetch: bool, answered: bool, feed: FeedReading, made: ArticleMaterial
) -> PageTrial | None:
    """What is to be remembered of the source; None where nothing was learned."""
    if fetch and not answered:
        return None
    worth = Trial.of(feed.text, made.choice) if fetch else None
    return PageTrial(shown.source_id, worth, RECENT)


def page_key(page: PageReading | None) -> str | None:
    """What pages of one host share that gave the same text; None where that would say nothing."""
    if page is None or page.wall:
        return None
    return text_key(urlsplit(page.url).hostname or "", page.matching_text)


def settle(
    article: ArticleToRead, shown: Appearance, material: ArticleMaterial, reasons: Sequence[str]
) -> ArticleReading:
    """Everything that reading an article settles. Pure.

    The feed's word goes before the page's where both have one: a publisher writes it with care.
    """
    page, choice = material.page, material.choice
    published, guessed = _published(shown, page)
    canonical, original = addresses_said(article.key, page)
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
        agency=page.wire.agency if page and page.wire and page.wire.likely else None,
        place=page.place if page else None,
        summary=material.summary,
        text=choice.text,
        html=choice.html,
        matching_text=choice.matching_text,
        text_source=choice.source,
        text_reasons=(*reasons, *choice.reasons),
        text_hash=_hash(article, title, choice),
        wall=page.wall if page else None,
        category=shown.category,
        never_fold=shown.never_fold,
        canonical_key=canonical,
        original_url=original,
    )


def _hash(article: ArticleToRead, title: str, choice: Choice) -> str:
    """Names what the article says; the name stays while nothing that matters has changed."""
    earlier = article.earlier
    if earlier and earlier.text_hash and not materially_changed(earlier, title, choice.text):
        return earlier.text_hash
    return text_hash(title, choice.matching_text)


def _published(shown: Appearance, page: PageReading | None) -> tuple[datetime | None, bool]:
    if shown.published and not shown.published_guessed:
        return shown.published, False
    if page and page.published and page.published_source is not DateSource.GUESSED:
        return page.published, False
    return shown.published, True
