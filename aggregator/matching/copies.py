"""Copies: the same text published again, whole or trimmed, found by shingle containment.

A sketch keeps the smallest hashes of an article's five-word shingles (Broder, "On the resemblance
and containment of documents", 1997). Within the range that two sketches both cover they sample the
same shingles, so the share of the shorter's that the longer has estimates containment.
"""

import numpy as np
import numpy.typing as npt

SHINGLE = 5
SKETCH = 64
_MULTIPLIER = np.uint32(0x9E3779B1)


def sketch(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The up to ``SKETCH`` smallest hashes of the shingles of ``words``, sorted."""
    count = len(words) - SHINGLE + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint32)
    hashes = words[:count].copy()
    for shift in range(1, SHINGLE):
        hashes *= _MULTIPLIER
        hashes ^= hashes >> np.uint32(15)
        hashes += words[shift : shift + count]
    hashes *= _MULTIPLIER
    hashes ^= hashes >> np.uint32(16)
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes.sort()
    distinct = hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))]
    return distinct[:SKETCH].copy()  # a view would hold on to all of them


def containment(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32]) -> float:
    """The estimated share of the shorter text's shingles that the other has, 0 to 1.

    Zero when the sketches have fewer than eight shingles in their common range: too little to say.
    """
    if not len(a) or not len(b):
        return 0.0
    top = min(
        a[-1] if len(a) == SKETCH else 0xFFFFFFFF,
        b[-1] if len(b) == SKETCH else 0xFFFFFFFF,
    )
    a, b = a[: np.searchsorted(a, top, "right")], b[: np.searchsorted(b, top, "right")]
    smaller = min(len(a), len(b))
    if smaller < 8:
        return 0.0
    return len(np.intersect1d(a, b, assume_unique=True)) / smaller
