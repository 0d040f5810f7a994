"""Where in a TOML text a key stands. ``tomllib`` does not say.

Reads line by line, knowing table headers and keys at the start of a line. Good enough to point a
person at the line; not a parser.
"""

import re
from collections import Counter

HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*[.=]""")


def line_of(text: str, location: tuple[str | int, ...]) -> int | None:
    """Line (from 1) of the deepest part of ``location`` that can be found, None for no part.

    ``location`` is a path as pydantic gives it: ``("source", 2, "url")``.
    """
    places = _places(text)
    for length in range(len(location), 0, -1):
        line = places.get(location[:length])
        if line:
            return line
    return None


def _places(text: str) -> dict[tuple[str | int, ...], int]:
    places: dict[tuple[str | int, ...], int] = {}
    counts: Counter[str] = Counter()
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            name = header[2].strip("\"'")
            table = (name, counts[name]) if header[1] == "[[" else (name,)
            counts[name] += 1
            places.setdefault((name,), number)
            places[table] = number
        elif key := _KEY.match(line):
            places.setdefault((*table, key[1] or key[2] or key[3]), number)
    return places
