"""Routes: what is answered at which address. Reading only, but for what hubs send (websub.py)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.stages.mailbox import Mailbox
from aggregator.stages.publisher import Publisher
from aggregator.web.direct import DirectFeeds
from aggregator.web.feeds import add_feeds
from aggregator.web.headers import SecurityHeaders
from aggregator.web.pages import (
    PAGE_SIZE,
    STYLE,
    STYLE_PATH,
    front_page,
    message_page,
    page_of,
    sources_page,
    story_page,
)
from aggregator.web.websub import add_websub
from storage.publishing import count_stories, latest_stories, story_by_slug
from storage.sources import source_health
from storage.values import StoryFilter

_SLUG = "^[a-z0-9-]{1,100}$"
_HTML = "text/html; charset=utf-8"
_YEAR = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=60"


@dataclass(frozen=True, slots=True)
class Site:
    """What the routes answer from. ``ready`` says whether the first publication is done.

    ``mailbox`` takes what hubs deliver; None where nothing was subscribed to.
    """

    settings: Settings
    ledger: Ledger
    publisher: Publisher
    ready: Callable[[], bool]
    notices: Notices = field(default_factory=Notices)
    mailbox: Mailbox | None = None


def create_app(site: Site) -> ASGIApp:
    """The web application over ``site``."""
    # Around everything, not as the framework's middleware: that is left out of answers to crashes.
    app = SecurityHeaders(routes(site))
    return DirectFeeds(app, site.settings, site.publisher)


def routes(site: Site) -> FastAPI:
    """Every route, before the headers that all answers share."""
    app = FastAPI(title="Newsfold", openapi_url=None, docs_url=None, redoc_url=None)
    _add_health(app, site)
    # Before the pages: a story's feed is /story/SLUG.atom, its page /story/SLUG.
    add_feeds(app, site.settings, site.ledger, site.publisher)
    _add_pages(app, site)
    add_websub(app, site.ledger, site.mailbox)
    return app


def _add_health(app: FastAPI, site: Site) -> None:
    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> dict[str, object]:
        """The process answers and can read its database; what an operator must see to."""
        await site.ledger.read(count_stories, StoryFilter(limit=1))
        problems = site.notices.standing()
        return {"status": "degraded" if problems else "ok", "problems": problems}

    @app.api_route("/readyz", methods=["GET", "HEAD"])
    async def readyz(response: Response) -> dict[str, str]:
        """The feeds can be served."""
        if site.ready():
            return {"status": "ready"}
        response.status_code = 503
        return {"status": "starting"}


def _add_pages(app: FastAPI, site: Site) -> None:
    settings = site.settings

    @app.api_route("/", methods=["GET", "HEAD"])
    async def front(page: int = Query(1, ge=1, le=100_000)) -> Response:
        wanted = StoryFilter(limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE, by_publication=True)
        stories = await site.ledger.read(latest_stories, wanted)
        total = await site.ledger.read(count_stories, wanted)
        if page > 1 and not stories:
            raise HTTPException(404)
        body = front_page(settings, stories, page_of(page, total), len(settings.source))
        return Response(body, media_type=_HTML, headers={"Cache-Control": _SHORT})

    @app.api_route("/story/{slug}", methods=["GET", "HEAD"])
    async def story(slug: Annotated[str, Path(pattern=_SLUG)]) -> Response:
        found = await site.ledger.read(story_by_slug, slug)
        if found is None:
            raise HTTPException(404)
        if found.slug != slug:  # it became part of another; not for ever: that can be undone
            return Response(
                status_code=301, headers={"Location": found.slug, "Cache-Control": _SHORT}
            )
        body = story_page(settings, found)
        return Response(body, media_type=_HTML, headers={"Cache-Control": _SHORT})

    @app.api_route("/sources", methods=["GET", "HEAD"])
    async def sources() -> Response:
        body = sources_page(settings, await site.ledger.read(source_health))
        return Response(body, media_type=_HTML, headers={"Cache-Control": "no-cache"})

    @app.api_route(STYLE_PATH, methods=["GET", "HEAD"])
    async def style() -> Response:
        headers = {"Cache-Control": _YEAR}
        return Response(STYLE, media_type="text/css; charset=utf-8", headers=headers)

    @app.exception_handler(404)
    @app.exception_handler(RequestValidationError)
    async def missing(_: Request, __: Exception) -> Response:
        body = message_page(settings, "Nothing here", "There is no such page.")
        return Response(body, 404, media_type=_HTML, headers={"Cache-Control": "no-cache"})
