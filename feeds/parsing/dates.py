"""Dates as people really write them, read into aware UTC.

The forms the standards ask for (RFC 822 with its habits, ISO 8601, seconds since 1970) are read
here in microseconds; everything else, month names in some thirty languages among it, goes to
``dateparser``, whose only home this is, and takes milliseconds.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from dateparser.date import DateDataParser

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Feeds know nothing older than the web; before it lie 0001, 1900 and 1970, all meaning "none"."""

CLOCK_SKEW = timedelta(minutes=15)
"""How far a publisher's clock may run ahead before its date counts as one in the future."""

_MAX_TEXT = 80
_MONTHS = {
    name[:length]: number
    for number, name in enumerate(
        [
            *("january", "february", "march", "april", "may", "june"),
            *("july", "august", "september", "october", "november", "december"),
        ],
        start=1,
    )
    for length in range(3, len(name) + 1)
}
# Hours east of Greenwich. Where two countries share a name, the larger press has it.
_ZONE_HOURS = """
    acst=9.5 adt=-3 aedt=11 aest=10 akdt=-8 akst=-9 art=-3 ast=-4 awst=8 brt=-3 bst=1 cat=2 cdt=-5
    cest=2 cet=1 cst=-6 ct=-6 eat=3 edt=-4 eest=3 eet=2 est=-5 et=-5 gmt=0 gst=4 hkt=8 hst=-10
    irst=3.5 ist=5.5 jst=9 kst=9 mdt=-6 mest=2 mesz=2 met=1 mez=1 msk=3 mst=-7 mt=-7 npt=5.75
    nst=-3.5 nzdt=13 nzst=12 pdt=-7 pht=8 pkt=5 pst=-8 pt=-8 sast=2 sgt=8 trt=3 ut=0 utc=0 wat=1
    west=1 wet=0 wib=7 z=0
"""
_ZONES = {name: float(hours) for name, hours in re.findall(r"(\w+)=(\S+)", _ZONE_HOURS)}
_RFC822 = re.compile(
    r"(?:[a-z]{2,9}\.?,?\s*)?"
    r"(?P<day>\d{1,2})[\s-]+(?P<month>[a-z]{3,9})\.?,?[\s-]+(?P<year>\d{4}|\d{2})"
    r"(?:,?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r"\s*(?P<zone>.*))?",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[\sT]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<zone>.*))?",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?P<zone>.*))?",
    re.IGNORECASE,
)
_OFFSET = re.compile(
    r"(?:gmt|utc|ut|z)?\s*(?P<sign>[+\-\u2212])\s?(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?\b.*"
)
_EPOCH = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d+)?")
_PLAUSIBLE = re.compile(r"(?=.*\d{4})(?=.*\d.*\d.*\d.*\d.*\d)")
# English first: it settles 03/04/2026, which by itself says nothing.
_LANGUAGES = (
    "en de fr es it pt nl ru uk pl cs sk hu ro sv da nb fi el tr zh ja ko vi id ar he fa hi"
)


@lru_cache(maxsize=1024)
def read_date(text: str) -> datetime | None:
    """The moment ``text`` names, in UTC, or None if it names none.

    A date without a time is its midnight, a time without a zone (or with an unknown one) is UTC,
    ``24:00`` is the next midnight, two-digit years lie between 1970 and 2069. Nothing relative
    ("yesterday") and nothing without a day is read. Whether the moment is *believable* is for
    :func:`believed` to say.
    """
    text = " ".join(text[: 4 * _MAX_TEXT].split())
    if not text or len(text) > _MAX_TEXT:
        return None
    for form in (_RFC822, _ISO, _COMPACT):
        match = form.fullmatch(text)
        month = match and _month(match["month"])
        if match and month:
            return _from_fields(match.groupdict(), month)
    epoch = _EPOCH.fullmatch(text)
    if epoch:
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    return _read_in_any_language(text) if _PLAUSIBLE.search(text) else None


def believed(moment: datetime | None, now: datetime) -> datetime | None:
    """``moment``, or None where no publisher can mean it: before the web, or in the future.

    Not moved to a believable time: an invented date would hide that there is none, and one that
    follows the clock would change at every poll. Who needs a time takes when the entry was first
    seen.
    """
    if moment is None or moment < EARLIEST or moment > now + CLOCK_SKEW:
        return None
    return moment


def _month(text: str) -> int | None:
    return int(text) if text.isdigit() else _MONTHS.get(text.lower())


def _from_fields(fields: dict[str, str | None], month: int) -> datetime | None:
    hour, minute, second = (int(fields[name] or 0) for name in ("hour", "minute", "second"))
    next_day = timedelta(days=1) if (hour, minute) == (24, 0) else timedelta()
    try:
        local = datetime(
            _full_year(fields["year"] or ""),
            month,
            int(fields["day"] or 0),
            0 if next_day else _twenty_four(hour, fields["zone"] or ""),
            minute,
            min(second, 59),  # leap seconds
            tzinfo=_zone(fields["zone"] or ""),
        )
        return (local + next_day).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _full_year(year: str) -> int:
    number = int(year)
    if len(year) > 2:
        return number
    return number + (1900 if number >= 70 else 2000)


def _twenty_four(hour: int, rest: str) -> int:
    """``hour`` on the 24-hour clock, ``rest`` being what follows the time."""
    half = rest[:2].lower()
    if half == "pm" and hour < 12:
        return hour + 12
    return 0 if half == "am" and hour == 12 else hour


@lru_cache(maxsize=256)
def _zone(text: str) -> timezone:
    """The zone ``text`` names; UTC where it names none that is known."""
    name = re.sub(r"^[ap]m\b", "", text.lower()).strip()
    offset = _OFFSET.match(name)
    if offset:
        east = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"] or 0))
        east = -east if offset["sign"] != "+" else east
    else:
        east = timedelta(hours=_ZONES.get(name.partition(" ")[0].removeprefix("etc/"), 0))
    return timezone(east) if abs(east) <= timedelta(hours=15) else UTC


@lru_cache(maxsize=1)
def _any_language() -> DateDataParser:
    settings: dict[str, Any] = {
        "PARSERS": ["absolute-time"],
        "REQUIRE_PARTS": ["day", "month", "year"],
        "TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
    }
    # Remembering the last locale would make an answer depend on the questions before it.
    return DateDataParser(
        languages=_LANGUAGES.split(), try_previous_locales=False, settings=settings
    )


@lru_cache(maxsize=2048)
def _read_in_any_language(text: str) -> datetime | None:
    try:
        found = _any_language().get_date_data(text).date_obj
    except (ValueError, OverflowError):  # the first and the last day of the calendar, elsewhere
        return None
    return found.astimezone(UTC) if found else None
