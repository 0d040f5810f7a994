"""Weights from labelled articles: deterministic, and measured on clusters that were not trained on.

Clusters are dealt into parts. For each part a model is made of the others alone: examples,
background and network have not seen it. These models choose the thresholds, each by its part in the
crowd of whole files, and are measured; what is returned is made of everything.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from aggregator.matching.examples import count_background, gather_all
from aggregator.matching.fitting import fit
from aggregator.matching.fold import fold
from aggregator.matching.holdout import dealt, f1_of_held
from aggregator.matching.jsonl import Row, read_rows
from aggregator.matching.model import Model
from aggregator.matching.stories import Rules

Mask = npt.NDArray[np.bool_]
Progress = Callable[[str], None]
Files = Mapping[str, Sequence[Row]]
F1 = dict[str, list[float]]
"""B-cubed and pairwise F1 in per cent, by file."""

PARTS = 3
"""Into how many parts clusters are dealt to measure on those that were not trained on."""
JOIN = (300, 600, 900, 1_200, 1_500)
JOIN_SHORT = (0, 200, 400, 600)
"""The thresholds that are tried, in thousandths of log-odds."""
SPARED = 0.2
"""Points that a stricter threshold may cost: other material is denser in look-alikes than what was
trained on, and one story of two events is worse than two of one."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some clusters held out of each file, and a model that has seen only the rest."""

    held: Mapping[str, Mask]
    alone: Files
    model: Model


def train(paths: Sequence[Path], today: date, progress: Progress = print) -> Model:
    """A model from labelled JSON Lines files.

    Its provenance tells the files, their hash, the date and three scores of each file: on the rows
    that it was trained on and, by models of their own, on clusters held out, met in the crowd of
    the whole file and as a stream of their own. Raises OSError for a file that cannot be read,
    ValueError where nothing can be learnt.
    """
    files = {path.name: read_rows(path)[0] for path in paths}
    parts = [_part(files, number, progress) for number in range(PARTS)]
    tried = Tried(files, [part for part in parts if part is not None], progress)
    rules = tried.best(range(len(tried.parts)))
    model = made_of(files, progress)
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    model = replace(model, rules=rules)
    return replace(
        model,
        provenance={
            "files": list(files),
            "sha256": digest.hexdigest(),
            "date": today.isoformat(),
            "articles": sum(map(len, files.values())),
            **model.provenance,
            "scores": "B-cubed F1 and pairwise F1, per cent",
            "on the rows trained on": on_rows(files, model, progress),
            "on clusters held out": tried.scores(),
            "on clusters held out, as streams of their own": on_streams(tried, progress),
        },
    )


def made_of(files: Files, progress: Progress = lambda _: None) -> Model:
    """A model that has seen these files and nothing else, with the thresholds that are usual.

    Its provenance tells from how many pairs it learnt. Raises ValueError where there were none.
    """
    background = count_background(row.document for rows in files.values() for row in rows)
    examples = gather_all(files, background, progress)
    pairs = sum(len(one.same) for one in examples)
    if not pairs:
        msg = "no two articles are alike enough to learn from"
        raise ValueError(msg)
    return Model(fit(examples, progress), background=background, provenance={"pairs": pairs})


def _part(files: Files, number: int, progress: Progress) -> Part | None:
    """None where too little is left to train on, or nothing is held out."""
    held = {name: dealt(rows, PARTS) == number for name, rows in files.items()}
    left = {name: _only(rows, ~held[name]) for name, rows in files.items()}
    alone = {name: _only(rows, held[name]) for name, rows in files.items() if held[name].any()}
    progress(f"without part {number + 1} of {PARTS}")
    try:
        return Part(held, alone, made_of(left, progress)) if alone else None
    except ValueError:
        return None


def _only(rows: Sequence[Row], chosen: Mask) -> list[Row]:
    """Some rows as a stream of their own, numbered from 0."""
    some = [row for row, wanted in zip(rows, chosen, strict=True) if wanted]
    return [
        replace(row, document=replace(row.document, id=number)) for number, row in enumerate(some)
    ]


def strictest(scores: Mapping[int, float]) -> int:
    """The highest threshold whose score is at most ``SPARED`` points below the best one."""
    enough = max(scores.values()) - SPARED
    return max(threshold for threshold, score in scores.items() if score >= enough)


class Tried:
    """Thresholds tried on held-out parts; each is measured once.

    Whole files are folded, so that they are as crowded as they are; only what was held out counts.
    """

    def __init__(self, files: Files, parts: Sequence[Part], progress: Progress) -> None:
        self.parts = parts
        self._files = files
        self._progress = progress
        self._found: dict[tuple[int, Rules], F1] = {}

    def best(self, parts: Iterable[int]) -> Rules:
        """The strictest threshold that costs little on these parts, then that for headlines."""
        some = list(parts)
        if not some:
            return Rules()
        chosen = Rules(join=strictest({j: self._score(some, Rules(join=j)) for j in JOIN}))
        short = [replace(chosen, join_short=join) for join in JOIN_SHORT]
        return max(short, key=lambda rules: self._score(some, rules))

    def for_part(self, part: int) -> Rules:
        """What the other parts would have chosen."""
        others = [other for other in range(len(self.parts)) if other != part]
        return self.best(others or [part])

    def scores(self) -> F1:
        """How good each part's model is on its part, by what the others chose: means."""
        return _means(
            [self._measured(part, self.for_part(part)) for part in range(len(self.parts))]
        )

    def _score(self, parts: Sequence[int], rules: Rules) -> float:
        return fmean(
            fmean(fmean(scores) for scores in self._measured(part, rules).values())
            for part in parts
        )

    def _measured(self, part: int, rules: Rules) -> F1:
        found = self._found.get((part, rules))
        if found is None:
            self._progress(f"part {part + 1}: {rules.join}, for headlines {rules.join_short}")
            one = self.parts[part]
            model = replace(one.model, rules=rules)
            found = {
                name: _measured(self._files[name], model, one.held[name]) for name in one.alone
            }
            self._found[part, rules] = found
        return found


def on_rows(files: Files, model: Model, progress: Progress = lambda _: None) -> F1:
    """How good a model is on whole files."""
    found: F1 = {}
    for name, rows in files.items():
        progress(f"{name}: measuring")
        found[name] = _measured(rows, model, np.ones(len(rows), dtype=np.bool_))
    return found


def on_streams(tried: Tried, progress: Progress = lambda _: None) -> F1:
    """How good each part's model is on its part as a stream of its own."""
    return _means(
        [
            on_rows(part.alone, replace(part.model, rules=tried.for_part(number)), progress)
            for number, part in enumerate(tried.parts)
        ]
    )


def _means(found: Sequence[F1]) -> F1:
    names = dict.fromkeys(name for one in found for name in one)
    return {
        name: [
            round(fmean(column), 1)
            for column in zip(*(one[name] for one in found if name in one), strict=True)
        ]
        for name in names
    }


def _measured(rows: Sequence[Row], model: Model, held: Mask) -> list[float]:
    stories = [one.story for one in fold(rows, model)]
    scores = f1_of_held([row.cluster for row in rows], stories, held)
    return [round(100 * score, 1) for score in scores]
