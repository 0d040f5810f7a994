"""Whole files through the matcher: fold them, measure them, hold them to floors.

Runs exactly the daemon's matcher over articles in the order in which it would have met them.
"""

import json
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from aggregator.matching.decisions import Decision, Move
from aggregator.matching.evaluate import Scores, score
from aggregator.matching.jsonl import BadLine, Pile, Progress, Row, read_rows
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model

TOGETHER = 32
"""Articles whose fingerprints are made at once."""
SizedRows = Sequence[Row] | Pile
"""Articles numbered from 0 in the order of folding."""
_IN_MEMORY = 1 << 26


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
    """One labelled file measured. The matcher folded so many articles in so many ``seconds``."""

    name: str
    scores: Scores
    folded: int
    seconds: float
    bad_lines: tuple[BadLine, ...]

    @property
    def speed(self) -> float:
        """Articles a second; 0 where there was nothing to measure."""
        return self.folded / self.seconds if self.seconds else 0.0


def fold(
    rows: SizedRows,
    model: Model,
    limits: Limits | None = None,
    progress: Progress = lambda _done, _all: None,
) -> list[Folded]:
    """Fold articles in the order given; the label of a row is never looked at."""
    with folded(rows, model, limits, progress) as outcomes:
        return list(outcomes)


@contextmanager
def folded(
    rows: SizedRows,
    model: Model,
    limits: Limits | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Iterator[Iterator[Folded]]:
    """As ``fold``; outcomes wait on disk for their last change, so that any number will do.

    Raises OSError where they find no room to wait.
    """
    matcher = Matcher(model, limits)
    names: list[str] = []
    latest = array("q")
    with SpooledTemporaryFile(_IN_MEMORY) as spool:
        for done, row in enumerate(_prepared(rows, matcher), 1):
            names.append(row.id)
            latest.append(0)
            result = matcher.add(row.document)
            placed: tuple[Decision | Move, ...] = (result.decision, *result.moves)
            for one in placed:
                latest[one.id] = spool.tell()
                spool.write(json.dumps(_outcome(one, names)).encode() + b"\n")
            progress(done, len(rows))
        yield (Folded(*json.loads(_line_at(cast("IO[bytes]", spool), place))) for place in latest)


def _prepared(rows: Iterable[Row], matcher: Matcher) -> Iterator[Row]:
    left = iter(rows)
    while some := list(islice(left, TOGETHER)):
        matcher.prepare([row.document for row in some])
        yield from some


def _line_at(file: IO[bytes], place: int) -> bytes:
    file.seek(place)
    return file.readline()


def _outcome(one: Decision | Move, names: Sequence[str]) -> tuple[object, ...]:
    """The fields of ``Folded`` for a document and what was said of it."""
    copy_of = None if one.copy_of is None else names[one.copy_of]
    why = one.reason.words(names.__getitem__)
    return names[one.id], names[one.story], copy_of, round(one.score, 3), why


def evaluate_file(
    path: Path,
    model: Model,
    limits: Limits | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Fold one labelled file and measure it. Rows without a label are folded but not scored."""
    rows, bad = read_rows(path)
    started = time.perf_counter()
    outcomes = fold(rows, model, limits, progress)
    seconds = time.perf_counter() - started
    labelled = [
        (row.cluster, one.story)
        for row, one in zip(rows, outcomes, strict=True)
        if row.cluster is not None
    ]
    scores = score([label for label, _ in labelled], [story for _, story in labelled])
    return Report(path.name, scores, len(rows), seconds, tuple(bad))


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
