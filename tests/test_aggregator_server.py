import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from newsroom_runs import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aggregator.running.server import ListenError, bind, serving

ROOT = Path(__file__).parent.parent


def test_a_free_port_is_found_and_a_taken_one_told() -> None:
    with bind("127.0.0.1:0") as listener:
        taken = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ListenError, match=f"cannot listen on {taken}: [^(]*in use$"):
            bind(taken)


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1:0"):
        bind("192.0.2.1:0")
    with pytest.raises(ListenError, match="no-such-host"):
        bind("no-such-host.invalid:0")


def test_ipv6_addresses_stand_in_brackets() -> None:
    try:
        listener = bind("[::1]:0")
    except ListenError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert listener.family == socket.AF_INET6


def test_an_answer_does_not_wait_for_a_delayed_acknowledgement() -> None:
    with bind("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def test_it_serves_for_as_long_as_the_block_runs() -> None:
    app = Starlette(routes=[Route("/", hello)])
    async with (
        serve(app) as url,
        aiohttp.ClientSession() as session,
        session.get(url) as response,
    ):
        assert await response.text() == "hello"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)


async def test_an_error_in_the_block_ends_the_server_and_passes_on() -> None:
    with bind("127.0.0.1:0") as listener:
        with pytest.raises(ValueError, match="no"):
            async with serving(Starlette(), listener):
                raise ValueError("no")
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "web"]


async def test_a_request_that_never_ends_does_not_keep_the_server() -> None:
    asked = asyncio.Event()

    async def endless(_: Request) -> PlainTextResponse:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    app = Starlette(routes=[Route("/", endless)])
    async with aiohttp.ClientSession() as session, asyncio.timeout(15):
        async with serve(app) as url:
            request = asyncio.create_task(session.get(url))
            await asked.wait()
        with pytest.raises(aiohttp.ClientError):
            (await request).raise_for_status()


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "after"),
    [(4096, 4096, 1000, 4096), (256, 4096, 1000, 1300), (256, 512, 212, 512), (256, 256, 10, 256)],
)
def test_as_many_connections_as_open_files_allow(
    soft: int, hard: int, connections: int, after: int
) -> None:
    code = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from aggregator.running.server import connections_within\n"
        "print(connections_within(1000, 300), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(connections), str(after)]


async def test_whom_a_request_comes_from_is_not_believed_from_its_headers() -> None:
    """uvicorn by itself believes X-Forwarded-For from the loopback."""

    async def address(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.client.host if request.client else "")

    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    async with (
        serve(Starlette(routes=[Route("/", address)])) as url,
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers) as response,
    ):
        assert await response.text() == "127.0.0.1"
