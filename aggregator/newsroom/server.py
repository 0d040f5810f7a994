"""The newsroom as web sites: feeds, front pages and articles of every outlet, on one host.

A Starlette application, meant for the loopback only. Time is an argument: it shows what had been
published by then, in the version of then, so that a test can replay the days. Addresses follow the
request's own base URL. Templates live beside the data in ``seeds/newsroom/templates``.
"""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from aggregator.newsroom.model import Newsroom, NewsroomArticle, Outlet

FEED_LENGTH = 30

_LONG_AGO = datetime(2009, 1, 1, tzinfo=UTC)
"""When a feed without an entry last changed."""

_MEDIA_TYPES = {
    "rss": "application/rss+xml",
    "rdf": "application/rdf+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


def newsroom_app(newsroom: Newsroom, now: Callable[[], datetime] = _utc_now) -> Starlette:
    """Serve the newsroom as it stands at ``now()``, which is asked at every request.

    ``/`` is a page of all outlets, ``/robots.txt`` speaks for the host; each outlet has its front
    page at ``/SLUG/``, its feed at ``Outlet.feed_path`` and its articles below. Feeds answer
    conditional requests (RFC 9110, 13) and hold the newest 30 entries. Pages that are walls come
    with status 200, which is how walls do the most harm.
    """
    site = _Site(newsroom, now)
    routes = [
        Route("/", site.kiosk),
        Route("/robots.txt", site.robots),
        Route("/{outlet}/", site.front),
        Route("/{outlet}/feed.{suffix}", site.feed),
        Route("/{outlet}/pictures/{number:int}.svg", site.picture),
        Route("/{outlet}/{rest:path}", site.article),
    ]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=500)])


class _Site:
    """The request handlers, and what they share: the newsroom, the clock and the templates."""

    def __init__(self, newsroom: Newsroom, now: Callable[[], datetime]) -> None:
        self._outlets = {outlet.slug: outlet for outlet in newsroom.outlets}
        self._articles = newsroom.articles
        self._now = now
        self._labels = tomllib.loads(_read("labels.toml"))
        self._templates = _templates(self._labels)

    def kiosk(self, request: Request) -> Response:
        stands = [(outlet, self._visible(outlet)) for outlet in self._outlets.values()]
        template = self._templates.get_template("kiosk.html")
        return HTMLResponse(template.render(stands=stands, base=_base(request)))

    def robots(self, _: Request) -> Response:
        template = self._templates.get_template("robots.txt")
        return PlainTextResponse(template.render(outlets=self._outlets.values()) + "\n")

    def front(self, request: Request) -> Response:
        outlet = self._outlet(request)
        return HTMLResponse(self._render(request, outlet, outlet.skeleton + ".html", None))

    def feed(self, request: Request) -> Response:
        outlet = self._outlet(request)
        if request.url.path != outlet.feed_path:
            return self.article(request)
        articles = self._visible(outlet)[:FEED_LENGTH]
        modified = max((article.modified for article in articles), default=_LONG_AGO)
        template = self._templates.get_template(f"feed.{outlet.format}")
        body = template.render(
            outlet=outlet,
            articles=articles,
            modified=modified,
            base=_base(request),
            labels=self._labels[outlet.language],
        )
        return _conditional(request, body.encode(), modified, _MEDIA_TYPES[outlet.format])

    def picture(self, request: Request) -> Response:
        number = int(request.path_params["number"])
        template = self._templates.get_template("picture.svg")
        return Response(
            template.render(number=number, hue=number % 360), media_type="image/svg+xml"
        )

    def article(self, request: Request) -> Response:
        outlet = self._outlet(request)
        article = next((a for a in self._visible(outlet) if a.path == request.url.path), None)
        if article is None:
            return HTMLResponse(self._render(request, outlet, "missing.html", None), 404)
        name = f"wall-{article.wall}" if article.wall else outlet.skeleton
        return HTMLResponse(self._render(request, outlet, f"{name}.html", article))

    def _outlet(self, request: Request) -> Outlet:
        try:
            return self._outlets[request.path_params["outlet"]]
        except KeyError:
            raise HTTPException(404) from None

    def _visible(self, outlet: Outlet) -> list[NewsroomArticle]:
        now = self._now()
        versions = (article.at(now) for article in self._articles if article.outlet == outlet.slug)
        return [version for version in versions if version is not None][::-1]

    def _render(
        self, request: Request, outlet: Outlet, name: str, article: NewsroomArticle | None
    ) -> str:
        articles = self._visible(outlet)
        others = [other for other in articles if article is None or other.id != article.id]
        if article is not None:
            others.sort(key=lambda other: other.section != article.section)
        # A stable handful that differs from page to page, as such lists do.
        turn = article.number % len(outlet.comments) if article and outlet.comments else 0
        return self._templates.get_template(name).render(
            outlet=outlet,
            article=article,
            articles=articles,
            related=others[:4],
            most_read=sorted(others, key=lambda other: other.number)[:5],
            comments=(outlet.comments[turn:] + outlet.comments[:turn])[:3],
            base=_base(request),
            labels=self._labels[outlet.language],
            media_type=_MEDIA_TYPES[outlet.format],
        )


def _templates(labels: dict[str, Any]) -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _read(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.globals["picture"] = _picture_path
    environment.globals["dateline"] = _dateline
    environment.filters["iso"] = lambda moment, outlet: outlet.local(moment).isoformat()
    environment.filters["rfc822"] = lambda moment, outlet: format_datetime(outlet.local(moment))
    environment.filters["clock"] = partial(_clock, labels)
    return environment


def _read(name: str) -> str:
    path = files("seeds") / "newsroom"
    for part in name.split("/"):
        path = path / part
    return path.read_text("utf-8")


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _picture_path(article: NewsroomArticle) -> str:
    return f"/{article.outlet}/pictures/{article.number}.svg"


def _dateline(article: NewsroomArticle) -> str:
    """What stands before the first word: ``LONDON (MNA) - ``."""
    if article.dateline is None:
        return ""
    agency = f" ({article.agency})" if article.agency else ""
    return f"{article.dateline}{agency} — "


def _clock(labels: dict[str, Any], moment: datetime, outlet: Outlet) -> str:
    local, words = outlet.local(moment), labels[outlet.language]
    return str(
        words["date"].format(
            day=local.day,
            month=words["months"][local.month - 1],
            year=local.year,
            time=f"{local:%H:%M}",
        )
    )


def _conditional(request: Request, body: bytes, modified: datetime, media_type: str) -> Response:
    # Weak, because the same tag stands for the plain and the gzipped bytes.
    etag = f'W/"{sha256(body).hexdigest()[:16]}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(modified.astimezone(UTC), usegmt=True),
        "Cache-Control": "max-age=60",
    }
    if _is_fresh(request, etag, modified):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=f"{media_type}; charset=utf-8")


def _is_fresh(request: Request, etag: str, modified: datetime) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return "*" in tags or etag.removeprefix("W/") in tags
    try:
        return parsedate_to_datetime(request.headers["if-modified-since"]) >= modified
    except (KeyError, ValueError, TypeError):
        # No date, or none that can be read or compared: the condition is void.
        return False
