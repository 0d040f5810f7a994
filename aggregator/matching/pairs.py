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
    "terms in common", "burst", "peculiar", "peculiar names",
)  # fmt: skip

_RARE = 4.0
_SIEVE = 1 << 16
_FEW = 24  # below which calling one by one is faster
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
Sums = npt.NDArray[np.float64]


class Comparer:
    """Compares a new article with candidates; owns scratch memory, no state between calls."""

    def __init__(self) -> None:
        # What the new article holds: flags and weight of each term, 0 where it lacks it. The sieve
        # is small enough to stay in the processor's cache: most of the others' terms end there.
        self._mine = np.zeros(TERMS, dtype=np.uint8)
        self._sieve = np.zeros(_SIEVE, dtype=np.bool_)
        self._holders = np.zeros(TERMS, dtype=np.uint16)

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
        held = window.held(slots)
        packed = np.concatenate([*held.packed, new.packed])
        owner = np.arange(count + 1).repeat([*map(len, held.packed), len(new.packed)])
        terms = (packed >> np.uint32(8)).astype(np.intp)
        low = packed.astype(np.uint8)
        idf = _log_sizes(window, [*held.languages, new.language], owner)
        idf = np.maximum(idf - window.log_counts.take(terms), np.float32(0.05))
        mass = idf * (low & WEIGHT) * np.float32(WEIGHT_STEP)
        whole = _wholes(owner, low, (mass * mass, idf * idf, idf), count + 1)
        my_whole, whole = whole[:, -1:], whole[:, :-1]

        hit, shared = self._shared(terms, low, len(packed) - len(new.packed))
        of, low, idf = owner[hit], low[hit], idf[hit]
        value = mass[hit] * idf * (shared & WEIGHT) * np.float32(WEIGHT_STEP)
        flags = (shared & np.uint8(0xF0)) | (low >> 4)
        rare = np.maximum(idf - _RARE, 0)
        sums = np.stack((value, idf * idf, idf, rare)).astype(np.float64)
        sums = sums.take(_PART_OF, axis=0) * _ENTERS.take(flags, axis=1)
        named_by_both = ((shared & low) & IS_NAME) > 0
        dots, largest = _by_owner(of, sums, np.stack([idf, idf * named_by_both]), count)

        features = np.empty((len(FEATURES), count), dtype=np.float32)
        features[:5] = dots[:5] / np.sqrt(np.maximum(whole[:5] * my_whole[:5], 1e-6))
        features[5] = _title_fuzz(new.title, held.titles)
        mine_in = dots[5:9] / np.maximum(my_whole[5:], 1e-6)
        its_in = dots[9:13] / np.maximum(whole[5:], 1e-6)
        # Where one side has no names or numbers at all, nothing speaks against the pair.
        np.minimum(mine_in, its_in, out=features[6:14:2])
        np.maximum(mine_in, its_in, out=features[7:14:2])
        features[14:17:2] = largest / 10
        features[15] = np.log1p(dots[13])
        features[17:22] = _circumstances(facts(new), held.facts)
        features[22:26] = _standing(features[0], held.nearest, named or count)
        features[26] = np.log1p(np.bincount(of, minlength=count))
        names = named_by_both.nonzero()[0]
        burst = window.burst(terms[hit[names]])
        features[27] = _averages(of[names], burst, idf[names], count)
        few = 1 / self._held_by(terms[hit])
        peculiar = np.bincount(of, value * few, count)
        features[28] = peculiar / np.maximum(dots[0], 1e-6)
        features[29] = np.log1p(np.bincount(of, idf * few * named_by_both, count))
        return features.T

    def _held_by(self, shared: Places) -> npt.NDArray[np.uint16]:
        """For each term in common, how many of the candidates hold it.

        In a long affair, or where everything is written to one template, all do. What only few of
        them share with the new article tells its event from the others.
        """
        np.add.at(self._holders, shared, 1)
        holders = self._holders.take(shared)
        self._holders[shared] = 0
        return holders

    def _shared(
        self, terms: Places, low: npt.NDArray[np.uint8], others: int
    ) -> tuple[Places, npt.NDArray[np.uint8]]:
        """Where the others' terms are that the new article has too, and what it has there.

        The first ``others`` terms are theirs, the rest are its own.
        """
        mine, its = terms[others:], terms[:others]
        sieved = mine & (_SIEVE - 1)
        self._sieve[sieved] = True
        self._mine[mine] = low[others:]
        maybe = self._sieve.take(its & (_SIEVE - 1)).nonzero()[0]
        shared = self._mine.take(its[maybe])
        self._sieve[sieved] = False
        self._mine[mine] = 0
        held = shared.nonzero()[0]
        return maybe[held], shared[held]


def _log_sizes(window: Window, languages: Sequence[str], owner: Places) -> np.float32 | Floats:
    """For each entry on how many articles its frequency rests."""
    sizes = {language: window.log_size(language) for language in set(languages)}
    if len(sizes) == 1:
        return np.float32(next(iter(sizes.values())))
    by_article = np.array([sizes[language] for language in languages], dtype=np.float32)
    spread: Floats = by_article[owner]
    return spread


def _wholes(
    owner: Places,
    low: npt.NDArray[np.uint8],
    parts: tuple[Floats, Floats, Floats],
    count: int,
) -> Sums:
    """Sums over all entries of each article, a row for each sum: see ``_WHOLE``."""
    keys = owner * _KINDS + (low >> 4)
    tables = [np.bincount(keys, part, _KINDS * count).reshape(count, _KINDS) for part in parts]
    sums: Sums = _WHOLE @ np.concatenate(tables, axis=1).T
    return sums


def _by_owner(of: Places, sums: Sums, values: Floats, count: int) -> tuple[Sums, Floats]:
    """The sums and the largest values of each owner (``of``, rising), 0 where there is none."""
    summed = np.zeros((len(sums), count))
    largest = np.zeros((len(values), count), dtype=np.float32)
    counts = np.bincount(of, minlength=count)
    some = counts.nonzero()[0]
    if len(some):
        starts = (counts.cumsum() - counts)[some]
        summed[:, some] = np.add.reduceat(sums, starts, axis=1)
        largest[:, some] = np.maximum.reduceat(values, starts, axis=1)
    return summed, largest


def _entering(kinds: int, wanted: Sequence[int]) -> npt.NDArray[np.bool_]:
    """A row for each sum: which kinds of entries, by their flags, enter it."""
    flags = np.array(wanted)[:, None]
    entering: npt.NDArray[np.bool_] = (np.arange(kinds) & flags) == flags
    return entering


_TITLE, _LEAD, _NAME, _NUMBER = (flag >> 4 for flag in (IN_TITLE, IN_LEAD, IS_NAME, IS_NUMBER))
_VALUE, _SQUARED, _PLAIN, _RARER = range(4)
# In the order of the first five features, then what can be covered.
_PRODUCTS = (
    (_VALUE, 0), (_SQUARED, _TITLE), (_VALUE, _NAME), (_SQUARED, _NUMBER), (_SQUARED, _LEAD),
)  # fmt: skip
_COVERED = (_TITLE, _LEAD, _LEAD | _NAME, _LEAD | _NUMBER)
_KINDS = 16
# Of an article alone: the value, squared and plain frequencies of each kind of entry, to sums.
_WHOLE: Sums = np.array(
    [
        np.kron(np.arange(3) == part, _entering(_KINDS, [flags])[0])
        for part, flags in (*_PRODUCTS, *((_PLAIN, flags) for flags in _COVERED))
    ],
    dtype=np.float64,
)
# Of what two have in common, where both sides' flags say so, then the one's, then the other's.
_PART_OF = np.array([part for part, _ in _PRODUCTS] + [_PLAIN] * 2 * len(_COVERED) + [_RARER])
_ENTERS = _entering(
    256,
    [
        *(flags * 17 for _, flags in _PRODUCTS),
        *(flags << 4 for flags in _COVERED),
        *_COVERED,
        0,
    ],
)


COSINES = FEATURES[:5]
"""The similarities that are shown to people."""


def _title_fuzz(new: str, titles: Sequence[str]) -> Floats:
    """How alike the titles are as sets of words, 0 to 1; 0 where one has none."""
    if len(titles) <= _FEW:
        one_by_one = [token_set_ratio(new, title) / 100 for title in titles]
        return np.array(one_by_one, dtype=np.float32)
    alike: Floats = cdist([new], titles, scorer=token_set_ratio, dtype=np.float32)[0]
    return alike / np.float32(100)


def _averages(owner: Places, values: Floats, weights: Floats, count: int) -> Sums:
    """The weighted average of each owner's values, 0 where it has none."""
    total = np.bincount(owner, weights, count)
    averages: Sums = np.bincount(owner, values * weights, count) / np.maximum(total, 1e-6)
    return averages


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
    mine = -body[:named]
    mine.sort()
    mine = -mine
    second = mine[1] if named > 1 else 0.0
    my_rank = (-mine[:NEIGHBOURS]).searchsorted(-body)
    its_rank = np.add.reduce(nearest > body[:, None], axis=1)
    my_margin = body - np.where(body >= mine[0], second, mine[0])
    its_margin = body - nearest[:, 0]
    return [
        np.minimum(my_rank, its_rank),
        np.maximum(my_rank, its_rank),
        np.maximum(my_margin, its_margin),
        np.minimum(my_margin, its_margin),
    ]
