"""Measuring a grouping on some of its articles only: those that a model never saw."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from aggregator.matching.evaluate import Quality
from aggregator.matching.jsonl import Row


def dealt(rows: Sequence[Row], parts: int) -> npt.NDArray[np.int64]:
    """The part that each row is in, whole clusters dealt by a hash of their label."""
    return np.array([crc32((row.cluster or row.id).encode()) % parts for row in rows])


def f1_of_held(
    true: Sequence[Hashable], found: Sequence[Hashable], held: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """B-cubed F1 over the held-out articles and pairwise F1 over pairs that touch one."""
    both = list(zip(true, found, strict=True))
    cells, labels, stories = Counter(both), Counter(true), Counter(found)
    mine = [pair for pair, out in zip(both, held, strict=True) if out]
    rest = [pair for pair, out in zip(both, held, strict=True) if not out]
    bcubed = Quality(
        sum(cells[pair] / stories[pair[1]] for pair in mine) / max(len(mine), 1),
        sum(cells[pair] / labels[pair[0]] for pair in mine) / max(len(mine), 1),
    )
    together = _pairs(cells) - _pairs(Counter(rest))
    said = _pairs(stories) - _pairs(Counter(story for _, story in rest))
    real = _pairs(labels) - _pairs(Counter(label for label, _ in rest))
    pairwise = Quality(together / said if said else 1.0, together / real if real else 1.0)
    return bcubed.f1, pairwise.f1


def _pairs(sizes: Counter[Any]) -> int:
    return sum(n * (n - 1) // 2 for n in sizes.values())
