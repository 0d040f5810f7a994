"""The meter between transport and parser."""

import asyncio

from feeds.http.metering import ALLOWANCE, ExcessError, Meter


class Inner(asyncio.Protocol):
    """Notes what is handed on to it."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def data_received(self, data: bytes) -> None:
        self.events.append(len(data))

    def eof_received(self) -> bool:
        self.events.append("eof")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(exc)

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


class Line(asyncio.Transport):
    """A transport that can only be aborted."""

    aborted = 0

    def abort(self) -> None:
        self.aborted += 1


def metered() -> tuple[Meter, Inner, Line]:
    inner, line = Inner(), Line()
    return Meter(inner, line), inner, line


def test_everything_is_handed_on() -> None:
    meter, inner, line = metered()
    lost = OSError("gone")
    meter.data_received(b"abc")
    meter.pause_writing()
    meter.resume_writing()
    assert meter.eof_received() is True
    meter.connection_lost(lost)
    assert inner.events == [3, "pause", "resume", "eof", lost]
    assert not line.aborted


def test_too_much_ends_the_connection_and_says_why() -> None:
    meter, inner, line = metered()
    meter.data_received(bytes(ALLOWANCE))
    meter.data_received(b"x")
    meter.data_received(b"still coming")
    assert line.aborted == 1
    meter.connection_lost(None)
    assert inner.events[0] == ALLOWANCE
    assert isinstance(inner.events[1], ExcessError)
    assert len(inner.events) == 2


def test_content_makes_room_for_itself_and_its_framing() -> None:
    meter, inner, line = metered()
    for received in range(1, 101):
        meter.data_received(bytes(100_000))
        meter.account_for(received * 50_000)
    assert not line.aborted
    assert len(inner.events) == 100


def test_each_request_counts_anew() -> None:
    meter, _, line = metered()
    for _ in range(3):
        meter.restart()
        meter.data_received(bytes(ALLOWANCE))
    assert not line.aborted
