"""``newsfold fold``, ``evaluate`` and ``train``: the matcher over files of articles."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from aggregator.cli_words import fail
from aggregator.matching.fold import Report, evaluate_file, fold, macro, read_stream
from aggregator.matching.jsonl import BadLine
from aggregator.matching.model import Model, ModelError
from aggregator.matching.train import train

_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
_WEIGHTS = click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights to use instead of those that come along.",
)


@click.command("fold", short_help="Fold articles from files into stories.")
@_FILES
@_WEIGHTS
@click.option(
    "--out",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="-",
    help="Where to write the lines; standard output unless named.",
)
def fold_files(files: tuple[Path, ...], weights: Path | None, out: TextIO) -> None:
    """Fold articles from JSON Lines files (.jsonl, .jsonl.gz) into stories.

    Each line is an object with id, title, text, url, publisher, published and lang; all but id
    may be missing. Articles are taken in order of publication, exactly as the daemon would have
    met them. Writes a line an article: id, story, copy_of, score, why.
    """
    rows, bad = read_stream(files)
    _complain(bad)
    with _progress("Folding", len(rows)) as show:
        folded = fold(rows, _model(weights), progress=show)
    for one in folded:
        click.echo(json.dumps(asdict(one), ensure_ascii=False), file=out)


@click.command(short_help="Measure the matcher on labelled files.")
@_FILES
@_WEIGHTS
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def evaluate(files: tuple[Path, ...], weights: Path | None, as_json: bool) -> None:
    """Fold labelled files and measure the stories against their "cluster".

    B-cubed and pairwise precision, recall and F1 (per cent), stories found and true, articles a
    second, and the average over the files. The label never reaches the matcher.
    """
    model = _model(weights)
    reports = []
    for path in files:
        with _progress(path.name, 0) as show:
            reports.append(evaluate_file(path, model, progress=show))
        _complain(reports[-1].bad_lines)
    bcubed, pairwise = macro(reports)
    if as_json:
        rows = [_as_json(report) for report in reports]
        average = {"bcubed_f1": bcubed, "pairwise_f1": pairwise}
        click.echo(json.dumps({"files": rows, "macro": average}, indent=1))
        return
    click.echo(
        f"{'file':<24}{'B-cubed P':>10}{'R':>6}{'F1':>6}{'pairs P':>9}{'R':>6}{'F1':>6}"
        f"{'stories':>9}{'true':>7}{'per s':>8}"
    )
    for report in reports:
        click.echo(_as_row(report))
    click.echo(f"{'macro average':<24}{100 * bcubed:>22.1f}{100 * pairwise:>21.1f}")


@click.command("train", short_help="Make the matcher's weights from labelled files.")
@_FILES
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the weights (JSON, and .npz beside it).",
)
def train_weights(files: tuple[Path, ...], out: Path) -> None:
    """Make the matcher's weights from labelled files.

    Deterministic: the same files give the same weights. What they were made from (names, hash,
    date, scores on those very files) stands in them.
    """
    model = train(files, datetime.now(UTC).date(), progress=lambda line: click.echo(line, err=True))
    model.save(out)
    click.echo(f"Wrote {out}")


def _model(weights: Path | None) -> Model:
    try:
        return Model.load(weights) if weights else Model.load()
    except ModelError as error:
        fail(str(error))


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
