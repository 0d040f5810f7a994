"""``newsfold poll``: one source now, by the running daemon where there is one.

An SQLite file has one daemon. A PostgreSQL database may have many, anywhere: whoever claims the
source first polls it, and where nobody does, the command itself.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.clock import utc_now
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.operating.amounts import about, size
from aggregator.operating.history import the_source
from aggregator.stages.poll.polling import LEASE
from storage.asked import (
    NamedSource,
    PollTimes,
    ask_for_poll,
    claim_asked,
    named_sources,
    poll_times,
)
from storage.database import Database, StorageError, open_as_it_is
from storage.exclusive import user_of
from storage.fetches import FetchOutcomeRow, recent_fetches
from storage.processes import running

PATIENCE = 6.0
"""Seconds in which a daemon takes a source that is due (it looks each second), or up one that was
just written into its configuration (it looks every other second)."""
_BEYOND_THE_FETCH = 60.0
"""Seconds that a poll may take besides its request: waiting its turn, being read."""
_LOOK = 0.1
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Polled:
    """What came of it. ``by_itself``: no daemon was there, so that what is new waits for one."""

    source: NamedSource
    fetch: FetchOutcomeRow
    next: datetime
    by_itself: bool

    @property
    def failed(self) -> bool:
        """Whether there was an error."""
        return self.fetch.outcome in {"failed", "gone"}


def poll_now(settings: Settings, wanted: str, say: Say, *, patience: float = PATIENCE) -> Polled:
    """Poll a source, whenever it would be due; ``say`` is told what goes on meanwhile.

    ``patience``: seconds in which a daemon, if there is one, takes the source.

    Raises:
        ApplicationError: there is no such source, it is off, no answer came in time, or the
            database went away.
    """
    try:
        return _poll_now(settings, wanted, say, patience)
    except StorageError as error:
        raise ApplicationError(str(error)) from error


def _poll_now(settings: Settings, wanted: str, say: Say, patience: float) -> Polled:
    url = settings.storage.url
    try:
        database = open_as_it_is(url)
    except StorageError:
        return _by_itself(settings, wanted)  # which says what is wrong, or lays it out
    with closing(database):
        process = user_of(url) or next(
            (one.name for one in running(database) if "poll" in one.roles), None
        )
        if process is None:
            return _by_itself(settings, wanted)
        _wait_until_known(database, settings, wanted, patience)
        source = _to_be_polled(the_source(database, wanted))
        before, asked = poll_times(database, source.id), utc_now()
        ask_for_poll(database, source.id, asked)
        say(f"Asking the running daemon (process {process}) to poll {source.name} ...")
        if _wait(patience, lambda: poll_times(database, source.id).next != asked):
            _wait_for_answer(database, settings, source, before, asked)
            return _outcome(database, source, by_itself=False)
    raise ApplicationError("the running daemon does not take it up: see newsfold doctor")


def in_words(polled: Polled, now: datetime) -> str:
    """What came of it, in a line."""
    fetch = polled.fetch
    status = f"{fetch.status} " if fetch.status else ""
    answer = f"{status}in {fetch.seconds:.2f} s, {size(fetch.wire_bytes)}"
    if polled.failed:
        found = fetch.detail
    else:
        found = f"{fetch.new_entries} new and {fetch.changed_entries} changed entries"
    again = f"asked again in {about(max(polled.next - now, timedelta(0)))}"
    if fetch.outcome == "gone":
        again = "not asked again by itself"
    return f"{polled.source.name}: {fetch.outcome} ({answer}): {found}; {again}"


# --- by a daemon --------------------------------------------------------------------------------


def _wait_until_known(database: Database, settings: Settings, wanted: str, patience: float) -> None:
    """Until the daemon has taken the source up, where it is new in the configuration."""
    if any(wanted in {one.url, one.label} for one in settings.source):
        _wait(patience, lambda: bool(named_sources(database, wanted)))


def _to_be_polled(source: NamedSource) -> NamedSource:
    if source.removed:
        raise ApplicationError(f"{source.name} is no longer in the configuration; add it again")
    if not source.enabled:
        raise ApplicationError(f"{source.name} is off; take enabled = false out of its table first")
    return source


def _wait_for_answer(
    database: Database, settings: Settings, source: NamedSource, before: PollTimes, asked: datetime
) -> None:
    def is_over() -> bool:
        times = poll_times(database, source.id)
        return times.last != before.last or not _is_lease(times.next, asked)

    patience = settings.fetch.timeout.total_seconds() + _BEYOND_THE_FETCH
    _wait(patience, is_over)
    times = poll_times(database, source.id)
    if times.last == before.last:
        left = about(max(times.next - utc_now(), timedelta(0)))
        why = "is still under way" if _is_lease(times.next, asked) else "was put off"
        raise ApplicationError(
            f"{source.name}: the poll {why}; its host may have asked to be left alone. It is next "
            f"due in {left}; newsfold log says what comes of it"
        )


def _is_lease(moment: datetime, asked: datetime) -> bool:
    # Roughly: another machine's clock may differ from this one's.
    return abs(moment - asked - LEASE) < timedelta(minutes=2)


def _wait(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(_LOOK)
    return met


# --- by itself ----------------------------------------------------------------------------------


def _by_itself(settings: Settings, wanted: str) -> Polled:
    # Heavy, and beside a daemon there is no need of it.
    from aggregator.running.application import open_application, sole_use_of  # noqa: PLC0415 - see above
    from aggregator.running.daemon import run_async  # noqa: PLC0415 - see above

    polled: list[Polled] = []

    async def work() -> None:
        with sole_use_of(settings):
            async with open_application(settings) as application:
                database = application.ledger.database
                source = _to_be_polled(the_source(database, wanted))
                now = application.clock()
                ask_for_poll(database, source.id, now)
                claimed = claim_asked(database, source.id, now, now + LEASE)
                if claimed is None:
                    raise ApplicationError(f"{source.name} is being polled by somebody else")
                before = poll_times(database, source.id)
                await application.poller.poll(claimed)
                if poll_times(database, source.id).last == before.last:
                    raise ApplicationError(f"{source.name}: its host asks to be left alone for now")
                polled.append(_outcome(database, source, by_itself=True))

    run_async(work())
    return polled[0]


def _outcome(database: Database, source: NamedSource, *, by_itself: bool) -> Polled:
    (fetch,) = recent_fetches(database, source.id, 1)
    return Polled(source, fetch, poll_times(database, source.id).next, by_itself)
