"""``newsfold doctor``: looks at everything that an installation needs, in order. Raises nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aggregator.clock import Clock
from aggregator.config.dangers import dangers
from aggregator.config.loading import ConfigError, load_config
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.operating import checks, machine, reaching
from aggregator.operating.checks import Check
from aggregator.operating.opening import open_to_look
from aggregator.operating.status import source_state
from storage.activity import integrity, size_on_disk
from storage.database import Database, StorageError
from storage.exclusive import sqlite_path, user_of
from storage.processes import RunningProcess, running
from storage.sources import source_health
from storage.values.source import SourceHealth

_LARGEST_EXAMINED = 2_000_000_000
"""Bytes of an SQLite file that is read through; some seconds for each of a thousand million."""


def examine(config: Path, environment: Mapping[str, str], clock: Clock) -> list[Check]:
    """Everything, in order; without a configuration that can be read, only what that says."""
    try:
        settings = load_config(config, environment)
    except FileNotFoundError:
        return [Check("config", "failed", f"there is no {config}", "newsfold init writes one")]
    except OSError as error:
        return [Check("config", "failed", f"cannot read {config}: {error.strerror}")]
    except ConfigError as error:
        return [
            Check("config", "failed", str(problem), "newsfold check says when it is mended")
            for problem in error.problems
        ]
    return list(_examine(config, settings, clock))


def _examine(config: Path, settings: Settings, clock: Clock) -> Iterator[Check]:
    yield from _config(config, settings)
    sources: Sequence[SourceHealth] = ()
    size, daemon = 0, False
    try:
        with open_to_look(settings) as database:
            sources, size = source_health(database), size_on_disk(database)
            daemon = bool(user_of(settings.storage.url)) or _serves(running(database))
            yield _database(database, size)
            yield from _remembered(sources)
    except ApplicationError as error:
        yield _unopened(settings, str(error))
    yield from machine.disk(settings, size)
    yield from machine.permissions(config, settings)
    yield machine.authorities()
    asked = reaching.ask(settings)
    yield checks.clock(clock(), _latest(sources), asked.dates)
    yield from checks.network(asked.hosts)
    yield from reaching.address(settings, asked.own, clock(), daemon=daemon)
    yield machine.open_files(settings)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _config(config: Path, settings: Settings) -> Iterator[Check]:
    enabled = sum(source.enabled for source in settings.source)
    found = (
        f"{config}: {_counted(enabled, 'source')}, {_counted(len(settings.outputs()), 'output')}"
    )
    if enabled:
        yield Check("config", "ok", found)
    else:
        yield Check("config", "warning", found, "newsfold sources add ADDRESS")
    for danger in dangers(settings):
        yield Check("config", "warning", danger)


def _unopened(settings: Settings, error: str) -> Check:
    path = sqlite_path(settings.storage.url)
    if path is not None and not path.exists() and path.parent.is_dir():
        return Check("database", "ok", f"{path} is not there yet; newsfold run makes it")
    return Check("database", "failed", error, "storage.url says where it is")


def _database(database: Database, size: int) -> Check:
    name = database.engine.url.render_as_string(hide_password=True)
    if size > _LARGEST_EXAMINED:
        return Check("database", "ok", f"{name} opens; too large to be read through here")
    try:
        damage = integrity(database)
    except StorageError as error:
        damage = str(error)
    if damage:
        return Check(
            "database", "failed", f"{name}: {damage}", "put a backup back: newsfold restore FILE"
        )
    return Check("database", "ok", f"{name} opens and is whole")


def _remembered(sources: Sequence[SourceHealth]) -> Iterator[Check]:
    states = [source_state(source) for source in sources]
    wrong = [
        one.name for one, state in zip(sources, states, strict=True) if state in {"failing", "gone"}
    ]
    if wrong:
        named = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        yield Check(
            "sources",
            "warning",
            f"{len(wrong)} of {len(sources)} cannot be read: {named}",
            "newsfold status names the errors, newsfold log SOURCE their history",
        )
    elif sources:
        yield Check("sources", "ok", f"none of {len(sources)} is failing")


def _serves(processes: Sequence[RunningProcess]) -> bool:
    return any("web" in one.roles for one in processes)


def _latest(sources: Sequence[SourceHealth]) -> datetime | None:
    return max((source.last_poll_at for source in sources if source.last_poll_at), default=None)
