"""Filters by words find what people mean, in any script, and never hold anything up."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.text_rules import MAX_TEXT, Rule, compile_keyword, compile_pattern, matches


def found(keyword: str, text: str) -> bool | None:
    return matches(Rule(compile_keyword(keyword)), text, "")


@pytest.mark.parametrize(
    ("keyword", "text", "there"),
    [
        ("bank", "The BANK of England", True),
        ("bank", "Riverbanks and bankers", False),
        ("bank*", "Bankers meet", True),
        ("bank*", "Riverbanks", False),
        ("us bank", "A US \n bank fails", True),
        ("us bank", "A US-bank fails", False),
        ("Élysée", "à l'élysée, hier", True),
        ("Élysée", "Champs-Élysées", False),
        ("кот", "Чёрный Кот спит", True),
        ("кот", "который час", False),
        ("地震", "東京で地震発生", True),
        ("C++", "Why C++ lives", True),
        ("(a+)+", "aaaa", False),
        (".", "no", False),
    ],
)
def test_a_keyword_is_a_word_or_phrase(keyword: str, text: str, there: bool) -> None:
    assert found(keyword, text) is there


@pytest.mark.parametrize("keyword", ["", "  ", "*", "x" * 2000])
def test_what_is_no_keyword_is_refused(keyword: str) -> None:
    with pytest.raises(ValueError, match="is no keyword"):
        compile_keyword(keyword)


def test_a_pattern_is_unicode_and_in_any_case() -> None:
    rule = Rule(compile_pattern(r"\bélys[ée]es?\b|\p{Han}{2}"))
    assert matches(rule, "Champs-Élysées", "")
    assert matches(rule, "", "東京")
    assert not matches(rule, "Elysium", "x")
    assert not matches(Rule(compile_pattern("(?-i:US)")), "us", "us")


def test_a_rule_looks_where_it_is_told() -> None:
    for place, expected in (("title", False), ("text", True), ("anywhere", True)):
        rule = Rule(compile_keyword("flood"), place)  # type: ignore[arg-type]
        assert matches(rule, "Rain", "A flood came") is expected


def test_a_text_is_searched_only_so_far() -> None:
    rule = Rule(compile_keyword("needle"))
    assert matches(rule, "", "x " * 100 + "needle")
    assert not matches(rule, "", "x" * MAX_TEXT + " needle")


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(\w+\s?)*$", r"(.*,){20}x", r"(a|aa)+$", r"(x+x+)+y"]
)
def test_a_pattern_that_goes_astray_is_refused_at_once(pattern: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ValueError, match="takes too long on some texts"):
        compile_pattern(pattern)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("pattern", ["[", "(", "a{2}{3}", "(?P<x", "x" * 2000])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no regular expression|is longer than"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"\w+\s+quake", ".*foo.*bar", r"(?:a++)+$", r"\d{4}-\d\d"])
def test_an_honest_pattern_is_taken(pattern: str) -> None:
    assert compile_pattern(pattern) is compile_pattern(pattern), "and probed once"


def test_what_still_takes_too_long_is_not_told() -> None:
    import regex

    rule = Rule(regex.compile(r"(z+)+$"), "text")
    begun = time.monotonic()
    assert matches(rule, "", "z" * 5000 + "!") is None
    assert time.monotonic() - begun < 5
    both = Rule(regex.compile(r"(z+)+$"))
    assert matches(both, "zz", "z" * 5000 + "!") is True, "what is found, is found"


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1, max_size=30).filter(lambda t: t.strip(" *") == t and t.split() == [t]))
def test_any_word_is_found_by_itself_and_among_others(word: str) -> None:
    pattern = compile_keyword(word)
    assert matches(Rule(pattern), word, "") is True
    assert matches(Rule(pattern), f"one, {word} two", "") is True
