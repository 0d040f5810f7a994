"""The demonstration newsroom's feeds and pages, as its outlets serve them: where fuzzing starts."""

import asyncio
from datetime import timedelta
from functools import cache

from starlette.types import ASGIApp, Message

from aggregator.newsroom import load_newsroom, newsroom_app


@cache
def _newsroom() -> dict[str, list[bytes]]:
    return asyncio.run(_asked())


def newsroom(what: str) -> list[bytes]:
    """``feeds`` or ``pages``: documents that the demonstration's outlets serve."""
    return _newsroom()[what]


async def _asked() -> dict[str, list[bytes]]:
    room = load_newsroom()
    moment = max(article.published for article in room.articles) + timedelta(days=1)
    app = newsroom_app(room, lambda: moment)
    feeds = [await asked(app, outlet.feed_path) for outlet in room.outlets]
    walls = [article for article in room.articles if article.wall]
    shown = {article.outlet: article for article in room.articles}
    pages = [await asked(app, article.path) for article in (*shown.values(), *walls)]
    return {"feeds": feeds, "pages": pages}


async def asked(app: ASGIApp, path: str) -> bytes:
    """What ``app`` answers to a GET, without a server."""
    got: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            got.append(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"newsroom.example")],
        "scheme": "http",
        "server": ("newsroom.example", 80),
        "root_path": "",
    }
    await app(scope, receive, send)
    return b"".join(got)
