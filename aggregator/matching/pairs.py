"""What a pair of articles has in common, as numbers: one row of features per candidate.

Computed for one new article against all its candidates at once, with a fixed number of array
operations. ``FEATURES`` names the columns; docs/folding.md says what each is for.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.fuzz import token_set_ratio
from rapidfuzz.process import cdist

from aggregator.matching.background import TERMS
from aggregator.matching.fingerprint import (
    IN_LEAD,
    IN_TITLE,
    IS_NAME,
    IS_NUMBER,
    WEIGHT,
    WEIGHT_STEP,
    Fingerprint,
)
from aggregator.matching.window import Window

NEIGHBOURS = 8
"""How many of an article's best body cosines are remembered, for ranks and margins."""

FEATURES = (
    "body", "title", "names", "numbers", "lead", "title fuzz",
    "title in text, less", "title in text, more",
    "lead in text, less", "lead in text, more",
    "lead names in text, less", "lead names in text, more",
    "lead numbers in text, less", "lead numbers in text, more",
    "rarest in common", "rare in common", "rarest name in common",
    "days", "undated", "shorter", "longer", "shorter title",
    "rank, better", "rank, worse", "margin, better", "margin, worse",
)  # fmt: skip

_SEEN = 1
_RARE = 4.0
Floats = npt.NDArray[np.float32]


class Comparer:
    """Compares a new article with candidates; owns scratch memory, no state between calls."""

    def __init__(self) -> None:
        self._flags = np.zeros(TERMS, dtype=np.uint8)

    def compare(
        self,
        window: Window,
        new: Fingerprint,
        others: Sequence[Fingerprint],
        nearest: Floats,
        best: Floats | None = None,
    ) -> Floats:
        """The features of ``new`` against each of ``others`` (one or more).

        ``nearest`` holds, for each other, its best body cosines so far, falling. ``best`` are the
        best of ``new`` where they are already known, else they are taken from this comparison.
        """
        count = len(others)
        lengths = np.array([len(other.packed) for other in others])
        starts = np.cumsum(lengths) - lengths
        owner = np.repeat(np.arange(count), lengths)
        packed = np.concatenate([other.packed for other in others])
        terms = packed >> np.uint32(8)

        mine = new.packed >> np.uint32(8)
        self._flags[mine] = (new.packed & np.uint32(0xF0)).astype(np.uint8) | _SEEN
        seen = self._flags[terms]
        self._flags[mine] = 0

        sizes = {name: window.log_size(name) for name in {other.language for other in others}}
        if len(sizes) == 1:
            log_size: np.float32 | Floats = np.float32(next(iter(sizes.values())))
        else:
            by_other = np.array([sizes[other.language] for other in others], dtype=np.float32)
            log_size = by_other[owner]
        idf = np.maximum(log_size - window.log_counts[terms], np.float32(0.05))
        whole = np.zeros((9, count), dtype=np.float32)
        filled = np.flatnonzero(lengths)
        if len(filled):
            whole[:, filled] = np.add.reduceat(_masses(packed, idf), starts[filled], axis=1)
        my_idf = window.idf(mine, new.language)
        my_whole = _masses(new.packed, my_idf).sum(axis=1)

        hit = np.flatnonzero(seen)
        of, seen, hits, idf = owner[hit], seen[hit], packed[hit], idf[hit]
        my_packed = new.packed[np.searchsorted(mine, terms[hit])]
        common = _common(hits, my_packed, idf)
        dots = np.stack([np.bincount(of, part, count) for part in common])

        cosines = dots[:5] / np.sqrt(np.maximum(whole[:5] * my_whole[:5, None], 1e-6))
        mine_in = dots[5:9] / np.maximum(my_whole[5:9, None], 1e-6)
        its_in = dots[9:13] / np.maximum(whole[5:9], 1e-6)
        # Where one side has no names or numbers at all, nothing speaks against the pair.
        less, more = np.minimum(mine_in, its_in), np.maximum(mine_in, its_in)
        covered = np.stack([less, more], axis=1).reshape(8, count)
        rare = np.log1p(dots[13])
        body = cosines[0]
        return np.vstack(
            [
                cosines, _title_fuzz(new, others), covered,
                _largest_by(of, idf, count) / 10, rare,
                _largest_by(of, idf * ((hits & my_packed & IS_NAME) > 0), count) / 10,
                *_circumstances(new, others),
                *_standing(body, nearest, best),
            ]
        ).T.astype(np.float32)  # fmt: skip


COSINES = FEATURES[:5]
"""The similarities that are shown to people."""


def _masses(packed: npt.NDArray[np.uint32], idf: Floats) -> Floats:
    """What each entry adds to the norms and to the whole that can be covered."""
    low = packed.astype(np.uint8)
    title, lead = (low & IN_TITLE) > 0, (low & IN_LEAD) > 0
    name, number = (low & IS_NAME) > 0, (low & IS_NUMBER) > 0
    squared = idf * idf
    parts = np.empty((9, len(packed)), dtype=np.float32)
    value = (low & np.uint8(WEIGHT)) * np.float32(WEIGHT_STEP) * idf
    np.multiply(value, value, out=parts[0])
    np.multiply(squared, title, out=parts[1])
    np.multiply(parts[0], name, out=parts[2])
    np.multiply(squared, number, out=parts[3])
    np.multiply(squared, lead, out=parts[4])
    np.multiply(idf, title, out=parts[5])
    np.multiply(idf, lead, out=parts[6])
    np.multiply(parts[6], name, out=parts[7])
    np.multiply(parts[6], number, out=parts[8])
    return parts


def _common(
    hits: npt.NDArray[np.uint32], mine: npt.NDArray[np.uint32], idf: Floats
) -> list[Floats]:
    """What each shared entry adds to the products and to what is covered."""
    both = hits & mine
    squared = idf * idf
    value = (hits & np.uint32(WEIGHT)) * ((mine & np.uint32(WEIGHT)) * np.float32(WEIGHT_STEP**2))
    value = value * squared
    parts = [
        value, squared * ((both & IN_TITLE) > 0), value * ((both & IS_NAME) > 0),
        squared * ((both & IS_NUMBER) > 0), squared * ((both & IN_LEAD) > 0),
    ]  # fmt: skip
    for side in (mine, hits):
        lead = (side & IN_LEAD) > 0
        parts += [
            idf * ((side & IN_TITLE) > 0),
            idf * lead,
            idf * (lead & ((side & IS_NAME) > 0)),
            idf * (lead & ((side & IS_NUMBER) > 0)),
        ]
    parts.append(np.maximum(idf - _RARE, 0))
    return parts


def _title_fuzz(new: Fingerprint, others: Sequence[Fingerprint]) -> Floats:
    """How alike the titles are as sets of words, 0 to 1; 0 where one has none."""
    titles = [other.title for other in others]
    alike: Floats = cdist([new.title], titles, scorer=token_set_ratio, dtype=np.float32)
    return np.divide(alike, 100, dtype=np.float32)


def _largest_by(owner: npt.NDArray[np.int64], values: Floats, count: int) -> Floats:
    """The largest value of each owner (sorted), 0 where there is none."""
    result = np.zeros(count, dtype=np.float32)
    if len(owner):
        starts = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
        result[owner[starts]] = np.maximum.reduceat(values, starts)
    return result


def _circumstances(new: Fingerprint, others: Sequence[Fingerprint]) -> list[Floats]:
    """Time apart and lengths."""
    days = np.abs(np.array([other.published for other in others]) - new.published)
    undated = np.isnan(days)
    words = np.array([other.words for other in others])
    titles = np.array([other.title_words for other in others])
    return [
        np.log1p(np.where(undated, 0, days)),
        undated,
        np.log1p(np.minimum(words, new.words)),
        np.log1p(np.maximum(words, new.words)),
        np.log1p(np.minimum(titles, new.title_words)),
    ]


def _standing(body: Floats, nearest: Floats, best: Floats | None) -> list[Floats]:
    """How each side ranks among the other's best matches, and by what margin."""
    mine = np.sort(body)[::-1] if best is None else best
    second = mine[1] if len(mine) > 1 else 0.0
    my_rank = (mine[None, :NEIGHBOURS] > body[:, None]).sum(axis=1)
    its_rank = (nearest > body[:, None]).sum(axis=1)
    my_margin = body - np.where(body >= mine[0], second, mine[0])
    its_margin = body - nearest[:, 0]
    return [
        np.minimum(my_rank, its_rank),
        np.maximum(my_rank, its_rank),
        np.maximum(my_margin, its_margin),
        np.minimum(my_margin, its_margin),
    ]


def remember(
    nearest: dict[int, Floats], slot: int, cosines: Sequence[tuple[int | None, float]]
) -> None:
    """Note the best body cosines of a new article with earlier ones, for both sides.

    None stands for an article that has left the window since.
    """
    best = sorted(cosines, key=lambda item: -item[1])[:NEIGHBOURS]
    nearest[slot] = _ordered([cosine for _, cosine in best])
    for other, cosine in best:
        if other is not None and cosine > nearest[other][-1]:
            nearest[other] = _ordered([*nearest[other].tolist(), cosine])


def _ordered(values: list[float]) -> Floats:
    kept = np.zeros(NEIGHBOURS, dtype=np.float32)
    ordered = sorted(values, reverse=True)[:NEIGHBOURS]
    kept[: len(ordered)] = ordered
    return kept
