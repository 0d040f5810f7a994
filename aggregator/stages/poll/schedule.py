"""When a source is asked next, and why. Pure: no clock, no randomness and no storage of its own.

:func:`next_poll` is the decision after each poll. In order:

1. 410 ends it: the source is gone, which is reported, and nothing else gives a source up.
2. Any other failure backs off: twice the minimum, doubled with each failure in a row. 429 and 503
   start from the source's own interval instead, and a ``Retry-After`` of theirs is taken at its
   word. One success ends the back-off.
3. A success waits half the time in which the source publishes one entry, or what the operator
   fixed, but at least as long as the response stays fresh (``max-age``, ``Expires``) and as the
   feed asks (``ttl``, ``sy:updatePeriod``).
4. While a hub delivers what is new, a success waits ``slowdown`` times that; never where the
   operator fixed the rhythm.
5. All of that within ``min_interval`` and ``max_interval``, with jitter, so that sources do not
   fall into step, and never earlier than what a server asked for.
6. Hours and days that the feed asks to skip are skipped whole, even beyond ``max_interval``: they
   end within a week.

A permanent redirect is adopted once it has held for some polls and days and led to a feed.
Every plan carries its reasons in words. :class:`Health` is made of plain values, to be stored as
columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal
from urllib.parse import urlsplit

from feeds.http.freshness import fresh_for, retry_after
from feeds.model import FetchFailure, FetchOutcome, Hop, PollHints, Response

_PERMANENT = frozenset({301, 308})
_OVERLOADED = frozenset({429, 503})
# Where the minimum is "0s", backing off still has to start somewhere.
_LEAST_BACK_OFF = 60.0
_MOST_DOUBLINGS = 20
_SAMPLE = 20
_LEAST_SAMPLE = 3
_POLLS_PER_ENTRY = 2
_GROWTH = 1.5
# A feed that skips six days is asked on the seventh, within half an hour.
_LONGEST_SKIP = 7 * 86400.0 + 1800.0
_SKEW = timedelta(minutes=15)
_ALL_HOURS = (1 << 24) - 1
_ALL_DAYS = (1 << 7) - 1


@dataclass(frozen=True, slots=True)
class Politeness:
    """How a source may be polled; all times in seconds.

    ``interval`` fixes the rhythm in place of the source's own. ``retry_after_scope`` says whom a
    ``Retry-After`` holds off: every source of the host, or the one that got it. ``jitter`` is the
    fraction by which waits vary. A permanent redirect is adopted after ``adopt_after_polls``
    successful polls that span ``adopt_after``.

    Raises:
        ValueError: naming a setting that is out of range.
    """

    min_interval: float = 900.0
    max_interval: float = 86400.0
    interval: float | None = None
    retry_after_scope: Literal["host", "source"] = "host"
    jitter: float = 0.1
    adopt_after_polls: int = 5
    adopt_after: float = 3 * 86400.0
    slowdown: float = 1.0
    """How many times longer to wait after a success, while a hub delivers what is new."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_interval <= self.max_interval:
            raise ValueError(
                f"min_interval ({self.min_interval:g} s) must lie between 0 and "
                f"max_interval ({self.max_interval:g} s)"
            )
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter ({self.jitter:g}) must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Health:
    """What is remembered of a source's polls.

    ``interval`` is the last wait after a success, ``asked_interval`` what the feed asks for by ttl
    or sy:update*, both in seconds. ``skip_hours`` (bit 0 is 0 h GMT) and ``skip_days`` (bit 0 is
    Monday) are bit sets. ``sample_size`` entries were published since ``sample_since``: the rhythm.
    ``redirect_*`` is the permanent redirect that is being watched.
    """

    interval: float | None = None
    failures: int = 0
    last_success: datetime | None = None
    gone_since: datetime | None = None
    asked_interval: float | None = None
    skip_hours: int = 0
    skip_days: int = 0
    sample_size: int = 0
    sample_since: datetime | None = None
    redirect_target: str | None = None
    redirect_since: datetime | None = None
    redirect_polls: int = 0
    unslowed: datetime | None = None
    """When the next poll would be, were it not slower because a hub delivers what is new."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll brought.

    ``problem`` says in words why a response that arrived is of no use (it is no feed). ``hints``
    and ``published`` (the trusted publication times in the document, in any order) are None if no
    document was read: a 304, or a body known already. ``new_entries`` were not known before.
    """

    outcome: FetchOutcome
    problem: str | None = None
    hints: PollHints | None = None
    published: Sequence[datetime] | None = None
    new_entries: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from a poll.

    ``next_poll_at`` is None if the source is gone. No source of the same host is to be asked
    before ``host_not_before``. ``adopt`` is the URL the source has permanently moved to.
    """

    next_poll_at: datetime | None
    health: Health
    reasons: tuple[str, ...]
    host_not_before: datetime | None = None
    adopt: str | None = None


def next_poll(
    health: Health, poll: Poll, now: datetime, politeness: Politeness, rng: Random
) -> Plan:
    """Decide when to ask again.

    Args:
        health: what was remembered until now.
        poll: what this poll brought.
        now: when it ended, aware.
        politeness: the limits to keep.
        rng: the source of jitter.
    """
    outcome = poll.outcome
    if isinstance(outcome, FetchFailure):
        return _backed_off(health, outcome, outcome.detail, now, politeness, rng=rng)
    if outcome.status == 410:
        return Plan(
            None,
            replace(
                health,
                gone_since=health.gone_since or now,
                failures=health.failures + 1,
                unslowed=None,
            ),
            ("the server says the feed is gone for good (410); it is not asked again",),
        )
    if outcome.status != 304 and not 200 <= outcome.status < 300:
        failure = f"the server answered with status {outcome.status}"
        return _backed_off(health, outcome, failure, now, politeness, rng=rng)
    if poll.problem is not None:
        return _backed_off(health, outcome, poll.problem, now, politeness, rng=rng)
    return _succeeded(health, poll, outcome, now, politeness, rng=rng)


def host_not_before(
    outcome: FetchOutcome, now: datetime, politeness: Politeness
) -> datetime | None:
    """Until when an answer for anything else than a feed asks us to leave its host alone."""
    if politeness.retry_after_scope != "host" or not isinstance(outcome, Response):
        return None
    asked = retry_after(outcome.headers, now) if outcome.status in _OVERLOADED else None
    return now + timedelta(seconds=min(asked, politeness.max_interval)) if asked else None


def longest_wait(politeness: Politeness) -> float:
    """The longest time in seconds from one poll to the next."""
    rhythm = max(politeness.interval or 0.0, politeness.max_interval)
    return rhythm * (1 + politeness.jitter) + _LONGEST_SKIP


def put_right(
    next_poll_at: datetime,
    last_poll_at: datetime | None,
    now: datetime,
    politeness: Politeness,
    rng: Random,
) -> datetime:
    """When a source is due that was polled, or planned, by a clock that was wrong.

    It is where it was polled later than now, or is due later than the longest wait: then within
    one interval, at random, so that all that were planned so do not come at once.
    """
    polled_ahead = last_poll_at is not None and last_poll_at > now + _SKEW
    if not polled_ahead and next_poll_at <= now + timedelta(seconds=longest_wait(politeness)):
        return next_poll_at
    rhythm = politeness.interval or politeness.min_interval
    return min(next_poll_at, now + timedelta(seconds=rhythm * rng.random()))


def spread(
    due: Sequence[tuple[datetime, float | None]],
    now: datetime,
    rng: Random,
    *,
    window: float = 900.0,
) -> list[datetime]:
    """When to ask sources that are due at once, as after a pause of the daemon.

    They are dealt over ``window`` seconds in random order, but no source is put off by more than
    it is late already, nor by more than its own interval: a short pause makes a short spread.

    Args:
        due: for each source, when it should have been asked, and its interval in seconds (None if
            it has none yet).
        now: aware.
        rng: the source of the order.
        window: seconds.

    Returns:
        The moments, in the order of ``due``.
    """
    places = list(range(len(due)))
    rng.shuffle(places)
    moments = []
    for place, (next_poll_at, interval) in zip(places, due, strict=True):
        late = (now - next_poll_at).total_seconds()
        room = max(min(window, late, window if interval is None else interval), 0.0)
        delay = room * (place + rng.random()) / len(due)
        moments.append(max(now, next_poll_at) + timedelta(seconds=delay))
    return moments


def without_push(health: Health, now: datetime, rng: Random) -> datetime | None:
    """When to poll now that no hub delivers any more; None if polls were not slower for it."""
    if health.unslowed is None:
        return None
    return max(health.unslowed, now + timedelta(seconds=60 * rng.random()))


# --- failures -----------------------------------------------------------------------------------


def _backed_off(
    health: Health,
    outcome: FetchOutcome,
    failure: str,
    now: datetime,
    politeness: Politeness,
    *,
    rng: Random,
) -> Plan:
    health = replace(health, failures=health.failures + 1, unslowed=None)
    start = max(politeness.min_interval, _LEAST_BACK_OFF)
    asked = None
    if isinstance(outcome, Response) and outcome.status in _OVERLOADED:
        start = max(start, health.interval or 0.0)
        asked = retry_after(outcome.headers, now)
    if asked is None:
        wait = start * 2 ** min(health.failures, _MOST_DOUBLINGS)
        why = f"failure {health.failures} in a row"
    else:
        wait = asked
        why = f"the server asks to wait {_words(asked)} (Retry-After)"
    wait = _clamped(wait, politeness)
    at, skipped = _moment(health, now, wait, politeness, asked=asked or 0.0, rng=rng)
    of_host = asked is not None and politeness.retry_after_scope == "host"
    return Plan(
        at,
        health,
        (failure, f"{why}: asking again in {_words(wait)}", *skipped),
        host_not_before=now + timedelta(seconds=wait) if of_host else None,
    )


# --- successes ----------------------------------------------------------------------------------


def _succeeded(
    health: Health,
    poll: Poll,
    response: Response,
    now: datetime,
    politeness: Politeness,
    *,
    rng: Random,
) -> Plan:
    health = _told(health, poll, now)
    wait, why = _wanted(health, poll, now, politeness)
    asked, asked_why = _asked(health, response, now)
    reasons = [why]
    if asked > wait:
        wait = asked
        reasons.append(asked_why)
    clamped = _clamped(wait, politeness)
    if clamped != wait:
        limit = "at least" if clamped > wait else "at most"
        reasons.append(f"{limit} {_words(clamped)}, as configured")
    health, adopt = _watch_redirect(health, response, now, politeness)
    if adopt is not None:
        reasons.append(f"it has permanently moved to {adopt}")
    at, skipped = _moment(health, now, clamped, politeness, asked=asked, rng=rng)
    slowed = min(clamped * politeness.slowdown, politeness.max_interval)
    unslowed = at if slowed > clamped and politeness.interval is None else None
    if unslowed is not None:
        at, skipped = _moment(health, now, slowed, politeness, asked=asked, rng=rng)
        reasons.append(f"every {_words(slowed)} while a hub delivers what is new")
    health = replace(
        health,
        interval=clamped,
        failures=0,
        last_success=now,
        gone_since=None,
        unslowed=unslowed,
    )
    return Plan(at, health, (*reasons, *skipped), adopt=adopt)


def _told(health: Health, poll: Poll, now: datetime) -> Health:
    """The health with what a newly read document says about its rhythm."""
    if poll.hints is not None:
        asked = max(poll.hints.ttl or 0.0, poll.hints.update_interval or 0.0)
        health = replace(
            health,
            asked_interval=asked or None,
            skip_hours=sum(1 << hour for hour in poll.hints.skip_hours),
            skip_days=sum(1 << day for day in poll.hints.skip_days),
        )
    if poll.published is not None:
        size, since = _rhythm(poll.published, now)
        health = replace(health, sample_size=size, sample_since=since)
    return health


def _rhythm(published: Sequence[datetime], now: datetime) -> tuple[int, datetime | None]:
    """How many entries appeared since when.

    The oldest quarter is left out where that shows a denser rhythm: one pinned entry of years ago
    would make a daily paper an annual.
    """
    times = sorted((moment for moment in published if moment <= now), reverse=True)[:_SAMPLE]
    if len(times) < _LEAST_SAMPLE:
        return 0, None
    sizes = range(max(_LEAST_SAMPLE, len(times) * 3 // 4), len(times) + 1)
    size = min(sizes, key=lambda n: ((now - times[n - 1]) / n, -n))
    return size, times[size - 1]


def _wanted(health: Health, poll: Poll, now: datetime, politeness: Politeness) -> tuple[float, str]:
    """How long to wait if nobody asked for anything, and why."""
    if politeness.interval is not None:
        return politeness.interval, f"every {_words(politeness.interval)}, as configured"
    if health.sample_since is not None:
        # The silence since the last entry counts: a source that stops is asked ever less.
        gap = (now - health.sample_since).total_seconds() / health.sample_size
        return gap / _POLLS_PER_ENTRY, f"it publishes about every {_words(gap)}"
    before = health.interval or politeness.min_interval
    if poll.new_entries:
        return before / 2, "it brought something new, and has too few dates to tell its rhythm by"
    if health.last_success is None:
        return before, "nothing is known of its rhythm yet"
    longer = max(before, 1.0) * _GROWTH
    return longer, "nothing new came, and it has too few dates to tell its rhythm by"


def _asked(health: Health, response: Response, now: datetime) -> tuple[float, str]:
    """The longest wait that the server or the feed asks for, and how; 0 if none."""
    fresh = fresh_for(response.headers, now) or 0.0
    told = health.asked_interval or 0.0
    if fresh >= told:
        return fresh, f"the response stays fresh for {_words(fresh)} (max-age or Expires)"
    return told, f"the feed asks to be read every {_words(told)} (ttl or sy:updatePeriod)"


def _watch_redirect(
    health: Health, response: Response, now: datetime, politeness: Politeness
) -> tuple[Health, str | None]:
    """The health with what this poll says of a permanent redirect, and the target to adopt."""
    target = permanent_target(response.hops)
    if target is None and health.redirect_target is None:
        return health, None
    if target is None:
        return replace(health, redirect_target=None, redirect_since=None, redirect_polls=0), None
    since, polls = now, 1
    if target == health.redirect_target and health.redirect_since is not None:
        since, polls = min(health.redirect_since, now), health.redirect_polls + 1
    held = (now - since).total_seconds() >= politeness.adopt_after
    if held and polls >= politeness.adopt_after_polls:
        return replace(health, redirect_target=None, redirect_since=None, redirect_polls=0), target
    return replace(health, redirect_target=target, redirect_since=since, redirect_polls=polls), None


def permanent_target(hops: Sequence[Hop]) -> str | None:
    """Where a chain of redirects leads for good: as far as it is 301 or 308 from its start.

    None if it does not, or leads from https to http: that can be followed, but not for ever.
    """
    target = None
    for hop in hops:
        if hop.status not in _PERMANENT:
            break
        if urlsplit(hop.url).scheme == "https" and urlsplit(hop.target).scheme != "https":
            break
        target = hop.target
    return target


# --- moments ------------------------------------------------------------------------------------


def _clamped(wait: float, politeness: Politeness) -> float:
    return min(max(wait, politeness.min_interval), politeness.max_interval)


def _moment(
    health: Health,
    now: datetime,
    wait: float,
    politeness: Politeness,
    *,
    asked: float,
    rng: Random,
) -> tuple[datetime, tuple[str, ...]]:
    """The moment to ask again, and a reason if it was moved out of what the feed skips."""
    stretched = min(wait * (1 + politeness.jitter * rng.random()), politeness.max_interval)
    if stretched == politeness.max_interval:
        # There is room only below: but not before the minimum, nor before what was asked for.
        stretched *= 1 - politeness.jitter * rng.random()
    least = max(min(asked, wait), politeness.min_interval)
    at = now + timedelta(seconds=max(stretched, least))
    moved = _after_skipped(at.astimezone(UTC), health.skip_hours, health.skip_days)
    if moved is None:
        return at, ()
    # Spread over the first half of the hour: everybody else comes back at its first second.
    moved += timedelta(seconds=1800 * rng.random())
    return moved, ("the feed asks not to be read before then (skipHours, skipDays)",)


def _after_skipped(at: datetime, skip_hours: int, skip_days: int) -> datetime | None:
    """The first hour after ``at`` that is not skipped; None if ``at`` itself is not.

    A feed that skips every hour, or every day, says nothing.
    """
    skip_hours = 0 if skip_hours & _ALL_HOURS == _ALL_HOURS else skip_hours
    skip_days = 0 if skip_days & _ALL_DAYS == _ALL_DAYS else skip_days
    moved = at
    while skip_hours >> moved.hour & 1 or skip_days >> moved.weekday() & 1:
        moved = moved.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return None if moved == at else moved


def _words(seconds: float) -> str:
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
