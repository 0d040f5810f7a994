"""The near name for a mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 200
"""Characters of a name that somebody may have mistyped; comparing takes their square."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean "..."?``, or nothing where no known name is near."""
    if len(name) > _MOST:
        return ""
    close = get_close_matches(name, list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
