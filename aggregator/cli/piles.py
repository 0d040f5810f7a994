"""The matcher over piles of articles: folding, measuring, training, with their progress."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from aggregator.errors import ApplicationError
from aggregator.matching.fold import Report, evaluate_file, fold, macro, read_stream
from aggregator.matching.jsonl import BadLine
from aggregator.matching.model import Model, ModelError
from aggregator.matching.train import train


def fold_pile(files: Sequence[Path], weights: Path | None, out: TextIO) -> None:
    """Write a line for each article of ``files``: its story, what it copies, and why.

    Raises:
        ApplicationError: the weights are no good.
    """
    rows, bad = read_stream(files)
    _complain(bad)
    with _progress("Folding", len(rows)) as show:
        folded = fold(rows, _model(weights), progress=show)
    for one in folded:
        click.echo(json.dumps(asdict(one), ensure_ascii=False), file=out)


def measure(files: Sequence[Path], weights: Path | None, *, as_json: bool) -> None:
    """Fold labelled files and print how good the stories are.

    Raises:
        ApplicationError: the weights are no good.
    """
    model = _model(weights)
    reports = []
    for path in files:
        with _progress(path.name, 0) as show:
            reports.append(evaluate_file(path, model, progress=show))
        _complain(reports[-1].bad_lines)
    click.echo(_json_of(reports) if as_json else _table_of(reports))


def _json_of(reports: Sequence[Report]) -> str:
    bcubed, pairwise = macro(reports)
    rows = [_as_json(report) for report in reports]
    average = {"bcubed_f1": bcubed, "pairwise_f1": pairwise}
    return json.dumps({"files": rows, "macro": average}, indent=1)


def _table_of(reports: Sequence[Report]) -> str:
    bcubed, pairwise = macro(reports)
    head = (
        f"{'file':<24}{'B-cubed P':>10}{'R':>6}{'F1':>6}{'pairs P':>9}{'R':>6}{'F1':>6}"
        f"{'stories':>9}{'true':>7}{'per s':>8}"
    )
    average = f"{'macro average':<24}{100 * bcubed:>22.1f}{100 * pairwise:>21.1f}"
    return "\n".join([head, *map(_as_row, reports), average])


def train_on(files: Sequence[Path], out: Path) -> None:
    """Make weights from labelled files."""
    model = train(files, datetime.now(UTC).date(), progress=lambda line: click.echo(line, err=True))
    model.save(out)
    click.echo(f"Wrote {out}")


def _model(weights: Path | None) -> Model:
    try:
        return Model.load(weights) if weights else Model.load()
    except ModelError as error:
        raise ApplicationError(str(error)) from error


def _complain(bad: Sequence[BadLine]) -> None:
    for line in bad:
        click.echo(f"skipped: {line}", err=True)


@contextmanager
def _progress(label: str, length: int) -> Iterator[Callable[[int, int], None]]:
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    with click.progressbar(length=length, label=label, show_pos=True, file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield show


def _as_row(report: Report) -> str:
    scores = report.scores
    figures = [
        100 * value
        for quality in (scores.bcubed, scores.pairwise)
        for value in (quality.precision, quality.recall, quality.f1)
    ]
    widths = (10, 6, 6, 9, 6, 6)
    numbers = "".join(f"{f:>{w}.1f}" for f, w in zip(figures, widths, strict=True))
    speed = scores.articles / report.seconds if report.seconds else 0
    return f"{report.name:<24}{numbers}{scores.found:>9}{scores.true:>7}{speed:>8.0f}"


def _as_json(report: Report) -> dict[str, object]:
    scores = report.scores
    return {
        "file": report.name,
        "articles": scores.articles,
        "found": scores.found,
        "true": scores.true,
        "bcubed": {**asdict(scores.bcubed), "f1": scores.bcubed.f1},
        "pairwise": {**asdict(scores.pairwise), "f1": scores.pairwise.f1},
        "articles_per_second": scores.articles / report.seconds if report.seconds else None,
        "bad_lines": [str(line) for line in report.bad_lines],
    }
