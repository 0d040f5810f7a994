"""Dates as people write them."""
# ruff: noqa: RUF001 - in their own scripts

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.parsing.dates import CLOCK_SKEW, EARLIEST, believed, read_date

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEAR_1990 = EARLIEST.replace(tzinfo=None)
TEN = "2026-11-22T10:00:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # RFC 822 and its habits
        ("Sun, 22 Nov 2026 10:00:00 GMT", TEN),
        ("Sun, 22 Nov 2026 10:00:00 +0000", TEN),
        ("Sun, 22 Nov 2026 10:00:00 -0000", TEN),
        ("22 Nov 2026 10:00:00 Z", TEN),
        ("22 Nov 2026 10:00 UT", TEN),
        ("22 Nov 26 10:00", TEN),
        ("Sun,22 Nov 2026 10:00:00 GMT", TEN),
        ("sun, 22 NOV 2026 10:00:00 gmt", TEN),
        ("  Sun,  22  Nov  2026\n 10:00:00   GMT ", TEN),
        ("Sunday, 22-Nov-26 10:00:00 GMT", TEN),
        ("Sun, 22 November 2026 10:00:00 GMT", TEN),
        ("Sun, 22 Nov 2026 05:00:00 EST", TEN),
        ("Sun, 22 Nov 2026 11:00:00 CET", TEN),
        ("Sun, 22 Nov 2026 15:30:00 IST", TEN),
        ("Sun, 22 Nov 2026 19:00:00 JST", TEN),
        ("Sun, 22 Nov 2026 11:00:00 +01:00", TEN),
        ("Sun, 22 Nov 2026 11:00:00 GMT+0100", TEN),
        ("Sun, 22 Nov 2026 08:00:00 UTC-2", TEN),
        ("Sun, 22 Nov 2026 15:30:00 +0530 (IST)", TEN),
        ("Sun, 22 Nov 2026 10:00:00 XYZ", TEN),
        ("Sun, 22 Nov 2026 10:00:00 +9999", TEN),
        ("Sun, 22 Nov 2026 10:00 AM", TEN),
        ("Sun, 22 Nov 2026 10:00:00.123 GMT", TEN),
        ("22 Nov 2026 12:30 AM GMT", "2026-11-22T00:30:00"),
        ("22 Nov 2026 12:30 PM GMT", "2026-11-22T12:30:00"),
        ("22 Nov 2026 3:30pm EST", "2026-11-22T20:30:00"),
        ("Sun, 22 Nov 2026", "2026-11-22T00:00:00"),
        ("Sat, 21 Nov 2026 24:00:00 GMT", "2026-11-22T00:00:00"),
        ("Wed, 31 Dec 2025 24:00 GMT", "2026-01-01T00:00:00"),
        ("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59"),
        ("1 Sept 2026 10:00 GMT", "2026-09-01T10:00:00"),
        ("22 Nov 95 10:00 GMT", "1995-11-22T10:00:00"),
        # ISO 8601
        ("2026-11-22T10:00:00Z", TEN),
        ("2026-11-22t10:00:00z", TEN),
        ("2026-11-22 10:00:00", TEN),
        ("2026-11-22T10:00", TEN),
        ("2026-11-22T10:00:00.123456789Z", TEN),
        ("2026-11-22T10:00:00,5Z", TEN),
        ("2026-11-22T11:00:00+01", TEN),
        ("2026-11-22T11:00:00 +0100", TEN),
        ("2026-11-22T11:00:00+01:00[Europe/Berlin]", TEN),
        ("2026-11-22T05:30:00\u221204:30", TEN),
        ("2026-11-22", "2026-11-22T00:00:00"),
        ("2026-1-2", "2026-01-02T00:00:00"),
        ("2026-11-21T24:00:00Z", "2026-11-22T00:00:00"),
        ("20261122T100000Z", TEN),
        ("20261122", "2026-11-22T00:00:00"),
        # seconds and milliseconds since 1970
        ("1795341600", TEN),
        ("1795341600000", TEN),
        ("1795341600.25", TEN),
        # English as it is spoken
        ("Sunday, November 22, 2026 10:00 AM", TEN),
        ("Nov 22, 2026", "2026-11-22T00:00:00"),
        ("November 22nd, 2026", "2026-11-22T00:00:00"),
        ("Sun Nov 22 10:00:00 2026", TEN),
        ("Sun Nov 22 11:00:00 CET 2026", TEN),
        ("2026/11/22 10:00", TEN),
        ("11/22/2026 10:00", TEN),
        ("22/11/2026 10:00", TEN),
        ("22.11.2026 10:00", TEN),
        # other languages
        ("So, 22 Nov 2026 11:00:00 +0100", TEN),
        ("Do., 22. Oktober 2026 10:00", "2026-10-22T10:00:00"),
        ("dim., 22 nov. 2026 11:00:00 +0100", TEN),
        ("22 août 2026 10:00", "2026-08-22T10:00:00"),
        ("22 de noviembre de 2026 10:00", TEN),
        ("22 novembre 2026 10:00", TEN),
        ("Вс, 22 ноя 2026 13:00:00 +0300", TEN),
        ("22 listopada 2026 10:00", TEN),
        ("Κυρ, 22 Νοε 2026 10:00:00 GMT", TEN),
        ("2026年11月22日 10:00", TEN),
        ("2026-11-22 오후 11:23:17", "2026-11-22T23:23:17"),
    ],
)
def test_dates_that_people_write(text: str, expected: str) -> None:
    assert read_date(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "yesterday",
        "5 minutes ago",
        "2026",
        "2026-11",
        "November 2026",
        "10:00",
        "soon",
        "Sun, 31 Nov 2026 10:00:00 GMT",
        "Sun, 22 Nov 2026 25:61:00 GMT",
        "Sun, 00 Nov 2026 10:00:00 GMT",
        "2026-13-01",
        "9999-12-31T23:59:59-12:00",
        "31 décembre 9999 23:59 PDT",
        "0000-00-00 00:00:00",
        "1" * 5000,
        "22 Nov 2026 " + "x" * 100,
    ],
)
def test_what_names_no_moment_is_none(text: str) -> None:
    assert read_date(text) is None


def test_the_order_of_questions_does_not_change_an_answer() -> None:
    before = read_date("03/04/2026 10:00:01")
    read_date("samedi 21 novembre 2026 10:00:02")
    read_date("21.03.2026 10:00:03")
    assert read_date("03/04/2026  10:00:01 ") == before


@settings(deadline=None)  # dateparser loads its languages as they are needed
@given(st.one_of(st.text(max_size=90), st.text("0123456789-/:. TZ+,GMSatJun", max_size=40)))
def test_read_date_never_raises_and_answers_in_utc(text: str) -> None:
    moment = read_date(text)
    assert moment is None or moment.utcoffset() == timedelta(0)


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(deadline=None)
@given(st.datetimes(min_value=YEAR_1990, timezones=offsets), offsets)
def test_what_the_standards_ask_for_is_read_back(moment: datetime, zone: timezone) -> None:
    moment = moment.astimezone(zone).replace(microsecond=0) if moment.year < 9999 else NOW
    assert read_date(format_datetime(moment)) == moment
    assert read_date(moment.isoformat()) == moment
    assert read_date(str(moment)) == moment


@pytest.mark.parametrize(
    ("moment", "is_believed"),
    [
        (None, False),
        (datetime(1, 1, 1, tzinfo=UTC), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (EARLIEST, True),
        (NOW, True),
        (NOW + CLOCK_SKEW, True),
        (NOW + CLOCK_SKEW + timedelta(seconds=1), False),
        (datetime(2099, 1, 1, tzinfo=UTC), False),
    ],
)
def test_what_no_publisher_can_mean_is_not_believed(
    moment: datetime | None, is_believed: bool
) -> None:
    assert believed(moment, NOW) == (moment if is_believed else None)
