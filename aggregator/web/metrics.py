"""``/metrics``: who may read them, and counting who reads the feeds."""

import re
from collections.abc import Iterable
from ipaddress import ip_address

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.clock import Clock
from aggregator.config.server_settings import MetricsSettings
from aggregator.ledger import Ledger
from aggregator.metrics.counting import MEDIA_TYPE, Metrics, Observed
from aggregator.notices import Notices
from aggregator.stages.publish.outputs import FORMATS
from aggregator.web.guesses import TOO_MANY, Guesses, Verdict
from aggregator.web.hosts import PROBES
from storage.health import sources_standing
from storage.queues import queues

PATH = "/metrics"
_REFUSAL = (
    "Metrics are for metrics.allow_networks, and for whoever has metrics.token. What came through "
    "a proxy needs the token.\n"
)
_TEXT = "text/plain; charset=utf-8"
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_REFUSED = frozenset({421, 429, 503})
_DOCUMENT = re.compile(r"/([^/.]+)\.([a-z]+)")


def add_metrics(
    app: FastAPI,
    settings: MetricsSettings,
    ledger: Ledger,
    guesses: Guesses,
    *,
    metrics: Metrics,
    notices: Notices,
    clock: Clock,
) -> None:
    """Add the route."""

    @app.api_route(PATH, methods=["GET", "HEAD"])
    async def scraped(request: Request) -> Response:
        """Every metric, in Prometheus' text format."""
        headers = {"Cache-Control": "no-store"}
        verdict = admitted(settings, guesses, request)
        if verdict.wait:
            headers["Retry-After"] = str(verdict.wait)
            return Response(TOO_MANY, 429, headers, media_type=_TEXT)
        if not verdict.opens:
            return Response(_REFUSAL, 403, headers, media_type=_TEXT)
        now = clock()
        observed = Observed(
            now,
            await ledger.read(queues, now),
            await ledger.read(sources_standing),
            notices.standing(),
        )
        return Response(metrics.exposition(observed), 200, headers, MEDIA_TYPE)


def admitted(settings: MetricsSettings, guesses: Guesses, request: Request) -> Verdict:
    """Whether who asks may read the metrics."""
    headers = request.headers
    scheme, _, offered = headers.get("authorization", "").partition(" ")
    if settings.token is not None and scheme.lower() == "bearer":
        token = settings.token.get_secret_value()
        return guesses.judge(request.scope, [offered.strip()], [token])
    if any(name in headers for name in _FORWARDED):
        return Verdict(opens=False)  # the address is a proxy's, or what somebody told it
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return Verdict(opens=False)
    return Verdict(opens=any(address in network for network in settings.allow_networks))


class Counting:
    """ASGI middleware: counts the requests for outputs and those that are turned away.

    Hears, too, whom services read the outputs for.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, outputs: Iterable[str], clock: Clock
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._outputs = frozenset(outputs)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and note how it was answered."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered(scope, message["status"])
            await send(message)

        await self._app(scope, receive, counting)

    def _answered(self, scope: Scope, status: int) -> None:
        if status in _REFUSED:
            self._metrics.request_refused(status)
        found = _DOCUMENT.fullmatch(scope["path"])
        if found is None or found[1] not in self._outputs or found[2] not in FORMATS:
            return
        self._metrics.feed_requested(found[1], found[2], status)
        if status in {200, 304}:
            agent = Headers(scope=scope).get("user-agent", "")
            self._metrics.subscribers.heard(found[1], found[2], agent, self._clock())
