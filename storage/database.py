"""Opening the database: engine, pragmas, migrations, transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30


class StorageError(Exception):
    """The database cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. Thread-safe; whoever opened it closes it."""

    engine: Engine

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing is written."""
        with self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open ``url`` and bring its schema up to date.

    Raises:
        StorageError: the address, the file or the server is no good, or the schema is newer than
            this program.
    """
    try:
        engine = _engine(url)
        _migrate(engine)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StorageError(
            f"storage.url {_shown(url)} is not usable: {error}; write sqlite:///PATH or "
            "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE (needs newsfold[postgres])"
        ) from error
    except CommandError as error:
        raise StorageError(
            f"the database {_shown(url)} was written by a newer newsfold ({error}); "
            "run that version, or restore a backup"
        ) from error
    except (OperationalError, DBAPIError) as error:
        raise StorageError(f"cannot open the database {_shown(url)}: {error.orig}") from error
    return Database(engine)


def _shown(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ArgumentError(f"{parsed.get_backend_name()} is not supported")
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, pool_pre_ping=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
    # Write-ahead logging lets the web side read while the writer writes; with it, NORMAL is safe
    # against a killed process (https://www.sqlite.org/wal.html). INCREMENTAL must be set before
    # the first table exists, so that retention can give pages back later.
    for pragma in (
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-32768",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        head = ScriptDirectory.from_config(config).get_current_head()
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
        if engine.dialect.name == "postgresql":
            # One process migrates, the others wait here and then find nothing left to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4636)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
