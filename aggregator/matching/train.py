"""Weights from labelled articles: deterministic, NumPy only.

Each file is streamed as the matcher would meet it, whole, shortened to a feed's summary and as
headlines alone, each with a background that knows the file and with one that does not; and in short
streams, as in a matcher's first days. Every pair that the index proposes is an example, labelled by
whether both have one cluster. A small network over the features gives the log-odds. Files weigh the
same whatever their size.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import Background
from aggregator.matching.completing import completed
from aggregator.matching.document import Document
from aggregator.matching.fingerprint import Fingerprinter
from aggregator.matching.jsonl import Row, read_rows
from aggregator.matching.model import Model, Network, standardised
from aggregator.matching.pairs import Comparer
from aggregator.matching.stories import Rules
from aggregator.matching.window import Window

Floats = npt.NDArray[np.float32]
Progress = Callable[[str], None]

SUMMARY = 250
"""Characters of text in the shortened variant."""
HEADLINE = 100
"""Characters that stand for a missing title in the headline variant."""
YOUNG = 120
"""Articles in a stream that has just begun."""
_NETS, _HIDDEN = 3, 32
_EPOCHS, _BATCH, _RATE, _DECAY = 24, 512, 3e-3, 1e-5
_UNLIKE, _THIN = 0.12, 4


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
    rules: Rules | None = None,
    progress: Progress = print,
) -> Model:
    """A model from labelled JSON Lines files. Raises OSError for a file that cannot be read."""
    files = [read_rows(path)[0] for path in paths]
    background = count_background(row.document for rows in files for row in rows)
    examples = []
    for path, rows in zip(paths, files, strict=True):
        # Unread material brings names that no background has counted.
        strange = count_background(r.document for some in files if some is not rows for r in some)
        for name, variant in VARIANTS.items():
            progress(f"{path.name}: {name}")
            varied = [variant(row) for row in rows]
            examples.append(gather(varied, background))
            examples.append(gather(varied, strange))
        progress(f"{path.name}: young streams")
        examples += [gather(some, strange) for some in young_streams(rows)]
    network = fit(examples, progress)
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return Model(
        network,
        rules or Rules(),
        background,
        {
            "files": [path.name for path in paths],
            "sha256": digest.hexdigest(),
            "date": today.isoformat(),
            "articles": sum(map(len, files)),
            "pairs": sum(len(e.same) for e in examples),
        },
    )


def young_streams(rows: Sequence[Row]) -> list[list[Row]]:
    """The articles in streams of some ``YOUNG``, each cluster in one of them, order kept.

    What a matcher meets in its first days: few articles, little known of how common a name is.
    """
    count = max(len(rows) // YOUNG, 1)
    streams: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        streams[crc32(str(row.cluster).encode()) % count].append(row)
    return [stream for stream in streams if len(stream) > 1]


def count_background(documents: Iterable[Document]) -> Background:
    """How common terms are in these documents."""
    maker = Fingerprinter(Background())
    made = maker.make_all(list(documents))
    return Background.count((one.language, one.packed >> np.uint32(8)) for one in made)


def gather(rows: Sequence[Row], background: Background) -> Examples:
    """The pairs that the index proposes as ``rows`` stream by, with their labels."""
    window, maker, comparer = Window(background), Fingerprinter(background), Comparer()
    labels = [row.cluster or f"?{row.id}" for row in rows]
    members: dict[str, list[int]] = {}
    later, earlier, features = [], [], []
    for number, made in enumerate(maker.make_all([row.document for row in rows])):
        named = window.candidates(made)
        cosines: list[float] = []
        found = named
        if named:
            found = named + completed(window, named, labels.__getitem__, members.__getitem__)
            compared = comparer.compare(window, made, found, len(named))
            later += [number] * len(found)
            earlier += found
            features.append(compared)
            cosines = (np.rint(compared[:, 0] * 1000) / 1000).tolist()
        members.setdefault(labels[number], []).append(number)
        window.remember(window.add(made), found, cosines)
    clusters = np.array(labels)
    i, j = np.array(later), np.array(earlier)
    # An article with many candidates must not outweigh the rest.
    weights = 1 / np.sqrt(np.bincount(i, minlength=len(rows))[i])
    return Examples(
        i, j, np.concatenate(features), clusters[i] == clusters[j], weights / weights.sum()
    )


def fit(examples: Sequence[Examples], progress: Progress = lambda _: None) -> Network:
    """The network whose output is the log-odds: several small ones, averaged.

    Trained on weighted cross-entropy by Adam (Kingma and Ba, 2015) with a falling rate, from fixed
    seeds.
    """
    rows, labels, weights = _thinned(examples)
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + np.float32(1e-6)
    inputs = standardised(rows, centre, scale)
    nets = []
    for seed in range(_NETS):
        progress(f"fitting {seed + 1} of {_NETS}")
        nets.append(_fit_one(inputs, labels, weights, np.random.default_rng(seed)))
    return Network(
        centre=centre,
        scale=scale,
        hidden=np.concatenate([net[0] for net in nets], axis=1),
        bias=np.concatenate([net[1] for net in nets]),
        output=(np.concatenate([net[2] for net in nets]) / _NETS).astype(np.float32),
        constant=float(np.mean([net[3][0] for net in nets])),
    )


def _thinned(examples: Sequence[Examples]) -> tuple[Floats, Floats, Floats]:
    """All examples, with most of the plainly unlike pairs left to weigh for the others."""
    rows = np.concatenate([e.features for e in examples])
    labels = np.concatenate([e.same for e in examples]).astype(np.float32)
    weights = np.concatenate([e.weights for e in examples]).astype(np.float32)
    easy = (rows[:, 0] < _UNLIKE) & (labels == 0)
    keep = ~easy | (np.arange(len(rows)) % _THIN == 0)
    weights[easy] *= _THIN
    return rows[keep], labels[keep], weights[keep] / weights[keep].mean()


def _fit_one(
    inputs: Floats, labels: Floats, weights: Floats, random: np.random.Generator
) -> list[Floats]:
    """One network: hidden weights, hidden bias, output weights, output bias."""
    width = inputs.shape[1]
    parameters = [
        random.normal(0, np.sqrt(2 / width), (width, _HIDDEN)).astype(np.float32),
        np.zeros(_HIDDEN, dtype=np.float32),
        random.normal(0, np.sqrt(1 / _HIDDEN), _HIDDEN).astype(np.float32),
        np.zeros(1, dtype=np.float32),
    ]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    steps = _EPOCHS * (len(inputs) // _BATCH)
    step = 0
    for _ in range(_EPOCHS):
        order = random.permutation(len(inputs))
        for at in range(0, len(inputs) - _BATCH + 1, _BATCH):
            chosen = order[at : at + _BATCH]
            gradients = _gradients(parameters, inputs[chosen], labels[chosen], weights[chosen])
            step += 1
            rate = _RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            rate *= np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                np.add(m, 0.1 * (g - m), out=m)
                np.add(v, 0.001 * (g * g - v), out=v)
                np.subtract(p, rate * m / (np.sqrt(v) + 1e-8), out=p, casting="same_kind")
    return parameters


def _gradients(
    parameters: list[Floats], inputs: Floats, labels: Floats, weights: Floats
) -> list[Floats]:
    hidden, bias, output, constant = parameters
    active = np.maximum(inputs @ hidden + bias, 0)
    odds = 1 / (1 + np.exp(-(active @ output + constant).clip(-30, 30)))
    error = weights * (odds - labels) / len(labels)
    back = error[:, None] * output * (active > 0)
    return [
        inputs.T @ back + _DECAY * hidden,
        back.sum(axis=0),
        active.T @ error + _DECAY * output,
        error.sum(keepdims=True),
    ]


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
