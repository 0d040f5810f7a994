"""The name under which this site is asked: one of its own, or no answer.

A page from elsewhere can make its own name lead to this machine (DNS rebinding) and have a browser
read what only its user may. And no answer may depend on a name that anybody can write into a
request: links come from ``server.base_url``.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aggregator.web.headers import SecurityHeaders

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?")
_ANY = "*"
# Names that nobody can register, so that nobody from elsewhere has them: RFC 6761, 6762, 8375 and
# ICANN's .internal.
_LOCAL = ("localhost", "local", "internal", "home.arpa", "test")
PROBES = frozenset({"/healthz", "/readyz"})
"""What asks how the process is: under any name, at any time."""
_MALFORMED = "The request has no valid Host header.\n"
_UNKNOWN = (
    "This site is not called that; server.base_url and server.hosts name what it is called.\n"
)


class Hosts:
    """ASGI middleware: answers for ``base_url``'s host, for ``names``, and where no name is asked.

    That is by address, by a name without a dot, and by those that nobody can register. ``*`` among
    the names answers for any. A request that says twice, not at all or not well what it means gets
    400 (RFC 9112, 3.2), one that means another host 421.
    """

    def __init__(self, app: ASGIApp, base_url: str, names: Iterable[str] = ()) -> None:
        self._app = app
        own = urlsplit(base_url).hostname or ""
        self._names = {name.lower().rstrip(".") for name in (own, *names)}
        self._status = lru_cache(256)(self._judged)  # they are always the same few

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "http" and (status := self._refusal(scope)):
            text = _MALFORMED if status == 400 else _UNKNOWN
            answer = PlainTextResponse(text, status, {"Cache-Control": "no-store"})
            await SecurityHeaders(answer)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> int | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if not hosts and scope["http_version"] == "1.0":
            return None
        status = self._status(hosts[0]) if len(hosts) == 1 else 400
        return None if status == 421 and scope["path"] in PROBES else status

    def _judged(self, host: bytes) -> int | None:
        found = _HOST.fullmatch(host.decode("latin-1"))
        if found is None:
            return 400
        return None if self._knows(found["name"].lower().rstrip(".")) else 421

    def _knows(self, name: str) -> bool:
        if _ANY in self._names or name in self._names or "." not in name:
            return True
        if any(name.endswith(f".{local}") for local in _LOCAL):
            return True
        try:
            ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True
