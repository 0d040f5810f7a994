"""``newsfold status``: how sources, stages and the database are doing, at one look."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from aggregator.operating.amounts import about, ago, size
from aggregator.version import VERSION
from storage.activity import Activity, activity, size_on_disk
from storage.database import Database, shown_address
from storage.exclusive import user_of
from storage.processes import RunningProcess, running
from storage.queues import Queue, Sizes, queues, sizes
from storage.sources import source_health
from storage.values.source import SourceHealth

STATES = ("fine", "failing", "gone", "silent", "unread", "off")
PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Status:
    """How an installation is doing.

    ``process`` is the number of the daemon's process on an SQLite file, empty where none runs;
    ``processes`` are those that share a PostgreSQL database.
    """

    at: datetime
    database: str
    bytes: int
    process: str
    processes: Sequence[RunningProcess]
    sources: Sequence[SourceHealth]
    queues: Mapping[str, Queue]
    rates: Mapping[str, Activity]
    sizes: Sizes


def read_status(db: Database, url: str, now: datetime) -> Status:
    """Look at everything; writes nothing."""
    return Status(
        at=now,
        database=shown_address(url),
        bytes=size_on_disk(db),
        process=user_of(url) or "",
        processes=running(db),
        sources=source_health(db),
        queues=queues(db, now),
        rates={name: activity(db, now - period) for name, period in PERIODS.items()},
        sizes=sizes(db),
    )


def source_state(source: SourceHealth) -> str:
    """One of ``STATES``."""
    if not source.enabled:
        return "off"
    if source.gone:
        return "gone"
    if source.failures:
        return "failing"
    if source.last_poll_at is None:
        return "unread"
    return "silent" if source.trouble == "silent" else "fine"


def troubled(sources: Sequence[SourceHealth]) -> list[SourceHealth]:
    """The sources whose last poll failed, or that are gone; the latest first."""
    wrong = [one for one in sources if source_state(one) in {"failing", "gone"}]
    return sorted(wrong, key=lambda one: one.last_poll_at or one.next_poll_at, reverse=True)


# --- in words -----------------------------------------------------------------------------------


def daemon_in_words(status: Status) -> str:
    """Whether it runs, as far as can be told."""
    if status.process:
        return f"running (process {status.process})"
    if status.processes:
        each = (f"{one.name} ({', '.join(one.roles)})" for one in status.processes)
        differ = len({one.config for one in status.processes}) > 1
        return "; ".join([*each, *(["under different configurations"] if differ else [])])
    polls = [source.last_poll_at for source in status.sources if source.last_poll_at]
    last = f"the last poll was {ago(max(polls), status.at)}" if polls else "nothing was polled yet"
    return f"not running; {last}"


def sources_in_words(status: Status) -> str:
    """How many are in each state; states that nobody is in are left out."""
    counts = Counter(map(source_state, status.sources))
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"{len(status.sources)}: {states}" if states else "none; newsfold sources add ADDRESS"


def queue_rows(status: Status) -> Iterator[tuple[str, ...]]:
    """What waits at each stage, and for how long the oldest of it has."""
    for stage, queue in status.queues.items():
        waited = about(max(status.at - queue.oldest, timedelta(0))) if queue.oldest else ""
        yield stage, f"{queue.length:,}", waited


def rate_rows(status: Status) -> Iterator[tuple[str, ...]]:
    """What was done in the last hour and day."""
    for name, done in status.rates.items():
        yield (
            f"last {name}",
            f"{done.polls:,}",
            f"{done.failed:,}",
            f"{done.new_entries:,}",
            f"{done.folded:,}",
            f"{done.stories:,}",
            size(done.wire_bytes),
        )


def error_rows(status: Status, most: int) -> Iterator[tuple[str, ...]]:
    """The last errors of sources, the latest first."""
    for source in troubled(status.sources)[:most]:
        when = ago(source.last_poll_at, status.at) if source.last_poll_at else ""
        again = "never" if source.gone else _until(source.next_poll_at, status.at)
        yield when, source.name, str(source.failures), again, source.last_error or ""


def _until(moment: datetime, now: datetime) -> str:
    return f"in {about(moment - now)}" if moment > now else "now"


# --- for programs -------------------------------------------------------------------------------


def as_json(status: Status) -> dict[str, Any]:
    """The same for programs: times as ISO 8601 in UTC, durations in seconds, sizes in bytes."""
    counts = Counter(map(source_state, status.sources))
    return {
        "version": VERSION,
        "at": status.at.isoformat(),
        "daemon": {
            "running": bool(status.process or status.processes),
            "process": int(status.process) if status.process.isdecimal() else None,
            "processes": [_process_json(one) for one in status.processes],
        },
        "database": {"url": status.database, "bytes": status.bytes, **asdict(status.sizes)},
        "sources": {"all": len(status.sources), **{state: counts[state] for state in STATES}},
        "queues": {name: _queue_json(queue, status.at) for name, queue in status.queues.items()},
        "rates": {name: asdict(done) for name, done in status.rates.items()},
        "errors": [_error_json(source) for source in troubled(status.sources)],
    }


def _process_json(one: RunningProcess) -> dict[str, Any]:
    return asdict(one) | {"started_at": one.started_at.isoformat()}


def _queue_json(queue: Queue, now: datetime) -> dict[str, Any]:
    waited = max(0.0, (now - queue.oldest).total_seconds()) if queue.oldest else None
    return {"length": queue.length, "oldest_seconds": waited}


def _error_json(source: SourceHealth) -> dict[str, Any]:
    return {
        "source": source.name,
        "url": source.url,
        "state": source_state(source),
        "failures": source.failures,
        "error": source.last_error,
        "at": source.last_poll_at.isoformat() if source.last_poll_at else None,
        "next_poll_at": None if source.gone else source.next_poll_at.isoformat(),
    }
