"""``newsfold rules``: the rules for entries on their way in, tried before they hold."""

from pathlib import Path

import click

from aggregator.cli.tables import table
from aggregator.cli.words import config_option, json_option, or_fail, read_settings, show_json


@click.group(short_help="Try the rules for entries on their way in.")
def rules() -> None:
    """Try the rules for entries on their way in: the [[rule]] tables of the configuration."""


@rules.command("test", short_help="Say what they would do.")
@config_option
@click.argument("place", metavar="[URL|FILE]", required=False)
@click.option("--source", help="Take the feed for that of this source (name or address).")
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="So many of the entries that are stored, where no feed is named.",
)
@json_option
def test_(config: Path, place: str | None, source: str | None, last: int, *, as_json: bool) -> None:
    """Say what the rules would do to a feed, or to the entries that came last.

    URL is the address of a feed, or the name of a source; FILE a feed in a file. Nothing changes:
    rules hold for what arrives while they stand in the configuration, and what is stored stays.

    \b
    newsfold rules test
    newsfold rules test "Example Times"
    newsfold rules test saved.xml --source "Example Times"
    """  # noqa: D301 - \b is how click is told to keep lines
    from aggregator.operating import rule_trial as trial  # noqa: PLC0415 - heavy

    settings = read_settings(config, "rules test")

    def work() -> None:
        if place is None:
            shown = trial.stored(settings, last)
        else:
            shown = trial.of_feed(settings, place, source)
        tried = trial.try_rules(settings, shown)
        if as_json:
            show_json(trial.as_json(settings, tried))
            return
        lines = table(trial.rows(settings, tried), ("WHAT", "BY", "SOURCE", "TITLE"))
        for line in (*lines, *([""] if lines else []), *trial.summary(settings, tried)):
            click.echo(line)

    or_fail(work)
