"""Weights from labelled articles: deterministic, NumPy only, measured on clusters not trained on.

A small network over the features of pairs (``examples.py``) gives the log-odds. Files weigh much
the same whatever their size.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from aggregator.matching.examples import Examples, count_background, gather_all
from aggregator.matching.fold import fold
from aggregator.matching.holdout import dealt, f1_of_held
from aggregator.matching.jsonl import Row, read_rows
from aggregator.matching.model import Model, Network, standardised
from aggregator.matching.stories import Rules

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Progress = Callable[[str], None]
Files = Mapping[str, Sequence[Row]]
F1 = dict[str, list[float]]
"""B-cubed and pairwise F1 in per cent, by file."""

PARTS = 3
"""Into how many parts clusters are dealt to measure on those that were not trained on."""
_NETS, _HIDDEN = 3, 32
_EPOCHS, _BATCH, _RATE, _DECAY = 10, 512, 3e-3, 1e-3
_UNLIKE, _THIN = 0.12, 8


def train(
    paths: Sequence[Path],
    today: date,
    rules: Rules | None = None,
    progress: Progress = print,
) -> Model:
    """A model from labelled JSON Lines files. Raises OSError for a file that cannot be read.

    Its provenance tells the files, their hash, the date and two scores of each file: on the rows
    that it was trained on, and, by models of their own, on clusters that were held out.
    """
    rules = rules or Rules()
    files = {path.name: read_rows(path)[0] for path in paths}
    background = count_background(row.document for rows in files.values() for row in rows)
    examples = gather_all(files, background, progress)
    model = Model(fit(flat(examples), progress), rules, background)
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return Model(
        model.network,
        rules,
        background,
        {
            "files": list(files),
            "sha256": digest.hexdigest(),
            "date": today.isoformat(),
            "articles": sum(map(len, files.values())),
            "pairs": sum(len(one.same) for one in flat(examples)),
            "scores": "B-cubed F1 and pairwise F1, per cent",
            "on the rows trained on": on_rows(files, model, progress),
            "on clusters held out": on_held_out(files, examples, model, progress),
        },
    )


def flat(examples: Mapping[str, Sequence[Examples]]) -> list[Examples]:
    """The examples of all files."""
    return [one for some in examples.values() for one in some]


def on_rows(files: Files, model: Model, progress: Progress = lambda _: None) -> F1:
    """How good a model is on whole files."""
    found: F1 = {}
    for name, rows in files.items():
        progress(f"{name}: measuring")
        found[name] = _measured(rows, model, np.ones(len(rows), dtype=np.bool_))
    return found


def on_held_out(
    files: Files,
    examples: Mapping[str, Sequence[Examples]],
    like: Model,
    progress: Progress = lambda _: None,
) -> F1:
    """How good models like this one are on clusters that they never saw: means over the parts.

    Whole files are folded, so that they are as crowded as they are; only what was held out counts.
    """
    found: dict[str, list[list[float]]] = {name: [] for name in files}
    for part in range(PARTS):
        held = {name: dealt(rows, PARTS) == part for name, rows in files.items()}
        left = [one.without(held[name]) for name, some in examples.items() for one in some]
        if not any(len(one.same) for one in left):  # too little to hold anything out
            continue
        model = Model(fit(left, progress), like.rules, like.background)
        for name, rows in files.items():
            progress(f"{name}: measuring held-out part {part + 1} of {PARTS}")
            if held[name].any():
                found[name].append(_measured(rows, model, held[name]))
    return {
        name: [round(fmean(column), 1) for column in zip(*scores, strict=True)]
        for name, scores in found.items()
        if scores
    }


def _measured(rows: Sequence[Row], model: Model, held: Mask) -> list[float]:
    stories = [one.story for one in fold(rows, model)]
    scores = f1_of_held([row.cluster for row in rows], stories, held)
    return [round(100 * score, 1) for score in scores]


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
