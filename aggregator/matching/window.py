"""The articles that a new one is compared with: their fingerprints, frequencies and index.

All of it follows from the articles in the window alone, so a window rebuilt from storage answers
like one that never stopped.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import TERMS, Background
from aggregator.matching.fingerprint import WEIGHT, Fingerprint, Packed
from aggregator.matching.index import Postings

BACKGROUND_WEIGHT: Final = 2_000.0
"""How many articles of the stream the background frequencies count for."""
PROBES: Final = 32
"""Terms of a new article that are looked up: its weightiest."""
PROBE_LIMIT: Final = 256
CANDIDATES: Final = 64
BUDGET: Final = 4_500
"""Entries of candidates that are compared: some two dozen long articles, or more short ones."""

Floats = npt.NDArray[np.float32]


class Window:
    """Fingerprints by slot, with document frequencies and the inverted index over them."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._counts = np.zeros(TERMS, dtype=np.int32)
        self.log_counts = _log(self._counts, background.shares)
        self._documents: dict[str, int] = {}
        self._postings = Postings()
        self._rows: dict[int, Fingerprint] = {}
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
        self._rows[slot] = fingerprint
        terms = self._count(fingerprint, 1)
        self._postings.add(slot, terms)
        return slot

    def evict(self) -> None:
        """Forget the oldest article."""
        self._count(self._rows.pop(self.oldest), -1)
        self.oldest += 1
        self._postings.drop_before(self.oldest)

    def _count(self, fingerprint: Fingerprint, sign: int) -> Packed:
        terms = fingerprint.packed >> np.uint32(8)
        counts = self._counts[terms] + sign
        self._counts[terms] = counts
        self.log_counts[terms] = _log(counts, self._background.shares[terms])
        language = fingerprint.language
        self._documents[language] = self._documents.get(language, 0) + sign
        return terms

    def log_size(self, language: str) -> float:
        """The logarithm of how many articles a language's frequencies rest on."""
        known = BACKGROUND_WEIGHT if language in self._background.documents else 10.0
        return float(np.log(self._documents.get(language, 0) + known + 1.0))

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
        known = np.flatnonzero(self._counts[terms])
        if len(known) > PROBES:
            known = known[np.argsort(-weights[known], kind="stable")[:PROBES]]
        slots, which = self._postings.find(terms[known], PROBE_LIMIT)
        if not len(slots):
            return []
        distinct, inverse = np.unique(slots, return_inverse=True)
        scores = np.bincount(inverse, (weights * idf)[known][which])
        best = np.lexsort((-distinct, -scores))[:CANDIDATES]
        return self._within_budget(distinct[best].tolist())

    def _within_budget(self, slots: list[int]) -> list[int]:
        entries = 0
        for count, slot in enumerate(slots):
            entries += len(self._rows[slot].packed)
            if entries > BUDGET:
                return slots[:count]
        return slots


def _log(counts: npt.NDArray[np.int32], shares: Floats) -> Floats:
    return np.log(counts + shares * np.float32(BACKGROUND_WEIGHT) + np.float32(0.5)).astype(
        np.float32
    )
