"""Bytes instead of requests, to two real servers of one filled site: open to all, and private."""

import asyncio
import atexit
import contextlib
import logging
import shutil
import socket
import tempfile
import threading
from collections.abc import Hashable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

from api_site import SETTINGS, TOKEN, fill_for_api, site_for_api
from newsroom_runs import serve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.web.app import create_app
from storage.database import open_database

READ_TOKEN = "fedcba9876543210-read"
ATTACK = b"<script>alert(1)</script>"
OPEN = ("/healthz", "/readyz", "/metrics", "/websub/")
DEADLINE = 10.0
_PRIVATE = SETTINGS.model_dump()
_PRIVATE["server"]["read_token"] = READ_TOKEN
_HEAD = "Host: news.example\r\nUser-Agent: fuzz\r\nAccept: */*\r\n"
_PATHS = (
    *("/", "/?page=2", "/world.atom", "/world.rss?q=storm", "/world.json?limit=5&category=world"),
    *("/story/story-0", "/story/story-0.atom", "/sources", "/source/1", "/opml", "/status.atom"),
    *("/search?q=%22two+words%22+-not", "/?category=world&language=en", "/metrics", "/healthz"),
    *("/api/v1/stories?limit=2&min_outlets=2&since=2026-01-01T00:00:00Z", "/api/v1/sources"),
    *("/api/v1/search?q=title", "/api/openapi.json", "/api/docs", "/full.atom?token=wrong"),
    *("/websub/abc?hub.mode=subscribe&hub.topic=x&hub.challenge=c&hub.lease_seconds=9",),
)


def request_corpus() -> list[bytes]:
    """Requests for everything that is there, and some that hold more than a head."""
    plain = [f"GET {path} HTTP/1.1\r\n{_HEAD}\r\n".encode() for path in _PATHS]
    tags = 'If-None-Match: W/"a", "b"\r\nAccept-Encoding: gzip;q=0.5, br\r\nRange: bytes=0-9\r\n'
    hub = "X-Hub-Signature: sha1=00\r\nContent-Length: 4\r\n"
    chunks = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    others = (
        f"HEAD /world.atom HTTP/1.1\r\n{_HEAD}{tags}\r\n",
        f"GET / HTTP/1.1\r\n{_HEAD}Authorization: Basic YTpi\r\n\r\n",
        f"POST /websub/abc HTTP/1.1\r\n{_HEAD}{hub}\r\n<a/>",
        f"POST / HTTP/1.1\r\n{_HEAD}{chunks}\r\n",
        f"OPTIONS * HTTP/1.1\r\n{_HEAD}\r\n{plain[0].decode() * 3}",
        "GET http://other.example/ HTTP/1.0\r\n\r\n",
    )
    return [*plain, *(text.encode() for text in others)]


def check_request(data: bytes) -> Hashable:
    """What both sites do about ``data``. Neither crashes, tells a secret, or repeats an attack."""
    return tuple(site.ask(data) for site in _sites())


@cache
def _sites() -> tuple["HttpSite", ...]:
    return HttpSite(SETTINGS), HttpSite(Settings.model_validate(_PRIVATE), private=True)


class HttpSite:
    """A site served in a thread of this process, and what went wrong in it."""

    def __init__(self, settings: Settings, *, private: bool = False) -> None:
        self._settings = settings
        self._private = private
        self._busy = 0
        self._wrong: list[str] = []
        self._statuses: list[Hashable] = []
        self._idle = threading.Condition()
        self._up = threading.Event()
        self._port = 0
        logging.getLogger("uvicorn.error").addHandler(_Complaints(self._wrong))
        threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True).start()
        assert self._up.wait(DEADLINE)

    def ask(self, data: bytes) -> Hashable:
        """Send ``data``, wait until everything that it set off is done."""
        with socket.create_connection(("127.0.0.1", self._port), DEADLINE) as client:
            answer = b""
            with contextlib.suppress(OSError):  # ended, or waiting for the rest
                client.sendall(data)
                client.settimeout(0.03)
                answer = client.recv(65536)
        with self._idle:
            assert self._idle.wait_for(lambda: not self._busy, DEADLINE), "never ends"
        assert not self._wrong, self._wrong
        assert answer[:7] in {b"", b"HTTP/1."}, answer[:80]
        statuses = dict.fromkeys(self._statuses)
        self._statuses.clear()
        return answer[9:12], *statuses

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self._wrong.append(str(context))
        )
        async with AsyncExitStack() as stack:
            path = Path(tempfile.mkdtemp(prefix="newsfold-fuzz-"))
            atexit.register(shutil.rmtree, path, ignore_errors=True)
            ledger = Ledger(open_database(f"sqlite:///{path / 'newsfold.db'}"))
            stack.callback(ledger.close)
            fill_for_api(ledger.database)
            app = create_app(await site_for_api(ledger, self._settings))
            url = await stack.enter_async_context(serve(self._watched(app)))
            self._port = int(url.rpartition(":")[2])
            self._up.set()
            await asyncio.Event().wait()

    def _watched(self, app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            answer = Answer(scope, self._wrong)

            async def seen(message: Message) -> None:
                answer.take(message, private=self._private)
                await send(message)

            self._busy += 1
            try:
                await app(scope, receive, seen)
            finally:
                self._statuses.append((scope["method"], answer.status))
                with self._idle:
                    self._busy -= 1
                    self._idle.notify_all()

        return watched


class Answer:
    """One answer of the application, looked at as it goes out."""

    def __init__(self, scope: Scope, wrong: list[str]) -> None:
        self._scope = scope
        self._wrong = wrong
        self.status = 0
        self._is_html = False

    def take(self, message: Message, *, private: bool) -> None:
        if message["type"] == "http.response.start":
            self._start(message, private=private)
        elif self._is_html and ATTACK in message.get("body", b""):
            self._complain("repeats an attack")
        if TOKEN.encode() in message.get("body", b""):
            self._complain("tells a token")

    def _start(self, message: Message, *, private: bool) -> None:
        self.status = message["status"]
        headers: list[tuple[bytes, bytes]] = message.get("headers", [])
        if self.status >= 500:
            self._complain(f"status {self.status}")
        if private and self.status < 300 and not self._scope["path"].startswith(OPEN):
            self._complain("answers without the token")
        for name, value in headers:
            self._is_html |= name.lower() == b"content-type" and b"html" in value
            if b"\r" in name + value or b"\n" in name + value or TOKEN.encode() in value:
                self._complain(f"header {name!r}: {value!r}")

    def _complain(self, what: str) -> None:
        asked: Any = (self._scope["method"], self._scope["path"], self._scope["query_string"])
        self._wrong.append(f"{what}: {asked}")


class _Complaints(logging.Handler):
    """Whatever the server itself logs as an error."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        self._wrong.append(self.format(record))
