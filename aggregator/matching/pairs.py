"""What a pair of articles has in common, as numbers: one row of features per candidate.

Computed for one new article against all its candidates at once, with a fixed number of array
operations. ``FEATURES`` names the columns; docs/folding.md says what each is for.
"""

import numpy as np
import numpy.typing as npt

from aggregator.matching.fingerprint import (
    BODY,
    BUCKET_BITS,
    BUCKETS,
    FIELDS,
    LEAD,
    NAMES,
    NUMBERS,
    TITLE,
    Fingerprint,
)
from aggregator.matching.index import Ints
from aggregator.matching.window import Floats, Window

NEIGHBOURS = 8
"""How many of an article's best body cosines are remembered, for ranks and margins."""

FEATURES = (
    "body", "title", "names", "numbers", "lead",
    "title in text, less", "title in text, more", "lead in text, less", "lead in text, more",
    "rarest in common", "rare in common", "rarest name", 
    "days", "undated", "shorter", "longer", "shorter title",
    "rank, better", "rank, worse", "margin, better", "margin, worse",
)  # fmt: skip

_IN_BODY, _IN_TITLE, _IN_LEAD = 1, 2, 4


class Comparer:
    """Compares a new article with candidates; owns scratch memory, no state between calls."""

    def __init__(self) -> None:
        self._flags = np.zeros(BUCKETS, dtype=np.uint8)

    def compare(
        self,
        window: Window,
        new: Fingerprint,
        slots,
        nearest,
        best=None,
    ) -> npt.NDArray[np.float32]:
        """The features of ``new`` against each slot.

        ``nearest`` holds, for each slot, its best body cosines so far, falling.
        """
        count = len(slots)
        others = [window[slot] for slot in slots]
        packed = np.concatenate([new.packed, *[other.packed for other in others]])
        owner = np.repeat(
            np.arange(count + 1), [len(new.packed), *[len(other.packed) for other in others]]
        )
        entries = packed >> np.uint32(8)
        sizes = np.array(
            [window.language_size(other.language) for other in (new, *others)], dtype=np.float64
        )
        idf = window.idf(entries, sizes[owner])
        values = idf * (packed & np.uint32(255)) * (1 / 16)
        fields = (entries >> np.uint32(BUCKET_BITS)).astype(np.int64)
        cells = owner * FIELDS + fields
        shape = (count + 1, FIELDS)
        squares = np.bincount(cells, values * values, shape[0] * FIELDS).reshape(shape)

        # Entries that the new article has too.
        mine = len(new.packed)
        own = entries[:mine]
        at = np.minimum(np.searchsorted(own, entries), max(mine - 1, 0))
        hit = np.flatnonzero(own[at] == entries) if mine else np.zeros(0, dtype=np.int64)
        products = values[hit] * values[at[hit]]
        dots = np.bincount(cells[hit], products, shape[0] * FIELDS).reshape(shape)
        norms = np.sqrt(np.maximum(squares * squares[0], 1e-9))
        cosines = (dots / norms)[1:]

        covered = self._coverage(new, entries, owner, fields, idf, count)
        rare = _rarest(owner, fields, hit, idf, count)
        body = cosines[:, BODY]
        days = np.abs(np.array([other.published for other in others]) - new.published)
        undated = np.isnan(days)
        words = np.array([other.words for other in others])
        titles = np.array([other.title_words for other in others])
        mine_best = np.sort(body)[::-1] if best is None else best
        my_rank = (mine_best[None, :] > body[:, None]).sum(axis=1).clip(0, NEIGHBOURS)
        its_rank = (nearest > body[:, None]).sum(axis=1)
        top_other = mine_best[1] if len(mine_best) > 1 else 0.0
        my_margin = body - np.where(body >= mine_best[0], top_other, mine_best[0])
        its_margin = body - nearest[:, 0]
        return np.stack(
            [
                cosines[:, BODY], cosines[:, TITLE], cosines[:, NAMES], cosines[:, NUMBERS],
                cosines[:, LEAD],
                *covered, *rare,
                np.where(undated, 0, np.log1p(np.nan_to_num(days))), undated,
                np.log1p(np.minimum(words, new.words)), np.log1p(np.maximum(words, new.words)),
                np.log1p(np.minimum(titles, new.title_words)),
                np.minimum(my_rank, its_rank), np.maximum(my_rank, its_rank),
                np.maximum(my_margin, its_margin), np.minimum(my_margin, its_margin),
            ],
            axis=1,
        ).astype(np.float32)  # fmt: skip

    def _coverage(self, new, entries, owner, fields, idf, count):
        """How much of each one's title and lead the other's text mentions, by rarity."""
        buckets = entries & np.uint32(BUCKETS - 1)
        mine = len(new.packed)
        flags = self._flags
        for field, flag in ((BODY, _IN_BODY), (TITLE, _IN_TITLE), (LEAD, _IN_LEAD)):
            flags[buckets[:mine][fields[:mine] == field]] |= flag
        seen = flags[buckets]
        flags[buckets[:mine]] = 0
        result = []
        for field, flag in ((TITLE, _IN_TITLE), (LEAD, _IN_LEAD)):
            whole = np.bincount(owner, idf * (fields == field), count + 1)
            of_mine = np.bincount(owner, idf * ((fields == BODY) & (seen & flag > 0)), count + 1)
            of_its = np.bincount(
                owner, idf * ((fields == field) & (seen & _IN_BODY > 0)), count + 1
            )
            mine_in = of_mine[1:] / max(whole[0], 1e-9)
            its_in = of_its[1:] / np.maximum(whole[1:], 1e-9)
            result += [np.minimum(mine_in, its_in), np.maximum(mine_in, its_in)]
        return result


def _rarest(owner, fields, hit, idf, count):
    rare = idf[hit]
    of = owner[hit]
    field = fields[hit]
    result = []
    best = np.zeros(count + 1)
    np.maximum.at(best, of[field == BODY], rare[field == BODY])
    result.append(best[1:] / 10)
    total = np.bincount(of, np.maximum(rare - 4, 0) * (field == BODY), count + 1)
    result.append(np.log1p(total[1:]))
    best = np.zeros(count + 1)
    np.maximum.at(best, of[field == NAMES], rare[field == NAMES])
    result.append(best[1:] / 10)
    return result


def remember(
    nearest: dict[int, npt.NDArray[np.float32]], slot: int, cosines: dict[int, float]
) -> None:
    """Note the body cosines of a new article with earlier ones, for both sides."""
    nearest[slot] = _largest(np.array(list(cosines.values()), dtype=np.float32))
    for other, cosine in cosines.items():
        if cosine > nearest[other][-1]:
            nearest[other] = _largest(np.append(nearest[other], np.float32(cosine)))


def _largest(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    kept = np.zeros(NEIGHBOURS, dtype=np.float32)
    ordered = np.sort(values)[::-1][:NEIGHBOURS]
    kept[: len(ordered)] = ordered
    return kept
