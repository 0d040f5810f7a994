"""Settings from the environment. The only place that reads it.

``[fetch] min_interval`` is ``NEWSFOLD_FETCH_MIN_INTERVAL``; ``password`` of the ``[[source]]``
named ``Example Times`` is ``NEWSFOLD_SOURCE_EXAMPLE_TIMES_PASSWORD``. The value is TOML where it
reads as TOML (``["10.0.0.0/8"]``, ``8``, ``true``) and plain text otherwise (``15m``); a secret is
taken as it stands.
"""

import os
import re
import tomllib
from collections.abc import Mapping

from pydantic import BaseModel

PREFIX = "NEWSFOLD_"
CONFIG_VARIABLE = "NEWSFOLD_CONFIG"
_NOT_NAMES = re.compile(r"[^A-Za-z0-9]+")


def process_environment() -> Mapping[str, str]:
    """This process's environment."""
    return os.environ


def variable(*names: str) -> str:
    """The variable for a setting, by the names on the way to it."""
    return f"{PREFIX}{_NOT_NAMES.sub('_', '_'.join(names))}".upper()


def variables(settings: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Every variable that overrides a setting of a table, and the (table, key) it stands for."""
    found = {}
    for table, info in settings.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            for key in info.annotation.model_fields:
                found[variable(table, key)] = (table, key)
    return found


def read_overrides(environment: Mapping[str, str]) -> dict[str, str]:
    """The ``NEWSFOLD_...`` variables that are set."""
    return {
        name: text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE
    }


def value_of(text: str) -> object:
    """What a variable that is no secret says: TOML, or else plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
