"""Requests take turns: so many are worked on at once, and each client's in rotation.

A thousand requests of one client so cost another one a turn, not a thousand.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from contextlib import suppress

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.web.clients import Clients
from aggregator.web.hosts import PROBES

PATIENCE = 10.0
"""Seconds that a request waits for its turn."""
_BUSY = "Too much is asked for at once; come again in a moment.\n"


class Turns:
    """ASGI middleware: ``most`` requests are worked on at once, half of them for one client.

    A turn ends when the answer begins: one who does not read keeps nobody waiting. Probes wait for
    nobody. Whoever has waited ``patience`` seconds is told to come again (503).
    """

    def __init__(
        self, app: ASGIApp, most: int, clients: Clients | None = None, patience: float = PATIENCE
    ) -> None:
        self._app = app
        self._free = most
        self._share = max(1, most // 2)
        self._clients = clients or Clients()
        self._patience = patience
        self._working: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer when it is the request's turn."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        client = self._clients.of(scope)
        try:
            async with asyncio.timeout(self._patience):
                await self._turn(client)
        except TimeoutError:
            refusal = PlainTextResponse(
                _BUSY, 503, {"Retry-After": "5", "Cache-Control": "no-store"}
            )
            await refusal(scope, receive, send)
            return
        held = True

        async def send_and_go(message: Message) -> None:
            nonlocal held
            if held:
                held = False
                self._done(client)
            await send(message)

        try:
            await self._app(scope, receive, send_and_go)
        finally:
            if held:
                self._done(client)

    async def _turn(self, client: str) -> None:
        if self._free and self._working[client] < self._share:
            self._begin(client)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came at the same moment
                self._done(client)
            else:
                self._forget(client, turn)
            raise

    def _begin(self, client: str) -> None:
        self._free -= 1
        self._working[client] += 1

    def _done(self, client: str) -> None:
        self._free += 1
        self._working[client] -= 1
        if not self._working[client]:
            del self._working[client]
        while self._free and self._next():
            pass

    def _next(self) -> bool:
        """Give a turn to the client that waited longest for one; False where none may have it."""
        for client, line in self._waiting.items():
            if self._working[client] >= self._share:
                continue
            turn = line.popleft()
            self._waiting.move_to_end(client)
            if not line:
                del self._waiting[client]
            if not turn.done():  # given up a moment ago
                self._begin(client)
                turn.set_result(None)
            return True
        return False

    def _forget(self, client: str, turn: "asyncio.Future[None]") -> None:
        line = self._waiting.get(client)
        if line is not None:
            with suppress(ValueError):
                line.remove(turn)
            if not line:
                del self._waiting[client]
