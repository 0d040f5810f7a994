import asyncio
import threading
from collections.abc import Iterator

import pytest

from aggregator.ledger import Ledger
from storage.database import Database, open_database


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(open_database(database_url))
    yield ledger
    ledger.close()


def thread_name(_: Database) -> str:
    return threading.current_thread().name


async def test_all_writes_are_done_by_one_thread_in_order(ledger: Ledger) -> None:
    done: list[int] = []

    def note(_: Database, number: int) -> str:
        done.append(number)
        return threading.current_thread().name

    names = await asyncio.gather(*(ledger.write(note, number) for number in range(50)))
    assert len(set(names)) == 1
    assert done == list(range(50))


async def test_reads_do_not_wait_for_a_write(ledger: Ledger) -> None:
    release = threading.Event()
    writing = asyncio.create_task(ledger.write(lambda _: release.wait(10)))
    assert (await ledger.read(thread_name)).startswith("reader")
    assert not writing.done()
    release.set()
    assert await writing


async def test_arguments_and_errors_pass_through(ledger: Ledger) -> None:
    def divide(_: Database, a: int, *, by: int) -> float:
        return a / by

    assert await ledger.read(divide, 6, by=3) == 2
    with pytest.raises(ZeroDivisionError):
        await ledger.write(divide, 6, by=0)


async def test_a_write_that_was_begun_is_finished_though_nobody_waits(ledger: Ledger) -> None:
    begun, release, finished = threading.Event(), threading.Event(), threading.Event()

    def write(_: Database) -> None:
        begun.set()
        release.wait(10)
        finished.set()

    writing = asyncio.create_task(ledger.write(write))
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    release.set()
    ledger.close()
    assert finished.is_set()
