"""An inverted index over a moving window: which articles hold a term, newest first.

Slots (article numbers) only grow. New postings collect in a short tail that is searched whole; when
it is full it becomes a sorted, immutable segment, and segments of like size are merged, so that
adding stays cheap, looking up is a handful of binary searches, and a posting costs four bytes.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import TERMS

_TAIL: Final = 8_192
_GROWTH: Final = 8
_LARGEST: Final = 1 << 25
_SIEVE: Final = 1 << 16
_SIEVED: Final = np.uint32(_SIEVE - 1)
_NO_TERM: Final = 0xFFFFFFFF
MOST_WANTED: Final = 255
_COUNTED: Final = np.arange(1, MOST_WANTED + 1, dtype=np.uint8)

Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Entries = npt.NDArray[np.uint32]
Found = tuple[Ints, Places]


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """``terms`` (distinct, rising) end with one that is none; ``slots`` of each stand together."""

    terms: Entries
    offsets: Ints
    slots: Ints
    newest: int

    def spans(self, wanted: Entries) -> tuple[Ints, Ints]:
        """Where the slots of each wanted term end, and how many they are."""
        at = self.terms.searchsorted(wanted)
        ends = self.offsets.take(at + 1)
        return ends, (ends - self.offsets.take(at)) * (self.terms.take(at) == wanted)

    def since(self, oldest: int) -> "_Segment":
        """The same without the slots below ``oldest``."""
        alive = self.slots >= oldest
        if alive.all():
            return self
        offsets = np.concatenate(([0], alive.cumsum(dtype=np.int32)))[self.offsets]
        held = np.append(np.diff(offsets[:-1]) > 0, True)
        terms, kept = self.terms[held], offsets[:-1][held]
        return _Segment(terms, np.append(kept, kept[-1]), self.slots[alive], self.newest)


class Postings:
    """Term to slots; slots are added in growing order and dropped from the oldest."""

    def __init__(self) -> None:
        self._tail_terms = np.zeros(_TAIL, dtype=np.uint32)
        self._tail_slots = np.zeros(_TAIL, dtype=np.int32)
        self._tail_sieve = np.zeros(_TAIL, dtype=np.intp)
        self._used = 0
        self._segments: list[_Segment] = []
        self._oldest = 0
        # Which of the wanted terms a term is, counted from 1; all zero between calls. The sieve is
        # small enough to stay in the processor's cache: most of the tail ends there.
        self._places = np.zeros(TERMS, dtype=np.uint8)
        self._sieve = np.zeros(_SIEVE, dtype=np.bool_)

    def add(self, slot: int, terms: Entries) -> None:
        """Say that the article in ``slot`` holds ``terms`` (distinct, and not too many)."""
        if self._used + len(terms) > _TAIL:
            self._freeze()
        end = self._used + len(terms)
        self._tail_terms[self._used : end] = terms
        self._tail_sieve[self._used : end] = terms & _SIEVED
        self._tail_slots[self._used : end] = slot
        self._used = end

    def drop_before(self, slot: int) -> None:
        """Forget the slots below ``slot``."""
        self._oldest = slot
        if slot % 256 == 0:
            self._segments = [s for s in self._segments if s.newest >= slot]

    def find(self, wanted: Entries, limit: int) -> Found:
        """The newest ``limit`` slots of each wanted term, and for each slot which term it is of.

        At most ``MOST_WANTED`` terms, best in rising order. What is found does not depend on how
        the index happens to be cut into segments.
        """
        slots, which = self._in_tail(wanted, limit)
        if self._segments and len(wanted):
            left = limit - np.bincount(which, minlength=len(wanted))
            more = self._in_segments(wanted, left)
            slots, which = np.concatenate((slots, more[0])), np.concatenate((which, more[1]))
        if self._oldest:
            alive = slots >= self._oldest
            return slots[alive], which[alive]
        return slots, which

    def _in_segments(self, wanted: Entries, left: Places) -> Found:
        segments = self._segments[::-1]
        spans = [segment.spans(wanted) for segment in segments]
        ends = np.array([ends for ends, _ in spans])
        lengths = np.array([lengths for _, lengths in spans])
        left = lengths - lengths.cumsum(axis=0) + left
        taken = np.minimum(lengths, np.maximum(left, 0)).ravel()
        total = taken.cumsum()
        where = np.arange(total[-1]) + (ends.ravel() - total).repeat(taken)
        bounds = [0, *total[len(wanted) - 1 :: len(wanted)].tolist()]
        slots = [
            segment.slots.take(where[start:end])
            for segment, (start, end) in zip(segments, pairwise(bounds), strict=True)
        ]
        which = np.arange(len(taken)).repeat(taken)
        which %= len(wanted)
        return np.concatenate(slots), which

    def _in_tail(self, wanted: Entries, limit: int) -> Found:
        sieved = wanted & _SIEVED
        self._sieve[sieved] = True
        at = self._sieve.take(self._tail_sieve[: self._used]).nonzero()[0]
        self._sieve[sieved] = False
        if not len(at):
            return self._tail_slots[:0], at
        self._places[wanted] = _COUNTED[: len(wanted)]
        places = self._places.take(self._tail_terms[at])
        self._places[wanted] = 0
        held = places.nonzero()[0]
        at, which = at[held], places[held].astype(np.int64) - 1
        if len(at) > limit:
            # The newest of each term: its last ones, the tail being in order of arrival.
            order = which.argsort(kind="stable")
            counts = np.bincount(which, minlength=len(wanted))
            ends = counts.cumsum()
            from_end = ends.repeat(counts) - np.arange(len(order))
            kept = order[from_end <= limit]
            at, which = at[kept], which[kept]
        return self._tail_slots[at], which

    def _freeze(self) -> None:
        terms, slots = self._tail_terms[: self._used], self._tail_slots[: self._used]
        self._used = 0
        alive = slots >= self._oldest
        if not alive.any():
            return
        self._segments.append(_segment(terms[alive], slots[alive]))
        while len(self._segments) > 1 and self._mergeable(*self._segments[-2:]):
            older, newer = self._segments[-2:]
            self._segments[-2:] = [_merged(older.since(self._oldest), newer.since(self._oldest))]

    @staticmethod
    def _mergeable(older: _Segment, newer: _Segment) -> bool:
        together = len(older.slots) + len(newer.slots)
        return len(older.slots) < _GROWTH * len(newer.slots) and together <= _LARGEST


def _segment(terms: Entries, slots: Ints) -> _Segment:
    order = terms.argsort(kind="stable")
    terms = terms[order]
    starts = np.concatenate(([True], terms[1:] != terms[:-1])).nonzero()[0]
    return _Segment(
        np.append(terms[starts], np.uint32(_NO_TERM)),
        np.append(starts, (len(terms), len(terms))).astype(np.int32),
        slots[order],
        int(slots.max()),
    )


def _merged(older: _Segment, newer: _Segment) -> _Segment:
    """Both in one, in linear time: of each term first the older slots, then the newer."""
    terms = np.union1d(older.terms, newer.terms)
    counts = np.zeros(len(terms) + 1, dtype=np.int32)
    at = [terms.searchsorted(one.terms) for one in (older, newer)]
    lengths = [np.diff(one.offsets) for one in (older, newer)]
    counts[1 + at[0]] = lengths[0]
    counts[1 + at[1]] += lengths[1]
    offsets = counts.cumsum(dtype=np.int32)
    slots = np.empty(offsets[-1], dtype=np.int32)
    firsts = (offsets[at[0]], offsets[at[1] + 1] - lengths[1])
    for one, first, length in zip((older, newer), firsts, lengths, strict=True):
        moved = (first - one.offsets[:-1]).repeat(length)
        moved += np.arange(len(moved), dtype=np.int32)
        slots[moved] = one.slots
    return _Segment(terms, offsets, slots, newer.newest)
