"""The learned part as data: weights, thresholds, background frequencies and where they came from.

A model is a network of one hidden layer over the features of a pair, giving the log-odds that both
tell one event. It is made by ``train`` and read from two files: readable JSON and the background's
counts.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import Background
from aggregator.matching.pairs import FEATURES
from aggregator.matching.stories import Rules

SHIPPED = Path(__file__).with_name("weights.json")
_FORMAT = 1
_OUTLIER = np.float32(6)

Floats = npt.NDArray[np.float32]


class ModelError(ValueError):
    """A weights file that cannot be used; says which and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """One hidden layer of rectified units over standardised features."""

    centre: Floats
    scale: Floats
    hidden: Floats
    bias: Floats
    output: Floats
    constant: float

    def log_odds(self, features: Floats) -> Floats:
        """The log-odds of one event for each row of features."""
        inputs = standardised(features, self.centre, self.scale)
        odds: Floats = np.maximum(inputs @ self.hidden + self.bias, 0) @ self.output
        return odds + np.float32(self.constant)


def standardised(rows: Floats, centre: Floats, scale: Floats) -> Floats:
    """Features in standard deviations from their mean, outliers drawn in."""
    drawn_in: Floats = np.minimum(np.maximum((rows - centre) / scale, -_OUTLIER), _OUTLIER)
    return drawn_in


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Everything the matcher was taught. ``provenance``: what data (hash), when, what scores."""

    network: Network
    rules: Rules = field(default_factory=Rules)
    background: Background = field(default_factory=Background)
    provenance: Mapping[str, object] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write ``path`` (JSON) and, beside it, the background as ``.npz``."""
        network = {
            name: value if isinstance(value, float) else _rounded(value)
            for name in Network.__slots__
            if (value := getattr(self.network, name)) is not None
        }
        value = {
            "format": _FORMAT,
            "provenance": dict(self.provenance),
            "rules": asdict(self.rules),
            "features": FEATURES,
            "network": network,
        }
        path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
        self.background.save(path.with_suffix(".npz"))

    @classmethod
    def load(cls, path: Path = SHIPPED) -> "Model":
        """Read what ``save`` wrote. Raises ModelError when it does not fit this version."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if value["format"] != _FORMAT or tuple(value["features"]) != FEATURES:
                msg = f"{path} was made for other features: run `newsfold train` again"
                raise ModelError(msg)
            network: dict[str, Any] = {
                name: part if isinstance(part, float) else np.array(part, dtype=np.float32)
                for name, part in value["network"].items()
            }
            return cls(
                Network(**network),
                Rules(**value["rules"]),
                Background.load(path.with_suffix(".npz")),
                value["provenance"],
            )
        except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
            msg = f"{path} cannot be read as weights: {error}"
            raise ModelError(msg) from error


def _rounded(values: Floats) -> object:
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [float(f"{value:.5g}") for value in values]
