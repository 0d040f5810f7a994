"""Where the API answers: an application of its own, with its document and a page that shows it."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.stages.publish.publisher import Publisher
from aggregator.web.api import models
from aggregator.web.api.answers import KEPT, Api, sent
from aggregator.web.api.document import complete
from aggregator.web.api.problems import add_problems
from aggregator.web.pages import api_page, links_of

ANSWERS: dict[str, tuple[str, type[BaseModel], str]] = {
    "/v1/stories": ("stories", models.StoryPage, "Stories"),
    "/v1/stories/{slug}": ("story", models.StoryDetail, "Stories"),
    "/v1/articles": ("articles", models.ArticlePage, "Articles"),
    "/v1/articles/{article_id}": ("article", models.ArticleDetail, "Articles"),
    "/v1/articles/{article_id}/explanation": ("explanation", models.Explanation, "Articles"),
    "/v1/sources": ("sources", models.SourcePage, "Sources"),
    "/v1/sources/{source_id}": ("source", models.SourceDetail, "Sources"),
    "/v1/search": ("search", models.HitPage, "Search"),
    "/v1/status": ("status", models.Status, "Status"),
}


def api_app(
    settings: Settings, ledger: Ledger, publisher: Publisher, clock: Clock, notices: Notices
) -> FastAPI:
    """The API as an application of its own, to be mounted at ``/api``."""
    app = FastAPI(
        title="Newsfold", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(HeadAsGet)
    add_problems(app)
    api = Api(settings, ledger, publisher, clock, notices)
    for path, (name, model, tag) in ANSWERS.items():
        answer: Callable[..., Awaitable[Response]] = getattr(api, name)
        app.add_api_route(
            path, answer, methods=["GET"], response_model=model, operation_id=name, tags=[tag]
        )
    document = complete(app, private=settings.server.read_token is not None)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> Response:
        return sent(request, document.encoded, "application/json", KEPT)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        guarded = settings.server.read_token is not None
        links = links_of(settings, request.query_params.get("token", "") if guarded else "")
        page = api_page(settings, document.described, links)
        return sent(request, page, "text/html; charset=utf-8", KEPT)

    return app


class HeadAsGet:
    """ASGI middleware: HEAD is answered as GET. The server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, as a GET."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = dict(scope, method="GET")
        await self._app(scope, receive, send)
