"""Starter sources that come along, by field and language, for a first configuration."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files

from aggregator.config.suggestions import nearest
from aggregator.errors import ApplicationError

DEFAULT_FIELD, DEFAULT_LANGUAGE = "world", "en"
EVERY = "all"


@dataclass(frozen=True, slots=True)
class Starter:
    """A source of a starter list; its category is its field."""

    url: str
    name: str
    publisher: str
    category: str
    language: str

    def row(self) -> Mapping[str, str]:
        """As it stands in a config file."""
        return asdict(self)


def starters() -> tuple[Starter, ...]:
    """All of them, by field."""
    lists = sorted(
        (one for one in files("seeds").iterdir() if one.name.endswith(".toml")),
        key=lambda one: one.name,
    )
    rows = [row for one in lists for row in tomllib.loads(one.read_text("utf-8"))["source"]]
    return tuple(sorted((Starter(**row) for row in rows), key=lambda one: one.category))


def offered(known: Iterable[Starter]) -> dict[str, Counter[str]]:
    """How many there are, by field and language."""
    found: dict[str, Counter[str]] = {}
    for one in known:
        found.setdefault(one.category, Counter())[one.language] += 1
    return found


def choose(
    known: Sequence[Starter], fields: Sequence[str], languages: Sequence[str]
) -> tuple[Starter, ...]:
    """Those of these fields in these languages; ``all`` means every one.

    Raises:
        ApplicationError: there is no such field or language, or nothing of both.
    """
    _expect("field", fields, {one.category for one in known})
    _expect("language", languages, {one.language for one in known})
    chosen = tuple(
        one
        for one in known
        if {one.category, EVERY} & set(fields) and {one.language, EVERY} & set(languages)
    )
    if not chosen:
        found = offered(known).items()
        there = "; ".join(f"{name} in {', '.join(sorted(by))}" for name, by in found)
        asked = f"{', '.join(fields)} and {', '.join(languages)}"
        raise ApplicationError(f"no starter sources in {asked}; there are {there}")
    return chosen


def words_in(texts: Iterable[str]) -> list[str]:
    """The names in what a person wrote: with commas, or several times, in any case."""
    parts = (part.strip().lower() for text in texts for part in text.split(","))
    return list(dict.fromkeys(filter(None, parts)))


def _expect(what: str, wanted: Sequence[str], known: set[str]) -> None:
    for name in wanted:
        if name not in known | {EVERY}:
            raise ApplicationError(
                f"there are no starter sources of the {what} {name!r}{nearest(name, known)}; there "
                f"are {', '.join(sorted(known))}, or {EVERY}"
            )
