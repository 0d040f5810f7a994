"""The articles that a new one is compared with: their fingerprints, frequencies and index.

All of it follows from the articles in the window alone, so a window rebuilt from storage answers
like one that never stopped.
"""

import math
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from aggregator.matching.arena import Arena
from aggregator.matching.background import TERMS, Background
from aggregator.matching.fingerprint import IN_TITLE, WEIGHT, Fingerprint, Packed
from aggregator.matching.index import Postings

BACKGROUND_WEIGHT: Final = 2_000.0
"""How many articles of the stream the background frequencies count for."""
POSTED: Final = 64
"""Terms of an article that it can be found by: its weightiest."""
PROBES: Final = 32
"""Terms of a new article that are looked up: its weightiest."""
PROBE_LIMIT: Final = 256
PROBE_BUDGET: Final = 4_096
"""Postings that are read for one article, the weightiest terms first."""
CANDIDATES: Final = 64
BUDGET, UNCHOSEN = 3_000, 450
"""Entries of candidates that are compared: some sixteen long articles, or more short ones; and how
many whatever they share, beyond which it must be ``_ALIKE`` of what could be shared."""
_ALIKE = 0.06
NEIGHBOURS: Final = 8
"""How many of an article's best body cosines are remembered, for ranks and margins."""

_FACTS = 4
_ENTRIES = 0
_IMPACT = np.float32(16)
_LEAST_IDF = np.float32(0.05)
_Number = TypeVar("_Number", bound=np.generic)
Floats = npt.NDArray[np.float32]
Slots = npt.NDArray[np.int64]


class Held(NamedTuple):
    """Some articles of the window: their entries, titles, languages, ``facts`` and ``nearest``.

    ``nearest`` are the best body cosines so far, falling.
    """

    packed: list[Packed]
    titles: list[str]
    languages: list[str]
    facts: Floats
    nearest: Floats


class Window:
    """Fingerprints by slot, with document frequencies and the inverted index over them.

    They stand in columns, addressed by slot modulo their length, and in one arena: an object for
    each article would be larger, and slower to walk through.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        # The stream's counts and, blended in, the background's.
        self._counts = np.zeros(TERMS, dtype=np.int32)
        self._known = background.shares * np.float32(BACKGROUND_WEIGHT) + np.float32(0.5)
        self.log_counts = np.log(self._known)
        self._documents: dict[str, int] = {}
        self._postings = Postings()
        self._arena = Arena()
        self._mask = 1_023
        self._places = np.zeros(self._mask + 1, dtype=np.int64)
        self._sizes = np.zeros((self._mask + 1, 4), dtype=np.uint16)
        self._published = np.zeros(self._mask + 1, dtype=np.float64)
        self._facts = np.zeros((self._mask + 1, _FACTS), dtype=np.float32)
        self._nearest = np.zeros((self._mask + 1, NEIGHBOURS), dtype=np.float32)
        self._impacts = np.zeros(self._mask + 1, dtype=np.int64)
        self._titles = [""] * (self._mask + 1)
        self._languages = [""] * (self._mask + 1)
        self._forgotten: set[int] = set()
        self.oldest = 0
        self.next = 0

    def __len__(self) -> int:
        return self.next - self.oldest - len(self._forgotten)

    def __contains__(self, slot: int) -> bool:
        return self.oldest <= slot < self.next and slot not in self._forgotten

    def __getitem__(self, slot: int) -> Fingerprint:
        at = slot & self._mask
        entries, shingles, words, title_words = self._sizes[at].tolist()
        [row] = self._arena.rows([int(self._places[at])], [entries + shingles])
        return Fingerprint(
            packed=row[:entries],
            shingles=row[entries:],
            title=self._titles[at],
            title_words=title_words,
            words=words,
            published=float(self._published[at]),
            language=self._languages[at],
        )

    def length(self, slot: int) -> int:
        """How many entries an article has."""
        return int(self._sizes[slot & self._mask, 0])

    def add(self, one: Fingerprint) -> int:
        """Take an article in; returns its slot."""
        if self.next - self.oldest > self._mask:
            self._grow()
        slot = self.next
        self.next += 1
        at = slot & self._mask
        self._places[at] = self._arena.add(np.concatenate((one.packed, one.shingles)))
        self._sizes[at] = len(one.packed), len(one.shingles), one.words, one.title_words
        self._published[at] = one.published
        self._facts[at] = facts(one)
        self._nearest[at] = 0
        self._titles[at] = one.title
        self._languages[at] = sys.intern(one.language)
        terms = one.packed >> np.uint32(8)
        self._count(terms, one.language, 1)
        self._postings.add(slot, self._posted(one.packed, terms))
        return slot

    def evict(self) -> None:
        """Forget the oldest article."""
        if self.oldest not in self._forgotten:
            self.forget(self.oldest)
        self._forgotten.discard(self.oldest)
        self.oldest += 1
        self._postings.drop_before(self.oldest)
        if self.oldest < self.next:
            self._arena.drop_before(int(self._places[self.oldest & self._mask]))

    def forget(self, slot: int) -> None:
        """Let go of one article; its place stays until it is the oldest."""
        one = self[slot]
        self._count(one.packed >> np.uint32(8), one.language, -1)
        self._titles[slot & self._mask] = ""
        self._forgotten.add(slot)

    def _grow(self) -> None:
        """Twice as many columns; called when they are all in use."""
        held = np.arange(self.oldest, self.next)
        before = held & self._mask
        self._mask = 2 * self._mask + 1
        after = held & self._mask
        self._places = _moved(self._places, before, after)
        self._sizes = _moved(self._sizes, before, after)
        self._published = _moved(self._published, before, after)
        self._facts = _moved(self._facts, before, after)
        self._nearest = _moved(self._nearest, before, after)
        self._impacts = np.zeros(self._mask + 1, dtype=np.int64)
        # The second half of the new places holds the same articles: one of the two is free.
        self._titles *= 2
        self._languages *= 2

    def _posted(self, packed: Packed, terms: Packed) -> Packed:
        """The terms to be found by, chosen by the article and the background alone."""
        if len(terms) <= POSTED:
            return terms
        importance = (packed & np.uint32(WEIGHT)) * self._background.rarity[terms]
        importance += ((packed & np.uint32(IN_TITLE)) > 0) * np.float32(100)
        return terms[(-importance).argsort(kind="stable")[:POSTED]]

    def _count(self, terms: Packed, language: str, sign: int) -> None:
        at = terms.astype(np.intp)  # which indexing would otherwise do each time
        counts = self._counts[at] + np.int32(sign)
        self._counts[at] = counts
        self.log_counts[at] = np.log(self._known[at] + counts.astype(np.float32))
        self._documents[language] = self._documents.get(language, 0) + sign

    def log_size(self, language: str) -> float:
        """The logarithm of how many articles a language's frequencies rest on."""
        known = BACKGROUND_WEIGHT if language in self._background.documents else 10.0
        return float(np.log(self._documents.get(language, 0) + known + 1.0))

    def held(self, slots: Sequence[int]) -> Held:
        """What is compared of some articles."""
        at = np.array(slots) & self._mask
        places, entries = self._places[at].tolist(), self._sizes[at, 0].tolist()
        columns = at.tolist()
        return Held(
            self._arena.rows(places, entries),
            [self._titles[column] for column in columns],
            [self._languages[column] for column in columns],
            self._facts[at],
            self._nearest[at],
        )

    def burst(self, terms: npt.NDArray[np.integer]) -> Floats:
        """How much commoner terms are in the window than the background expects: a log ratio."""
        half = np.float32(0.5)
        expected = self._background.shares.take(terms) * np.float32(len(self)) + half
        burst: Floats = np.log((self._counts.take(terms) + half) / expected)
        return burst

    def remember(self, slot: int, others: Sequence[int | None], cosines: Sequence[float]) -> None:
        """Note the best body cosines of a new article with earlier ones, for both sides.

        None stands for an article that has left the window since.
        """
        best = sorted(zip(cosines, range(len(cosines)), strict=True), reverse=True)[:NEIGHBOURS]
        self._nearest[slot & self._mask, : len(best)] = [cosine for cosine, _ in best]
        held = [(other, c) for c, at in best if (other := others[at]) is not None]
        if not held:
            return
        at = np.array([other for other, _ in held]) & self._mask
        wider = np.empty((len(held), NEIGHBOURS + 1), dtype=np.float32)
        wider[:, :-1] = self._nearest[at]
        wider[:, -1] = [cosine for _, cosine in held]
        wider.sort(axis=1)
        self._nearest[at] = wider[:, :0:-1]

    def candidates(self, fingerprint: Fingerprint) -> list[int]:
        """The slots most like ``fingerprint`` by its weightiest terms, best first."""
        packed = fingerprint.packed
        terms = packed >> np.uint32(8)
        places = terms.astype(np.intp)  # which indexing would otherwise do each time
        idf = self.log_counts.take(places)
        idf = np.maximum(np.float32(self.log_size(fingerprint.language)) - idf, _LEAST_IDF)
        weights = idf * (packed & np.uint32(WEIGHT))
        order = (-weights).argsort(kind="stable")
        impacts = (weights * idf * _IMPACT).astype(np.int64) + 1
        utmost = impacts[order[:PROBES]].sum()
        counts = self._counts.take(places)
        probes = order[counts.take(order) > 0][:PROBES]
        reach = np.minimum(counts.take(probes), PROBE_LIMIT).cumsum()
        probes = probes[: max(int(reach.searchsorted(PROBE_BUDGET, "right")), 1)]
        probes.sort()  # which the index is searched faster by
        slots, which = self._postings.find(terms.take(probes), PROBE_LIMIT)
        if not len(slots):
            return []
        at = slots & self._mask
        np.add.at(self._impacts, at, impacts.take(probes).take(which))
        keys = (self._impacts.take(at) << 32) | slots
        self._impacts[at] = 0
        keys.sort()
        keys = keys[::-1]
        first = np.empty(len(keys), dtype=np.bool_)
        first[0] = True
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        best = keys[first][:CANDIDATES]
        slots = best & 0xFFFFFFFF
        entries = self._facts[slots & self._mask, _ENTRIES].cumsum()
        alike = (best >> 32) > utmost * _ALIKE
        found: list[int] = slots[(entries < UNCHOSEN) | (alike & (entries <= BUDGET))].tolist()
        if self._forgotten:
            return [slot for slot in found if slot not in self._forgotten]
        return found


def facts(fingerprint: Fingerprint) -> tuple[float, float, float, float]:
    """Entries, day of publication, logarithms of one more than the words and title words."""
    return (
        len(fingerprint.packed),
        fingerprint.published,
        math.log1p(fingerprint.words),
        math.log1p(fingerprint.title_words),
    )


def _moved(old: npt.NDArray[_Number], before: Slots, after: Slots) -> npt.NDArray[_Number]:
    new = np.zeros((2 * len(old), *old.shape[1:]), dtype=old.dtype)
    new[after] = old[before]
    return new
