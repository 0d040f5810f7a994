"""The time, as an argument. Nothing else in the application asks the system for it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present as aware UTC."""

Steady = Callable[[], float]
"""Seconds since some moment: goes on evenly, however a clock is set."""


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


def steady_seconds() -> float:
    """The system's steady time."""
    return time.monotonic()
