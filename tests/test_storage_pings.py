"""What hubs are told of our own documents, on both engines."""

from dataclasses import replace

from builders import HOUR, MINUTE, NOW

from storage.database import Database
from storage.pings import all_pings, claim_pings, finish_ping, want_pings
from storage.values.push import Ping

ATOM = Ping("https://hub.example/", "https://news.example/feed.atom", '"1"', NOW)
RSS = replace(ATOM, url="https://news.example/feed.rss")


def test_what_is_wanted_is_claimed_once_it_is_due(database: Database) -> None:
    want_pings(database, [RSS, replace(ATOM, next_attempt_at=NOW + HOUR)])
    assert claim_pings(database, NOW - MINUTE, NOW, 10) == ()
    assert claim_pings(database, NOW, NOW + MINUTE, 10) == (
        replace(RSS, next_attempt_at=NOW + MINUTE),
    )
    assert claim_pings(database, NOW, NOW + MINUTE, 10) == ()
    assert len(claim_pings(database, NOW + HOUR, NOW + 2 * HOUR, 1)) == 1
    assert len(claim_pings(database, NOW + HOUR, NOW + 2 * HOUR, 10)) == 1


def test_what_was_told_is_not_told_again(database: Database) -> None:
    want_pings(database, [ATOM])
    (claimed,) = claim_pings(database, NOW, NOW + MINUTE, 10)
    told = replace(claimed, told='"1"', last_told_at=NOW, last_attempt_at=NOW)
    finish_ping(database, told)
    assert all_pings(database) == (told,)
    assert claim_pings(database, NOW + HOUR, NOW + HOUR, 10) == ()


def test_a_change_while_a_hub_is_told_is_not_lost(database: Database) -> None:
    want_pings(database, [ATOM])
    (claimed,) = claim_pings(database, NOW, NOW + MINUTE, 10)
    want_pings(database, [replace(ATOM, wanted='"2"', next_attempt_at=NOW + MINUTE)])
    finish_ping(database, replace(claimed, told='"1"', failures=0, last_error="before"))
    (again,) = claim_pings(database, NOW + MINUTE, NOW + HOUR, 10)
    assert (again.wanted, again.told, again.last_error) == ('"2"', '"1"', "before")


def test_what_came_of_it_stays_when_more_is_wanted(database: Database) -> None:
    want_pings(database, [ATOM])
    failed = replace(ATOM, failures=3, last_error="503", next_attempt_at=NOW + HOUR)
    finish_ping(database, failed)
    want_pings(database, [replace(ATOM, wanted='"2"', next_attempt_at=NOW + 2 * HOUR)])
    assert all_pings(database) == (replace(failed, wanted='"2"', next_attempt_at=NOW + 2 * HOUR),)


def test_what_is_wanted_no_more_is_forgotten(database: Database) -> None:
    want_pings(database, [ATOM, RSS])
    want_pings(database, [], [(RSS.hub, RSS.url)])
    assert all_pings(database) == (ATOM,)
