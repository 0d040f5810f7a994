"""A WebSub hub on the loopback that records what it is asked and does just as it is told.

For tests only. It knows subscribers by their public address; ``reach`` is where that is served.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from newsroom_runs import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PUBLIC = "https://news.example"


class ScriptedHub:
    """What it does with a wish is ``mood``: verify, accept (and no more), deny, or refuse.

    ``lease`` is what it grants, in seconds; ``status`` what it answers a wish it takes.
    """

    def __init__(self) -> None:
        self.url = ""
        self.reach = ""
        self.mood = "verify"
        self.lease = "864000"
        self.status = 202
        self.forms: list[dict[str, str]] = []
        self.answers: list[tuple[int, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/", self.asked, methods=["POST"])])

    async def asked(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.forms.append(form)
        if self.mood == "refuse":
            return Response("no", 500)
        if form["hub.mode"] == "subscribe" and self.mood in {"verify", "deny"}:
            task = asyncio.create_task(self._speak(form, self.mood))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return Response(status_code=self.status)

    async def _speak(self, form: dict[str, str], mood: str) -> None:
        if mood == "verify":
            await self.ask("subscribe", form)
        else:
            await self.ask("denied", form, **{"hub.reason": "no room"})

    @property
    def wishes(self) -> list[dict[str, str]]:
        """The subscriptions it was asked for."""
        return [form for form in self.forms if form["hub.mode"] == "subscribe"]

    @property
    def told(self) -> list[str]:
        """The addresses it was told have changed."""
        return [form["hub.url"] for form in self.forms if form["hub.mode"] == "publish"]

    async def spoken(self) -> None:
        """Wait until everything that it had to say is said."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def ask(self, mode: str, form: dict[str, str] | None = None, **changes: str) -> int:
        """Ask (or tell) a subscriber as the Recommendation has it; the status of its answer."""
        wish = form or self.wishes[-1]
        query = {
            "hub.mode": mode,
            "hub.topic": wish["hub.topic"],
            "hub.challenge": f"challenge {len(self.answers)}",
            "hub.lease_seconds": self.lease,
        } | changes
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.callback(wish), params=query) as response,
        ):
            body = await response.text()
            self.answers.append((response.status, body))
            if mode == "subscribe" and response.status == 200:
                assert body == query["hub.challenge"]
            return response.status

    def callback(self, wish: dict[str, str] | None = None) -> str:
        """Where a subscriber's callback really is."""
        address = (wish or self.wishes[-1])["hub.callback"]
        assert address.startswith(f"{PUBLIC}/websub/")
        return address.replace(PUBLIC, self.reach)

    async def deliver(
        self,
        body: str | bytes,
        *,
        wish: dict[str, str] | None = None,
        secret: str | None = None,
        method: str = "sha256",
        **headers: str,
    ) -> int:
        """Deliver ``body``, signed as agreed or with another ``secret``; the answer's status."""
        wish = wish or self.wishes[-1]
        raw = body.encode() if isinstance(body, str) else body
        key = (secret or wish["hub.secret"]).encode()
        sent: dict[str, Any] = {
            "Content-Type": "application/rss+xml",
            "Link": f'<{self.url}>; rel="hub", <{wish["hub.topic"]}>; rel="self"',
            "X-Hub-Signature": f"{method}={hmac.new(key, raw, method).hexdigest()}",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.callback(wish), data=raw, headers=sent) as response,
        ):
            return response.status


@asynccontextmanager
async def scripted_hub() -> AsyncIterator[ScriptedHub]:
    """A hub at work for as long as the block runs."""
    hub = ScriptedHub()
    async with serve(hub.app()) as url:
        hub.url = f"{url}/"
        yield hub
