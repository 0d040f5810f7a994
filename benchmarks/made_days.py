"""Days of news for a soak: feeds and pages that follow from the source and the time alone.

A server in a process of its own reads what time it is from shared memory. Sources publish at their
own rhythm, several of them tell each event; some flood, fail, send rubbish or ask to be left alone
at certain hours of the day.
"""

import asyncio
import hashlib
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from zlib import crc32

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregator.running.server import bind, serving

EVENTS_AN_HOUR = 20
HOUR, DAY = 3600.0, 86400.0
_WORDS = ["".join(random.Random(n).choices("aeioubdfgklmnprstv", k=4 + n % 6)) for n in range(6000)]


@dataclass(frozen=True)
class Pace:
    """How much news there is.

    ``gap`` is in seconds, between two items of a source; ``shown`` are the items in a feed,
    ``flood`` those that come at once.
    """

    gap: float = 4 * HOUR
    shown: int = 30
    flood: int = 300


@contextmanager
def made_days(clock: "Synchronized[float]", pace: Pace) -> Iterator[str]:
    """Serve the news of whatever time ``clock`` says (seconds since 1970); gives the address."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, clock, pace))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join(10)
        process.kill()


def _serve(pipe: Connection, clock: "Synchronized[float]", pace: Pace) -> None:
    async def main() -> None:
        app = _app(clock, pace)
        with bind("127.0.0.1:0") as listener:
            async with serving(app, listener):
                pipe.send(f"http://127.0.0.1:{listener.getsockname()[1]}")
                await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(main())


def _app(clock: "Synchronized[float]", pace: Pace) -> Starlette:
    def feed(request: Request) -> Response:
        now = clock.value
        source = int(request.path_params["source"])
        if trouble := _trouble(source, now):
            return trouble
        body = _feed(source, now, pace).replace(b"HERE", request.url.netloc.encode())
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return Response(body, media_type="application/rss+xml", headers={"ETag": etag})

    def page(request: Request) -> Response:
        source, item = int(request.path_params["source"]), request.path_params["item"]
        if crc32(item.encode()) % 17 == 0:
            return Response("gone", 404)
        title, sentences = told(source, item, pace.gap)
        body = "".join(f"<p>{one}</p>" for one in sentences)
        return Response(
            f"<html><head><title>{title}</title></head><body><nav><a href='/'>Home</a></nav>"
            f"<article><h1>{title}</h1>{body}</article><footer>All rights</footer></body></html>",
            media_type="text/html",
        )

    return Starlette(
        routes=[Route("/feed/{source:int}", feed), Route("/page/{source:int}/{item}", page)]
    )


def _trouble(source: int, now: float) -> Response | None:
    hour = int(now // HOUR) + source
    if source % 10 == 3 and hour % 6 == 0:
        return Response("busy", 503, headers={"Retry-After": "3600"})
    if source % 10 == 5 and hour % 8 == 1:
        return Response("broken", 500)
    if source % 20 == 9 and hour % 5 == 2:
        return Response(b"<rss><channel><item>\xff\xfe<title>", media_type="application/rss+xml")
    if source % 20 == 11 and hour % 7 == 3:
        return Response("<html><body>We moved", media_type="text/html")
    return None


def _feed(source: int, now: float, pace: Pace) -> bytes:
    latest, gap = int(now // pace.gap), pace.gap
    moments = (
        (n, (n + _late(source, n)) * gap) for n in range(latest, latest - 2 * pace.shown, -1)
    )
    items = [(str(n), at) for n, at in moments if at <= now][: pace.shown]
    day = now // DAY
    if source % 25 == 7 and 10 * HOUR <= now % DAY < 14 * HOUR:
        items += [(f"{int(day)}-{n}", day * DAY + 10 * HOUR) for n in range(pace.flood)]
    body = "".join(_item(source, item, at, gap) for item, at in items)
    return (
        f"<rss version='2.0'><channel><title>Outlet {source}</title><language>en</language>"
        f"<link>https://outlet-{source}.example/</link>{body}</channel></rss>"
    ).encode()


def _late(source: int, number: int) -> float:
    return random.Random(f"{source} {number}").random()


@lru_cache(20_000)
def _item(source: int, item: str, at: float, gap: float) -> str:
    title, sentences = told(source, item, gap)
    moment = format_datetime(datetime.fromtimestamp(at, UTC))
    return (
        f"<item><title>{title}</title><guid isPermaLink='false'>{source}-{item}</guid>"
        f"<link>http://HERE/page/{source}/{item}</link><pubDate>{moment}</pubDate>"
        f"<description>{' '.join(sentences[:2])}</description></item>"
    )


@lru_cache(20_000)
def told(source: int, item: str, gap: float) -> tuple[str, tuple[str, ...]]:
    """The title and the sentences with which a source tells of something.

    Those that tell one event in the same hours share its names and most of its sentences.
    """
    own = random.Random(f"{source} {item}")
    event = f"{source} {item}"
    if item.isdecimal():
        hour = int((int(item) + _late(source, int(item))) * gap // (3 * HOUR))
        event = f"{hour} {own.randrange(3 * EVENTS_AN_HOUR)}"
    what = random.Random(event)
    names = [what.choice(_WORDS).title() for _ in range(4)]
    facts = [_sentence(what, names) for _ in range(14)]
    chosen = own.sample(facts, 10) + [_sentence(own, names[:2]) for _ in range(3)]
    title = f"{names[0]} {names[1]} {' '.join(what.sample(_WORDS, 3))} {own.choice(_WORDS)}"
    return title, tuple(chosen)


def _sentence(rng: random.Random, names: list[str]) -> str:
    words = rng.choices(_WORDS, k=rng.randrange(8, 20))
    words.insert(rng.randrange(len(words)), rng.choice(names))
    return f"{' '.join(words).capitalize()}."
