"""Guids: made where they are missing, told apart where they repeat, recognised where they flip."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.parsing.identity import (
    MAX_GUID,
    ambiguous_guids,
    entry_key,
    hashed_guid,
    recognise,
    same_guid_key,
    tell_apart,
)

A, B, B2, C = (
    ("g", "https://ex.com/a", "A"),
    ("g", "https://ex.com/b", "B"),
    ("g", "https://ex.com/b", "B2"),
    ("h", "", "C"),
)


@pytest.mark.parametrize(
    ("guid", "link", "key"),
    [
        ("g", "https://ex.com/", "g"),
        ("  a \n b ", "", "a b"),
        ("", "https://ex.com/a?utm_source=rss#comments", "https://ex.com/a#comments"),
        (" \n", "https://ex.com/a", "https://ex.com/a"),
        ("", "/relative", "/relative"),
        ("", "", ""),
    ],
)
def test_guid_else_link(guid: str, link: str, key: str) -> None:
    assert entry_key(guid, link) == key


def test_a_huge_guid_becomes_a_stable_hash() -> None:
    huge = "x" * 100_000
    assert len(entry_key(huge, "")) < MAX_GUID
    assert entry_key(huge, "") == entry_key(huge, "") != entry_key(f"{huge}y", "")
    assert entry_key("x" * MAX_GUID, "") == "x" * MAX_GUID


def test_hashed_guids_keep_their_parts_apart() -> None:
    assert hashed_guid("a", "b") == hashed_guid("a", "b")
    assert hashed_guid("a", "b") != hashed_guid("ab", "") != hashed_guid("", "ab")


def test_guids_that_occur_once_stay() -> None:
    assert tell_apart([A, C]) == ["g", "h"]


def test_entries_that_share_a_guid_are_told_apart_by_link() -> None:
    first, second, other = tell_apart([A, B, C])
    assert other == "h"
    assert first != second
    assert {"g"} == ambiguous_guids(filter(None, [first, second, other]))


def test_entries_that_share_guid_and_link_are_told_apart_by_title() -> None:
    assert len(set(tell_apart([A, B, B2]))) == 3


def test_repetitions_are_dropped_and_the_first_stays() -> None:
    guids = tell_apart([A, B, A])
    assert guids[2] is None
    assert guids[0] is not None


def test_each_keeps_its_guid_while_others_come_and_go() -> None:
    first, second = tell_apart([A, B])
    assert tell_apart([C, B, A]) == ["h", second, first]
    ambiguous = ambiguous_guids(filter(None, [first, second]))
    assert tell_apart([B], ambiguous) == [second]
    assert tell_apart([("g", "https://ex.com/d", "D"), A], ambiguous)[1] == first


heads = st.lists(
    st.tuples(st.sampled_from("ghi"), st.sampled_from(["", "l", "m"]), st.sampled_from("TUV")),
    max_size=8,
)


@given(heads, st.sets(st.sampled_from("ghi")))
def test_told_apart_guids_differ_and_do_not_depend_on_the_order(
    entries: list[tuple[str, str, str]], ambiguous: set[str]
) -> None:
    guids = tell_apart(entries, ambiguous)
    kept = [guid for guid in guids if guid is not None]
    assert len(kept) == len(set(kept))
    assert {entry for entry, guid in zip(entries, guids, strict=True) if guid is None} <= set(
        entries
    )
    shuffled = random.Random(7).sample(entries, len(entries))
    assert set(kept) == {guid for guid in tell_apart(shuffled, ambiguous) if guid is not None}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://ex.com/?p=1", "https://www.ex.com/?p=1", True),
        ("https://ex.com/a?utm_source=rss", "https://ex.com/a/", True),
        ("https://ex.com/?p=1", "https://ex.com/?p=2", False),
        ("https://ex.com/a", "https://ex.org/a", False),
        ("tag:ex.com,2026:1", "tag:ex.com,2026:1", True),
        ("tag:ex.com,2026:1", "tag:ex.com,2026:2", False),
        ("ABC", "abc", False),
    ],
)
def test_same_guid_key(one: str, other: str, same: bool) -> None:
    assert (same_guid_key(one) == same_guid_key(other)) is same


def test_a_flip_of_scheme_is_recognised_guid_by_guid() -> None:
    known = ["http://ex.com/?p=1", "http://ex.com/?p=2", "tag:x,1:1"]
    arrived = ["https://www.ex.com/?p=2", "https://www.ex.com/?p=3", "tag:x,1:1"]
    assert recognise(arrived, known) == {"https://www.ex.com/?p=2": "http://ex.com/?p=2"}


def test_what_is_known_is_never_taken_for_something_else() -> None:
    known = ["http://ex.com/a", "https://ex.com/a"]
    assert recognise(["http://ex.com/a", "https://ex.com/a"], known) == {}


def test_one_new_guid_among_known_ones_is_no_flip() -> None:
    known = ["http://ex.com/a", "http://ex.com/b", "http://ex.com/c"]
    assert recognise(["http://ex.com/b", "http://ex.com/c", "https://ex.com/a"], known) == {}


def test_an_ambiguous_key_recognises_nothing() -> None:
    assert recognise(["https://www.ex.com/a"], ["http://ex.com/a", "https://ex.com/a"]) == {}


def test_two_arrivals_with_one_key_recognise_nothing() -> None:
    assert recognise(["https://ex.com/a", "https://www.ex.com/a"], ["http://ex.com/a"]) == {}


def test_a_feed_that_moved_to_another_host_is_recognised() -> None:
    known = [f"http://staging.ex.net/?p={n}" for n in range(20)]
    arrived = [f"https://ex.com/?p={n}" for n in range(10, 22)]
    expected = {f"https://ex.com/?p={n}": f"http://staging.ex.net/?p={n}" for n in range(10, 20)}
    assert recognise(arrived, known) == expected


@pytest.mark.parametrize(
    "arrived",
    [
        ["https://ex.com/?p=1", "https://ex.com/?p=2"],  # too few
        [*(f"https://ex.com/?p={n}" for n in range(5)), "http://old.ex/?p=19"],  # old host remains
        [f"https://ex.com/?p={n}" for n in range(17, 30)],  # most are unknown
        ["https://ex.com/", "https://ex.com/about", "https://ex.com/news"],  # no address of its own
    ],
)
def test_another_host_alone_recognises_nothing(arrived: list[str]) -> None:
    known = [
        *(f"http://old.ex/?p={n}" for n in range(20)),
        *("http://old.ex/", "http://old.ex/about", "http://old.ex/news"),
    ]
    assert recognise(arrived, known) == {}


@given(st.lists(st.text(max_size=20), max_size=6), st.lists(st.text(max_size=20), max_size=6))
def test_recognise_gives_new_guids_known_ones_each_once(
    arrived: list[str], known: list[str]
) -> None:
    found = recognise(arrived, known)
    assert set(found) <= set(arrived) - set(known)
    assert set(found.values()) <= set(known)
    assert len(set(found.values())) == len(found)
