"""Python's search for garbage in cycles, set for processes that allocate much and leave few cycles.

Everything that was imported would be walked again and again: 6 % of the time that parsing a feed
takes, by measurement.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 10_000, 10, 10
"""Allocations between two searches, and searches of one generation between those of the next."""


def search_seldom() -> None:
    """Leave out what is there already, and search what comes less often. Once, at the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
