"""What happened to a source, from one poll to the next: what its operator wants to be told. Pure.

A source has at most one trouble at a time, from which it recovers:

- ``failing``: it answered that it does not (404, 403, no feed any more), or could not be reached,
  or was overloaded, twice in a row: once is the network's weather;
- ``gone``: 410;
- ``silent``: it answers, but has brought nothing new for three days and for six times as long as
  lies between its entries;

and it may have ``moved``, which is said when the new address is adopted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.model import FetchFailure, FetchOutcome
from storage.values.poll import IncidentWrite

_LEAST_SILENCE = timedelta(days=3)  # a weekend, and Monday morning
_SILENT_GAPS = 6
_LEAST_SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll in short. ``sample_size`` entries appeared between ``sample_since`` and the last."""

    at: datetime
    outcome: FetchOutcome
    failures: int
    error: str | None
    gone: bool
    new_entries: int
    moved_to: str | None
    last_entry_at: datetime | None
    sample_since: datetime | None
    sample_size: int


def incidents_of(trouble: str | None, poll: Poll) -> tuple[tuple[IncidentWrite, ...], str | None]:
    """What happened with this poll, and the trouble the source is in from now on."""
    now = _trouble(trouble, poll)
    return tuple(_told(trouble, now, poll)), now


def _trouble(before: str | None, poll: Poll) -> str | None:
    if poll.gone:
        return "gone"
    if poll.error is not None:
        worth = poll.failures > 1 or not _may_pass(poll.outcome)
        return "failing" if worth or before == "failing" else before
    if poll.new_entries or _is_heard(poll):
        return None
    return "silent" if before == "silent" or _silence(poll) is not None else None


def _may_pass(outcome: FetchOutcome) -> bool:
    if isinstance(outcome, FetchFailure):
        return True
    return outcome.status == 429 or outcome.status >= 500


def _is_heard(poll: Poll) -> bool:
    """Something new came lately, be it by a hub and not by a poll."""
    return poll.last_entry_at is not None and poll.at - poll.last_entry_at <= _LEAST_SILENCE


def _silence(poll: Poll) -> timedelta | None:
    if not poll.last_entry_at or not poll.sample_since or poll.sample_size < _LEAST_SAMPLE:
        return None
    gap = (poll.last_entry_at - poll.sample_since) / (poll.sample_size - 1)
    silence = poll.at - poll.last_entry_at
    return silence if silence > max(_LEAST_SILENCE, _SILENT_GAPS * gap) else None


def _told(before: str | None, now: str | None, poll: Poll) -> Iterator[IncidentWrite]:
    if poll.moved_to:
        yield IncidentWrite("moved", f"It has permanently moved to {poll.moved_to}.")
    if now == before:
        return
    if now is None:
        how = "brings something new again" if before == "silent" else "answers again"
        yield IncidentWrite("recovered", f"It {how}.")
    elif now == "silent":
        if before is not None:
            yield IncidentWrite("recovered", "It answers again.")
        days = (silence.days if (silence := _silence(poll)) else 0) or 1
        yield IncidentWrite("silent", f"Nothing new for {days} days, much longer than usual.")
    else:
        yield IncidentWrite(now, f"{(poll.error or '').rstrip('.')}.")
