"""The documents that are asked for most, answered before any routing: first pages of outputs.

Feed readers ask for the same few addresses all day. What goes out is made once for each document,
by the very function that answers on the ordinary way (``sending.py``); here it is only looked up.
Every other question, and every one that is not plainly to be granted, goes on to the routes.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.stages.publish.documents import Document
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from aggregator.web.feeds import link_of
from aggregator.web.guesses import Guesses
from aggregator.web.headers import with_security
from aggregator.web.sending import coding_for, send_document
from feeds.writing.http_cache import is_not_modified


@dataclass(frozen=True, slots=True)
class _Answer:
    """What goes out in one coding: in full, or that nothing changed."""

    etag: bytes
    start: Message
    body: Message
    unchanged: Message


@dataclass(frozen=True, slots=True)
class _Answers:
    """``document`` ready to send in every coding."""

    document: Document
    codings: Mapping[str, _Answer]

    def to(self, headers: Iterable[tuple[bytes, bytes]]) -> tuple[Message, Message]:
        """The messages that answer a request with these headers."""
        accepted = tag = since = None
        for name, value in headers:  # of what is there twice the first counts, as on the other way
            if name == b"accept-encoding":
                accepted = value if accepted is None else accepted
            elif name == b"if-none-match":
                tag = value if tag is None else tag
            elif name == b"if-modified-since":
                since = value if since is None else since
        answer = self.codings[_coding(accepted)]
        if (tag or since) and (
            tag == answer.etag or _is_unchanged(tag, since, answer, self.document)
        ):
            return answer.unchanged, _NO_BODY
        return answer.start, answer.body


_NO_BODY: Message = {"type": "http.response.body", "body": b""}


@dataclass(slots=True)
class _Place:
    """A document's address. ``query`` is what must be asked with it: its token, or nothing."""

    output: OutputSettings
    form: str
    query: bytes
    link: str | None
    answers: _Answers | None = None


class DirectFeeds:
    """ASGI middleware: answers for first pages of outputs; ``app`` answers the rest."""

    def __init__(
        self, app: ASGIApp, settings: Settings, publisher: Publisher, guesses: Guesses
    ) -> None:
        self._app = app
        self._publisher = publisher
        self._guesses = guesses
        self._places = {
            f"/{output.name}.{form}": _place(settings, output, form)
            for output in settings.outputs()
            for form in FORMATS
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass it on."""
        answers = self._answers(scope)
        if answers is None:
            await self._app(scope, receive, send)
            return
        start, body = answers.to(scope["headers"])
        await send({**start})  # whoever is around may change what passes
        await send(body)

    def _answers(self, scope: Scope) -> _Answers | None:
        place = self._places.get(scope["path"]) if scope["type"] == "http" else None
        if place is None or scope["method"] not in {"GET", "HEAD"}:
            return None
        if not secrets.compare_digest(scope["query_string"], place.query):
            return None
        if token := place.output.token:  # right, but whoever guesses has to wait all the same
            shown = (token.get_secret_value(),)
            if not self._guesses.judge(scope, shown, shown).opens:
                return None
        document = self._publisher.document(place.output.name, place.form)
        if document is None:
            return None
        if place.answers is None or place.answers.document is not document:
            place.answers = _prepared(document, place)
        return place.answers


def _place(settings: Settings, output: OutputSettings, form: str) -> _Place:
    token = {"token": output.token.get_secret_value()} if output.token else {}
    return _Place(output, form, urlencode(token).encode(), link_of(settings, output, form))


def _prepared(document: Document, place: _Place) -> _Answers:
    private = place.output.token is not None
    answers = {}
    for coding, (body, etag) in document.codings.items():
        asked = {"accept-encoding": coding}
        whole = send_document(asked, document, private=private, link=place.link)
        asked["if-none-match"] = etag
        unchanged = send_document(asked, document, private=private, link=place.link)
        answers[coding] = _Answer(
            etag.encode(),
            {
                "type": "http.response.start",
                "status": whole.status_code,
                "headers": with_security(whole.raw_headers),
            },
            {"type": "http.response.body", "body": body},
            {
                "type": "http.response.start",
                "status": unchanged.status_code,
                "headers": with_security(unchanged.raw_headers),
            },
        )
    return _Answers(document, answers)


def _is_unchanged(
    tag: bytes | None, since: bytes | None, answer: _Answer, document: Document
) -> bool:
    asked = {"if-none-match": tag, "if-modified-since": since}
    conditions = {
        name: value.decode("latin-1") for name, value in asked.items() if value is not None
    }
    return is_not_modified(conditions, answer.etag.decode(), document.last_modified)


@lru_cache(64)
def _coding(accept: bytes | None) -> str:
    return coding_for(None if accept is None else accept.decode("latin-1"))
