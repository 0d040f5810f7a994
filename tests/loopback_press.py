"""A press of many sources on the loopback, on hosts of their own; every request is remembered.

Source ``n`` is on the host 127.1.x.y that ``n // PER_HOST`` gives. At step 0 it has two items, at
step 1 a third one, at step 2 its first is corrected. Sources 2k and 2k + 1 tell the same events in
the same words, which no other uses: whether one rare word in common makes two articles one story
depends on what was read before them, which several processes do not keep to.
"""

import asyncio
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from html import escape
from time import monotonic

PER_HOST = 5
STEPS = 3
ENTRIES, VERSIONS = 3, 4
"""Of one source, when all is told: items, and wordings of items."""
_REQUEST = re.compile(rb"GET /(\d+)/(\w+) ")
_SYLLABLES = re.findall("..", "badofegukilamonepirusatevowixazu")
_WORDS, _WORDS_OF_ITEM = len(_SYLLABLES) ** 5, 105
_TITLE = 12
"""Words of a title: many, as the matcher's table does not tell every two words apart."""
_CORRECTION = 5
"""Words that an item has only when it is corrected, the last of its own."""


class Press:
    """``sources`` of them. ``step`` is what time it is; the test moves it on."""

    def __init__(self, sources: int) -> None:
        self.sources = sources
        self.step = 0
        self.port = 0
        self.asked: dict[str, list[float]] = defaultdict(list)
        """When each host was asked for anything, in monotonic seconds."""
        self.pages: dict[str, int] = defaultdict(int)

    def url(self, source: int, path: str = "feed") -> str:
        return f"http://{host_of(source)}:{self.port}/{source}/{path}"

    def titles(self, source: int) -> list[str]:
        """Of everything the source shows now."""
        shown = ENTRIES if self.step else ENTRIES - 1
        return [title(source // 2, item, corrected=self._corrected(item)) for item in range(shown)]

    def _corrected(self, item: int) -> bool:
        return self.step >= 2 and item == 0

    def feed(self, source: int) -> str:
        items = "".join(
            f"<item><title>{name}</title><guid isPermaLink='false'>{item}</guid>"
            f"<link>{self.url(source, f'a{item}')}</link><description>"
            f"{escape(body(source // 2, item, corrected=self._corrected(item)))}"
            "</description></item>"
            for item, name in enumerate(self.titles(source))
        )
        head = f"<title>S{source}</title><language>en</language>"
        return f"<rss version='2.0'><channel>{head}{items}</channel></rss>"

    def page(self, source: int, item: int) -> str:
        told = body(source // 2, item, corrected=self._corrected(item))
        name = title(source // 2, item, corrected=self._corrected(item))
        return f"<html><body><article><h1>{name}</h1><p>{told}</p></article></body></html>"

    def answer(self, request: bytes) -> tuple[str, str]:
        found = _REQUEST.match(request)
        if not found:
            return "404 Not Found", ""  # robots.txt
        source, path = int(found[1]), found[2].decode()
        if path == "feed":
            return "200 OK", self.feed(source)
        self.pages[self.url(source, path)] += 1
        return "200 OK", self.page(source, int(path[1:]))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.asked[host].append(monotonic())
                status, text = self.answer(request)
                kind = "text/html" if text.startswith("<html") else "application/rss+xml"
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\n"
                raw = text.encode()
                writer.write(f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def on_air(sources: int) -> AsyncIterator[Press]:
    """Serve a press on every loopback address, on a port that is free."""
    press = Press(sources)
    server = await asyncio.start_server(press.serve, "0.0.0.0", 0, backlog=1000)
    press.port = server.sockets[0].getsockname()[1]
    async with server:
        yield press


def host_of(source: int) -> str:
    number = source // PER_HOST
    return f"127.1.{number // 250}.{number % 250 + 1}"


@cache
def _words(event: int, item: int) -> tuple[str, ...]:
    first = (event * ENTRIES + item) * _WORDS_OF_ITEM
    return tuple(_word(number) for number in range(first, first + _WORDS_OF_ITEM))


def _word(number: int) -> str:
    """A word for every number below ``_WORDS``, unlike that of the next one."""
    number = _shuffled()[number]
    return "".join(_SYLLABLES[number >> shift & 15] for shift in range(0, 20, 4))


@cache
def _shuffled() -> list[int]:
    return random.Random(1).sample(range(_WORDS), _WORDS)


def title(event: int, item: int, *, corrected: bool = False) -> str:
    words = _words(event, item)
    return " ".join(words[:_TITLE] + (words[-1:] if corrected else ()))


def body(event: int, item: int, *, corrected: bool = False) -> str:
    """In small letters: thousands of names would not all be told apart by the matcher's table."""
    words = _words(event, item)
    said = f"{' '.join(words[:-_CORRECTION])}."
    return f"{said} {' '.join(words[-_CORRECTION:])}." if corrected else said
