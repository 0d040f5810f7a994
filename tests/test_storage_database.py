import multiprocessing
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from builders import NOW, add_source, commit_poll, entry_write, poll_commit, source_config
from sqlalchemy import create_engine, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel

from storage.database import Database, StorageError, _is_prepared, open_database
from storage.sources import sync_sources
from storage.tables.source import sources


def refusal(url: str) -> str:
    """The message with which ``url`` is refused; one line, without its traceback."""
    with pytest.raises(StorageError) as caught:
        open_database(url)
    message = str(caught.value)
    assert "\n" not in message
    assert "Traceback" not in message
    return message


# --- migrations -------------------------------------------------------------------------------


def is_no_search_index(name: str | None, kind: str, _parents: object) -> bool:
    """That is laid out beside the tables: they know neither engine's full text."""
    return kind != "table" or not str(name).startswith("article_search")


def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": is_no_search_index}
        )
        assert compare_metadata(context, SQLModel.metadata) == []


def test_partial_indexes_are_made_as_the_tables_say(database: Database) -> None:
    """What the comparison above does not see: the conditions of indexes."""
    found = {
        index["name"]: {
            key.removesuffix("_where"): str(value)
            for key, value in index["dialect_options"].items()
            if key.endswith("_where")
        }
        for table in SQLModel.metadata.tables
        for index in inspect(database.engine).get_indexes(table)
    }
    for table in SQLModel.metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options[database.dialect]["where"]
            expected = None if where is None else str(where)
            actual = found[index.name].get(database.dialect)
            plain = actual.replace("(", "").replace(")", "") if actual else None
            assert plain == expected, index.name


def test_opening_again_changes_nothing(database_url: str) -> None:
    db = open_database(database_url)
    add_source(db)
    before = dump(db)
    db.close()

    db = open_database(database_url)
    assert dump(db) == before
    db.close()


def dump(db: Database) -> list[object]:
    with db.read() as connection:
        tables = inspect(connection).get_table_names()
        rows = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in tables]
        return [tables, rows]


def test_a_database_from_a_newer_version_is_refused(database_url: str) -> None:
    db = open_database(database_url)
    with db.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()

    message = refusal(database_url)

    assert "newer newsfold" in message
    assert "9999" in message
    assert "run that version, or restore a backup" in message


@pytest.mark.parametrize("count", [6])
def test_many_threads_open_a_new_database_at_once(empty_url: str, count: int) -> None:
    start = threading.Barrier(count)

    def open_it(number: int) -> None:
        start.wait()
        db = open_database(empty_url)
        sync_sources(db, [source_config(f"s{number}")], NOW)
        db.close()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(open_it, range(count)))

    db = open_database(empty_url)
    with db.read() as connection:
        assert len(connection.execute(select(sources)).all()) == count
    db.close()


def open_and_close(url: str) -> None:
    open_database(url).close()


def test_many_processes_open_a_new_database_at_once(empty_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=open_and_close, args=(empty_url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    open_and_close(empty_url)


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    """As when another program's table is in the way."""
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE story_event (id INTEGER)"))

    assert "story_event" in refusal(empty_url)

    assert inspect(engine).get_table_names() == ["story_event"]
    engine.dispose()


# --- what cannot be opened --------------------------------------------------------------------


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("This is not a database. " * 1000)

    message = refusal(f"sqlite:///{path}")

    assert "file is not a database" in message
    assert "notes.txt" in message
    assert path.read_text().startswith("This is not")


def test_a_directory(tmp_path: Path) -> None:
    assert "unable to open database file" in refusal(f"sqlite:///{tmp_path}")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    message = refusal(f"sqlite:///{tmp_path / 'missing' / 'newsfold.db'}")

    assert "its folder must exist and be writable" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "its folder must exist" in refusal(f"sqlite:///{tmp_path / 'file' / 'newsfold.db'}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_memory_is_no_place_to_remember(url: str) -> None:
    assert "in memory" in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://anna:s3cret@localhost/newsfold",
        "postgresql+asyncpg://anna:s3cret@localhost/newsfold",
        "sqlite+aiosqlite:///newsfold.db",
        "nosuch://anna:s3cret@localhost/newsfold",
        "postgres//anna:s3cret@localhost/newsfold",
        "postgresql+psycopg://anna:s3cret@localhost:port/newsfold",
        "newsfold.db",
        "",
    ],
)
def test_an_address_of_nothing_known(url: str) -> None:
    message = refusal(url)

    assert "write sqlite:///PATH or postgresql+psycopg://" in message
    assert "s3cret" not in message


def test_a_server_that_is_not_there() -> None:
    message = refusal("postgresql+psycopg://anna:s3cret@127.0.0.1:9/newsfold")

    assert "anna:***@127.0.0.1:9" in message
    assert "the server must be running" in message
    assert "s3cret" not in message


def test_a_user_who_is_not_let_in(postgres: object) -> None:
    server = postgres.url  # type: ignore[attr-defined]
    message = refusal(server.replace("postgres:@", "anna:s3cret@"))

    assert 'role "anna" does not exist' in message
    assert "let this user into this database" in message
    assert "s3cret" not in message


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    message = refusal("postgresql+psycopg://anna:s3cret@localhost/newsfold")

    assert "needs newsfold[postgres]" in message
    assert "s3cret" not in message


def test_the_path_may_hold_a_percent_sign_and_spaces(tmp_path: Path) -> None:
    path = tmp_path / "50% of news.db"
    open_database(f"sqlite:///{path}").close()

    assert path.exists()


# --- transactions -----------------------------------------------------------------------------


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    source = add_source(database)

    def fail() -> None:
        with database.write() as connection:
            connection.execute(update(sources).values(name="Changed"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()

    with database.read() as connection:
        assert connection.execute(select(sources.c.name)).scalar() == source.name


def test_reading_writes_nothing(database: Database) -> None:
    source = add_source(database)

    try:
        with database.read() as connection:
            connection.execute(update(sources).values(name="Changed"))
    except StatementError:
        assert database.dialect == "postgresql"

    with database.read() as connection:
        assert connection.execute(select(sources.c.name)).scalar() == source.name


def test_a_writer_that_reads_first_is_not_overtaken(database: Database) -> None:
    """Each reads a number and writes it back, one higher: no step may be lost on SQLite."""
    if database.dialect == "postgresql":
        pytest.skip("PostgreSQL has row locks for this, taken where they are needed")
    source = add_source(database)
    threads, rounds = 4, 10

    def count_up(_: int) -> None:
        for _ in range(rounds):
            with database.write() as connection:
                now = connection.execute(select(sources.c.failures)).scalar_one()
                connection.execute(update(sources).values(failures=now + 1))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count_up, range(threads)))

    with database.read() as connection:
        assert connection.execute(select(sources.c.failures)).scalar() == threads * rounds
    assert source.failures == 0


def test_reading_does_not_wait_for_a_writer(database: Database) -> None:
    source = add_source(database)
    with database.write() as writing:
        writing.execute(update(sources).values(name="Changed"))
        with database.read() as reading:
            assert reading.execute(select(sources.c.name)).scalar() == source.name


def test_naive_times_are_refused(database: Database) -> None:
    source = add_source(database)
    naive = datetime(2026, 11, 22)  # noqa: DTZ001 - the mistake under test

    with pytest.raises(StatementError, match="naive time"):
        commit_poll(database, poll_commit(source.id, at=naive, next_poll_at=NOW))
    with pytest.raises(StatementError, match="naive time"):
        commit_poll(database, poll_commit(source.id, entry_write("a", updated=naive)))


def test_sqlite_is_set_up_as_the_rest_relies_on(sqlite_template: Path) -> None:
    db = open_database(f"sqlite:///{sqlite_template}")
    with db.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("auto_vacuum", "journal_mode", "synchronous", "foreign_keys")
        }
    db.close()

    assert found == {"auto_vacuum": 2, "journal_mode": "wal", "synchronous": 1, "foreign_keys": 1}


def test_a_file_that_another_program_holds_is_tried_again_until_the_last_time(
    tmp_path: Path,
) -> None:
    path = tmp_path / "newsfold.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    mine = sqlite3.connect(path, isolation_level=None, timeout=0)

    assert not _is_prepared(mine, last_try=False)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _is_prepared(mine, last_try=True)
    other.execute("COMMIT")
    assert _is_prepared(mine, last_try=False)

    other.close()
    mine.close()


def test_an_error_shows_no_values(database: Database) -> None:
    """They are texts of articles, and errors are logged."""
    with pytest.raises(DBAPIError) as caught, database.write() as connection:
        connection.execute(text("INSERT INTO no_such_table VALUES (:told)"), {"told": "an article"})
    assert "an article" not in str(caught.value)
