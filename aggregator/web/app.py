"""Routes: what is answered at which address. Reading only, but for what hubs send (websub.py)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, Response
from starlette.types import ASGIApp

from aggregator.clock import Clock, utc_now
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.metrics.counting import Metrics
from aggregator.notices import Notices
from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.push.mailbox import Mailbox
from aggregator.web.api.routes import api_app
from aggregator.web.clients import Clients
from aggregator.web.direct import DirectFeeds
from aggregator.web.feeds import add_feeds
from aggregator.web.guard import ReadGuard
from aggregator.web.guesses import Guesses
from aggregator.web.headers import SecurityHeaders
from aggregator.web.hosts import Hosts
from aggregator.web.metrics import Counting, add_metrics
from aggregator.web.page_routes import add_pages
from aggregator.web.turns import Turns
from aggregator.web.websub import add_websub
from storage.database import StorageTroubleError
from storage.publishing import revision

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
    names = [output.name for output in site.settings.outputs()]
    server = site.settings.server
    clients = Clients(server.trusted_proxies)
    guesses = Guesses(server.token_attempts, clients)
    in_turn = Turns(routes(site, guesses), server.max_requests, clients)
    direct: ASGIApp = DirectFeeds(SecurityHeaders(in_turn), site.settings, site.publisher, guesses)
    if token is not None:
        own = own_tokens(site.settings)
        guard = ReadGuard(direct, token.get_secret_value(), own, guesses)
        direct = SecurityHeaders(guard)
    named = Hosts(direct, server.base_url, server.hosts)
    return Counting(named, site.metrics, names, site.clock)


def create_probes(site: Site) -> ASGIApp:
    """What a process without the role ``web`` answers: how it is, and its metrics."""
    app = FastAPI(title="Newsfold", openapi_url=None, docs_url=None, redoc_url=None)
    _add_health(app, site)
    server = site.settings.server
    _add_metrics(app, site, Guesses(server.token_attempts, Clients(server.trusted_proxies)))
    return SecurityHeaders(app)


def own_tokens(settings: Settings) -> Callable[[str], list[str]]:
    """The tokens of outputs, by the paths that they open."""
    tokens = {o.name: o.token.get_secret_value() for o in settings.outputs() if o.token}

    def of(path: str) -> list[str]:
        name = re.split(r"[./]", path.removeprefix("/"), maxsplit=1)[0]
        return [tokens[name]] if name in tokens else []

    return of


def routes(site: Site, guesses: Guesses) -> FastAPI:
    """Every route, before the headers that all answers share."""
    # Not redirecting what ends in a slash: that would lead to whatever host the request names.
    app = FastAPI(
        title="Newsfold", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    _add_health(app, site)
    # Before the pages: a story's feed is /story/SLUG.atom, its page /story/SLUG.
    add_feeds(app, site.settings, site.ledger, site.publisher, guesses)
    add_pages(
        app, site.settings, site.ledger, site.publisher, clock=site.clock, notices=site.notices
    )
    add_websub(app, site.ledger, site.mailbox)
    _add_metrics(app, site, guesses)
    app.mount("/api", api_app(site.settings, site.ledger, site.publisher, site.clock, site.notices))
    return app


def _add_metrics(app: FastAPI, site: Site, guesses: Guesses) -> None:
    add_metrics(
        app,
        site.settings.metrics,
        site.ledger,
        guesses,
        metrics=site.metrics,
        notices=site.notices,
        clock=site.clock,
    )


def _add_health(app: FastAPI, site: Site) -> None:
    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz(response: Response) -> dict[str, object]:
        """The process answers and can read its database; what an operator must see to."""
        try:
            await site.ledger.read(revision)
        except StorageTroubleError as error:
            response.status_code = 503
            return {"status": "down", "problems": {"storage": str(error)}}
        problems = site.notices.standing()
        return {"status": "degraded" if problems else "ok", "problems": problems}

    @app.api_route("/readyz", methods=["GET", "HEAD"])
    async def readyz(response: Response) -> dict[str, str]:
        """The feeds can be served."""
        if site.ready():
            return {"status": "ready"}
        response.status_code = 503
        return {"status": "starting"}
