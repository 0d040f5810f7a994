"""``newsfold init``: the first configuration, with starter sources by field and language."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aggregator.cli.tables import table
from aggregator.cli.words import config_option, counted, fail
from aggregator.config.example import BASE_URL, example
from aggregator.config.requests import http_url
from aggregator.config.starters import (
    DEFAULT_FIELD,
    DEFAULT_LANGUAGE,
    Starter,
    choose,
    offered,
    starters,
    words_in,
)
from aggregator.errors import ApplicationError


def _list(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        _show_offer(starters())
        context.exit()


@click.command(short_help="Write a first configuration, with starter sources.")
@config_option
@click.option("--field", "fields", multiple=True, help="Starter sources of this field, or all.")
@click.option("--language", "languages", multiple=True, help="Those in this language, or all.")
@click.option("--no-sources", is_flag=True, help="Without starter sources.")
@click.option("--base-url", help="The public address, as subscribers type it.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="Say what starter sources there are, and write nothing.",
)
def init(
    config: Path,
    fields: tuple[str, ...],
    languages: tuple[str, ...],
    no_sources: bool,
    base_url: str | None,
) -> None:
    """Write a first configuration, commented, to be edited.

    Starter sources are those of the field "world" in English, unless others are asked for; on a
    terminal the command asks, where no option answers. An existing file is never touched.

    \b
    newsfold init --list
    newsfold init --field technology,science --language en
    newsfold init --field all --language de --base-url https://news.example.org
    newsfold init --no-sources
    """  # noqa: D301 - \b is how click is told to keep lines
    if config.exists():  # before anything is asked
        fail(f"{config} is there already; it was not touched")
    known = starters()
    wanted = (words_in(fields), words_in(languages))
    if not (any(wanted) or no_sources or base_url) and sys.stdin.isatty() and sys.stdout.isatty():
        wanted, base_url = _ask(known)
    try:
        chosen = () if no_sources else choose(known, *_or_default(*wanted))
        text = example(chosen, http_url(base_url or BASE_URL))
    except ApplicationError as error:
        fail(f"{error}\nnewsfold init --list says what there is", 2)
    except ValueError as error:
        fail(f"--base-url {base_url} {error}", 2)
    _write(config, text)
    click.echo(f"Wrote {config} with {counted(chosen, 'source')}.")
    first = f"newsfold sources add ADDRESS --config {config}, then " if not chosen else ""
    click.echo(f"Look through it, then: {first}newsfold run --config {config}")


def _or_default(
    fields: Sequence[str], languages: Sequence[str]
) -> tuple[Sequence[str], Sequence[str]]:
    return fields or [DEFAULT_FIELD], languages or [DEFAULT_LANGUAGE]


def _show_offer(known: Sequence[Starter]) -> None:
    languages = sorted({one.language for one in known})
    rows = [
        (field, *(str(by[language] or "") for language in languages), "")
        for field, by in offered(known).items()
    ]
    for line in table(rows, ("FIELD", *languages, "")):
        click.echo(line)


def _ask(known: Sequence[Starter]) -> tuple[tuple[list[str], list[str]], str]:
    """What a person at a terminal wants; Enter takes the usual."""
    _show_offer(known)
    click.echo()
    fields = click.prompt("Fields, with commas (or all)", default=DEFAULT_FIELD)
    languages = click.prompt("Languages (or all)", default=DEFAULT_LANGUAGE)
    base_url = click.prompt("Public address", default=BASE_URL)
    return (words_in([fields]), words_in([languages])), base_url


def _write(config: Path, text: str) -> None:
    try:
        with config.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fail(f"{config} is there already; it was not touched")
    except OSError as error:
        fail(f"cannot write {config}: {error.strerror}")
