"""How common terms are before the stream has shown it: counts made by training, kept small.

Frequencies are by bucket of a term's hash, so they cannot be read back as text.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

BUCKETS: Final = 1 << 20
TERMS: Final = 2 * BUCKETS
"""Words in the first half, pairs of capitalised words in the second."""
_STEPS = 20_000
_RAREST = 3


def _nothing() -> npt.NDArray[np.float32]:
    return np.zeros(TERMS, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """``shares``: in what share of articles a term occurs, by term.

    ``documents``: on how many articles that rests, by language.
    """

    documents: dict[str, int] = field(default_factory=dict)
    shares: npt.NDArray[np.float32] = field(default_factory=_nothing)
    rarity: npt.NDArray[np.float32] = field(init=False)
    """The smoothed inverse document frequency of each term."""

    def __post_init__(self) -> None:
        rarity = np.log(1 + 10_000 / (1 + 10_000 * self.shares))
        object.__setattr__(self, "rarity", rarity)  # the way of a frozen dataclass

    @classmethod
    def count(cls, articles: Iterable[tuple[str, npt.NDArray[np.unsignedinteger]]]) -> "Background":
        """From pairs of a language and the distinct terms of one article.

        Words are counted within their language, pairs of capitalised words over all.
        """
        documents: dict[str, int] = {}
        counts: dict[str, npt.NDArray[np.int32]] = {}
        for language, keys in articles:
            documents[language] = documents.get(language, 0) + 1
            table = counts.setdefault(language, np.zeros(TERMS, dtype=np.int32))
            table[keys] += 1
        shares = _nothing()
        everywhere = sum(counts.values(), np.zeros(TERMS, dtype=np.int32))
        everywhere[everywhere < _RAREST] = 0
        shares[BUCKETS:] = everywhere[BUCKETS:] / max(sum(documents.values()), 1)
        for language, table in counts.items():
            table[table < _RAREST] = 0
            shares[:BUCKETS] += table[:BUCKETS] / documents[language]
        return cls(documents, (np.rint(shares * _STEPS) / _STEPS).astype(np.float32))

    def save(self, path: Path) -> None:
        """Write as a compressed NumPy archive."""
        keys = np.flatnonzero(self.shares)
        np.savez_compressed(
            path,
            # Small steps between sorted keys compress better than the keys.
            steps=np.diff(keys, prepend=0).astype(np.int32),
            shares=np.rint(self.shares[keys] * _STEPS).astype(np.uint16),
            documents=np.array(json.dumps(self.documents, sort_keys=True)),
        )

    @classmethod
    def load(cls, path: Path) -> "Background":
        """Read what ``save`` wrote. Raises OSError or KeyError when it is something else."""
        with np.load(path) as archive:
            shares = _nothing()
            shares[np.cumsum(archive["steps"])] = archive["shares"] / np.float32(_STEPS)
            return cls(json.loads(str(archive["documents"])), shares)
