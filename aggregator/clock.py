"""The time, as an argument. Nothing else in the application asks the system for it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present as aware UTC."""


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)
