"""Where each page is answered. Reading only; nothing here changes anything."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Literal

import structlog
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.stages.publish.publisher import Publisher
from aggregator.web.front import PAGE_SIZE, Asked, FrontView, NoSuchPageError, listed_view, number
from aggregator.web.links import Links
from aggregator.web.pages import (
    ICON,
    ICON_PATH,
    SOURCES_SIZE,
    STYLE,
    STYLE_PATH,
    SourcesView,
    first_plotted,
    front_page,
    links_of,
    message_page,
    source_page,
    sources_page,
    story_page,
)
from storage.database import Database, StorageTroubleError
from storage.days import days_since
from storage.fetches import recent_fetches
from storage.front import cards_of, list_stories
from storage.health import figures_of, latest_articles, source_figures, sources_standing
from storage.publishing import story_by_slug
from storage.search import find_stories, terms_of
from storage.sections import CATEGORY, LANGUAGE, section_names
from storage.story_details import story_details

_HTML = "text/html; charset=utf-8"
_YEAR = "public, max-age=31536000, immutable"
_SHORT = {"Cache-Control": "public, max-age=60"}
_Answer = Callable[..., Awaitable[Response]]
_FETCHES, _ARTICLES = 30, 30
RETRY_AFTER = "10"
"""Seconds, while the database is away."""
_log = structlog.get_logger()


class FrontQuery(BaseModel):
    """What the address of the front page may ask for; empty is as good as absent."""

    order: Literal["", "ranked", "newest"] = ""
    category: str = Field("", max_length=100)
    language: str = Field("", max_length=8)
    output: str = Field("", max_length=64)
    q: str = Field("", max_length=300)
    after: str = Field("", max_length=60)
    before: str = Field("", max_length=60)

    def asked(self) -> Asked:
        """The same without empty values. A search has an order of its own."""
        words = " ".join(self.q.split())
        return Asked(
            newest=self.order == "newest" and not words,
            category=self.category or None,
            language=self.language or None,
            output=self.output or None,
            query=words,
            after=self.after or None,
            before=self.before or None,
        )


class PageRoutes:
    """Answers for pages, from the database of ``ledger`` and what ``publisher`` holds."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        publisher: Publisher,
        clock: Clock,
        notices: Notices,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock
        self._notices = notices
        self._titles = {o.name: o.title or o.name for o in settings.outputs() if o.token is None}

    async def front(self, request: Request, query: Annotated[FrontQuery, Query()]) -> Response:
        """The front page, a part of it, or what a search finds."""
        asked = query.asked()
        links = self._links(request)
        try:
            view = await self._view(asked, links)
        except NoSuchPageError as error:
            raise HTTPException(404) from error
        categories, languages = await self._ledger.read(_parts)
        view = replace(view, categories=categories, languages=languages, now=self._clock())
        return _page(front_page(self._settings, view, links))

    async def _view(self, asked: Asked, links: Links) -> FrontView:
        if asked.query:
            return await self._found(asked, links)
        if asked.output:
            return await self._published(asked, links)
        listed = await self._ledger.read(list_stories, asked.listing())
        if not listed.stories and (asked.after or asked.before):
            raise NoSuchPageError
        return listed_view(asked, listed, links)

    async def _found(self, asked: Asked, links: Links) -> FrontView:
        found = await self._ledger.read(
            find_stories,
            terms_of(asked.query),
            limit=PAGE_SIZE,
            before=number(asked.after) if asked.after else None,
            category=asked.category,
            language=asked.language,
        )
        hits = {hit.story_id: hit for hit in found.hits}
        stories = await self._ledger.read(cards_of, tuple(hits))
        older = asked.address(links, after=str(found.older)) if found.older else None
        return FrontView(asked, stories, hits, older=older)

    async def _published(self, asked: Asked, links: Links) -> FrontView:
        """What an output's feed holds, in its order."""
        if asked.output not in self._titles:
            raise NoSuchPageError
        ids = self._publisher.story_ids(asked.output)
        begin = number(asked.after) if asked.after else 0
        if begin and begin >= len(ids):
            raise NoSuchPageError
        end = begin + PAGE_SIZE
        stories = await self._ledger.read(cards_of, ids[begin:end])
        newer = asked.address(links, after=str(begin - PAGE_SIZE)) if begin > PAGE_SIZE else None
        return FrontView(
            asked,
            stories,
            newer=newer or (asked.address(links) if begin else None),
            older=asked.address(links, after=str(end)) if end < len(ids) else None,
            output_title=self._titles[asked.output],
        )

    async def story(
        self, request: Request, slug: Annotated[str, Path(pattern="^[a-z0-9-]{1,100}$")]
    ) -> Response:
        """One story."""
        found = await self._ledger.read(story_by_slug, slug)
        if found is None:
            raise HTTPException(404)
        links = self._links(request)
        if found.slug != slug:  # it became part of another; not for ever: that can be undone
            location = links(f"/story/{found.slug}").removeprefix(f"{links.base}/story/")
            return Response(status_code=301, headers={"Location": location} | _SHORT)
        members = [article.id for article in found.articles]
        details = await self._ledger.read(story_details, found.id, members)
        return _page(story_page(self._settings, found, details, links))

    async def sources(
        self, request: Request, page: Annotated[int, Query(ge=1, le=10_000)] = 1
    ) -> Response:
        """Every source."""
        now = self._clock()
        standing = await self._ledger.read(sources_standing)
        figures = await self._ledger.read(
            source_figures, now, limit=SOURCES_SIZE, offset=(page - 1) * SOURCES_SIZE
        )
        if page > 1 and not figures:
            raise HTTPException(404)
        days = await self._ledger.read(days_since, first_plotted(now))
        view = SourcesView(figures, standing, days, page, self._notices.standing())
        return _page(sources_page(self._settings, view, now, self._links(request)), fresh=True)

    async def source(
        self, request: Request, number: Annotated[int, Path(ge=1, le=2**31 - 1)]
    ) -> Response:
        """One source."""
        now = self._clock()
        figures = await self._ledger.read(figures_of, number, now)
        if figures is None:
            raise HTTPException(404)
        fetches = await self._ledger.read(recent_fetches, number, _FETCHES)
        articles = await self._ledger.read(latest_articles, number, _ARTICLES)
        links = self._links(request)
        return _page(
            source_page(self._settings, figures, fetches, articles, now=now, links=links),
            fresh=True,
        )

    async def missing(self, request: Request, _: Exception) -> Response:
        """What is not there."""
        links = self._links(request)
        body = message_page(self._settings, "Nothing here", "There is no such page.", links)
        return _page(body, 404, fresh=True)

    async def away(self, request: Request, error: Exception) -> Response:
        """The database does not answer just now; what was published still is, at its addresses."""
        _log.warning("answered", outcome="put off", error=str(error))
        text = "The database is away. The feeds are still served; this page comes back by itself."
        body = message_page(self._settings, "Back soon", text, self._links(request))
        answer = _page(body, 503, fresh=True)
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer

    def _links(self, request: Request) -> Links:
        """A guarded site's reader keeps the token they came with; nobody else's is repeated."""
        guarded = self._settings.server.read_token is not None
        return links_of(self._settings, request.query_params.get("token", "") if guarded else "")


def add_pages(
    app: FastAPI,
    settings: Settings,
    ledger: Ledger,
    publisher: Publisher,
    *,
    clock: Clock,
    notices: Notices,
) -> None:
    """Add every page to ``app``."""
    pages = PageRoutes(settings, ledger, publisher, clock, notices)
    answers: dict[str, _Answer] = {
        "/": pages.front,
        "/story/{slug}": pages.story,
        "/sources": pages.sources,
        "/source/{number}": pages.source,
        STYLE_PATH: _constant(STYLE, "text/css; charset=utf-8"),
        ICON_PATH: _constant(ICON, "image/svg+xml"),
    }
    for path, answer in answers.items():
        app.api_route(path, methods=["GET", "HEAD"])(answer)
    app.exception_handler(404)(pages.missing)
    app.exception_handler(StorageTroubleError)(pages.away)
    app.exception_handler(RequestValidationError)(pages.missing)


def _parts(database: Database) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return section_names(database, CATEGORY), section_names(database, LANGUAGE)


def _constant(body: bytes, media_type: str) -> _Answer:
    async def answer() -> Response:
        return Response(body, media_type=media_type, headers={"Cache-Control": _YEAR})

    return answer


def _page(body: bytes, status: int = 200, *, fresh: bool = False) -> Response:
    headers = {"Cache-Control": "no-cache"} if fresh else _SHORT
    return Response(body, status, media_type=_HTML, headers=headers)
