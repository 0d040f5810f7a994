"""Articles made to harm: the matcher answers for each, and its work grows no faster than they do.

Work is counted, never timed: the pairs that are compared, and the lines of Python that run.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest

from aggregator.matching.document import Document
from aggregator.matching.fingerprint import MAX_TITLE
from aggregator.matching.matcher import Matcher
from aggregator.matching.model import Model
from aggregator.matching.pairs import Comparer

MODEL = Model.load()
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
MANY = 5_000
TITLE = "The same title for every item here"
PAIRS = 256
"""Pairs an article may be compared with on average, whatever comes."""

Documents = Callable[[int], list[Document]]


class CountingComparer(Comparer):
    pairs = 0

    def compare(self, window: Any, new: Any, others: Sequence[Any], *rest: Any) -> Any:
        self.pairs += len(others)
        return super().compare(window, new, others, *rest)


def article(number: int, title: str, text: str, **more: Any) -> Document:
    when = START + timedelta(minutes=number)
    fields = {"publisher": f"outlet {number}", "published": when, "language": "en", **more}
    return Document(id=number, title=title, text=text, arrived=when, **fields)


def fold(documents: Sequence[Document]) -> tuple[dict[int, int], int]:
    """The story of each, and how many pairs were compared."""
    matcher = Matcher(MODEL)
    matcher._comparer = counting = CountingComparer()
    found: dict[int, int] = {}
    for document in documents:
        result = matcher.add(document)
        for one in (result.decision, *result.moves):
            found[one.id] = one.story
    return found, counting.pairs


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of the matcher's Python ran."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    def enter(frame: FrameType, _event: str, _argument: object) -> Any:
        return count if "matching" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


def largest(stories: dict[int, int]) -> int:
    return max(Counter(stories.values()).values())


def one_title(count: int) -> list[Document]:
    return [article(number, TITLE, "") for number in range(count)]


def one_title_of_nobody(count: int) -> list[Document]:
    return [article(number, TITLE, "", publisher=None) for number in range(count)]


def one_title_of_one_source(count: int) -> list[Document]:
    return [article(number, TITLE, "", publisher="a") for number in range(count)]


def one_title_other_texts(count: int) -> list[Document]:
    chance = random.Random(5)
    words = [f"word{number}" for number in range(3_000)]
    return [article(n, TITLE, " ".join(chance.choices(words, k=60))) for n in range(count)]


def one_text(count: int) -> list[Document]:
    text = " ".join(f"word{number}" for number in range(80))
    return [article(number, TITLE, text) for number in range(count)]


def one_word(count: int) -> list[Document]:
    return [article(number, "Word", "word " * 300) for number in range(count)]


def nothing(count: int) -> list[Document]:
    return [article(number, "", "", publisher=None) for number in range(count)]


def chain(count: int) -> list[Document]:
    """Each shares nine words in ten with the one before."""
    chance = random.Random(7)
    words = [f"w{number}" for number in range(5_000)]
    text = chance.sample(words, 100)
    documents = []
    for number in range(count):
        documents.append(article(number, " ".join(text[:8]), " ".join(text)))
        for at in chance.sample(range(100), 10):
            text[at] = chance.choice(words)
    return documents


ALIKE = [
    one_title,
    one_title_of_nobody,
    one_title_of_one_source,
    one_title_other_texts,
    one_text,
    one_word,
    nothing,
    chain,
]


@pytest.mark.parametrize("documents", ALIKE, ids=lambda made: made.__name__)
def test_four_times_as_many_take_no_more_than_some_four_times_the_work(
    documents: Documents,
) -> None:
    few, many = documents(60), documents(240)
    assert lines_run(lambda: fold(many)) < 7 * lines_run(lambda: fold(few))
    stories, pairs = fold(many)
    assert len(stories) == len(many)
    assert pairs <= PAIRS * len(many)


@pytest.mark.parametrize("documents", [one_title, one_title_of_nobody])
def test_five_thousand_items_of_one_title_are_compared_with_a_few_each(
    documents: Documents,
) -> None:
    stories, pairs = fold(documents(MANY))
    assert len(stories) == MANY
    assert pairs <= PAIRS * MANY


def test_a_chain_of_near_copies_is_not_one_story() -> None:
    stories, pairs = fold(chain(1_000))
    assert largest(stories) < 200
    assert pairs <= PAIRS * 1_000


def test_empty_and_one_word_articles_stand_alone() -> None:
    for documents in (nothing(50), [article(n, "Fire", "") for n in range(50)]):
        assert largest(fold(documents)[0]) == 1


@pytest.mark.parametrize(
    "filler", ["word ", "x", "Имя ", "地震", "ไทย", "नमस्ते ", "\u202e\u0000", "e\u0301", "😀"]
)
def test_no_more_of_a_title_or_text_is_read_than_is_kept(filler: str) -> None:
    """Two megabytes are as much work as what of them is looked at."""
    small = "".join(filler for _ in range(20_000 // len(filler) + 1))
    huge = "".join(filler for _ in range(2_000_000 // len(filler) + 1))
    runs = [
        lines_run(lambda text=text: fold([article(n, text, text) for n in range(3)]))
        for text in (small, huge)
    ]
    assert runs[1] <= 1.01 * runs[0] + 100
    title_only, _ = fold([article(n, huge, "") for n in range(3)])
    assert len(title_only) == 3
    assert MAX_TITLE < 1_000


def test_mixed_scripts_are_told_apart_and_matched() -> None:
    mixed = "Землетрясение Amorra 地震 Santa Elva زلزال в порту 12 погибших Maria Teles"
    other = "Забастовка Velmark ストライキ Norrail إضراب на линиях 48 часов Peter Ankh"
    documents = [
        article(1, mixed[:40], mixed * 3, language=None),
        article(2, other[:40], other * 3, language=None),
        article(3, mixed[:40], mixed * 3, language=None),
    ]
    stories, _ = fold(documents)
    assert stories[1] == stories[3] != stories[2]
