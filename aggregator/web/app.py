"""Routes: what is answered at which address. Reading only, but for what hubs send (websub.py)."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from aggregator.clock import Clock, utc_now
from aggregator.config.settings import OutputSettings, Settings
from aggregator.ledger import Ledger
from aggregator.metrics.counting import Metrics
from aggregator.notices import Notices
from aggregator.stages.announcing import document_url, hubs_of
from aggregator.stages.mailbox import Mailbox
from aggregator.stages.outputs import FORMATS
from aggregator.stages.publisher import Publisher
from aggregator.web.api.routes import api_app
from aggregator.web.guard import ReadGuard
from aggregator.web.headers import SecurityHeaders
from aggregator.web.metrics import FeedCounting, add_metrics
from aggregator.web.page_routes import add_pages
from aggregator.web.pages import sources_opml
from aggregator.web.sending import send_document
from aggregator.web.websub import add_websub
from feeds.websub import link_header
from storage.publishing import count_stories
from storage.sources import source_health
from storage.values import StoryFilter

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
    metrics: Metrics = field(default_factory=Metrics)
    clock: Clock = utc_now


def create_app(site: Site) -> ASGIApp:
    """The web application over ``site``."""
    # Around everything, not as the framework's middleware: that is left out of answers to crashes.
    token = site.settings.server.read_token
    app: ASGIApp = routes(site)
    if token is not None:
        app = ReadGuard(app, token.get_secret_value(), own_tokens(site.settings))
    names = [output.name for output in site.settings.outputs()]
    return SecurityHeaders(FeedCounting(app, site.metrics, names, site.clock))


def own_tokens(settings: Settings) -> Callable[[str], list[str]]:
    """The tokens of outputs, by the paths that they open."""
    tokens = {o.name: o.token.get_secret_value() for o in settings.outputs() if o.token}

    def of(path: str) -> list[str]:
        name = re.split(r"[./]", path.removeprefix("/"), maxsplit=1)[0]
        return [tokens[name]] if name in tokens else []

    return of


def routes(site: Site) -> FastAPI:
    """Every route, before the headers that all answers share."""
    app = FastAPI(title="Newsfold", openapi_url=None, docs_url=None, redoc_url=None)
    _add_health(app, site)
    add_pages(app, site.settings, site.ledger, site.publisher, site.clock)
    _add_feeds(app, site)
    add_websub(app, site.ledger, site.mailbox)
    add_metrics(
        app,
        site.settings.metrics,
        site.ledger,
        metrics=site.metrics,
        notices=site.notices,
        clock=site.clock,
    )
    app.mount("/api", api_app(site.settings, site.ledger, site.publisher, site.clock, site.notices))
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


def _add_feeds(app: FastAPI, site: Site) -> None:
    outputs = {output.name: output for output in site.settings.outputs()}

    @app.api_route("/opml", methods=["GET", "HEAD"])
    async def opml() -> Response:
        return Response(
            sources_opml(site.settings, await site.ledger.read(source_health)),
            media_type="text/x-opml; charset=utf-8",
            headers={"Cache-Control": _SHORT},
        )

    @app.api_route("/{name}.{form}", methods=["GET", "HEAD"])
    async def feed(request: Request, name: str, form: str, token: str = "") -> Response:
        output = outputs.get(name)
        if output is None or form not in FORMATS or not _admitted(output, token):
            raise HTTPException(404)
        document = site.publisher.document(name, form)
        if document is None:
            raise HTTPException(503, headers={"Retry-After": "5"})
        hubs = hubs_of(site.settings, output)
        # What a query selects is another document than the one that hubs are told of.
        named = hubs and not request.query_params
        link = link_header(hubs, document_url(site.settings, name, form)) if named else None
        return send_document(request.headers, document, private=output.token is not None, link=link)


def _admitted(output: OutputSettings, token: str) -> bool:
    if output.token is None:
        return True
    return secrets.compare_digest(token.encode(), output.token.get_secret_value().encode())
