"""The matcher over piles of articles: folding, measuring, training, with their progress."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from aggregator.cli.results import problems_with, progress, written
from aggregator.clock import utc_now
from aggregator.errors import ApplicationError
from aggregator.matching.evaluate import Quality
from aggregator.matching.fold import Report, evaluate_file, folded
from aggregator.matching.jsonl import BadLine, opened_pile, read_rows
from aggregator.matching.model import Model, ModelError
from aggregator.matching.train import train


def fold_pile(files: Sequence[Path], weights: Path | None, out: Path) -> None:
    """Write a line for each article of ``files``: its story, what it copies, and why.

    Raises:
        ApplicationError: the weights are no good, a file cannot be read or written, or none of
            its lines is an article.
    """
    model = _model(weights)
    with ExitStack() as held:
        lines = held.enter_context(written(out))
        with problems_with("cannot read the articles"), progress("Reading") as show:
            pile = held.enter_context(opened_pile(files, show))
        _complain(pile.bad)
        if pile.bad and not len(pile):
            raise ApplicationError("none of these lines is an article")
        with problems_with("no room for the outcome"), progress("Folding") as show:
            outcomes = held.enter_context(folded(pile, model, progress=show))
        lines.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in outcomes)


def measure(files: Sequence[Path], weights: Path | None, *, as_json: bool) -> None:
    """Fold labelled files and print how good the stories are.

    Raises:
        ApplicationError: the weights are no good, or a file cannot be read or has no labels.
    """
    model = _model(weights)
    reports = []
    for path in files:
        with problems_with(f"cannot read {path}"), progress(path.name) as show:
            reports.append(evaluate_file(path, model, progress=show))
        _complain(reports[-1].bad_lines)
        if not reports[-1].scores.articles:
            raise ApplicationError(f'{path}: no article has a "cluster" to measure against')
    click.echo(_json_of(reports) if as_json else _table_of(reports))


def train_on(files: Sequence[Path], out: Path) -> None:
    """Make weights from labelled files, with the scores they reach, seen and held out.

    Raises:
        ApplicationError: a file cannot be read or has nothing to learn from, or ``out`` cannot be
            written.
    """
    for path in files:
        with problems_with(f"cannot read {path}"):
            rows, bad = read_rows(path)
        _complain(bad)
        labels = [row.cluster for row in rows if row.cluster is not None]
        if len(set(labels)) == len(labels):
            raise ApplicationError(f'{path}: no two articles have the same "cluster" to learn from')
    with problems_with(f"cannot write {out}"):
        out.open("a").close()  # before the work rather than after it
        try:
            train(files, utc_now().date(), progress=_say).save(out)
        except ValueError as error:
            raise ApplicationError(f"these files cannot be learnt from: {error}") from error
    click.echo(f"Wrote {out}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _model(weights: Path | None) -> Model:
    try:
        return Model.load(weights) if weights else Model.load()
    except ModelError as error:
        raise ApplicationError(str(error)) from error


def _complain(bad: Sequence[BadLine]) -> None:
    for line in bad:
        click.echo(f"skipped: {line}", err=True)


def _figures(quality: Quality) -> dict[str, float]:
    return {"precision": quality.precision, "recall": quality.recall, "f1": quality.f1}


def _json_of(reports: Sequence[Report]) -> str:
    rows = [_as_json(report) for report in reports]
    return json.dumps({"files": rows, "macro": _macro(reports)}, indent=1)


def _as_json(report: Report) -> dict[str, object]:
    scores = report.scores
    return {
        "file": report.name,
        "articles": scores.articles,
        "found": scores.found,
        "true": scores.true,
        "bcubed": _figures(scores.bcubed),
        "pairwise": _figures(scores.pairwise),
        "articles_per_second": report.speed,
        "bad_lines": [str(line) for line in report.bad_lines],
    }


def _macro(reports: Sequence[Report]) -> dict[str, dict[str, float]]:
    """The unweighted mean over files of each figure."""
    return {
        measure: {
            figure: fmean(_figures(getattr(report.scores, measure))[figure] for report in reports)
            for figure in ("precision", "recall", "f1")
        }
        for measure in ("bcubed", "pairwise")
    }


def _table_of(reports: Sequence[Report]) -> str:
    width = max(len("macro average"), *(len(report.name) for report in reports)) + 1
    head = (
        f"{'file':<{width}}{'B-cubed P':>10}{'R':>7}{'F1':>7}{'pairs P':>9}{'R':>7}{'F1':>7}"
        f"{'stories':>9}{'true':>7}{'per s':>8}"
    )
    rows = [
        f"{report.name:<{width}}{_percent(_as_json(report))}"
        f"{report.scores.found:>9}{report.scores.true:>7}{report.speed:>8.0f}"
        for report in reports
    ]
    return "\n".join([head, *rows, f"{'macro average':<{width}}{_percent(_macro(reports))}"])


def _percent(measured: Mapping[str, Any]) -> str:
    widths = {"bcubed": (10, 7, 7), "pairwise": (9, 7, 7)}
    return "".join(
        f"{100 * value:>{width}.1f}"
        for measure, columns in widths.items()
        for value, width in zip(measured[measure].values(), columns, strict=True)
    )
