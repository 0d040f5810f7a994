"""How often a feed asks to be read."""

import pytest

from feeds.model import PollHints
from feeds.parsing.hints import poll_hints
from feeds.parsing.raw import RawFeed


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [
        ("60", 3600.0),
        ("1.5", 90.0),
        ("0", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("9" * 30, None),
    ],
)
def test_ttl_is_in_minutes(ttl: str, seconds: float | None) -> None:
    assert poll_hints(RawFeed("rss", ttl=ttl)).ttl == seconds


@pytest.mark.parametrize(
    ("period", "frequency", "seconds"),
    [
        ("hourly", "", 3600.0),
        ("Daily", "2", 43_200.0),
        ("weekly", "1", 604_800.0),
        ("monthly", "1", 2_592_000.0),
        ("yearly", "1", 31_536_000.0),
        ("hourly", "0", None),
        ("hourly", "x", None),
        ("fortnightly", "1", None),
        ("", "4", None),
    ],
)
def test_the_syndication_module(period: str, frequency: str, seconds: float | None) -> None:
    raw = RawFeed("rss", update_period=period, update_frequency=frequency)
    assert poll_hints(raw).update_interval == seconds


def test_hours_and_days_to_skip() -> None:
    raw = RawFeed(
        "rss",
        skip_hours=["0", "07", "24", "25", "-1", "x", ""],
        skip_days=["Monday", "SUN", "thu", "", "Funday"],
    )
    assert poll_hints(raw) == PollHints(
        skip_hours=frozenset({0, 7}), skip_days=frozenset({0, 3, 6})
    )


def test_skipping_everything_makes_no_sense() -> None:
    raw = RawFeed(
        "rss",
        skip_hours=[str(hour) for hour in range(24)],
        skip_days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    )
    assert poll_hints(raw) == PollHints()
