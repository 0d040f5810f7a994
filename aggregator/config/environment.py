"""Settings from the environment. The only place that reads it.

``[fetch] min_interval`` is ``NEWSFOLD_FETCH_MIN_INTERVAL``. The value is TOML where it reads as
TOML (``["10.0.0.0/8"]``, ``8``, ``true``) and plain text otherwise (``15m``).
"""

import os
import tomllib
from collections.abc import Mapping

from pydantic import BaseModel

PREFIX = "NEWSFOLD_"
CONFIG_VARIABLE = "NEWSFOLD_CONFIG"


def process_environment() -> Mapping[str, str]:
    """This process's environment."""
    return os.environ


def variables(settings: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Every variable that overrides a setting, and the (table, key) it stands for."""
    found = {}
    for table, info in settings.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            for key in info.annotation.model_fields:
                found[f"{PREFIX}{table}_{key}".upper()] = (table, key)
    return found


def read_overrides(environment: Mapping[str, str]) -> dict[str, object]:
    """The ``NEWSFOLD_...`` variables that are set, their values read as TOML or as text."""
    return {
        name: _value(text)
        for name, text in environment.items()
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE
    }


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
