"""Turns at hosts among all processes: nobody asks a domain sooner than its pause."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.database import Database
from storage.hosts import ask_leave, leave_alone, note_visits


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


def test_leave_is_given_once_in_a_pause(database: Database) -> None:
    first = ask_leave(database, {"times.example": 60.0, "post.example": 60.0}, [])
    assert first.waits == {"times.example": 0.0, "post.example": 0.0}
    second = ask_leave(database, {"times.example": 60.0, "new.example": 5.0}, [])
    assert 50 < second.waits["times.example"] <= 60
    assert second.waits["new.example"] == 0


def test_the_pause_is_that_of_who_asks(database: Database) -> None:
    ask_leave(database, {"times.example": 60.0}, [])
    assert ask_leave(database, {"times.example": 0.0}, []).waits == {"times.example": 0.0}
    assert 8 < ask_leave(database, {"times.example": 9.0}, []).waits["times.example"] <= 9


def test_asking_in_vain_puts_nobody_off(database: Database) -> None:
    ask_leave(database, {"times.example": 60.0}, [])
    once = ask_leave(database, {"times.example": 60.0}, []).waits["times.example"]
    again = ask_leave(database, {"times.example": 60.0}, []).waits["times.example"]
    assert again < once


def test_a_host_is_left_alone_for_as_long_as_the_longest_wish(database: Database) -> None:
    hosts = ["www.times.example", "post.example"]
    leave_alone(database, "www.times.example", 60.0)
    leave_alone(database, "www.times.example", 5.0)
    found = ask_leave(database, {"times.example": 1.0}, hosts)
    assert found.waits == {"times.example": 0.0}
    assert found.held.keys() == {"www.times.example"}
    assert 50 < found.held["www.times.example"] <= 60
    leave_alone(database, "post.example", -1.0)
    assert "post.example" not in ask_leave(database, {}, hosts).held, "that is over"


def test_a_visit_outside_any_turn_counts(database: Database) -> None:
    note_visits(database, {"times.example"})
    assert ask_leave(database, {"times.example": 60.0}, []).waits["times.example"] > 50


def test_of_many_who_ask_at_once_one_has_leave(database: Database) -> None:
    start = threading.Barrier(4)

    def ask(number: int) -> list[str]:
        names = [f"{n}.example" for n in range(20)]
        start.wait()
        pauses = dict.fromkeys(names[number:] + names[:number], 60.0)
        return [name for name, wait in ask_leave(database, pauses, []).waits.items() if not wait]

    with ThreadPoolExecutor(4) as pool:
        granted = [name for names in pool.map(ask, range(4)) for name in names]
    assert sorted(granted) == sorted(f"{n}.example" for n in range(20))
