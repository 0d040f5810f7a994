"""Conditional requests and content negotiation, case by case and for wild headers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.writing.http_cache import IDENTITY, is_not_modified, negotiate_coding, strong_etag

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TAG = strong_etag(b"body")


def test_the_tag_is_strong_and_says_which_bytes_in_which_coding() -> None:
    assert strong_etag(b"body") == TAG
    assert TAG.startswith('"')
    assert len({TAG, strong_etag(b"other"), strong_etag(b"body", "gzip")}) == 3
    assert strong_etag(b"body", "gzip") == TAG[:-1] + '-gz"'
    assert strong_etag(b"body", "br") == TAG[:-1] + '-br"'


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (TAG, True),
        ("W/" + TAG, True),
        (f'"other", {TAG}', True),
        (f'"a,b",W/"c" , {TAG},', True),
        ("*", True),
        ('"other"', False),
        (TAG.strip('"'), False),
        (strong_etag(b"body", "gzip"), False),
        ("", False),
        ('"*"', False),
    ],
)
def test_if_none_match_compares_weakly_with_each_of_a_list(tags: str, expected: bool) -> None:
    assert is_not_modified({"if-none-match": tags}, TAG) is expected


def test_a_weak_tag_of_ours_is_compared_weakly_too() -> None:
    assert is_not_modified({"if-none-match": TAG}, "W/" + TAG)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("Sun, 22 Nov 2026 12:00:00 GMT", True),
        ("Sun, 22 Nov 2026 12:00:01 GMT", True),
        ("Sun, 22 Nov 2026 11:59:59 GMT", False),
        ("Sunday, 22-Nov-26 12:00:00 GMT", True),
        ("Sun Nov 22 12:00:00 2026", True),
        ("Sun Nov  1 12:00:00 2026", False),
        ("Sun, 22 Nov 2026 14:00:00 +0200", False),
        ("2026-11-22T12:00:00Z", False),
        ("Sun, 42 Nov 2026 12:00:00 GMT", False),
        ("", False),
    ],
)
def test_if_modified_since_takes_every_http_date_and_nothing_else(
    since: str, expected: bool
) -> None:
    headers = {"if-modified-since": since}
    assert is_not_modified(headers, TAG, NOON + timedelta(microseconds=5)) is expected


def test_if_none_match_overrules_if_modified_since() -> None:
    since = "Sun, 22 Nov 2026 12:00:00 GMT"
    assert not is_not_modified({"if-none-match": '"x"', "if-modified-since": since}, TAG, NOON)


def test_without_conditions_or_a_date_of_ours_everything_is_sent() -> None:
    assert not is_not_modified({}, TAG, NOON)
    assert not is_not_modified({"if-modified-since": "Sun, 22 Nov 2026 12:00:00 GMT"}, TAG)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, IDENTITY),
        ("", IDENTITY),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("gzip; q=0.5 ,br;q=0.500", "br"),
        ("deflate", IDENTITY),
        ("*", "br"),
        ("*;q=0.3, br;q=0", "gzip"),
        ("gzip;q=0", IDENTITY),
        ("gzip;q=0.001", "gzip"),
        ("identity, gzip;q=0.5", IDENTITY),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=nonsense", IDENTITY),
        ("gzip;q=2, br", "br"),
        ("identity;q=0", None),
        ("*;q=0", None),
        ("*;q=0, identity", IDENTITY),
        ("identity;q=0, gzip", "gzip"),
        (",,gzip,", "gzip"),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_best(
    accepted: str | None, expected: str | None
) -> None:
    assert negotiate_coding(accepted, ("br", "gzip")) == expected


def test_only_codings_at_hand_are_chosen() -> None:
    assert negotiate_coding("br, gzip;q=0.2", ("gzip",)) == "gzip"
    assert negotiate_coding("br, gzip", ()) == IDENTITY


@given(st.text(), st.text(), st.datetimes(timezones=st.just(UTC)))
def test_wild_conditions_never_raise(tags: str, since: str, modified: datetime) -> None:
    assert is_not_modified({"if-none-match": tags}, TAG) is (tags.strip() == "*" or TAG in tags)
    is_not_modified({"if-modified-since": since}, TAG, modified)


@given(st.text(alphabet='gzipbr*;q=01., "identy'))
def test_wild_preferences_give_what_is_at_hand(accepted: str) -> None:
    assert negotiate_coding(accepted, ("br", "gzip")) in {"br", "gzip", IDENTITY, None}


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (Hypothesis wants bounds without a zone)
    st.integers(-2, 2),
)
def test_our_own_last_modified_comes_back_as_not_modified(time: datetime, later: int) -> None:
    since = format_datetime(time + timedelta(seconds=later), usegmt=True)
    assert is_not_modified({"if-modified-since": since}, TAG, time) is (later >= 0)


@given(st.dictionaries(st.sampled_from(["br", "gzip", IDENTITY]), st.integers(0, 1000), min_size=1))
def test_nothing_is_liked_better_than_what_is_chosen(weights: dict[str, int]) -> None:
    accepted = ", ".join(f"{coding};q={weight / 1000:.3f}" for coding, weight in weights.items())
    chosen = negotiate_coding(accepted, ("br", "gzip"))
    if chosen is None:
        assert not any(weights.values())
        assert IDENTITY in weights
    elif chosen in weights:
        assert weights[chosen] == max(weights.values())
    else:
        assert chosen == IDENTITY
        assert not any(weights.values())
