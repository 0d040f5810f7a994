"""The learned part as data: weights, thresholds, background frequencies and where they came from.

A model is a quadratic form over the features of a pair, giving the log-odds that both tell one
event. It is made by ``train`` and read from two files: readable JSON and the background's counts.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import Background
from aggregator.matching.pairs import FEATURES
from aggregator.matching.stories import Rules

SHIPPED = Path(__file__).with_name("weights.json")
_FORMAT = 1

Floats = npt.NDArray[np.float64]


class ModelError(ValueError):
    """A weights file that cannot be used; says which and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Everything the matcher was taught.

    ``quadratic`` is upper triangular over ``FEATURES``; ``linear`` and ``constant`` complete the
    log-odds. ``provenance`` says what data (hash), when, and with what scores.
    """

    quadratic: Floats
    linear: Floats
    constant: float
    rules: Rules = Rules()
    background: Background = field(default_factory=Background)
    provenance: Mapping[str, object] = field(default_factory=dict)

    def log_odds(self, features: npt.NDArray[np.float32]) -> Floats:
        """The log-odds of one event for each row of features."""
        rows = features.astype(np.float64)
        return ((rows @ self.quadratic) * rows).sum(axis=1) + rows @ self.linear + self.constant

    def save(self, path: Path) -> None:
        """Write ``path`` (JSON) and, beside it, the background as ``.npz``."""
        value = {
            "format": _FORMAT,
            "provenance": dict(self.provenance),
            "rules": asdict(self.rules),
            "features": FEATURES,
            "constant": self.constant,
            "linear": [float(f"{w:.6g}") for w in self.linear],
            "quadratic": [[float(f"{w:.6g}") for w in row] for row in self.quadratic],
        }
        lines = json.dumps(value, indent=1, ensure_ascii=False)
        path.write_text(lines + "\n", encoding="utf-8")
        self.background.save(path.with_suffix(".npz"))

    @classmethod
    def load(cls, path: Path = SHIPPED) -> "Model":
        """Read what ``save`` wrote. Raises ModelError when it does not fit this version."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if value["format"] != _FORMAT or tuple(value["features"]) != FEATURES:
                msg = f"{path} was made for other features: run `newsfold train` again"
                raise ModelError(msg)
            return cls(
                quadratic=np.array(value["quadratic"]),
                linear=np.array(value["linear"]),
                constant=value["constant"],
                rules=Rules(**value["rules"]),
                background=Background.load(path.with_suffix(".npz")),
                provenance=value["provenance"],
            )
        except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
            msg = f"{path} cannot be read as weights: {error}"
            raise ModelError(msg) from error
