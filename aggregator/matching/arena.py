"""Rows of numbers of any length in a few large blocks: first in, first out.

A small array for each article would cost more in its wrapping, and in misses of the processor's
cache, than in numbers.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

_BITS: Final = 18
_SIZE: Final = 1 << _BITS
_OFFSET: Final = _SIZE - 1
Numbers = npt.NDArray[np.uint32]


class Arena:
    """Rows by the place that ``add`` gave them."""

    def __init__(self) -> None:
        self._blocks: dict[int, Numbers] = {}
        self._next = 0

    def add(self, row: Numbers) -> int:
        """Keep a row, of a quarter of a million numbers at most; returns its place."""
        place = self._next
        if not place & _OFFSET or (place & _OFFSET) + len(row) > _SIZE:
            place = -(-place // _SIZE) * _SIZE
            self._blocks[place >> _BITS] = np.empty(_SIZE, dtype=np.uint32)
        start = place & _OFFSET
        self._blocks[place >> _BITS][start : start + len(row)] = row
        self._next = place + len(row)
        return place

    def rows(self, places: Sequence[int], lengths: Sequence[int]) -> list[Numbers]:
        """Some rows, not copied; they stay what they are only until they are dropped."""
        blocks = self._blocks
        return [
            blocks[place >> _BITS][place & _OFFSET : (place & _OFFSET) + length]
            for place, length in zip(places, lengths, strict=True)
        ]

    def drop_before(self, place: int) -> None:
        """Forget the rows before one."""
        while (number := next(iter(self._blocks))) < place >> _BITS:
            del self._blocks[number]
