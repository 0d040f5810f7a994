"""What an output shows of what it may show: filters by words, shares, order, pages. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aggregator.config.output_settings import OutputSettings
from aggregator.text_rules import Rule, matches
from storage.values.publish import Listed, Wording

_T = TypeVar("_T")

ROLLING_NEWEST = 1_000
"""An output that shows a choice of its newest chooses among so many."""


@dataclass(frozen=True, slots=True)
class WordFilter:
    """The compiled rules of an output."""

    include: tuple[Rule, ...]
    exclude: tuple[Rule, ...]

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)


@dataclass(frozen=True, slots=True)
class Admission:
    """What passed a filter by words, and for how many items a rule took too long to tell."""

    ids: tuple[int, ...]
    undecided: int = 0


def word_filter(output: OutputSettings) -> WordFilter:
    """The rules of ``output``, compiled."""
    return WordFilter(
        tuple(item.rule() for item in output.include),
        tuple(item.rule() for item in output.exclude),
    )


def admit(ids: Iterable[int], wordings: Mapping[int, Wording], rules: WordFilter) -> Admission:
    """Those of ``ids`` that any rule to include finds something in, and no rule to exclude.

    A rule that took too long found nothing.
    """
    admitted, undecided = [], 0
    for item in ids:
        wording = wordings.get(item)
        if wording is None:
            continue
        wanted = [matches(rule, wording.title, wording.text) for rule in rules.include]
        unwanted = [matches(rule, wording.title, wording.text) for rule in rules.exclude]
        undecided += None in (*wanted, *unwanted)
        if (True in wanted or not rules.include) and True not in unwanted:
            admitted.append(item)
    return Admission(tuple(admitted), undecided)


def says_all(wording: Wording, words: Sequence[str]) -> bool:
    """Whether every one of ``words`` (case-folded) is somewhere in the title or the text."""
    said = f"{wording.title}\n{wording.text}".casefold()
    return all(word in said for word in words)


def choose(
    listed: Sequence[Listed], *, covered: bool, per_source: int | None, limit: int
) -> tuple[Listed, ...]:
    """The entries of a document, from what there is, newest first.

    First the order, then each source's share, then the limit: so a source that publishes much
    gives way to others, not to nothing.
    """
    if covered:
        listed = sorted(listed, key=lambda item: (-item.outlets, -item.position))
    if per_source is not None:
        led: Counter[int | None] = Counter()
        shared = []
        for item in listed:
            led[item.source_id] += 1
            if led[item.source_id] <= per_source:
                shared.append(item)
        listed = shared
    return tuple(listed[:limit])


def split(items: Sequence[_T], size: Callable[[_T], int], limit: int) -> tuple[tuple[_T, ...], ...]:
    """``items`` in pages, in order: each as full as ``limit`` allows, none empty but the only one.

    An item larger than ``limit`` has a page to itself.
    """
    pages: list[list[_T]] = [[]]
    room = limit
    for item in items:
        takes = size(item)
        if pages[-1] and takes > room:
            pages.append([])
            room = limit
        pages[-1].append(item)
        room -= takes
    return tuple(map(tuple, pages))
