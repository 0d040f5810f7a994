"""Addresses of this site's own pages, and a reader's token along with them."""

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Links:
    """Makes addresses below ``base``.

    A reader who came with ``?token=`` in the address keeps it in every link: there is no cookie
    to keep it in. One who came with an ``Authorization`` header does not need it. ``static`` pages
    are files: they lead nowhere that a server would have to answer.
    """

    base: str
    token: str = ""
    static: bool = False

    def __call__(self, path: str, **query: object) -> str:
        """``path`` (from ``/``) with those of ``query`` that are neither None nor empty."""
        asked = {name: value for name, value in query.items() if value not in {None, ""}}
        if self.token:
            asked["token"] = self.token
        return f"{self.base}{path}" + (f"?{urlencode(asked)}" if asked else "")
