"""Asking the database for leave: together, and never left without an answer."""

import asyncio
from collections.abc import Iterator

import pytest

from aggregator.ledger import Ledger
from aggregator.running.shared_turns import PATIENCE, SharedTurns
from storage.database import Database


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
def ledger(database: Database) -> Iterator[Ledger]:
    found = Ledger(database)
    yield found
    found.close()


async def test_those_who_ask_together_are_answered_each(ledger: Ledger) -> None:
    turns = SharedTurns(ledger)
    names = [f"{n}.example" for n in range(5)]
    first = await asyncio.gather(*(turns.leave(name, f"www.{name}", 60.0) for name in names))
    assert first == [(0.0, 0.0)] * 5
    wait, held = await turns.leave("0.example", "www.0.example", 60.0)
    assert 50 < wait <= 60
    assert held == 0


async def test_another_process_knows_what_was_asked_and_held(ledger: Ledger) -> None:
    here, there = SharedTurns(ledger), SharedTurns(ledger)
    here.visited("times.example")
    here.hold("www.times.example", 60.0)
    async with asyncio.timeout(10):
        while True:
            wait, held = await there.leave("times.example", "www.times.example", 60.0)
            if wait > 0 and held > 0:
                break
            there = SharedTurns(ledger)
            here.visited("times.example")
    assert wait > 50
    assert held > 50


async def test_whatever_becomes_of_the_question_there_is_an_answer(ledger: Ledger) -> None:
    with ledger.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE host RENAME TO gone")
    async with asyncio.timeout(10):
        assert await SharedTurns(ledger).leave("times.example", "times.example", 1.0) == (
            PATIENCE,
            0.0,
        )
