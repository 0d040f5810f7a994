"""``newsfold log``: what came of a source's last polls, and what happened to it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from aggregator.errors import ApplicationError
from aggregator.operating.amounts import about, ago, size
from storage.asked import NamedSource, PollTimes, named_sources, poll_times
from storage.database import Database
from storage.fetches import FetchOutcomeRow, recent_fetches
from storage.incidents import incidents_of_source
from storage.values.publish import IncidentView

HEADS = ("AT (UTC)", "OUTCOME", "STATUS", "TIME", "SIZE", "NEW", "CHANGED", "DROPPED", "")


@dataclass(frozen=True, slots=True)
class History:
    """A source, its last polls and incidents, the latest first."""

    source: NamedSource
    times: PollTimes
    fetches: Sequence[FetchOutcomeRow]
    incidents: Sequence[IncidentView]


def the_source(db: Database, wanted: str) -> NamedSource:
    """The one source of this name or address.

    Raises:
        ApplicationError: there is none, or several.
    """
    found = named_sources(db, wanted)
    if not found:
        raise ApplicationError(
            f"there is no source {wanted!r}; newsfold sources list names those that there are"
        )
    if len(found) > 1:
        urls = ", ".join(one.url for one in found)
        raise ApplicationError(f"{len(found)} sources are called {wanted!r}; say which: {urls}")
    return found[0]


def read_history(db: Database, wanted: str, limit: int) -> History:
    """The last ``limit`` polls of a source, and as many incidents.

    Raises:
        ApplicationError: there is no such source, or several.
    """
    source = the_source(db, wanted)
    return History(
        source,
        poll_times(db, source.id),
        recent_fetches(db, source.id, limit),
        incidents_of_source(db, source.id, limit),
    )


def poll_rows(history: History) -> Iterator[tuple[str, ...]]:
    """Its polls, as rows below ``HEADS``."""
    for row in history.fetches:
        yield (
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            row.outcome,
            str(row.status or ""),
            f"{row.seconds:.2f} s",
            size(row.wire_bytes),
            str(row.new_entries or ""),
            str(row.changed_entries or ""),
            str(row.dropped_entries or ""),
            row.detail,
        )


def incident_rows(history: History) -> Iterator[tuple[str, ...]]:
    """What happened to it."""
    for incident in history.incidents:
        yield f"{incident.at:%Y-%m-%d %H:%M:%S}", incident.kind, incident.detail


def plan_in_words(history: History, now: datetime) -> str:
    """When it was polled last and will be next."""
    times = history.times
    last = f"polled {ago(times.last, now)}" if times.last else "never polled"
    if history.source.removed:
        return f"{last}; no longer in the configuration"
    if not history.source.enabled:
        return f"{last}; off (enabled = false)"
    if times.next.year == 9999:
        return f"{last}; gone for good (410), and not asked again: newsfold poll asks once more"
    return f"{last}, next {'in ' + about(times.next - now) if times.next > now else 'now'}"


def as_json(history: History) -> dict[str, Any]:
    """The same for programs."""
    return {
        "source": history.source.name,
        "url": history.source.url,
        "feed_url": history.source.feed_url,
        "next_poll_at": history.times.next.isoformat(),
        "last_poll_at": history.times.last.isoformat() if history.times.last else None,
        "polls": [asdict(row) | {"at": row.at.isoformat()} for row in history.fetches],
        "incidents": [
            {"at": one.at.isoformat(), "kind": one.kind, "detail": one.detail}
            for one in history.incidents
        ],
    }
