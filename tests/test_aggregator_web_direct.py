"""First documents: the short way answers as the long way would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from aggregator.config.settings import Settings
from aggregator.stages.publish.documents import Document, make_document
from aggregator.web.direct import DirectFeeds
from aggregator.web.guesses import Guesses
from aggregator.web.sending import send_document

TOKEN = "0123456789abcdef+token"
SETTINGS = Settings.model_validate(
    {
        "server": {"base_url": "https://news.example", "hubs": ["https://hub.example/"]},
        "output": [{"name": "news"}, {"name": "full", "content": "full", "token": TOKEN}],
    }
)
THEN = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOCUMENT = make_document(b"<feed/>" * 100, "application/atom+xml; charset=utf-8", THEN)
NEWER = make_document(b"<feed></feed>" * 100, "application/atom+xml; charset=utf-8", THEN)


@dataclass
class Publisher:
    current: Document | None = DOCUMENT

    def document(self, _name: str, _form: str, _page: int = 1) -> Document | None:
        return self.current


@dataclass
class Direct:
    """The short way over a publisher, and what it passed on."""

    publisher: Publisher = field(default_factory=Publisher)
    passed: list[Scope] = field(default_factory=list)

    def __post_init__(self) -> None:
        publisher: Any = self.publisher
        self.app = DirectFeeds(self._rest, SETTINGS, publisher, Guesses(most=3))

    async def _rest(self, scope: Scope, _: Receive, __: Send) -> None:
        self.passed.append(scope)

    async def ask(
        self, path: str, *headers: tuple[str, str], query: str = "", method: str = "GET"
    ) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        raw = [(name.encode(), value.encode()) for name, value in headers]
        scope = {"type": "http", "path": path, "method": method, "headers": raw}
        await self.app({**scope, "query_string": query.encode()}, receive, send)
        return sent


CODINGS = [None, "", "gzip", "br", "gzip, br;q=0.1", "identity", "*;q=0"]
TAGS = [None, DOCUMENT.codings["gzip"][1], f'"x", W/{DOCUMENT.digest}', "*", '"x"', ""]
TIMES = [None, "Sun, 22 Nov 2026 12:00:00 GMT", "Sun, 22 Nov 2026 11:00:00 GMT", "today"]


@pytest.mark.parametrize(("coding", "tag", "time"), [*product(CODINGS, TAGS, TIMES)])
async def test_it_answers_as_the_long_way_does(
    coding: str | None, tag: str | None, time: str | None
) -> None:
    asked = {"accept-encoding": coding, "if-none-match": tag, "if-modified-since": time}
    headers = {name: value for name, value in asked.items() if value is not None}
    query = "token=0123456789abcdef%2Btoken"
    start, body = await Direct().ask("/full.atom", *headers.items(), query=query)
    expected = send_document(headers, DOCUMENT, private=True)
    assert start["status"] == expected.status_code
    assert body["body"] == expected.body
    assert set(expected.raw_headers) < set(start["headers"])
    assert dict(start["headers"])[b"x-content-type-options"] == b"nosniff"


async def test_the_first_of_two_headers_counts() -> None:
    tags = ("if-none-match", DOCUMENT.digest), ("if-none-match", '"x"')
    start, body = await Direct().ask("/news.atom", *tags)
    assert (start["status"], body["body"]) == (304, b"")
    start, _ = await Direct().ask("/news.atom", *reversed(tags))
    assert start["status"] == 200


async def test_hubs_are_named() -> None:
    start, _ = await Direct().ask("/news.rss")
    assert b"hub.example" in dict(start["headers"])[b"link"]


async def test_another_document_is_another_answer() -> None:
    direct = Direct()
    _, before = await direct.ask("/news.atom")
    direct.publisher.current = NEWER
    _, after = await direct.ask("/news.atom")
    assert (before["body"], after["body"]) == (DOCUMENT.body, NEWER.body)


@pytest.mark.parametrize(
    ("path", "query", "method"),
    [
        ("/news.atom", "q=x", "GET"),
        ("/news.atom", "", "POST"),
        ("/news.xml", "", "GET"),
        ("/none.atom", "", "GET"),
        ("/full.atom", "", "GET"),
        ("/full.atom", "token=wrong", "GET"),
        ("/full.atom", f"token={TOKEN}", "GET"),
        ("/full.atom", "token=0123456789abcdef%2Btoken&limit=1", "GET"),
    ],
)
async def test_every_other_question_goes_on(path: str, query: str, method: str) -> None:
    direct = Direct()
    assert await direct.ask(path, query=query, method=method) == []
    assert len(direct.passed) == 1


async def test_before_the_first_publication_it_goes_on() -> None:
    direct = Direct(Publisher(None))
    assert await direct.ask("/news.atom") == []
    assert len(direct.passed) == 1
