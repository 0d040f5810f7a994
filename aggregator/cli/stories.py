"""``newsfold explain``, ``story``, ``corrections``, ``refold``: asking and correcting the folder.

They work on the database, beside a running daemon.
"""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import click

from aggregator.cli.words import config_option, fail, or_fail, read_settings


@click.command(short_help="Say why an article is in its story.")
@config_option
@click.argument("name", metavar="ID")
def explain(config: Path, name: str) -> None:
    """Say why an article is in its story, and which stories were not chosen.

    ID is an article's number or address; or a story's page, the name in its page's address, or
    its tag: URI, for each of its articles.
    """
    from aggregator.operating.explaining import explanation  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "explain")
    or_fail(lambda: click.echo(explanation(settings, name)))


@click.group(short_help="Correct what was folded: split or join stories.")
def story() -> None:
    """Correct what was folded: split articles off a story, or join two stories."""


@story.command()
@config_option
@click.argument("name", metavar="STORY")
@click.argument("articles", metavar="ARTICLE...", type=int, nargs=-1, required=True)
def split(config: Path, name: str, articles: tuple[int, ...]) -> None:
    """Take ARTICLEs (numbers) out of STORY (the name in its address) into one of their own."""
    from aggregator.operating.correcting import split_story  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "story split")
    or_fail(lambda: click.echo(split_story(settings, name, articles)))


@story.command()
@config_option
@click.argument("one", metavar="STORY")
@click.argument("other", metavar="STORY")
def join(config: Path, one: str, other: str) -> None:
    """Make one story of two. The older keeps its identity."""
    from aggregator.operating.correcting import join_stories  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "story join")
    or_fail(lambda: click.echo(join_stories(settings, one, other)))


@click.group(short_help="What operators said of stories.")
def corrections() -> None:
    """What operators said of articles that do or do not belong together."""


@corrections.command()
@config_option
def export(config: Path) -> None:
    """Write the corrected stories as labelled articles, for `newsfold train` and `evaluate`."""
    from aggregator.operating.correcting import labelled_articles  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "corrections export")

    def write() -> None:
        for row in labelled_articles(settings):
            click.echo(json.dumps(row, ensure_ascii=False))

    or_fail(write)


@click.command(short_help="Fold anew what arrived since a date.")
@config_option
@click.option("--since", required=True, metavar="DATE", help="From which day, as 2026-11-01.")
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
def refold(config: Path, since: str, dry_run: bool) -> None:
    """Fold anew what arrived since DATE, as with new weights.

    Published identities stay wherever the stories overlap. Stop the daemon first.
    """
    from aggregator.operating.correcting import refold_since  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "refold")
    try:
        begin = datetime.combine(date.fromisoformat(since), time(), UTC)
    except ValueError:
        fail(f"--since {since} is not a date; write it as 2026-11-01", 2)
    or_fail(lambda: click.echo(refold_since(settings, begin, dry_run=dry_run)))
