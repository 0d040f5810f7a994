"""One number for each article of a moving window, by slot, at a few bytes each."""

from array import array
from typing import Generic, TypeVar

_Number = TypeVar("_Number", int, float)
_AT_ONCE = 4_096


class Column(Generic[_Number]):
    """Numbers by slot. Slots come in order, none left out, and are dropped from the oldest."""

    def __init__(self, typecode: str) -> None:
        self._values: array[_Number] = array(typecode)
        self._first = 0

    def __len__(self) -> int:
        """How many numbers are held, some of them dropped."""
        return len(self._values)

    def __getitem__(self, slot: int) -> _Number:
        return self._values[slot - self._first]

    def add(self, value: _Number) -> None:
        """The number of the next slot."""
        self._values.append(value)

    def drop_before(self, slot: int) -> None:
        """Let go of the numbers below ``slot``, many at once, for that moves the rest."""
        if slot - self._first >= max(_AT_ONCE, len(self._values) // 8):
            del self._values[: slot - self._first]
            self._first = slot
