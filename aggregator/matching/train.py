"""Weights from labelled articles: deterministic, NumPy only.

Each file is streamed as the matcher would meet it, whole, shortened to a feed's summary and as
headlines alone; every pair that the index proposes is an example, labelled by whether both have
one cluster. A logistic regression on second-degree products of the features (ridge, by Newton's
method) gives the log-odds. Files weigh the same whatever their size.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import Background
from aggregator.matching.document import Document
from aggregator.matching.fingerprint import Fingerprinter
from aggregator.matching.jsonl import Row, read_rows
from aggregator.matching.model import Model
from aggregator.matching.pairs import Comparer, remember
from aggregator.matching.stories import Rules
from aggregator.matching.window import Window, counted_keys

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]

SUMMARY = 250
"""Characters of text in the shortened variant."""
HEADLINE = 100
"""Characters that stand for a missing title in the headline variant."""
_PART = 1 << 14
_RIDGE = 3.0
_STEPS = 30
_ENOUGH = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pairs of one file: positions of the two rows, features, labels and weights (sum 1)."""

    later: npt.NDArray[np.int64]
    earlier: npt.NDArray[np.int64]
    features: npt.NDArray[np.float32]
    same: npt.NDArray[np.bool_]
    weights: Floats


def train(
    paths: Sequence[Path],
    today: date,
    rules: Rules = Rules(),
    progress: Progress = print,  # noqa: B008
) -> Model:
    """A model from labelled JSON Lines files. Raises OSError for a file that cannot be read."""
    files = [read_rows(path)[0] for path in paths]
    background = count_background(row.document for rows in files for row in rows)
    examples = []
    for path, rows in zip(paths, files, strict=True):
        for name, variant in VARIANTS.items():
            progress(f"{path.name}: {name}")
            examples.append(gather([variant(row) for row in rows], background))
    progress("fitting")
    quadratic, linear, constant = fit(examples)
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return Model(
        quadratic,
        linear,
        constant,
        rules,
        background,
        {
            "files": [path.name for path in paths],
            "sha256": digest.hexdigest(),
            "date": today.isoformat(),
            "articles": sum(map(len, files)),
            "pairs": sum(len(e.same) for e in examples),
        },
    )


def count_background(documents: Iterable[Document]) -> Background:
    """How common terms are in these documents."""
    maker = Fingerprinter(Background())
    made = map(maker.make, documents)
    return Background.count((made.language, counted_keys(made)) for made in made)


def gather(rows: Sequence[Row], background: Background) -> Examples:
    """The pairs that the index proposes as ``rows`` stream by, with their labels."""
    window, maker, comparer = Window(background), Fingerprinter(background), Comparer()
    nearest: dict[int, npt.NDArray[np.float32]] = {}
    later, earlier, features = [], [], []
    for number, row in enumerate(rows):
        made = maker.make(row.document)
        found = window.candidates(made).tolist()
        cosines: dict[int, float] = {}
        if found:
            compared = comparer.compare(window, made, found, np.stack([nearest[s] for s in found]))
            later += [number] * len(found)
            earlier += found
            features.append(compared)
            cosines = dict(zip(found, compared[:, 0].tolist(), strict=True))
        window.add(made)
        remember(nearest, number, cosines)
    clusters = np.array([row.cluster for row in rows])
    i, j = np.array(later), np.array(earlier)
    # An article with many candidates must not outweigh the rest.
    weights = 1 / np.sqrt(np.bincount(i, minlength=len(rows))[i])
    return Examples(
        i, j, np.concatenate(features), clusters[i] == clusters[j], weights / weights.sum()
    )


def fit(examples: Sequence[Examples]) -> tuple[Floats, Floats, float]:
    """The quadratic, linear and constant part of the log-odds.

    Ridge-penalised logistic regression on standardised second-degree products, by Newton's method.
    """
    rows = np.concatenate([e.features for e in examples]).astype(np.float64)
    labels = np.concatenate([e.same for e in examples]).astype(np.float64)
    weights = np.concatenate([e.weights for e in examples])
    weights *= len(weights) / weights.sum()
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    rows = (rows - mean) / scale
    width = rows.shape[1]
    centre, spread = _moments(rows)
    solution = _newton(rows, labels, weights, centre, spread)

    # Back from standardised products of standardised features to plain features.
    slopes = solution[1:] / spread
    constant = solution[0] - slopes @ centre
    linear = slopes[:width] / scale
    quadratic = np.zeros((width, width))
    quadratic[np.triu_indices(width)] = slopes[width:]
    quadratic /= np.outer(scale, scale)
    constant += mean @ quadratic @ mean - linear @ mean
    return quadratic, linear - (quadratic + quadratic.T) @ mean, float(constant)


def _newton(
    rows: Floats, labels: Floats, weights: Floats, centre: Floats, spread: Floats
) -> Floats:
    """The intercept and slopes that maximise the penalised likelihood."""
    size = len(centre) + 1
    solution = np.zeros(size)
    penalty = np.full(size, _RIDGE)
    penalty[0] = 0
    for _ in range(_STEPS):
        gradient = -penalty * solution
        curvature = np.diag(penalty)
        for part in _parts(len(rows)):
            design = np.ones((part.stop - part.start, size))
            design[:, 1:] = (_products(rows[part]) - centre) / spread
            odds = 1 / (1 + np.exp(-(design @ solution).clip(-30, 30)))
            gradient += design.T @ (weights[part] * (labels[part] - odds))
            curvature += (design * (weights[part] * odds * (1 - odds))[:, None]).T @ design
        step = np.linalg.solve(curvature, gradient)
        solution += step
        if np.abs(step).max() < _ENOUGH:
            break
    return solution


def _products(rows: Floats) -> Floats:
    """The features and their products two by two, squares included."""
    one, other = np.triu_indices(rows.shape[1])
    return np.concatenate((rows, rows[:, one] * rows[:, other]), axis=1)


def _moments(rows: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the products."""
    total = squares = np.zeros(1)
    for part in _parts(len(rows)):
        products = _products(rows[part])
        total = total + products.sum(axis=0)
        squares = squares + (products**2).sum(axis=0)
    mean = total / len(rows)
    return mean, np.sqrt(np.maximum(squares / len(rows) - mean**2, 0)) + 1e-9


def _parts(count: int) -> Iterator[slice]:
    return (slice(at, min(at + _PART, count)) for at in range(0, count, _PART))


def _whole(row: Row) -> Row:
    return row


def _summary(row: Row) -> Row:
    return replace(row, document=replace(row.document, text=row.document.text[:SUMMARY]))


def _headline(row: Row) -> Row:
    title = row.document.title or row.document.text[:HEADLINE]
    return replace(row, document=replace(row.document, title=title, text=""))


VARIANTS: dict[str, Callable[[Row], Row]] = {
    "whole": _whole,
    "summary": _summary,
    "headline": _headline,
}
