"""Opening the database: engine, pragmas, migrations, transactions."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as QueueTimeoutError

from storage.columns import dump_json
from storage.search_index import lay_out_search

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
_LIVELY = {
    # A server that falls silent is given up after half a minute, not after TCP's two hours.
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": f"newsfold {os.getpid()}",
}
_DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
_ADVICE = {
    "sqlite": "its folder must exist and be writable, and the file be an SQLite database",
    "postgresql": "the server must be running, and let this user into this database",
}


class StorageError(Exception):
    """The database cannot be used; the message says which, why, and what to do."""


class StorageTroubleError(StorageError):
    """The database was usable and now is not: a full disk, a server that went away.

    Nothing was written; the same call may succeed later.
    """


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. Thread-safe; whoever opened it closes it."""

    engine: Engine

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use it at the same time."""
        return self.dialect == "postgresql"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception.

        On SQLite writers stand in line from the start: one that began by reading and then found
        the file changed could not go on.
        """
        with _in_words(), self.engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view, whatever is being written meanwhile."""
        with _in_words(), self.engine.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@contextmanager
def _in_words() -> Iterator[None]:
    """Trouble of the machine, not of the statement, as an error that says what it is."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if _sqlite_code(error) == sqlite3.SQLITE_ERROR:  # a statement that is wrong
            raise
        raise StorageTroubleError(f"cannot use the database: {_one_line(error.orig)}") from error
    except QueueTimeoutError as error:
        raise StorageTroubleError("cannot use the database: every connection is busy") from error
    except DatabaseError as error:
        if error.connection_invalidated:  # whatever the driver calls it, the server is gone
            raise StorageTroubleError(f"cannot use the database: {said(error)}") from error
        if not _is_damaged(error):
            raise
        raise StorageTroubleError(
            f"the database is damaged ({_one_line(error.orig)}); put a backup back: newsfold "
            "restore FILE"
        ) from error
    except Exception as error:
        # While a connection is made ready or given back, the driver's own errors come through.
        if type(error).__module__.partition(".")[0] != "psycopg":
            raise
        raise StorageTroubleError(f"cannot use the database: {said(error)}") from error


def _is_damaged(error: DatabaseError) -> bool:
    return _sqlite_code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _sqlite_code(error: DBAPIError) -> int:
    """SQLite's primary result code (https://www.sqlite.org/rescode.html); 0 of another engine."""
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF


def open_database(url: str) -> Database:
    """Open ``url`` and bring its schema up to date.

    Raises:
        StorageError: the address, the file or the server is no good, or the schema is newer than
            this program.
    """
    return _opened(url, _migrate)


def open_as_it_is(url: str) -> Database:
    """Open ``url`` to look at it: nothing is made, and no schema is brought up to date.

    Raises:
        StorageError: there is nothing yet, it is no good, or its schema is not this program's.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        raise StorageError(f"there is no database {parsed.database} yet; newsfold run makes it")
    return _opened(url, _expect_this_schema)


def shown_address(url: str) -> str:
    """``url`` without its password.

    Raises:
        StorageError: it is no database address.
    """
    return _parsed(url).render_as_string(hide_password=True)


def _opened(url: str, prepare: Callable[[Database], None]) -> Database:
    parsed = _parsed(url)
    shown = parsed.render_as_string(hide_password=True)
    try:
        db = Database(_engine(parsed))
    except ImportError as error:
        raise StorageError(_unusable(shown, error)) from error
    with ExitStack() as failing:
        failing.callback(db.close)
        try:
            prepare(db)
        except CommandError as error:
            raise StorageError(
                f"the database {shown} was written by a newer newsfold ({_one_line(error)}); "
                "run that version, or restore a backup"
            ) from error
        except (DBAPIError, StorageTroubleError) as error:
            cause = error if isinstance(error, DBAPIError) else error.__cause__
            reason = _one_line(getattr(cause, "orig", cause))
            raise StorageError(
                f"cannot open the database {shown}: {reason}; {_ADVICE[db.dialect]}"
            ) from error
        failing.pop_all()
    return db


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # Not shown: what cannot be taken apart may hold a password anywhere.
        raise StorageError(_unusable("", "it is no database address")) from error
    if parsed.drivername not in _DRIVERS:
        shown = parsed.render_as_string(hide_password=True)
        raise StorageError(_unusable(shown, f"{parsed.drivername} is not supported"))
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise StorageError(_unusable(url, "a database in memory would remember nothing"))
    return parsed


def _unusable(shown: str, reason: object) -> str:
    return (
        f"storage.url {shown} is not usable: {_one_line(reason)}; write sqlite:///PATH or "
        "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE (needs newsfold[postgres])"
    ).replace("  ", " ")


def said(error: Exception) -> str:
    """What the driver said of an error, in one line."""
    return _one_line(getattr(error, "orig", None) or error)


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(
            url,
            json_serializer=dump_json,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={k: v for k, v in _LIVELY.items() if k not in url.query},
        )
    engine = create_engine(
        url,
        json_serializer=dump_json,
        hide_parameters=True,  # they hold texts of articles, which no error may show
        # The driver begins no transactions of its own: it would begin them too late.
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Where several switch a new file to another journal at once, SQLite refuses all but one
    # instead of letting them wait (https://www.sqlite.org/rescode.html#busy).
    deadline = time.monotonic() + BUSY_SECONDS
    while not _is_prepared(connection, last_try=time.monotonic() > deadline):
        time.sleep(0.01)
    for pragma in (
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-32768",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _is_prepared(connection: sqlite3.Connection, *, last_try: bool) -> bool:
    try:
        # INCREMENTAL, so that retention can give pages back, must be set before the first table
        # exists; later it would change nothing, and wait for whoever is writing.
        if connection.execute("PRAGMA auto_vacuum").fetchone() == (0,):
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        # Write-ahead logging lets the web side read while the writer writes; with it, NORMAL is
        # safe against a killed process (https://www.sqlite.org/wal.html).
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if last_try or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _expect_this_schema(db: Database) -> None:
    scripts = ScriptDirectory.from_config(_migrations())
    with db.read() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise StorageError("the database holds nothing yet; newsfold run lays it out")
    scripts.get_revision(revision)  # raises where this program has never heard of it
    if revision != scripts.get_current_head():
        raise StorageError(
            f"the database is of an earlier version ({revision}); newsfold run brings it up to date"
        )


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _migrate(db: Database) -> None:
    config = _migrations()
    head = ScriptDirectory.from_config(config).get_current_head()
    with db.read() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    # One process migrates; the others wait here and then find nothing left to do.
    with db.write() as connection:
        if db.dialect == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4636)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        lay_out_search(connection)
