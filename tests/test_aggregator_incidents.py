"""What a source's operator is told, and how often: once."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import HOUR, NOW, add_source, commit_poll, poll_commit
from feed_rules import atom_complaints, rss_complaints

from aggregator.stages.poll.incidents import Poll, incidents_of
from aggregator.stages.publish.masthead import Identity, Masthead
from aggregator.stages.publish.status_feed import status_feed
from feeds.model import FailureKind, FetchFailure, Response
from feeds.writing.write_atom import render_atom
from feeds.writing.write_rss import render_rss
from storage.database import Database
from storage.incidents import KEPT, last_incident, latest_incidents
from storage.sources import claim_due
from storage.values.poll import IncidentWrite
from storage.values.publish import IncidentView

DAY = timedelta(days=1)
TIMEOUT = FetchFailure("https://a.example/f", FailureKind.TIMEOUT, "it took too long")


def answer(status: int) -> Response:
    return Response("https://a.example/f", status, {}, b"")


def poll(**changes: Any) -> Poll:
    known = Poll(
        at=NOW,
        outcome=answer(200),
        failures=0,
        error=None,
        gone=False,
        new_entries=0,
        moved_to=None,
        last_entry_at=NOW - HOUR,
        sample_since=NOW - DAY,
        sample_size=20,
    )
    return replace(known, **changes)


def failed(outcome: Any, failures: int = 1) -> Poll:
    return poll(outcome=outcome, failures=failures, error="the server answered so")


def told(trouble: str | None, *polls: Poll) -> list[str]:
    kinds = []
    for one in polls:
        happened, trouble = incidents_of(trouble, one)
        kinds += [incident.kind for incident in happened]
    return kinds


def test_all_is_well() -> None:
    assert told(None, poll(), poll(new_entries=3), poll(outcome=answer(304))) == []


@pytest.mark.parametrize("status", [200, 404, 403, 401])
def test_what_will_not_pass_is_told_at_once_and_once(status: int) -> None:
    polls = [failed(answer(status), n) for n in (1, 2, 3)]
    assert told(None, *polls) == ["failing"]
    assert told(None, *polls, poll()) == ["failing", "recovered"]


@pytest.mark.parametrize("outcome", [TIMEOUT, answer(500), answer(503), answer(429)])
def test_what_may_pass_is_told_the_second_time(outcome: Any) -> None:
    assert told(None, failed(outcome, 1), poll()) == []
    assert told(None, failed(outcome, 1), failed(outcome, 2), poll()) == ["failing", "recovered"]


def test_a_source_that_is_gone() -> None:
    gone = poll(outcome=answer(410), gone=True, error="410", failures=1)
    assert told(None, gone, gone) == ["gone"]
    assert told("failing", gone) == ["gone"]
    assert told("gone", poll(new_entries=1)) == ["recovered"]


def test_a_source_that_moved() -> None:
    (moved,), trouble = incidents_of(None, poll(moved_to="https://b.example/f"))
    assert (moved.kind, trouble) == ("moved", None)
    assert "https://b.example/f" in moved.detail


@pytest.mark.parametrize(
    ("gap", "silence", "is_silent"),
    [
        (HOUR, 2 * DAY, False),
        (HOUR, 3 * DAY + HOUR, True),
        (DAY, 5 * DAY, False),
        (DAY, 7 * DAY, True),
        (30 * DAY, 100 * DAY, False),
    ],
)
def test_silence_is_measured_by_the_rhythm(
    gap: timedelta, silence: timedelta, is_silent: bool
) -> None:
    last = NOW - silence
    quiet = poll(last_entry_at=last, sample_since=last - 9 * gap, sample_size=10)
    assert told(None, quiet) == ["silent"] * is_silent
    if is_silent:
        assert told("silent", quiet, replace(quiet, sample_since=None)) == [], "and told once"


def test_a_silent_source_recovers_by_something_new_only() -> None:
    last = NOW - 9 * DAY
    assert told("silent", poll(last_entry_at=last, sample_since=None)) == []
    assert told("silent", poll(last_entry_at=last, new_entries=1)) == ["recovered"]
    assert told("silent", poll()) == ["recovered"], "a hub brought it"
    quiet = poll(last_entry_at=last, sample_since=last - DAY)
    assert told("failing", quiet) == ["recovered", "silent"]
    assert told("silent", failed(answer(404))) == ["failing"]
    assert told("silent", failed(TIMEOUT)) == []


def test_a_source_without_a_rhythm_is_never_silent() -> None:
    for changes in ({"sample_since": None}, {"sample_size": 2}, {"last_entry_at": None}):
        assert told(None, poll(**{"last_entry_at": NOW - 99 * DAY} | changes)) == []


def test_incidents_are_remembered_with_the_poll(database: Database) -> None:
    source = add_source(database)
    assert (last_incident(database), latest_incidents(database, 10)) == (0, ())
    failing = IncidentWrite("failing", "the server answered 404.")
    commit_poll(database, poll_commit(source.id, incidents=(failing,), trouble="failing"))
    (later,) = claim_due(database, NOW + 2 * HOUR, NOW, 10)
    assert (later.trouble, later.last_entry_at) == ("failing", None)
    moved = IncidentWrite("moved", "It has moved.")
    commit_poll(
        database,
        poll_commit(source.id, incidents=(moved,), feed_url="https://b.example/f", at=NOW + HOUR),
    )
    second, first = latest_incidents(database, 10)
    assert (first.kind, first.name, first.feed_url, first.at) == (
        "failing",
        "Times",
        "https://times.example/feed.xml",
        NOW,
    )
    assert (second.kind, second.feed_url) == ("moved", "https://b.example/f")
    assert last_incident(database) == second.id
    assert latest_incidents(database, 1) == (second,)


def test_the_eldest_incidents_give_way(database: Database) -> None:
    source = add_source(database)
    many = tuple(IncidentWrite("moved", str(n)) for n in range(KEPT + 7))
    commit_poll(database, poll_commit(source.id, incidents=many))
    kept = latest_incidents(database, KEPT * 2)
    assert len(kept) == KEPT
    assert kept[0].detail == str(KEPT + 6)


def incident(number: int, kind: str, at: datetime = NOW) -> IncidentView:
    return IncidentView(number, at, kind, "Times", "https://times.example/f", "Details.")


def test_an_incident_is_an_entry_whose_id_stays() -> None:
    masthead = Masthead("https://news.example", "News", Identity("news.example", NOW))
    kinds = ("failing", "gone", "moved", "recovered", "silent")
    incidents = [incident(n, kind) for n, kind in enumerate(kinds)]
    feed = status_feed(incidents, masthead)
    assert [entry.title for entry in feed.entries] == [
        "Times fails",
        "Times is gone for good",
        "Times has moved",
        "Times is well again",
        "Times has fallen silent",
    ]
    assert feed.entries[1].id == "tag:news.example,2026-11-22:incident/1"
    assert status_feed(incidents[1:], masthead).entries[0] == feed.entries[1]
    assert status_feed([], masthead).updated == NOW
    assert atom_complaints(render_atom(feed)) == []
    assert rss_complaints(render_rss(feed)) == []
