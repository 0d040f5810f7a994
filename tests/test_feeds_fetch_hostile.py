"""Every hostile behaviour ends as the right value, in time and in bounds."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from hostile_servers import BODY, CASES, MAX_BYTES, Case, place
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import ScriptedServer, raw, reply

from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from feeds.model import (
    FailureKind,
    FetchFailure,
    FetchOutcome,
    FetchRequest,
    Response,
    Validators,
)

DEADLINE = 0.3
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def nothing_older_is_collected() -> Iterator[None]:
    """Collecting garbage after each case looks at what came since, not at all of the session."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        yield server


@pytest_asyncio.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    async with HttpFetcher(Guard.allowing(["127.0.0.0/8"]), "test/1") as fetcher:
        yield fetcher


def request_for(case: Case, url: str) -> FetchRequest:
    return FetchRequest(
        url,
        validators=Validators(url, etag='"1"') if case.conditional else None,
        # A loaded machine may need its time; only what never ends meets the deadline.
        timeout=DEADLINE if case.expected is FailureKind.TIMEOUT else 20,
        max_bytes=MAX_BYTES,
        max_redirects=5,
    )


def check(case: Case, outcome: FetchOutcome) -> None:
    if isinstance(case.expected, FailureKind):
        assert isinstance(outcome, FetchFailure), outcome
        assert outcome.kind is case.expected, outcome
        assert "127.0.0.1" in outcome.detail
        assert outcome.detail.isprintable()
        assert len(outcome.detail) < 350
    else:
        assert isinstance(outcome, Response), outcome
        assert outcome.status == case.expected
        assert case.body is None or outcome.body == case.body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_hostile_server_is_one_value(
    case: Case, server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = place(case, server)
    tracemalloc.start()
    try:
        check(case, await fetcher.fetch(request_for(case, url)))
        assert tracemalloc.get_traced_memory()[1] < 4 * MEGABYTE
    finally:
        tracemalloc.stop()
    server.on("/good", reply(200, BODY))  # by another name, so over a connection of its own
    after = await fetcher.fetch(FetchRequest(server.url("/good", host="localhost")))
    assert isinstance(after, Response)
    assert after.body == BODY
    gc.collect()  # what was left open would warn here, and a warning is an error


async def test_all_of_them_at_once_hold_up_nobody(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    good = server.on("/good", reply(200, BODY))
    hostile = [
        asyncio.create_task(fetcher.fetch(request_for(case, place(case, server, f"/case{n}"))))
        for n, case in enumerate(CASES)
        if "circle" not in case.name and "itself" not in case.name  # these name their own path
    ]
    fine = [await fetcher.fetch(FetchRequest(good, timeout=15)) for _ in range(50)]
    assert [type(outcome) for outcome in fine] == [Response] * 50
    await asyncio.gather(*hostile)


def test_there_are_enough_of_them() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 80


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"HTTP/1.1 ", b"200 OK", b"301 x", b"\r\n", b"\r\n\r\n", b"Content-Length: 5\r\n",
                 b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Location: ",
                 b"3\r\nabc\r\n", b"0\r\n\r\n", b"ETag: ", b"\x1f\x8b\x08", b"http://[", b"\x00"]
            ),
        ),
        max_size=12,
    )
)  # fmt: skip
@settings(max_examples=150, deadline=None)
async def test_whatever_is_answered_is_a_value(parts: list[bytes]) -> None:
    async with (
        ScriptedServer() as server,
        HttpFetcher(Guard.allowing(["127.0.0.0/8"]), "test/1") as fetcher,
    ):
        for answer in (b"".join(parts), b"HTTP/1.1 200 OK\r\n" + b"".join(parts)):
            url = server.on("/", raw(answer))
            outcome = await fetcher.fetch(FetchRequest(url, timeout=5, max_redirects=2))
            assert isinstance(outcome, Response | FetchFailure)
            assert outcome.seconds < 5
