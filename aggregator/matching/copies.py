"""Copies: the same text published again, whole or trimmed, found by shingle containment.

A sketch keeps the smallest hashes of an article's five-word shingles (Broder, "On the resemblance
and containment of documents", 1997). Within the range that two sketches both cover they sample the
same shingles, so the share of the shorter's that the longer has estimates containment.
"""

from bisect import bisect_right
from itertools import pairwise

import numpy as np
import numpy.typing as npt

SHINGLE = 5
SKETCH = 64
_ALL = 0xFFFFFFFF
Hashes = npt.NDArray[np.uint32]
_MULTIPLIER = np.uint32(0x9E3779B1)


def sketches(words: Hashes, owner: npt.NDArray[np.int64], count: int) -> list[Hashes]:
    """The up to ``SKETCH`` smallest shingles of each of ``count`` texts, sorted.

    ``owner`` (rising) says which text a word is of.
    """
    last = max(len(words) - SHINGLE + 1, 0)
    hashes = words[:last].copy()
    for shift in range(1, SHINGLE):
        hashes *= _MULTIPLIER
        hashes ^= hashes >> np.uint32(15)
        hashes += words[shift : shift + last]
    hashes *= _MULTIPLIER
    hashes ^= hashes >> np.uint32(16)
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    whole = owner[:last] == owner[SHINGLE - 1 : SHINGLE - 1 + last]
    keys = (owner[:last][whole].astype(np.uint64) << np.uint64(32)) | hashes[whole]
    keys.sort()
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))] if len(keys) else keys
    bounds = keys.searchsorted(np.arange(count + 1, dtype=np.uint64) << np.uint64(32)).tolist()
    smallest = keys.astype(np.uint32)
    # Copies, for a view would hold on to all of them.
    return [smallest[start : min(end, start + SKETCH)].copy() for start, end in pairwise(bounds)]


def containment(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32]) -> float:
    """The estimated share of the shorter text's shingles that the other has, 0 to 1.

    Zero when the sketches have fewer than eight shingles in their common range: too little to say.
    """
    one, other = a.tolist(), b.tolist()
    if not one or not other:
        return 0.0
    top = min(some[-1] if len(some) == SKETCH else _ALL for some in (one, other))
    one, other = one[: bisect_right(one, top)], other[: bisect_right(other, top)]
    smaller = min(len(one), len(other))
    if smaller < 8:
        return 0.0
    return len(frozenset(one).intersection(other)) / smaller
