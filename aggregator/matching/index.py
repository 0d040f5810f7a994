"""An inverted index over a moving window: which articles hold a term, newest first.

Slots (article numbers) only grow. New postings collect in a short tail that is searched whole; when
it is full it becomes a sorted, immutable segment, and segments of like size are merged, so that
adding stays cheap, looking up is a handful of binary searches, and a posting costs four bytes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import TERMS

_TAIL: Final = 4_096
_GROWTH: Final = 4
_LARGEST: Final = 1 << 25
MOST_WANTED: Final = 255

Ints = npt.NDArray[np.int32]
Entries = npt.NDArray[np.uint32]
Found = tuple[Ints, npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    terms: Entries
    offsets: Ints
    slots: Ints
    newest: int

    def find(self, wanted: Entries, limits: npt.NDArray[np.int64]) -> Found:
        """The newest slots of each wanted term up to its limit, and which term each is of."""
        at = np.minimum(self.terms.searchsorted(wanted), len(self.terms) - 1)
        which = (self.terms[at] == wanted).nonzero()[0]
        at = at[which]
        ends = self.offsets[at + 1]
        lengths = np.minimum(ends - self.offsets[at], limits[which])
        total = lengths.cumsum()
        if not len(total):
            return self.slots[:0], which
        where = np.arange(total[-1]) + (ends - total).repeat(lengths)
        return self.slots[where], which.repeat(lengths)


class Postings:
    """Term to slots; slots are added in growing order and dropped from the oldest."""

    def __init__(self) -> None:
        self._tail_terms = np.zeros(_TAIL, dtype=np.uint32)
        self._tail_slots = np.zeros(_TAIL, dtype=np.int32)
        self._used = 0
        self._segments: list[_Segment] = []
        self._oldest = 0
        # Which of the wanted terms a term is, counted from 1; all zero between calls.
        self._places = np.zeros(TERMS, dtype=np.uint8)

    def add(self, slot: int, terms: Entries) -> None:
        """Say that the article in ``slot`` holds ``terms`` (distinct, and not too many)."""
        if self._used + len(terms) > _TAIL:
            self._freeze()
        end = self._used + len(terms)
        self._tail_terms[self._used : end] = terms
        self._tail_slots[self._used : end] = slot
        self._used = end

    def drop_before(self, slot: int) -> None:
        """Forget the slots below ``slot``."""
        self._oldest = slot
        if slot % 256 == 0:
            self._segments = [s for s in self._segments if s.newest >= slot]

    def find(self, wanted: Entries, limit: int) -> Found:
        """The newest ``limit`` slots of each wanted term, and for each slot which term it is of.

        At most ``MOST_WANTED`` terms. What is found does not depend on how the index happens to be
        cut into segments.
        """
        found = [self._in_tail(wanted, limit)]
        left = limit - np.bincount(found[0][1], minlength=len(wanted))
        for segment in reversed(self._segments):
            more = segment.find(wanted, left)
            if len(more[1]):
                found.append(more)
                left -= np.bincount(more[1], minlength=len(wanted))
        slots = np.concatenate([slots for slots, _ in found])
        which = np.concatenate([which for _, which in found])
        if self._segments and self._oldest:
            alive = slots >= self._oldest
            return slots[alive], which[alive]
        return slots, which

    def _in_tail(self, wanted: Entries, limit: int) -> Found:
        self._places[wanted] = np.arange(1, len(wanted) + 1)
        places = self._places[self._tail_terms[: self._used]]
        self._places[wanted] = 0
        at = places.nonzero()[0]
        which = places[at].astype(np.int64) - 1
        if len(at) > limit:
            # The newest of each term: its last ones, the tail being in order of arrival.
            order = which.argsort(kind="stable")
            counts = np.bincount(which, minlength=len(wanted))
            ends = counts.cumsum()
            from_end = ends.repeat(counts) - np.arange(len(order))
            kept = order[from_end <= limit]
            at, which = at[kept], which[kept]
        slots = self._tail_slots[at]
        alive = slots >= self._oldest
        return slots[alive], which[alive]

    def _freeze(self) -> None:
        terms, slots = self._tail_terms[: self._used], self._tail_slots[: self._used]
        self._used = 0
        alive = slots >= self._oldest
        if not alive.any():
            return
        self._segments.append(_segment(terms[alive], slots[alive]))
        while len(self._segments) > 1 and self._mergeable(*self._segments[-2:]):
            self._segments[-2:] = [self._merged(*self._segments[-2:])]

    @staticmethod
    def _mergeable(older: _Segment, newer: _Segment) -> bool:
        together = len(older.slots) + len(newer.slots)
        return len(older.slots) < _GROWTH * len(newer.slots) and together <= _LARGEST

    def _merged(self, older: _Segment, newer: _Segment) -> _Segment:
        terms = np.concatenate([np.repeat(s.terms, np.diff(s.offsets)) for s in (older, newer)])
        slots = np.concatenate((older.slots, newer.slots))
        alive = slots >= self._oldest
        return _segment(terms[alive], slots[alive])


def _segment(terms: Entries, slots: Ints) -> _Segment:
    keys = (terms.astype(np.uint64) << np.uint64(32)) | slots.astype(np.uint64)
    keys.sort()
    terms = (keys >> np.uint64(32)).astype(np.uint32)
    slots = keys.astype(np.uint32).astype(np.int32)
    starts = np.concatenate(([True], terms[1:] != terms[:-1])).nonzero()[0]
    return _Segment(
        terms[starts], np.append(starts, len(terms)).astype(np.int32), slots, int(slots.max())
    )
