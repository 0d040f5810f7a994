"""Routes of the feeds: outputs, their pages and archives, single stories, health of sources."""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path, Request, Response

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.catalogue import Asked
from aggregator.stages.publish.documents import Document
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.publish.requested import Requested
from aggregator.stages.publish.status_feed import NAME as STATUS
from aggregator.stages.push.announcing import document_url, hubs_of
from aggregator.web.asking import QuestionError, asked_for
from aggregator.web.guesses import TOO_MANY, Guesses
from aggregator.web.pages import sources_opml
from aggregator.web.sending import ARCHIVED, send_document
from feeds.websub import link_header
from storage.sources import source_health

_SOON = {"Retry-After": "5"}
_SHORT = "public, max-age=60"
_NOTHING_ASKED = Asked()

Slug = Annotated[str, Path(pattern="^[a-z0-9-]{1,100}$")]


def add_feeds(
    app: FastAPI, settings: Settings, ledger: Ledger, publisher: Publisher, guesses: Guesses
) -> None:
    """Add the routes of every feed to ``app``; ``guesses`` judges the tokens of outputs."""
    feeds = _Feeds(settings, ledger, publisher, guesses)
    answers: dict[str, Callable[..., Awaitable[Response]]] = {
        "/opml": feeds.opml,
        f"/{STATUS}.{{form}}": feeds.status,
        "/story/{slug}.{form}": feeds.story,
        "/{name}.{form}": feeds.first_page,
        "/{name}/{page:int}.{form}": feeds.further_page,
        "/{name}/archive/{number:int}.{form}": feeds.archive,
    }
    for path, endpoint in answers.items():
        app.add_api_route(path, endpoint, methods=["GET", "HEAD"])


class _Feeds:
    """The answers, each to a GET or HEAD."""

    def __init__(
        self, settings: Settings, ledger: Ledger, publisher: Publisher, guesses: Guesses
    ) -> None:
        self._settings = settings
        self._guesses = guesses
        self._ledger = ledger
        self._publisher = publisher
        self._outputs = {output.name: output for output in settings.outputs()}

    @cached_property
    def _requested(self) -> Requested:
        return Requested(self._ledger, self._settings, self._publisher)

    async def opml(self) -> Response:
        return Response(
            sources_opml(self._settings, await self._ledger.read(source_health)),
            media_type="text/x-opml; charset=utf-8",
            headers={"Cache-Control": _SHORT},
        )

    async def status(self, request: Request, form: str) -> Response:
        document = self._publisher.document(STATUS, form)
        if document is None and form in FORMATS:
            raise HTTPException(503, headers=_SOON)
        return send_document(request.headers, _there(document), private=False)

    async def story(self, request: Request, slug: Slug, form: str) -> Response:
        found = await self._requested.story(slug, form) if form in FORMATS else None
        if found is None:
            raise HTTPException(404)
        if found.slug != slug:  # it became part of another; not for ever: that can be undone
            headers = {"Location": f"{found.slug}.{form}", "Cache-Control": _SHORT}
            return Response(status_code=301, headers=headers)
        return send_document(request.headers, found.document, private=False)

    async def first_page(self, request: Request, name: str, form: str, token: str = "") -> Response:
        return await self._page(request, self._admitted(request, name, form, token), form, 1)

    async def further_page(
        self, request: Request, name: str, page: int, form: str, token: str = ""
    ) -> Response:
        output = self._admitted(request, name, form, token)
        if page < 2:  # the first page has one address
            raise HTTPException(404)
        return await self._page(request, output, form, page)

    async def archive(
        self, request: Request, name: str, number: int, form: str, token: str = ""
    ) -> Response:
        output = self._admitted(request, name, form, token)
        closed = self._publisher.progress(name).archives
        if closed and number == closed + 1:  # what follows the last archive is not closed yet
            query = f"?{request.url.query}" if request.url.query else ""
            headers = {"Location": f"../../{name}.{form}{query}", "Cache-Control": "no-cache"}
            return Response(status_code=307, headers=headers)
        if not 1 <= number <= closed:
            raise HTTPException(404)
        document = await self._requested.archive(output, number, form)
        private = output.token is not None
        return send_document(request.headers, _there(document), private=private, max_age=ARCHIVED)

    async def _page(
        self, request: Request, output: OutputSettings, form: str, page: int
    ) -> Response:
        try:
            asked = asked_for(request.query_params)
        except QuestionError as error:
            return _refusal(str(error))
        if not self._publisher.pages(output.name):
            raise HTTPException(503, headers=_SOON)
        if asked == _NOTHING_ASKED:
            document = self._publisher.document(output.name, form, page)
        else:
            document = await self._requested.part(output, form, page, asked)
        # What a query selects is another document than the one that hubs are told of.
        named = page == 1 and not request.query_params
        return send_document(
            request.headers,
            _there(document),
            private=output.token is not None,
            link=link_of(self._settings, output, form) if named else None,
        )

    def _admitted(self, request: Request, name: str, form: str, token: str) -> OutputSettings:
        output = self._outputs.get(name)
        if output is None or form not in FORMATS:
            raise HTTPException(404)
        if output.token is not None:
            offered, valid = [token] if token else [], [output.token.get_secret_value()]
            verdict = self._guesses.judge(request.scope, offered, valid)
            if verdict.wait:
                raise HTTPException(429, TOO_MANY, headers={"Retry-After": str(verdict.wait)})
            if not verdict.opens:
                raise HTTPException(404)
        return output


def link_of(settings: Settings, output: OutputSettings, form: str) -> str | None:
    """The ``Link`` header of an output's first document: its hubs and itself; None without hubs."""
    hubs = hubs_of(settings, output)
    return link_header(hubs, document_url(settings, output.name, form)) if hubs else None


def _there(document: Document | None) -> Document:
    if document is None:
        raise HTTPException(404)
    return document


def _refusal(line: str) -> Response:
    return Response(
        f"{line}\n",
        400,
        media_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )
