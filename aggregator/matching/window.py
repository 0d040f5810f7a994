"""The articles that a new one is compared with: their fingerprints, frequencies and index.

All of it follows from the articles in the window alone, so a window rebuilt from storage answers
like one that never stopped.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import BUCKETS, KIND_OF_FIELD, KINDS, Background
from aggregator.matching.fingerprint import BODY, BUCKET_BITS, NAMES, NUMBERS, Fingerprint
from aggregator.matching.index import Entries, Ints, Postings

BACKGROUND_WEIGHT = 2_000.0
"""How many articles of the stream the background frequencies count for."""
PROBES = 32
"""Terms of a new article that are looked up: its weightiest."""
PROBE_LIMIT = 256
CANDIDATES = 64

Floats = npt.NDArray[np.float64]


class Window:
    """Fingerprints by slot, with document frequencies and the inverted index over them."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._frequencies = np.zeros(KINDS * BUCKETS, dtype=np.int32)
        self._documents: dict[str, int] = {}
        self._total = 0
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
        self._count(fingerprint, 1)
        self._postings.add(slot, _indexed(fingerprint))
        return slot

    def evict(self) -> None:
        """Forget the oldest article."""
        self._count(self._rows.pop(self.oldest), -1)
        self.oldest += 1
        self._postings.drop_before(self.oldest)

    def _count(self, fingerprint: Fingerprint, sign: int) -> None:
        self._frequencies[counted_keys(fingerprint)] += sign
        language = fingerprint.language
        self._documents[language] = self._documents.get(language, 0) + sign
        self._total += sign

    def idf(self, entries: Entries, languages: Floats | float) -> Floats:
        """Inverse document frequencies of entries (field and bucket), blended with background."""
        keys = frequency_keys(entries)
        counts = self._frequencies[keys] + self._background.shares[keys] * BACKGROUND_WEIGHT
        total = np.where(keys < BUCKETS, languages, self._total + BACKGROUND_WEIGHT)
        return np.log((total + 1.0) / (counts + 0.5)).clip(0.05)

    def language_size(self, language: str) -> float:
        """How many articles of a language the frequencies rest on."""
        known = self._background.documents.get(language, 0)
        return self._documents.get(language, 0) + (BACKGROUND_WEIGHT if known else 10.0)

    def candidates(self, fingerprint: Fingerprint) -> Ints:
        """The slots most like ``fingerprint`` by its weightiest terms, best first."""
        entries = _indexed(fingerprint)
        packed = fingerprint.packed
        fields = packed >> np.uint32(8 + BUCKET_BITS)
        packed = packed[(fields == BODY) | (fields == NAMES)]
        idf = self.idf(entries, self.language_size(fingerprint.language))
        weight = idf * (packed & np.uint32(255))
        seen = self._frequencies[frequency_keys(entries)] > 0
        entries, weight, idf = entries[seen], weight[seen], idf[seen]
        if len(entries) > PROBES:
            chosen = np.argpartition(-weight, PROBES)[:PROBES]
            entries, weight, idf = entries[chosen], weight[chosen], idf[chosen]
        slots, which = self._postings.find(entries, PROBE_LIMIT)
        if not len(slots):
            return slots
        distinct, inverse = np.unique(slots, return_inverse=True)
        scores = np.bincount(inverse, (weight * idf)[which])
        if len(distinct) > CANDIDATES:
            best = np.argpartition(-scores, CANDIDATES)[:CANDIDATES]
            distinct, scores = distinct[best], scores[best]
        return distinct[np.lexsort((-distinct, -scores))]


def _indexed(fingerprint: Fingerprint) -> Entries:
    packed = fingerprint.packed
    fields = packed >> np.uint32(8 + BUCKET_BITS)
    return packed[(fields == BODY) | (fields == NAMES)] >> np.uint32(8)


def counted_keys(fingerprint: Fingerprint) -> npt.NDArray[np.int64]:
    """The distinct terms of an article that count in frequencies: body, names and numbers."""
    fields = fingerprint.packed >> np.uint32(8 + BUCKET_BITS)
    counted = (fields == BODY) | (fields == NAMES) | (fields == NUMBERS)
    return frequency_keys(fingerprint.packed[counted] >> np.uint32(8))


def frequency_keys(entries: Entries) -> npt.NDArray[np.int64]:
    """Where the frequency of each entry's term is counted."""
    fields = entries >> np.uint32(BUCKET_BITS)
    buckets = (entries & np.uint32(BUCKETS - 1)).astype(np.int64)
    return KIND_OF_FIELD[fields] * BUCKETS + buckets
