"""How good a grouping is against labels: B-cubed and pairwise precision, recall and F1.

B-cubed after Bagga and Baldwin (1998), elements weighted equally, as in Amigó et al. (2009): for
each article the share of its found story that has its label (precision) and the share of its label
that is in its found story (recall), averaged over articles. Pairwise: over pairs of articles.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision, recall and F1, each 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Scores:
    """A grouping measured; ``found`` and ``true`` are numbers of clusters."""

    bcubed: Quality
    pairwise: Quality
    articles: int
    found: int
    true: int


def score(true: Sequence[Hashable], found: Sequence[Hashable]) -> Scores:
    """Measure the grouping ``found`` against the labels ``true``, element by element.

    With no pairs to find, or none found, the pairwise figure concerned is 1.
    """
    cells = Counter(zip(true, found, strict=True))
    labels, stories = Counter(true), Counter(found)
    total = max(len(true), 1)
    together = _pairs(cells)
    return Scores(
        bcubed=Quality(
            sum(n * n / stories[story] for (_, story), n in cells.items()) / total,
            sum(n * n / labels[label] for (label, _), n in cells.items()) / total,
        ),
        pairwise=Quality(
            together / _pairs(stories) if _pairs(stories) else 1.0,
            together / _pairs(labels) if _pairs(labels) else 1.0,
        ),
        articles=len(true),
        found=len(stories),
        true=len(labels),
    )


def _pairs(sizes: Mapping[Any, int]) -> int:
    return sum(n * (n - 1) // 2 for n in sizes.values())
