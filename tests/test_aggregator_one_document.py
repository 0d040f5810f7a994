"""Which articles are one document under two addresses."""

from dataclasses import replace
from typing import Any

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from aggregator.stages.extract.one_document import addresses_said, one_document, sort_out
from feeds.model import PageReading
from storage.values.fold import FoldArticle

URL = "https://times.example/news/bridge"
WIRE = "https://wire.example/b"
TEXT = " ".join(f"word{n}" for n in range(60))


def page(**changes: Any) -> PageReading:
    return replace(PageReading(url=URL, title="", text="", html="", matching_text=""), **changes)


@pytest.mark.parametrize(
    ("key", "said", "expected"),
    [
        (URL, page(), (None, None)),
        (URL, page(canonical_url=URL), (None, None)),
        (f"{URL}?id=7", page(canonical_url=URL), (URL, None)),
        ("https://short.example/x7", page(), (URL, None)),  # where its redirect ended
        (URL, page(canonical_url=f"{WIRE}?utm_source=x"), (None, WIRE)),
        (f"{URL}?id=7", page(canonical_url=URL, wall="consent"), (None, None)),
        (f"{URL}#post-7", page(canonical_url=URL), (None, None)),
        (f"{URL}?id=7", None, (None, None)),
    ],
)
def test_what_a_page_says_of_its_address(
    key: str, said: PageReading | None, expected: tuple[str | None, str | None]
) -> None:
    assert addresses_said(key, said) == expected


def article(number: int, *addresses: str, **changes: Any) -> FoldArticle:
    known = FoldArticle(
        id=number,
        url=URL,
        title="Harbour bridge closed until the spring",
        matching_text=TEXT,
        publisher="times.example",
        language="en",
        published=NOW,
        arrived_at=NOW,
        addresses=addresses,
    )
    return replace(known, **changes)


def test_the_one_folded_first_stays() -> None:
    old = article(1, "a", fold_order=1, story_key=1)
    late = article(2, "b", "a")
    found = sort_out([late], {2: old})
    assert (found.batch, [(m.gone.id, m.stays.id) for m in found.merges]) == ((), [(2, 1)])

    read_again = article(1, "a", "b", fold_order=7, story_key=1)
    elder = article(2, "b", fold_order=3, story_key=2)
    found = sort_out([read_again], {1: elder})
    assert (found.batch, [(m.gone.id, m.stays.id) for m in found.merges]) == ((), [(1, 2)])
    found = sort_out([replace(read_again, fold_order=2)], {1: elder})
    assert ([a.id for a in found.batch], found.merges[0].gone.id) == ([1], 2)


def test_of_two_new_ones_the_second_waits() -> None:
    found = sort_out([article(1, "a"), article(2, "b", "a"), article(3, "c")], {})
    assert ([one.id for one in found.batch], found.merges) == ([1, 3], ())


def test_what_says_something_else_is_another_article() -> None:
    other = article(1, "a", title="Volcano erupts", matching_text="ash " * 60, fold_order=1)
    late = article(2, "b", "a")
    assert [one.id for one in sort_out([late], {2: other}).batch] == [2]
    assert one_document(late, replace(other, title=late.title.upper()))
    assert one_document(late, replace(other, matching_text=f"{TEXT} and more " + "of it " * 30))
    assert not one_document(replace(late, matching_text=""), replace(other, matching_text=""))


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E80)))
    one = article(1, "a", title="大桥关闭", matching_text=text)
    assert one_document(one, article(2, "a", title="另一个标题", matching_text=f"图{text}。"))
    assert not one_document(one, article(2, "a", title="另一个标题", matching_text=text[::-1]))


articles = st.builds(
    article,
    st.integers(1, 9),
    st.sampled_from("abc"),
    st.sampled_from("abcd"),
    title=st.sampled_from(["Harbour bridge closed until the spring", "Volcano"]),
    fold_order=st.none() | st.integers(1, 9),
)


@given(
    st.lists(articles, max_size=6, unique_by=lambda one: one.id),
    st.dictionaries(st.integers(1, 9), articles.filter(lambda one: one.fold_order is not None)),
)
def test_nothing_is_both_merged_and_folded_or_merged_into_what_is_gone(
    batch: list[FoldArticle], twins: dict[int, FoldArticle]
) -> None:
    found = sort_out(batch, {key: twin for key, twin in twins.items() if twin.id != key})
    gone = [merge.gone.id for merge in found.merges]
    assert len(gone) == len(set(gone))
    assert not set(gone) & {one.id for one in found.batch}
    assert not set(gone) & {merge.stays.id for merge in found.merges}


@given(
    st.lists(articles, min_size=1, max_size=6, unique_by=lambda one: one.id),
    st.dictionaries(st.integers(1, 9), articles.filter(lambda one: one.fold_order is not None)),
)
def test_every_batch_gets_something_done(
    batch: list[FoldArticle], twins: dict[int, FoldArticle]
) -> None:
    found = sort_out(batch, {key: twin for key, twin in twins.items() if twin.id != key})
    assert found.batch or found.merges
