"""Reading the configuration: TOML, included lists, the environment; every mistake with its place.

All mistakes are reported together, each with file, line and what to do.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aggregator.config.environment import read_overrides, value_of, variable, variables
from aggregator.config.secrets import (
    TWIN,
    SecretFileError,
    read_secret,
    secret_keys,
    without_password,
)
from aggregator.config.settings import Settings, SourceList
from aggregator.config.source_settings import SourceSettings
from aggregator.config.suggestions import nearest
from aggregator.config.table import Table
from aggregator.config.toml_lines import line_of

Location = tuple[str | int, ...]
SQLITE = "sqlite:///"
_MOST_SHOWN = 500
"""Characters of a place or a text: whatever a file holds, a mistake is a line that can be read."""
_T = TypeVar("_T", bound=Table)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is (file and line, or variable) and what to do."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{shown(self.place)}: {shown(self.text)}"


def shown(text: str) -> str:
    """``text`` as one line for people, cut in the middle where it is very long."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    half = _MOST_SHOWN // 2
    return line if len(line) <= _MOST_SHOWN else f"{line[:half]} ... {line[-half:]}"


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems

    @classmethod
    def of(cls, place: str, text: str) -> "ConfigError":
        """One problem."""
        return cls([Problem(place, text)])


def load_config(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the config file with its includes and the environment's overrides.

    Raises:
        ConfigError: with every mistake found.
        FileNotFoundError: there is no such file.
    """
    document = _Document.read(path, str(path), path.parent)
    problems: list[Problem] = []
    included = _included(document, problems)
    _apply_overrides([document, *included], environment, problems)
    for one in (document, *included):
        _read_secret_files(one, problems)
    settings = _validate(Settings, document, problems)
    sources: tuple[SourceSettings, ...] = ()
    for one in included:
        valid = _validate(SourceList, one, problems)
        sources += valid.source if valid else ()
    if settings:
        settings = _resolve(settings, sources, path.parent)
        problems += _duplicates(settings, document)
        problems += _unknown_sources(settings, document)
    if problems or not settings:
        raise ConfigError(sorted(problems, key=_by_line))
    return settings


def _by_line(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.place.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (problem.place, 0)


def config_files(path: Path) -> list[Path]:
    """The config file and the lists beside it that it includes, as far as it can be read."""
    try:
        names = tomllib.loads(path.read_bytes().decode("utf-8")).get("include", [])
    except (OSError, ValueError):  # the error of reading it in earnest says what is wrong
        names = []
    own = [path.parent / name for name in names if isinstance(name, str)]
    return [path, *own]


def _resolve(settings: Settings, included: tuple[SourceSettings, ...], folder: Path) -> Settings:
    url = settings.storage.url
    if url.startswith(SQLITE) and not url.startswith(f"{SQLITE}/") and url != SQLITE:
        url = f"{SQLITE}{folder.resolve() / url.removeprefix(SQLITE)}"
    storage = settings.storage.model_copy(update={"url": url})
    return settings.model_copy(update={"source": settings.source + included, "storage": storage})


@dataclass(frozen=True, slots=True)
class _Document:
    """A file of the configuration.

    ``places`` are those of values that do not stand in it; ``unread`` what is wrong already.
    """

    name: str
    text: str
    data: dict[str, Any]
    folder: Path
    places: dict[Location, str] = field(default_factory=dict)
    unread: set[Location] = field(default_factory=set)

    @classmethod
    def read(cls, path: Traversable, name: str, folder: Path) -> "_Document":
        try:
            text = path.read_bytes().decode("utf-8")
            return cls(name, text, tomllib.loads(text), folder)
        except UnicodeDecodeError as error:
            raise ConfigError([Problem(name, f"is not UTF-8: {error.reason}")]) from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([Problem(name, f"is not valid TOML: {error}")]) from error

    def place(self, location: Location) -> str:
        for length in range(len(location), 0, -1):
            if location[:length] in self.places:
                return self.places[location[:length]]
        line = line_of(self.text, location)
        return f"{self.name}:{line}" if line else self.name

    def rows(self) -> Iterator[tuple[Location, type[BaseModel], dict[str, Any]]]:
        """Every table in it, with where it stands and what it should hold."""
        for name, info in Settings.model_fields.items():
            model, found = next(_models(info.annotation), None), self.data.get(name)
            if model is not None:
                tables = enumerate(found) if isinstance(found, list) else [(None, found)]
                for index, table in tables:
                    if isinstance(table, dict):
                        yield (name,) if index is None else (name, index), model, table


# --- the environment, and files of secrets ------------------------------------------------------


def _apply_overrides(
    documents: Sequence[_Document], environment: Mapping[str, str], problems: list[Problem]
) -> None:
    known = _variables(documents)
    for name, text in read_overrides(environment).items():
        if name not in known:
            problems.append(Problem(name, f"is not a setting{nearest(name, known)}"))
            continue
        for document, location in known[name]:
            _override(document, location, text)
            document.places[location] = f"environment variable {name}"


def _variables(documents: Sequence[_Document]) -> dict[str, list[tuple[_Document, Location]]]:
    """What each variable sets: a key of a table, or of the sources and outputs of one name."""
    known: dict[str, list[tuple[_Document, Location]]] = {
        name: [(documents[0], location)] for name, location in variables(Settings).items()
    }
    for document in documents:
        for location, model, table in document.rows():
            if len(location) > 1 and isinstance(table.get("name"), str):
                for key in model.model_fields:
                    name = variable(str(location[0]), table["name"], key)
                    known.setdefault(name, []).append((document, (*location, key)))
    return known


def _override(document: _Document, location: Location, text: str) -> None:
    *way, key = location
    if len(way) == 1:
        document.data.setdefault(str(way[0]), {})
    model, table = next((m, t) for at, m, t in document.rows() if at == tuple(way))
    key = str(key)
    twin = key.removesuffix(TWIN) if key.endswith(TWIN) else f"{key}{TWIN}"
    if twin in model.model_fields:
        table.pop(twin, None)  # the environment wins, in whichever of the two ways
    table[key] = text if key in secret_keys(model) else value_of(text)


def _read_secret_files(document: _Document, problems: list[Problem]) -> None:
    for location, model, table in document.rows():
        for key in sorted(secret_keys(model)):
            twin = f"{key}{TWIN}"
            if not isinstance(table.get(twin), str):
                continue
            place = document.place((*location, twin))
            if key in table:
                problems.append(Problem(place, f"{key} and {twin} are both set; keep one"))
                continue
            try:
                table[key] = read_secret(document.folder / table[twin])
                document.places[*location, key] = place
            except SecretFileError as error:
                problems.append(Problem(place, f"{twin}: {error}"))
                table[key] = ""  # what follows from there being none need not be said as well
                document.unread.add((*location, key))


# --- included lists -----------------------------------------------------------------------------


def _included(document: _Document, problems: list[Problem]) -> list[_Document]:
    names = document.data.get("include", [])
    lists = []
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str):
            continue
        place = document.place(("include", index))
        try:
            path = _find_list(document.folder, name)
            if path is None:
                problems.append(Problem(place, f'included file "{name}" is not there'))
                continue
            folder = path.parent if isinstance(path, Path) else document.folder
            lists.append(_Document.read(path, str(path), folder))
        except ConfigError as error:
            problems += error.problems
        except (OSError, ValueError) as error:  # NUL in a name is a ValueError
            why = getattr(error, "strerror", None) or error
            problems.append(Problem(place, f'included file "{name}" cannot be read: {why}'))
    return lists


def _find_list(folder: Path, name: str) -> Traversable | None:
    own = folder / name
    if own.is_file():
        return own
    parts = Path(name).parts
    if len(parts) == 2 and parts[0] == "seeds":
        shipped = files("seeds").joinpath(parts[1])
        if shipped.is_file():
            return shipped
    return None


# --- mistakes, in words -------------------------------------------------------------------------


def _validate(model: type[_T], document: _Document, problems: list[Problem]) -> _T | None:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors():
            location = tuple(detail["loc"])
            if location in document.unread:
                continue
            problems.append(Problem(document.place(location), _words(model, location, detail)))
        return None


def _words(model: type[BaseModel], location: Location, detail: ErrorDetails) -> str:
    keys = [part for part in location if isinstance(part, str)]
    key = keys[-1] if keys else ""
    table = _table_of(model, location)
    if detail["type"] == "extra_forbidden":
        return f'unknown key "{key}"{nearest(key, table.model_fields)}'
    if detail["type"] == "missing":
        return f'"{key}" is missing'
    if len(keys) > 1 and keys[-2] in table.model_fields:  # a row of a table that holds plain text
        key = f"{keys[-2]}.{key}"
    message = _MESSAGES.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
    shown = detail["input"]
    if isinstance(shown, dict) or secret_keys(table) & set(keys):
        return f"{key}: {message}" if key else message
    return f"{key} = {without_password(repr(shown))} {_lower(message)}"


_MESSAGES = {"string_type": "is not text; write it in quotes"}
"""In place of pydantic's own, by type of error."""


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _table_of(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """The table in which the last part of ``location`` stands."""
    for part in location[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    return model


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _duplicates(settings: Settings, document: _Document) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, source in enumerate(settings.source):
        if source.url in seen:
            place = document.place(("source", index, "url"))
            yield Problem(place, f"source {source.url} is listed twice; remove one")
        seen.add(source.url)
    names: set[str] = set()
    for index, output in enumerate(settings.output):
        if output.name in names:
            place = document.place(("output", index, "name"))
            yield Problem(place, f'output "{output.name}" is there twice; rename one')
        names.add(output.name)


def _unknown_sources(settings: Settings, document: _Document) -> Iterator[Problem]:
    known = {source.url for source in settings.source}
    known |= {source.name for source in settings.source if source.name}
    for table, keys in (
        ("output", ("sources", "exclude_sources")),
        ("rule", ("sources",)),
        ("publisher", ("sources",)),
    ):
        for index, row in enumerate(getattr(settings, table)):
            for key in keys:
                for name in getattr(row, key):
                    if name not in known:
                        place = document.place((table, index, key))
                        hint = nearest(name, known)
                        yield Problem(place, f'{key}: there is no source "{name}"{hint}')
