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
from aggregator.matching.window import NEIGHBOURS, Window, facts

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

_RARE = 4.0
_FEW = 24  # below which calling one by one is faster
Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.float64]


class Comparer:
    """Compares a new article with candidates; owns scratch memory, no state between calls."""

    def __init__(self) -> None:
        # What the new article holds: flags and weight of each term, 0 where it lacks it.
        self._mine = np.zeros(TERMS, dtype=np.uint8)

    def compare(
        self,
        window: Window,
        new: Fingerprint,
        slots: Sequence[int],
        named: int | None = None,
    ) -> Floats:
        """The features of ``new`` against each of the articles in ``slots`` (one or more).

        The first ``named`` of them, or all, are what the index proposed: with these it is ranked.
        """
        count = len(slots)
        others = [window[slot] for slot in slots]
        texts = [other.packed for other in others]
        texts.append(new.packed)
        lengths = np.array([len(packed) for packed in texts])
        owner = np.arange(count + 1).repeat(lengths)
        packed = np.concatenate(texts)
        terms = packed >> np.uint32(8)
        low = packed.astype(np.uint8)
        idf = np.maximum(
            _log_sizes(window, [*others, new], owner) - window.log_counts[terms], np.float32(0.05)
        )
        mass = idf * (low & WEIGHT) * np.float32(WEIGHT_STEP)
        whole = _by_flags(owner, low >> 4, (mass * mass, idf * idf, idf), _WHOLE, count + 1)

        mine = terms[len(terms) - lengths[-1] :]
        self._mine[mine] = low[len(terms) - lengths[-1] :]
        shared = self._mine[terms[: len(terms) - lengths[-1]]]
        self._mine[mine] = 0
        hit = shared.nonzero()[0]
        of, shared, low, idf = owner[hit], shared[hit], low[hit], idf[hit]
        value = mass[hit] * idf * (shared & WEIGHT) * np.float32(WEIGHT_STEP)
        flags = (shared & np.uint8(0xF0)) | (low >> 4)
        dots = _by_flags(of, flags, (value, idf * idf, idf), _COMMON, count)

        my_whole, whole = whole[-1], whole[:-1]
        features = np.empty((len(FEATURES), count), dtype=np.float32)
        features[:5] = (dots[:, :5] / np.sqrt(np.maximum(whole[:, :5] * my_whole[:5], 1e-6))).T
        features[5] = _title_fuzz(new, others)
        mine_in = (dots[:, 5:9] / np.maximum(my_whole[5:], 1e-6)).T
        its_in = (dots[:, 9:] / np.maximum(whole[:, 5:], 1e-6)).T
        # Where one side has no names or numbers at all, nothing speaks against the pair.
        np.minimum(mine_in, its_in, out=features[6:14:2])
        np.maximum(mine_in, its_in, out=features[7:14:2])
        named_by_both = ((shared & low) & IS_NAME) > 0
        features[14], features[16] = _largest(of, np.stack([idf, idf * named_by_both]), count)
        features[15] = np.log1p(np.bincount(of, np.maximum(idf - _RARE, 0), count))
        features[17:22] = _circumstances(facts(new), window.facts(slots))
        features[22:] = _standing(features[0], window.nearest(slots), named or count)
        return features.T


def _log_sizes(
    window: Window, articles: Sequence[Fingerprint], owner: npt.NDArray[np.int64]
) -> np.float32 | Floats:
    """For each entry on how many articles its frequency rests."""
    sizes = {name: window.log_size(name) for name in {one.language for one in articles}}
    if len(sizes) == 1:
        return np.float32(next(iter(sizes.values())))
    by_article = np.array([sizes[one.language] for one in articles], dtype=np.float32)
    spread: Floats = by_article[owner]
    return spread


def _by_flags(
    owner: npt.NDArray[np.int64],
    flags: npt.NDArray[np.integer],
    parts: tuple[Floats, Floats, Floats],
    enters: Sums,
    count: int,
) -> Sums:
    """Sums by article of the value, the squared and the plain frequency of entries: ``parts``.

    ``enters`` says which kind of entry, by its flags, enters which sum.
    """
    kinds = len(enters) // 3
    keys = np.empty((3, len(owner)), dtype=np.int64)
    np.add(owner * (3 * kinds), flags, out=keys[0])
    np.add(keys[0], kinds, out=keys[1])
    np.add(keys[1], kinds, out=keys[2])
    table = np.bincount(keys.ravel(), np.concatenate(parts), 3 * kinds * count)
    sums: Sums = table.reshape(count, 3 * kinds) @ enters
    return sums


def _entering(kinds: int, *wanted: tuple[int, int]) -> Sums:
    """One column for each sum: 1 for the entries of its part that have all of its flags."""
    each = np.arange(kinds)
    columns = np.zeros((3, kinds, len(wanted)))
    for column, (part, flags) in enumerate(wanted):
        columns[part, :, column] = (each & flags) == flags
    return columns.reshape(3 * kinds, len(wanted))


_TITLE, _LEAD, _NAME, _NUMBER = (flag >> 4 for flag in (IN_TITLE, IN_LEAD, IS_NAME, IS_NUMBER))
_VALUE, _SQUARED, _PLAIN = range(3)
# In the order of the first five features, then what can be covered.
_PRODUCTS = (
    (_VALUE, 0), (_SQUARED, _TITLE), (_VALUE, _NAME), (_SQUARED, _NUMBER), (_SQUARED, _LEAD),
)  # fmt: skip
_COVERED = (_TITLE, _LEAD, _LEAD | _NAME, _LEAD | _NUMBER)
_WHOLE = _entering(16, *_PRODUCTS, *((_PLAIN, flags) for flags in _COVERED))
_COMMON = _entering(
    256,
    *((part, flags * 17) for part, flags in _PRODUCTS),
    *((_PLAIN, flags << 4) for flags in _COVERED),
    *((_PLAIN, flags) for flags in _COVERED),
)


COSINES = FEATURES[:5]
"""The similarities that are shown to people."""


def _title_fuzz(new: Fingerprint, others: Sequence[Fingerprint]) -> Floats:
    """How alike the titles are as sets of words, 0 to 1; 0 where one has none."""
    titles = [other.title for other in others]
    if len(titles) <= _FEW:
        one_by_one = [token_set_ratio(new.title, title) / 100 for title in titles]
        return np.array(one_by_one, dtype=np.float32)
    alike: Floats = cdist([new.title], titles, scorer=token_set_ratio, dtype=np.float32)[0]
    return alike / np.float32(100)


def _largest(owner: npt.NDArray[np.int64], values: Floats, count: int) -> Floats:
    """A tenth of the largest value of each owner (sorted), 0 where there is none, row by row."""
    result = np.zeros((len(values), count), dtype=np.float32)
    counts = np.bincount(owner, minlength=count)
    some = counts.nonzero()[0]
    if len(some):
        starts = (counts.cumsum() - counts)[some]
        result[:, some] = np.maximum.reduceat(values, starts, axis=1) / 10
    return result


def _circumstances(mine: tuple[float, float, float, float], its: Floats) -> list[Floats]:
    """Time apart and lengths, from ``window.facts``."""
    _, published, words, title = mine
    days = np.abs(its[:, 1] - np.float32(published))
    undated = np.isnan(days)
    days[undated] = 0
    return [
        np.log1p(days),
        undated,
        np.minimum(its[:, 2], words),
        np.maximum(its[:, 2], words),
        np.minimum(its[:, 3], title),
    ]


def _standing(body: Floats, nearest: Floats, named: int) -> list[Floats]:
    """How each side ranks among the other's best matches, and by what margin."""
    mine = np.sort(body[:named])[::-1]
    second = mine[1] if named > 1 else 0.0
    my_rank = (-mine[:NEIGHBOURS]).searchsorted(-body)
    its_rank = (nearest > body[:, None]).sum(axis=1)
    my_margin = body - np.where(body >= mine[0], second, mine[0])
    its_margin = body - nearest[:, 0]
    return [
        np.minimum(my_rank, its_rank),
        np.maximum(my_rank, its_rank),
        np.maximum(my_margin, its_margin),
        np.minimum(my_margin, its_margin),
    ]
