"""A database of every earlier version, with something in every table, becomes one of today."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, event, func, select

from aggregator.config.settings import Settings
from aggregator.operating.moving import run_restore
from storage.database import MIGRATIONS, open_database


def config() -> Config:
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.set_main_option("path_separator", "os")
    return found


SCRIPTS = ScriptDirectory.from_config(config())
EARLIER = [step.revision for step in SCRIPTS.walk_revisions() if not step.is_head]
VALUES: dict[type, Any] = {
    str: "x",
    bool: True,
    float: 1.0,
    bytes: b"x",
    date: date(2026, 11, 22),
    datetime: datetime(2026, 11, 22, tzinfo=UTC),
}


def test_there_is_one_newest_version() -> None:
    assert len(SCRIPTS.get_heads()) == 1


@pytest.mark.parametrize("revision", EARLIER)
def test_rows_of_an_earlier_version_are_kept(empty_url: str, revision: str) -> None:
    made = make(empty_url, revision)
    db = open_database(empty_url)
    with db.read() as connection:
        tables = MetaData()
        tables.reflect(connection)
        kept = {name: count(connection, tables.tables[name]) for name in made}
        if db.dialect == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA integrity_check").all() == [("ok",)]
    db.close()
    assert kept == made


def make(url: str, revision: str) -> dict[str, int]:
    """A database of an earlier version; how many rows are in each table."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys=ON"))
    with engine.begin() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if not table.name.startswith(("alembic", "article_search")):
                connection.execute(table.insert().values(row(table)))
        made = {table.name: count(connection, table) for table in tables.sorted_tables}
    engine.dispose()
    return made


def row(table: Table) -> dict[str, Any]:
    """A row that points at the first row of every table it can point at, itself included."""
    return {
        column.name: 1 if column.foreign_keys or column.primary_key else value(column)
        for column in table.c
        if not column.nullable or column.foreign_keys
    } | {column.name: value(column) for column in table.primary_key if not is_number(column)}


def value(column: Column[Any]) -> Any:
    return 1 if is_number(column) else VALUES.get(column.type.python_type, {})


def is_number(column: Column[Any]) -> bool:
    return column.type.python_type is int


def count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_backup_of_the_first_version_is_put_back(empty_url: str, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    made = make(f"sqlite:///{backup}", "0001")
    before = backup.read_bytes()
    run_restore(Settings.model_validate({"storage": {"url": empty_url}}), backup)
    assert backup.read_bytes() == before, "it can be put back again, by the old version too"
    db = open_database(empty_url)
    with db.read() as connection:
        tables = MetaData()
        tables.reflect(connection)
        kept = {
            name: count(connection, tables.tables[name]) for name in ("source", "entry", "story")
        }
    db.close()
    assert kept == {name: made[name] for name in kept} == {"source": 1, "entry": 1, "story": 1}
