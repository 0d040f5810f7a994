"""``newsfold sources``: look at feeds before they are listed, list them, take them out again."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aggregator.cli.tables import table
from aggregator.cli.words import config_option, counted, or_fail, read_settings
from aggregator.config.environment import process_environment
from aggregator.config.settings import SourceSettings
from aggregator.errors import ApplicationError


@click.group(short_help="Add, test, list and remove sources.")
def sources() -> None:
    """Add sources to the configuration, look at them, list them, take them out again."""


@sources.command("add")
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
    from aggregator.subscribing import find_feeds, subscribe  # noqa: PLC0415 - heavy

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


@sources.command("test")
@config_option
@click.argument("address")
def test_(config: Path, address: str) -> None:
    """Fetch ADDRESS once and say what is there; nothing is kept.

    ADDRESS is an address, or the name of a source, which is asked as configured for it.
    """
    from aggregator.subscribing import look_at  # noqa: PLC0415 - heavy; --help shall be quick

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


@sources.command("remove")
@config_option
@click.argument("source", metavar="URL|NAME")
def remove(config: Path, source: str) -> None:
    """Take a source out of the configuration. What was read from it stays."""
    from aggregator.subscribing import unsubscribe  # noqa: PLC0415 - heavy; --help shall be quick

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
