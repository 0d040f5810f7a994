"""The network that gives a pair's log-odds, fitted to examples: deterministic, NumPy only.

Files weigh much the same whatever their size; several small networks are averaged.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from aggregator.matching.examples import Examples
from aggregator.matching.model import Network, standardised

Floats = npt.NDArray[np.float32]
Progress = Callable[[str], None]

_NETS, _HIDDEN = 12, 64
_EPOCHS, _BATCH, _RATE, _DECAY = 24, 512, 3e-3, 1e-4
_UNLIKE, _THIN = 0.12, 8


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
