"""Durations as people write them in a config file: ``"15m"``, ``"1h 30m"``, ``"0s"``."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_WHOLE = re.compile(rf"\s*(?:{_PART.pattern}\s*)+", re.ASCII)
_LONGEST = timedelta(days=36500)


def parse_duration(text: str) -> timedelta:
    """Read ``"90s"``, ``"15m"``, ``"1h 30m"``, ``"2d"``, ``"1w"``.

    Raises:
        ValueError: not a duration, or longer than a century.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError('is not a duration; write for example "30s", "15m", "1h 30m" or "7d"')
    try:
        total = sum((float(n) * _UNITS[unit] for n, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        total = timedelta.max
    if total > _LONGEST:
        raise ValueError("is longer than a century")
    return total


def format_duration(value: timedelta) -> str:
    """The shortest text that :func:`parse_duration` reads back as ``value``."""
    rest, parts = value, []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def _validate(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_validate), PlainSerializer(format_duration)]
"""A settings field that takes a duration."""


def reasonable_age(value: timedelta) -> timedelta:
    """An age to be dropped at: long enough to have been published and read."""
    if value and value < timedelta(days=1):
        raise ValueError('is shorter than a day; "0s" is for ever')
    return value
