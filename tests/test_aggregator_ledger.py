import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aggregator.ledger import Ledger
from aggregator.notices import Notices
from storage.database import Database, StorageTroubleError, open_database


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


def remember(db: Database, size: int, *, full: bool) -> None:
    """Write so many bytes; ``full``: onto a disk that has no room for another page."""
    with db.write() as connection:
        room = "PRAGMA max_page_count = " + ("1" if full else "1073741823")
        connection.exec_driver_sql(room)
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO setting VALUES ('x', hex(zeroblob(?)))", (size,)
        )


async def test_a_full_disk_is_told_once_and_forgotten_when_there_is_room(database_url: str) -> None:
    notices = Notices()
    ledger = Ledger(open_database(database_url), notices, settled=0)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(StorageTroubleError, match="database or disk is full"):
                await ledger.write(remember, 10**6, full=True)
        assert notices.standing() == {
            "storage": "cannot use the database: database or disk is full"
        }
        await ledger.write(remember, 10**6, full=False)
    assert notices.standing() == {}
    assert [line["outcome"] for line in logs] == ["trouble", "recovered"]
    ledger.close()


async def test_one_write_that_succeeds_does_not_make_a_full_disk_well(database_url: str) -> None:
    notices = Notices()
    ledger = Ledger(open_database(database_url), notices, settled=3600)
    with pytest.raises(StorageTroubleError):
        await ledger.write(remember, 10**6, full=True)
    await ledger.write(remember, 1, full=False)
    assert list(notices.standing()) == ["storage"]
    ledger.close()


async def test_a_damaged_file_is_said_to_be_damaged_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    ledger = Ledger(open_database(f"sqlite:///{path}"))
    ledger.database.close()  # its log is written into the file
    damaged = bytearray(path.read_bytes())
    damaged[4096 : len(damaged)] = b"\xff" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(StorageTroubleError, match=r"is damaged .*newsfold restore FILE"):
        await ledger.write(remember, 10, full=False)
    ledger.close()


async def test_a_wrong_statement_is_not_taken_for_trouble(ledger: Ledger) -> None:
    def wrong(db: Database) -> None:
        with db.write() as connection:
            connection.exec_driver_sql("SELECT * FROM no_such_table")

    with pytest.raises(Exception, match="no such table") as caught:
        await ledger.write(wrong)
    assert not isinstance(caught.value, StorageTroubleError)


async def test_items_that_wait_are_written_together_and_each_by_itself_where_that_fails(
    ledger: Ledger,
) -> None:
    groups: list[list[int]] = []

    def write(_: Database, numbers: Sequence[int]) -> None:
        groups.append(list(numbers))
        if 2 in numbers:
            raise ValueError("two")

    await asyncio.gather(*(ledger.write_grouped(write, number) for number in (0, 1)))
    results = await asyncio.gather(
        *(ledger.write_grouped(write, number) for number in (1, 2, 3)), return_exceptions=True
    )
    assert groups == [[0, 1], [1, 2, 3], [1], [2], [3]]
    assert [str(result) for result in results] == ["None", "two", "None"]


async def test_a_group_is_tried_once_while_the_storage_is_in_trouble(ledger: Ledger) -> None:
    tries: list[int] = []

    def write(_: Database, numbers: Sequence[int]) -> None:
        tries.append(len(numbers))
        raise StorageTroubleError("the disk is full")

    waiting = (ledger.write_grouped(write, number) for number in range(150))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, StorageTroubleError) for result in results)
    assert tries == [100, 50]


async def test_what_nobody_waits_for_any_more_is_written_with_the_others(ledger: Ledger) -> None:
    written: list[int] = []
    tasks = [
        asyncio.create_task(ledger.write_grouped(lambda _, some: written.extend(some), number))
        for number in (1,)
    ]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    while not written:
        await asyncio.sleep(0)
    assert written == [1]
