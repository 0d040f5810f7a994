"""The phrases of walls, pleas and agencies: a data file, read once.

feeds/phrases.toml holds regular expressions by purpose and language; all languages of a purpose
are tried together, for a page's language is known only after it was read.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("feeds.page").joinpath("phrases.toml").read_text("utf-8"))


def phrases(purpose: str) -> re.Pattern[str]:
    """One pattern of all phrases for a purpose, in every language; case is ignored.

    Raises:
        KeyError: there is no such purpose.
    """
    return re.compile(alternatives(purpose), re.IGNORECASE)


def alternatives(purpose: str) -> str:
    """The source of the same pattern, to be built into another."""
    listed = (phrase for language in _tables()[purpose].values() for phrase in language)
    return "|".join(f"(?:{phrase})" for phrase in listed)


def agency_names() -> dict[str, list[str]]:
    """The news agencies and the names they sign with."""
    return _tables()["agencies"]
