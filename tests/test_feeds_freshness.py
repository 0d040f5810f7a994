"""What headers say about time, however oddly they say it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.http.freshness import MAX_SECONDS, fresh_for, retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def http_date(offset: float, start: datetime = NOW) -> str:
    return format_datetime(start + timedelta(seconds=offset), usegmt=True)


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("max-age=600", 600),
        ("public, max-age=600", 600),
        ("Max-Age=600, must-revalidate", 600),
        ('max-age="600"', 600),
        ("max-age = 600", 600),
        ("max-age=600, max-age=5", 600),
        ("s-maxage=5, max-age=600", 600),
        ("max-age=1.5", 1.5),
        ("max-age=0", 0),
        ("max-age=-1", 0),
        ("no-cache", 0),
        ("no-store, max-age=600", 0),
        ("no-cache, max-age=600", 0),
        ("max-age=99999999999999999999", MAX_SECONDS),
        ("max-age=" + "9" * 3000, None),
        ("max-age", None),
        ("max-age=", None),
        ("max-age=soon", None),
        ("max-age=1e9", None),
        ("max-age=inf", None),
        ("max-age=nan", None),
        ("x-max-age=600", None),
        ("s-maxage=600", None),
        ("private", None),
        ("", None),
    ],
)
def test_max_age(cache_control: str, seconds: float | None) -> None:
    assert fresh_for({"cache-control": cache_control}, NOW) == seconds


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("100", 500), ("600", 0), ("9999", 0), ("-5", 600), ("junk", 600), ("", 600), ("1, 2", 599)],
)
def test_max_age_is_less_the_age(age: str, seconds: float) -> None:
    assert fresh_for({"cache-control": "max-age=600", "age": age}, NOW) == seconds


def test_expires_counts_from_the_servers_own_date() -> None:
    wrong_clock = NOW - timedelta(days=400)
    headers = {"date": http_date(0, wrong_clock), "expires": http_date(3600, wrong_clock)}
    assert fresh_for(headers, NOW) == 3600
    assert fresh_for({**headers, "age": "600"}, NOW) == 3000


@pytest.mark.parametrize("date", [{}, {"date": "yesterday"}, {"date": ""}])
def test_expires_counts_from_now_where_there_is_no_date(date: dict[str, str]) -> None:
    assert fresh_for({**date, "expires": http_date(3600)}, NOW) == 3600


@pytest.mark.parametrize("expires", ["0", "-1", "junk", "", http_date(-3600)])
def test_expired_or_unreadable_expires_is_stale(expires: str) -> None:
    assert fresh_for({"expires": expires}, NOW) == 0


def test_max_age_outranks_expires() -> None:
    headers = {"cache-control": "max-age=60", "expires": http_date(3600)}
    assert fresh_for(headers, NOW) == 60


def test_expires_in_the_old_forms() -> None:
    assert fresh_for({"expires": "Sunday, 22-Nov-26 13:00:00 GMT"}, NOW) == 3600
    assert fresh_for({"expires": "Sun Nov 22 13:00:00 2026"}, NOW) == 3600


def test_silence_is_none() -> None:
    assert fresh_for({}, NOW) is None
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("1.5", 1.5),
        ("-30", 0),
        ("120, 60", 120),
        ("99999999999999", MAX_SECONDS),
        (http_date(90), 90),
        (http_date(-90), 0),
        (http_date(20 * MAX_SECONDS), MAX_SECONDS),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("0x10", None),
        ("\uff11\uff12\uff10", None),
        ("2026-11-22T12:05:00Z", None),
        ("Sun, 99 Nov 2026 99:99:99 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("9" * 5000, None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_a_retry_after_date_counts_from_the_servers_own_date() -> None:
    wrong_clock = NOW + timedelta(days=3)
    headers = {"date": http_date(0, wrong_clock), "retry-after": http_date(300, wrong_clock)}
    assert retry_after(headers, NOW) == 300


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["cache-control", "age", "expires", "date", "retry-after"]),
        st.one_of(
            st.text(max_size=60),
            st.from_regex(r"max-age=[-+0-9.e]{0,12}", fullmatch=True),
            st.datetimes(min_value=datetime(1000, 1, 1)).map(  # noqa: DTZ001 - naive on purpose
                format_datetime
            ),
            st.from_regex(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{1,4} \d\d:\d\d:\d\d [+-]\d{4}"),
        ),
    )
)
def test_any_headers_give_a_bounded_answer(headers: dict[str, str]) -> None:
    for seconds in (fresh_for(headers, NOW), retry_after(headers, NOW)):
        assert seconds is None or 0 <= seconds <= MAX_SECONDS
