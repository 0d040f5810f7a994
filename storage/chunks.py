"""Long lists in pieces: engines limit the parameters of one statement."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def chunks(items: Iterable[_T], size: int = 500) -> Iterator[list[_T]]:
    """Lists of up to ``size`` items, in order."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
