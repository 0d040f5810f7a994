"""``newsfold fold``, ``evaluate`` and ``train``: the matcher over files of articles."""

from pathlib import Path

import click

from aggregator.cli.words import or_fail

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
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    help="Where to write the lines; standard output unless named.",
)
def fold_files(files: tuple[Path, ...], weights: Path | None, out: Path) -> None:
    """Fold articles from JSON Lines files (.jsonl, .jsonl.gz) into stories.

    Each line is an object with id, title, text, url, publisher, published and lang; all but id
    may be missing or null, and what else there is does not matter. Articles are taken in order
    of publication, exactly as the daemon would have met them; undated ones count as old as the
    first of their file. Writes a line an article: id, story, copy_of, score, why.

    Lines that are no article are named on standard error and skipped, as are ids that were there
    already.
    """
    from aggregator.cli.piles import fold_pile  # noqa: PLC0415 - heavy; --help shall be quick

    or_fail(lambda: fold_pile(files, weights, out))


@click.command(short_help="Measure the matcher on labelled files.")
@_FILES
@_WEIGHTS
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def evaluate(files: tuple[Path, ...], weights: Path | None, as_json: bool) -> None:
    """Fold labelled files and measure the stories against their "cluster".

    B-cubed and pairwise precision, recall and F1 (per cent), stories found and true, articles a
    second, and the average over the files. The label never reaches the matcher.
    """
    from aggregator.cli.piles import measure  # noqa: PLC0415 - heavy; --help shall be quick

    or_fail(lambda: measure(files, weights, as_json=as_json))


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
    date, scores on those files and held out) stands in them.
    """
    from aggregator.cli.piles import train_on  # noqa: PLC0415 - heavy; --help shall be quick

    or_fail(lambda: train_on(files, out))
