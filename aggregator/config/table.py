"""What tables of the configuration have in common."""

import re

from pydantic import BaseModel, ConfigDict

LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
"""A BCP 47 tag, as far as its form goes."""


class Table(BaseModel):
    """A table of the config file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def host_name(value: str) -> str:
    """``value``, if it is a host's name in lower case.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", value):
        raise ValueError('is not a host; write for example "example.org", in lower case')
    return value
