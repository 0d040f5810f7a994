"""``server.read_token``: who may read at all. Around every route, so that none is forgotten."""

import base64
import binascii
from collections.abc import Callable, Collection
from contextlib import suppress
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.web.api.problems import problem
from aggregator.web.guesses import TOO_MANY, Guesses, Verdict
from aggregator.web.hosts import PROBES

_METRICS = "/metrics"  # has a guard of its own
_CALLBACKS = "/websub/"  # hubs call there, and each address is a secret of its own
_REFUSAL = "This site is private: a token is needed.\n"


class ReadGuard:
    """ASGI middleware: nobody without the token gets past, wherever they ask.

    The token comes as ``Authorization: Bearer TOKEN``, as the password of ``Authorization: Basic``
    (any user; browsers ask for it once), or as ``?token=TOKEN``. Probes and hubs' callbacks answer
    anyone; every other path answers 401 alike, whether it is there or not. ``own_tokens`` names
    other tokens that open a path.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        own_tokens: Callable[[str], Collection[str]],
        guesses: Guesses,
    ) -> None:
        self._app = app
        self._token = token
        self._own_tokens = own_tokens
        self._guesses = guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 401; 429 to who guesses."""
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, _privately(send))
            return
        valid = (self._token, *self._own_tokens(scope["path"]))
        verdict = self._guesses.judge(scope, _offered(scope), valid)
        if verdict.opens:
            await self._app(scope, receive, _privately(send))
            return
        await _refused(scope["path"], verdict)(scope, receive, send)


def _refused(path: str, verdict: Verdict) -> Response:
    status, said = (429, TOO_MANY) if verdict.wait else (401, _REFUSAL)
    headers = (
        {"Retry-After": str(verdict.wait)}
        if verdict.wait
        else {"WWW-Authenticate": 'Basic realm="news", charset="UTF-8"'}
    )
    if path.startswith("/api/"):
        return problem(status, said.strip(), headers=headers)
    return PlainTextResponse(said, status, headers | {"Cache-Control": "no-store"})


def _is_open(path: str) -> bool:
    return path in PROBES or path == _METRICS or path.startswith(_CALLBACKS)


def _privately(send: Send) -> Send:
    """``send`` with answers kept out of caches that others share."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if kept := headers.get("cache-control"):
                headers["cache-control"] = kept.replace("public", "private")
        await send(message)

    return send_private


def _offered(scope: Scope) -> list[str]:
    """Every token that a request carries."""
    query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=None)
    scheme, _, value = Headers(scope=scope).get("authorization", "").partition(" ")
    tokens = query.get("token", [])[:2]
    if scheme.lower() == "bearer":
        tokens.append(value.strip())
    elif scheme.lower() == "basic":
        with suppress(binascii.Error, ValueError):  # of what is no Basic credential
            tokens.append(base64.b64decode(value).decode().partition(":")[2])
    return tokens
