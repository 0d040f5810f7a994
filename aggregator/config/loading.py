"""Reading the configuration: TOML, included lists, the environment; every mistake with its place.

All mistakes are reported together, each with file, line and what to do.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aggregator.config.environment import read_overrides, variables
from aggregator.config.settings import Settings, SourceList, SourceSettings, Table
from aggregator.config.suggestions import nearest
from aggregator.config.toml_lines import line_of

Location = tuple[str | int, ...]
SQLITE = "sqlite:///"
_T = TypeVar("_T", bound=Table)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is (file and line, or variable) and what to do."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


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
    document = _Document.read(path, str(path))
    problems: list[Problem] = []
    places = _apply_overrides(document, environment, problems)
    settings = _validate(Settings, document, problems, places)
    sources: tuple[SourceSettings, ...] = ()
    for included in _included(document, path.parent, problems):
        valid = _validate(SourceList, included, problems, {})
        sources += valid.source if valid else ()
    if settings:
        settings = _resolve(settings, sources, path.parent)
        problems += _duplicates(settings, document)
    if problems or not settings:
        raise ConfigError(problems)
    return settings


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
    name: str
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, path: Traversable, name: str) -> "_Document":
        try:
            text = path.read_bytes().decode("utf-8")
            return cls(name, text, tomllib.loads(text))
        except UnicodeDecodeError as error:
            raise ConfigError([Problem(name, f"is not UTF-8: {error.reason}")]) from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([Problem(name, f"is not valid TOML: {error}")]) from error

    def place(self, location: Location) -> str:
        line = line_of(self.text, location)
        return f"{self.name}:{line}" if line else self.name


def _apply_overrides(
    document: _Document, environment: Mapping[str, str], problems: list[Problem]
) -> dict[Location, str]:
    known = variables(Settings)
    places: dict[Location, str] = {}
    for name, value in read_overrides(environment).items():
        if name not in known:
            problems.append(Problem(name, f"is not a setting{nearest(name, known)}"))
            continue
        table, key = known[name]
        section = document.data.setdefault(table, {})
        if isinstance(section, dict):
            section[key] = value
            places[table, key] = f"environment variable {name}"
    return places


def _included(document: _Document, folder: Path, problems: list[Problem]) -> list[_Document]:
    names = document.data.get("include", [])
    lists = []
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str):
            continue
        path = _find_list(folder, name)
        if path is None:
            place = document.place(("include", index))
            problems.append(Problem(place, f'included file "{name}" is not there'))
            continue
        try:
            lists.append(_Document.read(path, str(path)))
        except ConfigError as error:
            problems += error.problems
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


def _validate(
    model: type[_T], document: _Document, problems: list[Problem], places: Mapping[Location, str]
) -> _T | None:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors():
            location = tuple(detail["loc"])
            place = places.get(location[:2]) or document.place(location)
            problems.append(Problem(place, _words(model, location, detail)))
        return None


def _words(model: type[BaseModel], location: Location, detail: ErrorDetails) -> str:
    keys = [part for part in location if isinstance(part, str)]
    key = keys[-1] if keys else ""
    if detail["type"] == "extra_forbidden":
        return f'unknown key "{key}"{nearest(key, _siblings(model, location))}'
    if detail["type"] == "missing":
        return f'"{key}" is missing'
    message = detail["msg"].removeprefix("Value error, ")
    shown = detail["input"]
    if isinstance(shown, dict) or "token" in keys:
        return f"{key}: {message}" if key else message
    return f"{key} = {shown!r} {_lower(message)}"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _siblings(model: type[BaseModel], location: Location) -> list[str]:
    for part in location[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    return list(model.model_fields)


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
