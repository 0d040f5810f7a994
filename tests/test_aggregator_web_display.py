"""How values look: text that stays in its place, times, small pictures."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.display import (
    ago,
    briefly,
    clip,
    duration,
    language_tag,
    paragraphs,
    rate,
    share,
    tame,
    when,
)
from aggregator.web.plots import day_plot, sparkline, timeline

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "length", "clipped"),
    [
        ("short", 10, "short"),
        ("  two\n\twords\x00 ", 20, "two words"),
        ("one two three four", 12, "one two…"),
        ("first, two three", 9, "first…"),
        ("abcdefghijklmnop", 8, "abcdefgh…"),
        ("", 8, ""),
        ("\u202eevil\u202c \u2066x\u2069", 20, "evil x"),
    ],
)
def test_a_text_is_cut_at_a_word(shown: str, length: int, clipped: str) -> None:
    assert clip(shown, length) == clipped


def test_marks_do_not_pile_up() -> None:
    assert tame("a" + "\u0301" * 9 + "b\u0301") == "a" + "\u0301" * 3 + "b\u0301"
    assert tame("plain") == "plain"
    hindi = "क्षेत्रीय"
    assert tame(hindi) == hindi


@given(st.text(max_size=300), st.integers(1, 80))
def test_nothing_is_longer_than_it_may_be(shown: str, length: int) -> None:
    assert len(clip(shown, length)) <= length + 1
    assert "\n" not in clip(shown, length)


def test_paragraphs() -> None:
    assert paragraphs("One\nline.\n\n \n\nTwo.", 100) == ["One line.", "Two."]
    assert paragraphs("One.\n\n" + "x" * 100, 20) == ["One.", "x" * 14 + " …"]
    assert paragraphs("", 20) == []


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("en", "en"), ("zh_Hant", "zh-Hant"), (None, ""), ('"><b>', ""), ("english", ""), ("", "")],
)
def test_only_a_language_tag_is_one(tag: str | None, shown: str) -> None:
    assert language_tag(tag) == shown


def test_times() -> None:
    assert when(NOW) == "22 Nov 2026, 12:00 UTC"
    assert when(None) == briefly(None) == "undated"
    assert briefly(NOW) == "22 Nov 2026, 12:00"
    assert briefly(NOW, NOW - timedelta(days=90)) == "22 Nov, 12:00"
    assert briefly(NOW, NOW - timedelta(days=200)) == "22 Nov 2026, 12:00"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (None, "never"),
        (NOW, "now"),
        (NOW - timedelta(seconds=40), "40 s ago"),
        (NOW - timedelta(minutes=3), "3 min ago"),
        (NOW + timedelta(hours=5), "in 5 h"),
        (NOW - timedelta(hours=30), "30 h ago"),
        (NOW - timedelta(days=9), "9 days ago"),
        (datetime(9000, 1, 1, tzinfo=UTC), "not again"),
    ],
)
def test_how_long_ago(moment: datetime | None, words: str) -> None:
    assert ago(moment, NOW) == words


def test_figures() -> None:
    assert ago(NOW, None) == "22 Nov 2026, 12:00"
    assert duration(None) == share(None) == "\N{EN DASH}"
    assert duration(90) == "2 min"
    assert share(0.666) == "67%"
    assert [rate(n) for n in (0, 0.25, 9.96, 12.4)] == ["0", "0.2", "10.0", "12"]


def test_a_sparkline_stays_in_its_picture() -> None:
    bars = sparkline((0, 5, 10), width=30, height=20)
    assert [bar.height for bar in bars] == [1, 10, 20]
    assert [bar.y for bar in bars] == [19, 10, 0]
    assert bars[-1].x + bars[-1].width <= 30
    assert sparkline(()) == ()
    assert {bar.height for bar in sparkline((0, 0))} == {1}


def test_the_counts_of_a_day_stand_side_by_side() -> None:
    today = date(2026, 11, 22)
    plot = day_plot({"a": {today: 4}, "b": {today: 2}}, today, 3)
    assert plot.days == (date(2026, 11, 20), date(2026, 11, 21), today)
    last_a, last_b = plot.bars["a"][-1], plot.bars["b"][-1]
    assert (last_a.height, last_b.height) == (plot.height, plot.height / 2)
    assert last_a.x + last_a.width <= last_b.x + 0.11
    assert last_b.label == "22 Nov: 2 b"
    assert day_plot({"a": {}}, today, 3).highest == 0


def test_reports_of_one_moment_stand_on_each_other() -> None:
    reports = [(NOW, "a", False), (NOW, "b", True), (NOW + timedelta(hours=1), "c", False)]
    line = timeline(reports)
    assert [dot.label for dot in line.dots] == ["a", "b", "c"]
    assert line.dots[0].x == line.dots[1].x < line.dots[2].x
    assert line.dots[1].y < line.dots[0].y == line.dots[2].y
    assert [dot.is_copy for dot in line.dots] == [False, True, False]
    assert list(line.ticks) == ["22 Nov, 12:00", "22 Nov, 13:00"]
    assert all(0 < dot.y < line.height for dot in line.dots)


def test_one_moment_has_one_mark_and_one_report_no_timeline() -> None:
    assert len(timeline([(NOW, "a", False), (NOW, "b", False)]).ticks) == 1
    assert timeline([(NOW, "a", False)]).dots == ()
