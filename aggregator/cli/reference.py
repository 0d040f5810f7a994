"""``docs/commands.md``, made from the commands themselves.

``python -m aggregator.cli.reference`` prints it; a test compares the two.
"""

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from aggregator.cli.commands import main

_INTRODUCTION = """\
# Commands

<!-- Made by `python -m aggregator.cli.reference`; a test compares it with the code. -->

Each explains itself with `--help`. Exit codes: 0 done, 1 could not be done (a line on standard
error says why), 2 wrong usage or configuration. Every command that reads the configuration takes
`--config FILE`; without it the variable `NEWSFOLD_CONFIG` counts, then `newsfold.toml` in the
current folder.
"""


def commands_reference() -> str:
    """The whole page, in Markdown."""
    rows = ["| command | what it does |", "|---|---|"]
    rows += [f"| {_link(name)} | {_short(command)} |" for name, command in _all(main)]
    sections = [_section(name, command) for name, command in _all(main)]
    return "\n".join([_INTRODUCTION, *rows, "", *sections])


def _all(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _all(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _link(name: str) -> str:
    return f"[`newsfold {name}`](#newsfold-{name.replace(' ', '-')})"


def _short(command: click.Command) -> str:
    return command.short_help or cleandoc(command.help or "").partition("\n\n")[0].replace(
        "\n", " "
    )


def _section(name: str, command: click.Command) -> str:
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    usage = " ".join([f"newsfold {name}", *(_metavar(one, command) for one in arguments)])
    parts = [f"## `newsfold {name}`\n", f"`{usage}`\n", *_paragraphs(command.help or "")]
    options = [one for one in command.params if isinstance(one, click.Option)]
    told = [one for one in options if one.name != "config"]
    if told:
        parts.append("| option | meaning |\n|---|---|")
        parts += [f"| {_spelled(one, command)} | {_meaning(one)} |" for one in told]
        parts.append("")
    return "\n".join(parts)


def _metavar(argument: click.Argument, command: click.Command) -> str:
    return argument.make_metavar(click.Context(command))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield f"```sh\n{paragraph.removeprefix(chr(8)).strip()}\n```\n"
        else:
            yield f"{paragraph}\n"


def _spelled(option: click.Option, command: click.Command) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(command))}"
    return f"`{', '.join(option.opts)}{value}`".replace("|", "\\|")


def _meaning(option: click.Option) -> str:
    default = option.default if option.show_default else None
    shown = f" Default: `{default}`." if default is not None else ""
    return f"{option.help or ''}{shown}".replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(commands_reference())
