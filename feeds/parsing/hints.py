"""How often a feed asks to be read: RSS 2.0's ttl, skipHours and skipDays, and mod_syndication."""

import re

from feeds.model import PollHints
from feeds.parsing.raw import RawFeed

_PERIODS = {
    "hourly": 3600.0,
    "daily": 86_400.0,
    "weekly": 604_800.0,
    "monthly": 2_592_000.0,
    "yearly": 31_536_000.0,
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_HOUR = re.compile(r"\d{1,2}")


def poll_hints(raw: RawFeed) -> PollHints:
    """The hints in ``raw`` that make sense; what to do with them is the scheduler's to decide.

    Skipping every hour or every day makes no sense and is dropped. Hour 24 is hour 0, days count by
    the first three letters of their English names, in any case.
    """
    hours = {int(hour) % 24 for hour in raw.skip_hours if _HOUR.fullmatch(hour) and int(hour) <= 24}
    days = {_DAYS.index(day) for day in (d[:3].lower() for d in raw.skip_days) if day in _DAYS}
    return PollHints(
        ttl=60.0 * minutes if (minutes := _positive(raw.ttl)) else None,
        update_interval=_interval(raw.update_period, raw.update_frequency),
        skip_hours=frozenset(hours if len(hours) < 24 else ()),
        skip_days=frozenset(days if len(days) < 7 else ()),
    )


def _interval(period: str, frequency: str) -> float | None:
    seconds = _PERIODS.get(period.lower())
    times = _positive(frequency) if frequency else 1.0  # the module's default
    return seconds / times if seconds and times else None


def _positive(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else 0.0
    return number if number > 0 else None
