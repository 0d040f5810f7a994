"""Whole files through the matcher: fold them, measure them, hold them to floors.

Runs exactly the daemon's matcher over articles in the order in which it would have met them.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from aggregator.matching.decisions import Decision, Move
from aggregator.matching.evaluate import Scores, score
from aggregator.matching.jsonl import BadLine, Row, read_rows
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model

TOGETHER = 32
"""Articles whose fingerprints are made at once."""

Progress = Callable[[int, int], None]
"""Told how many articles of how many are done."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Where an article of a file ended up. Ids are the file's own; ``why`` is in words."""

    id: str
    story: str
    copy_of: str | None
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """One labelled file measured. ``seconds`` is the time the matcher took."""

    name: str
    scores: Scores
    seconds: float
    bad_lines: tuple[BadLine, ...]


def read_stream(paths: Iterable[Path]) -> tuple[list[Row], list[BadLine]]:
    """The articles of several files as one stream. Raises OSError for an unreadable file."""
    rows: list[Row] = []
    bad: list[BadLine] = []
    for path in paths:
        some, problems = read_rows(path)
        rows += some
        bad += problems
    rows.sort(key=lambda row: row.document.arrived)
    return [
        replace(row, document=replace(row.document, id=number)) for number, row in enumerate(rows)
    ], bad


def fold(
    rows: Sequence[Row],
    model: Model,
    limits: Limits | None = None,
    progress: Progress = lambda _done, _all: None,
) -> list[Folded]:
    """Fold articles in the order given; the label of a row is never looked at."""
    matcher = Matcher(model, limits)
    names = {row.document.id: row.id for row in rows}
    found: dict[int, Folded] = {}
    for done, row in enumerate(rows, 1):
        if done % TOGETHER == 1:
            matcher.prepare([one.document for one in rows[done - 1 : done - 1 + TOGETHER]])
        result = matcher.add(row.document)
        placed: tuple[Decision | Move, ...] = (result.decision, *result.moves)
        for one in placed:
            found[one.id] = Folded(
                id=names[one.id],
                story=names[one.story],
                copy_of=None if one.copy_of is None else names[one.copy_of],
                score=round(one.score, 3),
                why=one.reason.words(lambda id_: names[id_]),
            )
        progress(done, len(rows))
    return [found[row.document.id] for row in rows]


def evaluate_file(
    path: Path,
    model: Model,
    limits: Limits | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Fold one labelled file and measure it. Rows without a label are folded but not scored."""
    rows, bad = read_rows(path)
    started = time.perf_counter()
    folded = fold(rows, model, limits, progress)
    seconds = time.perf_counter() - started
    labelled = [
        (row.cluster, one.story)
        for row, one in zip(rows, folded, strict=True)
        if row.cluster is not None
    ]
    scores = score([label for label, _ in labelled], [story for _, story in labelled])
    return Report(path.name, scores, seconds, tuple(bad))


def macro(reports: Sequence[Report]) -> tuple[float, float]:
    """The unweighted means over files of B-cubed F1 and pairwise F1."""
    return (
        fmean(report.scores.bcubed.f1 for report in reports),
        fmean(report.scores.pairwise.f1 for report in reports),
    )


def below_floors(reports: Iterable[Report], floors: Mapping[str, tuple[float, float]]) -> list[str]:
    """What is worse than it may be, in words; ``floors`` are (B-cubed F1, pairwise F1) by file."""
    problems = []
    for report in reports:
        scores = report.scores
        measured = {"B-cubed F1": scores.bcubed.f1, "pairwise F1": scores.pairwise.f1}
        for (name, value), floor in zip(measured.items(), floors[report.name], strict=True):
            if value < floor:
                problems.append(f"{report.name}: {name} is {value:.3f}, its floor is {floor:.3f}")
    return problems
