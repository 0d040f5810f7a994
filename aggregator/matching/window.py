"""The articles that a new one is compared with: their fingerprints, frequencies and index.

All of it follows from the articles in the window alone, so a window rebuilt from storage answers
like one that never stopped.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

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
BUDGET, UNCHOSEN = 3_000, 900
"""Entries of candidates that are compared: some sixteen long articles, or more short ones; and how
many whatever they share, beyond which it must be ``_ALIKE`` of what could be shared."""
_ALIKE = 0.03
NEIGHBOURS: Final = 8
"""How many of an article's best body cosines are remembered, for ranks and margins."""

_FACTS = 4
_IMPACT = np.float32(16)
Floats = npt.NDArray[np.float32]
Slots = npt.NDArray[np.int64]


class Window:
    """Fingerprints by slot, with document frequencies and the inverted index over them.

    Numbers that are wanted of many articles at once stand in columns, addressed by slot modulo
    their length: ``nearest`` holds the best body cosines of each article, falling.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        # The stream's counts and, blended in, the background's.
        self._counts = np.zeros(TERMS, dtype=np.int32)
        self._known = background.shares * np.float32(BACKGROUND_WEIGHT) + np.float32(0.5)
        self.log_counts = np.log(self._known)
        self._documents: dict[str, int] = {}
        self._postings = Postings()
        self._rows: dict[int, Fingerprint] = {}
        self._mask = 1_023
        self._nearest = np.zeros((self._mask + 1, NEIGHBOURS), dtype=np.float32)
        self._facts = np.zeros((self._mask + 1, _FACTS), dtype=np.float32)
        self._impacts = np.zeros(self._mask + 1, dtype=np.int64)
        self.oldest = 0
        self.next = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, slot: int) -> Fingerprint:
        return self._rows[slot]

    def add(self, fingerprint: Fingerprint) -> int:
        """Take an article in; returns its slot."""
        slot = self.next
        self.next += 1
        if slot - self.oldest > self._mask:
            self._grow()
        self._rows[slot] = fingerprint
        self._nearest[slot & self._mask] = 0
        self._facts[slot & self._mask] = facts(fingerprint)
        terms = self._count(fingerprint, 1)
        self._postings.add(slot, self._posted(fingerprint.packed, terms))
        return slot

    def evict(self) -> None:
        """Forget the oldest article."""
        if self.oldest in self._rows:
            self.forget(self.oldest)
        self.oldest += 1
        self._postings.drop_before(self.oldest)

    def forget(self, slot: int) -> None:
        """Let go of one article; its place in the index stays until it is the oldest."""
        self._count(self._rows.pop(slot), -1)

    def _grow(self) -> None:
        """Twice as many columns; called when they are all in use."""
        held = np.arange(self.oldest, self.next - 1)
        before = held & self._mask
        self._mask = 2 * self._mask + 1
        self._nearest = _moved(self._nearest, before, held & self._mask, self._mask + 1)
        self._facts = _moved(self._facts, before, held & self._mask, self._mask + 1)
        self._impacts = np.zeros(self._mask + 1, dtype=np.int64)

    def _posted(self, packed: Packed, terms: Packed) -> Packed:
        """The terms to be found by, chosen by the article and the background alone."""
        if len(terms) <= POSTED:
            return terms
        importance = (packed & np.uint32(WEIGHT)) * self._background.rarity[terms]
        importance += ((packed & np.uint32(IN_TITLE)) > 0) * np.float32(100)
        return terms[(-importance).argsort(kind="stable")[:POSTED]]

    def _count(self, fingerprint: Fingerprint, sign: int) -> Packed:
        terms = fingerprint.packed >> np.uint32(8)
        at = terms.astype(np.intp)  # which indexing would otherwise do each time
        counts = self._counts[at] + np.int32(sign)
        self._counts[at] = counts
        self.log_counts[at] = np.log(self._known[at] + counts.astype(np.float32))
        language = fingerprint.language
        self._documents[language] = self._documents.get(language, 0) + sign
        return terms

    def log_size(self, language: str) -> float:
        """The logarithm of how many articles a language's frequencies rest on."""
        known = BACKGROUND_WEIGHT if language in self._background.documents else 10.0
        return float(np.log(self._documents.get(language, 0) + known + 1.0))

    def nearest(self, slots: Sequence[int]) -> Floats:
        """The best body cosines so far of some articles, falling."""
        nearest: Floats = self._nearest[np.array(slots) & self._mask]
        return nearest

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

    def facts(self, slots: Sequence[int]) -> Floats:
        """``facts`` of some articles, a row for each."""
        told: Floats = self._facts[np.array(slots) & self._mask]
        return told

    def idf(self, terms: Packed, language: str) -> Floats:
        """Inverse document frequencies in a language, background blended in."""
        idf: Floats = np.maximum(np.float32(self.log_size(language)) - self.log_counts[terms], 0.05)
        return idf

    def candidates(self, fingerprint: Fingerprint) -> list[int]:
        """The slots most like ``fingerprint`` by its weightiest terms, best first."""
        packed = fingerprint.packed
        terms = packed >> np.uint32(8)
        idf = self.idf(terms, fingerprint.language)
        weights = idf * (packed & np.uint32(WEIGHT))
        order = (-weights).argsort(kind="stable")
        impacts = (weights * idf * _IMPACT).astype(np.int64) + 1
        utmost = impacts[order[:PROBES]].sum()
        counts = self._counts[terms]
        probes = order[counts[order] > 0][:PROBES]
        reach = np.minimum(counts[probes], PROBE_LIMIT).cumsum()
        probes = np.sort(probes[: max(int(reach.searchsorted(PROBE_BUDGET, "right")), 1)])
        slots, which = self._postings.find(terms[probes], PROBE_LIMIT)
        if not len(slots):
            return []
        at = slots & self._mask
        np.add.at(self._impacts, at, impacts[probes[which]])
        keys = (self._impacts[at] << 32) | slots
        self._impacts[at] = 0
        keys.sort()
        best = keys[::-1]
        best = best[np.concatenate(([True], best[1:] != best[:-1]))][:CANDIDATES]
        slots = best & 0xFFFFFFFF
        entries = self._facts[slots & self._mask, 0].cumsum()
        alike = (best >> 32) > utmost * _ALIKE
        found: list[int] = slots[(entries < UNCHOSEN) | (alike & (entries <= BUDGET))].tolist()
        return found


def facts(fingerprint: Fingerprint) -> tuple[float, float, float, float]:
    """Entries, day of publication, logarithms of one more than the words and title words."""
    return (
        len(fingerprint.packed),
        fingerprint.published,
        math.log1p(fingerprint.words),
        math.log1p(fingerprint.title_words),
    )


def _moved(old: Floats, before: Slots, after: Slots, size: int) -> Floats:
    new = np.zeros((size, old.shape[1]), dtype=np.float32)
    new[after] = old[before]
    return new
