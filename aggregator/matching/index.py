"""An inverted index over a moving window: which articles hold a term, newest first.

Slots (article numbers) only grow. New postings collect in a small dictionary; when it is full it
becomes a sorted, immutable segment, and segments of like size are merged, so that adding stays
cheap, looking up stays a handful of binary searches, and a posting costs four bytes.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

_TAIL = 2_048
_LARGEST = 1 << 25

Ints = npt.NDArray[np.int32]
Entries = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    terms: Entries
    offsets: Ints
    slots: Ints
    newest: int

    def find(self, wanted: Entries, limits: Ints) -> tuple[Ints, npt.NDArray[np.int64]]:
        """The newest slots of each wanted term up to its limit, and which term each is of."""
        at = np.minimum(np.searchsorted(self.terms, wanted), len(self.terms) - 1)
        which = np.flatnonzero(self.terms[at] == wanted)
        at = at[which]
        ends = self.offsets[at + 1]
        starts = np.maximum(self.offsets[at], ends - limits[which])
        lengths = ends - starts
        total = np.cumsum(lengths)
        if not len(total):
            return self.slots[:0], which
        where = np.arange(total[-1]) + np.repeat(starts - (total - lengths), lengths)
        return self.slots[where], np.repeat(which, lengths)


class Postings:
    """Term to slots; slots are added in growing order and dropped from the oldest."""

    def __init__(self) -> None:
        self._tail: dict[int, list[int]] = {}
        self._tail_slots = 0
        self._segments: list[_Segment] = []
        self._oldest = 0

    def add(self, slot: int, terms: Entries) -> None:
        """Say that the article in ``slot`` holds ``terms`` (distinct)."""
        tail = self._tail
        for term in terms.tolist():
            slots = tail.get(term)
            if slots is None:
                tail[term] = [slot]
            else:
                slots.append(slot)
        self._tail_slots += 1
        if self._tail_slots >= _TAIL:
            self._freeze()

    def drop_before(self, slot: int) -> None:
        """Forget the slots below ``slot``."""
        self._oldest = slot
        if slot % 256 == 0:
            self._segments = [s for s in self._segments if s.newest >= slot]

    def find(self, wanted: Entries, limit: int) -> tuple[Ints, npt.NDArray[np.int64]]:
        """The newest ``limit`` slots of each wanted term, and for each slot which term it is of.

        What is found does not depend on how the index happens to be cut into segments.
        """
        found = [self._tail.get(term, ())[-limit:] for term in wanted.tolist()]
        counts = np.array([len(slots) for slots in found], dtype=np.int32)
        slots = [np.fromiter(chain.from_iterable(found), np.int32, counts.sum())]
        which = [np.repeat(np.arange(len(wanted)), counts)]
        left = limit - counts
        for segment in reversed(self._segments):
            more, of = segment.find(wanted, left)
            slots.append(more)
            which.append(of)
            left -= np.bincount(of, minlength=len(wanted)).astype(np.int32)
        all_slots, all_which = np.concatenate(slots), np.concatenate(which)
        alive = all_slots >= self._oldest
        return all_slots[alive], all_which[alive]

    def _freeze(self) -> None:
        terms = np.repeat(
            np.fromiter(self._tail.keys(), np.uint32, len(self._tail)),
            [len(slots) for slots in self._tail.values()],
        )
        slots = np.fromiter(chain.from_iterable(self._tail.values()), np.int32)
        self._tail = {}
        self._tail_slots = 0
        self._segments.append(_segment(terms, slots))
        while len(self._segments) > 1 and self._mergeable(*self._segments[-2:]):
            self._segments[-2:] = [self._merged(*self._segments[-2:])]

    @staticmethod
    def _mergeable(older: _Segment, newer: _Segment) -> bool:
        together = len(older.slots) + len(newer.slots)
        return len(older.slots) < 2 * len(newer.slots) and together <= _LARGEST

    def _merged(self, older: _Segment, newer: _Segment) -> _Segment:
        terms = np.concatenate([np.repeat(s.terms, np.diff(s.offsets)) for s in (older, newer)])
        slots = np.concatenate((older.slots, newer.slots))
        alive = slots >= self._oldest
        return _segment(terms[alive], slots[alive])


def _segment(terms: Entries, slots: Ints) -> _Segment:
    order = np.argsort(
        (terms.astype(np.uint64) << np.uint64(32)) | slots.astype(np.uint64), kind="stable"
    )
    terms, slots = terms[order], slots[order]
    distinct, starts = np.unique(terms, return_index=True)
    return _Segment(
        distinct, np.append(starts, len(terms)).astype(np.int32), slots, int(slots.max())
    )
