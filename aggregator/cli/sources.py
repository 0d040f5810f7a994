"""``newsfold sources``: look at feeds before they are listed, list them, take them out again."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aggregator.cli.results import problems_with, written
from aggregator.cli.tables import table
from aggregator.cli.words import config_option, counted, or_fail, read_settings
from aggregator.config.environment import process_environment
from aggregator.config.source_settings import SourceSettings
from aggregator.errors import ApplicationError

_LARGEST_LIST = 20_000_000
"""Bytes of a list that are read: more than ten times the longest there should be."""


@click.group(short_help="Add, test, list, remove, import and export sources.")
def sources() -> None:
    """Add sources to the configuration, look at them, list them, take them out again.

    The config file keeps its comments and its order. A running daemon takes changes up by itself.
    """


@sources.command("add", short_help="Find the feed of a site and list it.")
@config_option
@click.argument("address")
@click.option("--pick", type=click.IntRange(1), help="Which feed, where a page offers several.")
@click.option("--name", help="What to call it; the feed's own title unless given.")
@click.option("--category", help="For outputs.")
def add(
    config: Path, address: str, pick: int | None, name: str | None, category: str | None
) -> None:
    """Add the feed at ADDRESS, or a feed of the site there, to the configuration.

    ADDRESS may be a feed, or any page of a site: what it offers is shown, and looked for where
    feeds usually are. Comments and order of the file stay as they are.
    """
    from aggregator.operating.adding import find_feeds, subscribe  # noqa: PLC0415 - heavy

    settings = read_settings(config, "sources add")

    def work() -> None:
        found = asyncio.run(find_feeds(settings, address, click.echo))
        look = found.feeds[_picked(len(found.feeds), pick)]
        values = {"name": name, "category": category}
        added = subscribe(config, settings, look, values, process_environment())
        click.echo(f"Added {added} to {config}.")

    or_fail(work)


def _picked(offered: int, pick: int | None) -> int:
    """Which of the feeds offered it shall be, counted from 0."""
    if pick is None and offered > 1:
        if not sys.stdin.isatty():
            raise ApplicationError("say which one with --pick NUMBER; nothing was added")
        pick = click.prompt("Which one", type=click.IntRange(1, offered), default=1)
    if pick is not None and pick > offered:
        raise ApplicationError(f"--pick {pick}: only {offered} to pick from; nothing was added")
    return (pick or 1) - 1


@sources.command("test", short_help="Look at a feed before it is listed.")
@config_option
@click.argument("address")
def test_(config: Path, address: str) -> None:
    """Fetch ADDRESS once and say what is there; nothing is kept.

    ADDRESS is an address, or the name of a source, which is asked as configured for it.
    """
    from aggregator.operating.adding import look_at  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "sources test")
    known = [source.url for source in settings.source if source.label == address]

    def work() -> None:
        rows, advice, good = asyncio.run(look_at(settings, known[0] if known else address))
        for label, words in rows:
            click.echo(f"{label:<10} {words}")
        for line in advice:
            click.echo(f"advice     {line}")
        if not good:
            sys.exit(1)

    or_fail(work)


@sources.command("list")
@config_option
def list_(config: Path) -> None:
    """List the sources of the configuration."""
    settings = read_settings(config, "sources list")
    for row in _table(settings.source):
        click.echo(row)
    click.echo(counted(settings.source, "source"))


@sources.command("import", short_help="Take over the list of another reader.")
@config_option
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--dry-run", is_flag=True, help="Show what would be added; change nothing.")
def import_(config: Path, file: Path, dry_run: bool) -> None:
    """Add the feeds of FILE, a list of another reader, to the configuration; - is standard input.

    FILE is OPML, as Miniflux, FreshRSS, Feedly, Inoreader, NetNewsWire and most others export it,
    or newsboat's urls file. A folder becomes the category of its feeds, the innermost where there
    are several; without one the first tag does. Feeds that are listed already are left as they
    are, so that the same file can be imported again.

    Rows that cannot be a source are named with line and reason, and the rest goes in. The exit
    code is 1 where there were such rows, 0 where there were none.

    \b
    newsfold sources import subscriptions.opml
    newsfold sources import ~/.newsboat/urls
    """  # noqa: D301 - \b is how click is told to keep lines
    from aggregator.operating.lists import read_list, take_up  # noqa: PLC0415 - heavy

    settings = read_settings(config, "sources import")

    def work() -> None:
        with problems_with(file), click.open_file(str(file), "rb") as opened:
            plan = read_list(opened.read(_LARGEST_LIST), settings)
        for row in plan.bad:
            click.echo(f"{_place(file, row.line)}: {row.reason}", err=True)
        if not dry_run:
            take_up(config, plan, process_environment())
        for added in table((r.get("name", ""), r.get("category", ""), r["url"]) for r in plan.rows):
            click.echo(added)
        would = "would be " if dry_run else ""
        click.echo(
            f"{counted(plan.rows, 'source')} {would}added to {config}, "
            f"{len(plan.known)} listed already, {len(plan.bad)} cannot be read"
        )
        if plan.bad:
            sys.exit(1)

    or_fail(work)


def _place(file: Path, line: int) -> str:
    return f"{file}:{line}" if line else str(file)


@sources.command("export", short_help="Write them as OPML.")
@config_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    help="Where to write it; standard output unless named.",
)
def export(config: Path, out: Path) -> None:
    """Write the sources as OPML, for another reader; categories become folders."""
    from aggregator.operating.lists import export_opml  # noqa: PLC0415 - heavy

    settings = read_settings(config, "sources export")

    def work() -> None:
        with written(out) as file:
            file.write(export_opml(settings) + "\n")
        if str(out) != "-":
            click.echo(f"{counted(settings.source, 'source')} written to {out}", err=True)

    or_fail(work)


@sources.command("remove", short_help="Take one out again.")
@config_option
@click.argument("source", metavar="URL|NAME")
def remove(config: Path, source: str) -> None:
    """Take a source out of the configuration. What was read from it stays."""
    from aggregator.operating.adding import unsubscribe  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "sources remove")
    or_fail(
        lambda: click.echo(
            f"Removed {unsubscribe(config, settings, source, process_environment())} from {config}."
        )
    )


def _table(listed: Sequence[SourceSettings]) -> list[str]:
    rows = [
        (one.label, one.category or "", "" if one.enabled else "off", one.url) for one in listed
    ]
    return table(rows, ("NAME", "CATEGORY", "", "URL"))
