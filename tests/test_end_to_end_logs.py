"""What a daemon logs of a whole run, of all that went well and wrong in it: the real process."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from scripted_server import ScriptedServer, raw, redirect, reply
from test_aggregator_daemon import started

from aggregator.running.logs import KEYS

DEADLINE = 90.0
SECRETS = (
    *("pass-Word-1", "key-In-Header-2", "key-in-query-3", "token-of-output-4", "token-of-site-555"),
    *("token-in-location-6", "password-in-location-7", "wrong-token-of-client-8", "words-asked-9"),
    *("token-in-edit-10", "YW5uOnBhc3MtV29yZC0x"),
)
TEXTS = ("Zebrafinken", "Ochsenfrösche", "Nacktschnecken")
"""Words of a title, of a feed's text and of a page."""
ORDER = ("timestamp", "level", "event", *KEYS)


def page(number: int) -> bytes:
    """One that no other repeats, or it would be taken for a wall."""
    lines = (
        f"<p>Line {n} of {number}: all about Nacktschnecken {n * number}.</p>" for n in range(40)
    )
    return f"<html><body><article><h1>T</h1>{''.join(lines)}</article>".encode()


@pytest.fixture
async def outlet() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        feed = (
            "<rss version='2.0'><channel><title>Outlet</title>"
            + "".join(
                f"<item><guid>{n}</guid><title>Zebrafinken {n} of the town</title>"
                f"<link>{server.url(f'/page{n}')}?key=key-in-query-3</link>"
                f"<description>Ochsenfrösche {n}</description></item>"
                for n in range(3)
            )
            + "</channel></rss>"
        )
        server.on("/good", reply(200, feed.encode(), Content_Type="application/rss+xml"))
        for number in range(3):
            server.on(f"/page{number}", reply(200, page(number), Content_Type="text/html"))
        server.on("/denied", reply(401, b"Zebrafinken", WWW_Authenticate='Basic realm="x"'))
        away = "http://ann:password-in-location-7@10.1.1.1/?token=token-in-location-6"
        server.on("/away", redirect(away))
        server.on("/noise", raw(b"Zebrafinken key-in-query-3\r\n\r\n"))
        server.on("/page-no-feed", reply(200, page(9), Content_Type="text/html"))
        server.on("/gone", reply(410, b"Ochsenfr\xc3\xb6sche"))
        yield server


def configuration(outlet: ScriptedServer, port: int) -> str:
    sources = "".join(
        f'[[source]]\nname = "{name}"\nurl = "{outlet.url(f"/{name}")}?key=key-in-query-3"\n'
        'username = "ann"\npassword = "pass-Word-1"\nheaders = { X-Key = "key-In-Header-2" }\n'
        for name in ("good", "denied", "away", "noise", "page-no-feed", "gone")
    )
    return (
        f'[server]\nlisten = "127.0.0.1:{port}"\nread_token = "token-of-site-555"\n'
        'token_attempts = 2\n[storage]\nurl = "sqlite:///n.db"\n'
        '[log]\nformat = "json"\nlevel = "debug"\n'
        '[fetch]\nallow_networks = ["127.0.0.0/8"]\nhost_interval = "0s"\ntimeout = "5s"\n'
        f'host_concurrency = 20\n[extract]\nfull_text = "always"\n{sources}'
        '[[source]]\nname = "closed"\nurl = "http://127.0.0.1:1/?key=key-in-query-3"\n'
        '[[output]]\nname = "o"\ncontent = "full"\ntoken = "token-of-output-4"\n'
    )


class Reader:
    """Takes in the log as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        self._stream = process.stderr
        self.lines: list[str] = []

    async def until(self, count: int = 1, **wanted: object) -> None:
        """Until ``count`` more lines have these values."""
        async with asyncio.timeout(DEADLINE):
            while count and (line := await self._stream.readline()):
                self.lines.append(line.decode())
                told = json.loads(line)
                count -= all(told.get(key) == value for key, value in wanted.items())
        assert not count, self.lines[-5:]


async def test_a_run_and_all_that_fails_in_it(
    outlet: ScriptedServer, tmp_path: Path, unused_tcp_port: int
) -> None:
    config = tmp_path / "newsfold.toml"
    text = configuration(outlet, unused_tcp_port)
    config.write_text(text, encoding="utf-8")
    async with started(config) as process:
        log = Reader(process)
        await log.until(3, event="folded")
        while {one["source"] for one in told(log, "polled")} != set(NAMES):
            await log.until(event="polled")
        await visited(f"http://127.0.0.1:{unused_tcp_port}", unused_tcp_port)
        config.write_text(text.replace("token-of-output-4", "token-in-edit-10\\u0000x") + "[x]\n")
        await log.until(event="configuration", outcome="refused")
        config.write_text(text.replace("token-of-output-4", "token-in-edit-10"))
        await log.until(event="configuration", outcome="taken up")
        await log.until(event="started")
        process.send_signal(signal.SIGTERM)
        await log.until(event="stopped")
        left = await asyncio.wait_for(process.stderr.read(), DEADLINE)  # type: ignore[union-attr]  # a pipe
        log.lines += left.decode().splitlines()
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()
    for line in [*log.lines, *said.splitlines()]:
        for word in (*SECRETS, *TEXTS):
            assert word not in line, line
    for line in log.lines:
        check(json.loads(line))
    check_outcomes(log)


NAMES = ("good", "denied", "away", "noise", "page-no-feed", "gone", "closed")


def told(log: Reader, event: str) -> list[dict[str, Any]]:
    return [one for one in map(json.loads, log.lines) if one["event"] == event]


async def visited(url: str, port: int) -> None:
    """Clients of every kind come by."""
    async with aiohttp.ClientSession() as session:
        for path in (
            *("/?token=token-of-site-555&q=words-asked-9", "/o.atom?token=token-of-output-4"),
            *["/o.atom?token=wrong-token-of-client-8"] * 4,
            *("/o.atom?token=token-of-site-555", "/story/no?token=token-of-site-555"),
        ):
            async with session.get(f"{url}{path}") as response:
                await response.read()
    for noise in (b"\x16\x03\x01", b"GET /\x00?token=wrong-token-of-client-8 HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(noise)
        await reader.read()
        writer.close()


def check(line: dict[str, Any]) -> None:
    """The keys that are always there, in order, and values that can be told apart by machines."""
    known = [key for key in line if key in ORDER]
    assert known == [key for key in ORDER if key in line]
    assert list(line)[: len(known)] == known
    refused = line.get("outcome") == "refused"  # the one thing here that somebody has to see to
    assert line["level"] in ({"error"} if refused else {"debug", "info", "warning"}), line
    assert "exception" not in line
    assert "logger" not in line, line
    for key, value in line.items():
        assert value not in ("", None)
        assert key != "seconds" or (isinstance(value, float) and value >= 0)
        assert key not in {"article", "new", "changed", "status"} or isinstance(value, int)
        assert not isinstance(value, str) or "\n" not in value


def check_outcomes(log: Reader) -> None:
    polled = {one["source"]: one for one in told(log, "polled")}
    assert {name: (one["level"], one["outcome"]) for name, one in polled.items()} == {
        "good": ("info", "new"),
        "gone": ("warning", "gone"),
        **dict.fromkeys(
            ("denied", "away", "noise", "page-no-feed", "closed"), ("warning", "failed")
        ),
    }
    assert all(("error" in one) == (one["level"] == "warning") for one in polled.values())
    assert "is not followed" in polled["away"]["error"]
    read, folded = told(log, "read"), told(log, "folded")
    assert {one["article"] for one in read} == {one["article"] for one in folded}
    assert {one["source"] for one in read} == {"good"}
    assert {one["outcome"] for one in read} == {"page"}
    assert all(one["story"] for one in folded)
    assert [one["wrong"] for one in told(log, "token")] == [2]
    assert len(told(log, "published")) >= 1
