"""What every command says the same way: where the configuration is, and what went wrong."""

import json
import sys
from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from aggregator.config.dangers import dangers
from aggregator.config.environment import CONFIG_VARIABLE, process_environment
from aggregator.config.loading import ConfigError, load_config
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError

_F = TypeVar("_F", bound=Callable[..., Any])
_DEFAULT = "newsfold.toml"

_NO_CONFIG = """\
There is no configuration at {path}.

  newsfold init            writes a commented example there
  newsfold demo            shows everything without one, on made-up news

Or name one: newsfold {command} --config FILE (or the variable NEWSFOLD_CONFIG)."""


def config_option(function: _F) -> _F:
    """The option that names the config file."""
    return click.option(
        "--config",
        "-c",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=_DEFAULT,
        envvar=CONFIG_VARIABLE,
        show_default=True,
        show_envvar=True,
        help="The configuration file.",
    )(function)


def json_option(function: _F) -> _F:
    """The option that asks for what programs read."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")(
        function
    )


def show_json(value: object) -> None:
    """Print it for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def read_settings(
    path: Path, command: str, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings, or a clear word on standard error and exit code 2.

    What is allowed and still dangerous is said on standard error each time.
    """
    try:
        settings = load_config(path, environment or process_environment())
    except FileNotFoundError:
        fail(_NO_CONFIG.format(path=path, command=command), 2)
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}", 2)
    except ConfigError as error:
        fail(f"{error}\n{counted(error.problems, 'problem')} in the configuration", 2)
    for danger in dangers(settings):
        click.secho(f"WARNING: {danger}", err=True, fg="red", bold=True)
    return settings


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error and end."""
    click.echo(message, err=True)
    sys.exit(code)


def or_fail(work: Callable[[], None]) -> None:
    """Do ``work``; what the operator must see to is said in a line, with exit code 1."""
    try:
        work()
    except ApplicationError as error:
        fail(str(error))


def counted(things: Sized, noun: str) -> str:
    """``1 source``, ``2 sources``."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
