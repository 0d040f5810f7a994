"""How values look on a page: text that cannot break out of its place, times, durations. Pure."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
NOTHING = "\N{EN DASH}"
"""Stands where there is nothing to tell."""
_YEAR_IS_CLEAR = timedelta(days=180)
_MOST_MARKS = 3
"""Combining marks kept on one letter; living scripts need no more, towers of them do."""


def clip(shown: str, length: int) -> str:
    """At most ``length`` characters of a text, in one line, that stay within their line.

    Marks that turn the direction of what follows go (``dir="auto"`` finds the direction of honest
    text), and so do marks piled up on one letter.
    """
    line = _SPACE.sub(" ", tame(shown[: length * 4 + 100])).strip()
    if len(line) <= length:
        return line
    short = line[:length]
    at_word = short.rpartition(" ")[0]
    return (at_word if len(at_word) > length // 2 else short).rstrip(" ,;:.") + "…"


def tame(shown: str) -> str:
    """A text without marks that turn direction or pile up; else as it is."""
    return shown if shown.isascii() else _without_towers(_DIRECTION.sub("", shown))


def _without_towers(shown: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in shown:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def paragraphs(shown: str, length: int) -> list[str]:
    """The paragraphs of a text, split at blank lines; so many characters of it at the most."""
    lines = (clip(paragraph, length) for paragraph in re.split(r"\n\s*\n", shown[:length]))
    found = [line for line in lines if line]
    if len(shown) > length and found:
        found[-1] += " …"
    return found


def language_tag(tag: str | None) -> str:
    """A tag for a ``lang`` attribute; empty where what a source said is none (BCP 47)."""
    tag = (tag or "").replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else ""


def when(moment: datetime | None) -> str:
    """A time in full, in UTC."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC" if moment else "undated"


def briefly(moment: datetime | None, near: datetime | None = None) -> str:
    """A time where there is little room: without its year where that is clear from ``near``."""
    if moment is None:
        return "undated"
    year = "" if near and abs(moment - near) < _YEAR_IS_CLEAR else " %Y"
    return f"{moment.astimezone(UTC):%-d %b{year}, %H:%M}"


def duration(span: timedelta | float | None) -> str:
    """A length of time in its largest unit, such as "4 min". A number is in seconds."""
    if span is None:
        return NOTHING
    seconds = abs(span.total_seconds() if isinstance(span, timedelta) else span)
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def ago(moment: datetime | None, now: datetime | None) -> str:
    """How long since, or until, a moment; the moment itself where nobody knows what time it is."""
    if moment is None:
        return "never"
    if now is None:
        return briefly(moment)
    away = moment - now
    if away > timedelta(days=3650):
        return "not again"
    if abs(away) < timedelta(seconds=1):
        return "now"
    return f"in {duration(away)}" if away > timedelta() else f"{duration(away)} ago"


def share(part: float | None) -> str:
    """A share of 0 to 1 as a percentage."""
    return NOTHING if part is None else f"{part:.0%}"


def rate(number: float) -> str:
    """A mean per day, as precise as it is of use."""
    return f"{number:.0f}" if number >= 10 or number == 0 else f"{number:.1f}"
