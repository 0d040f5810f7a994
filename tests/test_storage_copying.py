"""A database copied to another engine and back, interrupted, into what is no empty one."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import NOW, add_articles, add_source, add_story, latest_stories, read_articles
from sqlalchemy import select, update

from storage.backup import back_up, lay_down, take_up, waiting
from storage.copying import copy_database
from storage.database import Database, StorageError, open_database
from storage.exclusive import is_used, sole_use
from storage.installation import settle
from storage.search import find_stories, terms_of
from storage.tables import every_table
from storage.tables.article import articles


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    path = tmp_path / "other.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def other(sqlite_url: str) -> Iterator[Database]:
    db = open_database(sqlite_url)
    yield db
    db.close()


def quiet(_table: str, _done: int, _total: int) -> None:
    pass


def fill(db: Database) -> None:
    """Two articles of one story, the first a copy of the second: it points forward."""
    settle(db, {"authority": "news.example,2026-11-22", "born": NOW.isoformat()})
    ids = add_articles(db, add_source(db).id, "a", "b")
    read_articles(db, *ids, text="Straße 🏠 \u202e", text_reasons=("it is longer",))
    add_story(db, 1, *ids)
    with db.write() as connection:
        connection.execute(update(articles).where(articles.c.id == ids[0]).values(copy_of=ids[1]))


def dump(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.read() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in every_table()
        }


def found_by_word(db: Database) -> tuple[int, ...]:
    return tuple(hit.article_id for hit in find_stories(db, terms_of("Straße"), limit=10).hits)


def test_a_copy_is_equal_row_for_row_and_goes_on_by_itself(
    database: Database, other: Database
) -> None:
    fill(database)
    seen: list[tuple[str, int, int]] = []
    report = copy_database(database, other, lambda *step: seen.append(step))
    assert dump(other) == dump(database)
    assert report.rows["article"] == 2
    assert ("article", 2, 2) in seen
    (new,) = add_articles(other, 1, "c")
    assert new == 3, "ids go on above those that came"
    assert latest_stories(other) == latest_stories(database)
    assert found_by_word(other) == found_by_word(database) != ()


def test_back_again_it_is_what_it_was(database: Database, other: Database, tmp_path: Path) -> None:
    fill(other)
    copy_database(other, database, quiet)
    with closing(open_database(f"sqlite:///{tmp_path / 'third.db'}")) as third:
        copy_database(database, third, quiet)
        assert dump(third) == dump(other)


def test_an_interrupted_copy_is_resumed_where_it_stopped(
    database: Database, other: Database
) -> None:
    fill(database)

    def interrupt(table: str, _done: int, _total: int) -> None:
        if table == "article":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(database, other, interrupt)
    report = copy_database(database, other, quiet)
    assert dump(other) == dump(database)
    assert 0 < report.written < sum(report.rows.values())


def test_nobody_elses_database_is_written_over(database: Database, other: Database) -> None:
    fill(database)
    fill(other)
    before = dump(other)
    with pytest.raises(StorageError, match="in use already"):
        copy_database(database, other, quiet)
    assert dump(other) == before


def test_an_unfinished_copy_of_another_installation_is_not_mixed_with_this(
    database: Database, other: Database
) -> None:
    fill(database)

    def interrupt(table: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt(table)

    with pytest.raises(KeyboardInterrupt):
        copy_database(database, other, interrupt)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE setting SET value = 'x' WHERE name = 'authority'")
    with pytest.raises(StorageError, match="another installation"):
        copy_database(database, other, quiet)


def test_a_row_that_vanished_meanwhile_is_noticed(database: Database, other: Database) -> None:
    fill(database)

    def interrupt(table: str, _done: int, _total: int) -> None:
        if table == "entry":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(database, other, interrupt)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM entry WHERE id = 1")
    with pytest.raises(StorageError, match="table entry differs"):
        copy_database(database, other, quiet)


# --- backups ------------------------------------------------------------------------------------


def test_a_backup_put_back_is_what_there_was(database: Database, tmp_path: Path) -> None:
    fill(database)
    file, live = tmp_path / "backup.db", f"sqlite:///{tmp_path / 'live.db'}"
    back_up(database, file, quiet)
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup.db"]
    with closing(open_database(live)) as db:
        add_source(db)
    lay_down(file, live)
    aside = take_up(live, NOW)
    with closing(open_database(live)) as db:
        assert dump(db) == dump(database)
    assert aside == tmp_path / "live.db.replaced-20261122T120000Z"
    assert aside.exists()
    assert take_up(live, NOW) is None, "once"
    assert take_up("postgresql+psycopg://x@y/z", NOW) is None


def test_a_backup_writes_over_nothing_and_leaves_nothing_half_done(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    file.write_text("precious")
    with pytest.raises(StorageError, match="there already"):
        back_up(database, file, quiet)
    assert file.read_text() == "precious"

    def interrupt(_table: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    fill(database)
    with pytest.raises(KeyboardInterrupt):
        back_up(database, tmp_path / "second.db", interrupt)
    assert not list(tmp_path.glob("*second*"))
    assert not list(tmp_path.glob(".*second*"))
    with pytest.raises(StorageError, match="cannot"):
        back_up(database, tmp_path / "nowhere" / "third.db", quiet)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "there is no file"),
        (lambda path: path.write_bytes(b"not a database at all" * 100), "no backup of newsfold"),
        (lambda path: sqlite3.connect(path).close(), "no backup of newsfold"),
        (lambda path: path.write_bytes(path.read_bytes()[:8192]), "damaged|no backup"),
    ],
)
def test_what_is_no_whole_backup_is_not_put_back(
    sqlite_template: Path, tmp_path: Path, damage: object, words: str
) -> None:
    file, live = tmp_path / "backup.db", tmp_path / "live.db"
    if "close" not in damage.__code__.co_names:  # type: ignore[attr-defined]  # a lambda above
        shutil.copy(sqlite_template, file)
    damage(file)  # type: ignore[operator]  # the same
    with pytest.raises(StorageError, match=words):
        lay_down(file, f"sqlite:///{live}")
    assert not waiting(live).exists()


# --- one daemon on one file ---------------------------------------------------------------------


def test_a_second_one_on_the_same_file_is_refused_in_words(sqlite_url: str) -> None:
    assert not is_used(sqlite_url)
    with sole_use(sqlite_url):
        assert is_used(sqlite_url)
        with (
            pytest.raises(StorageError, match=r"another newsfold \(process \d+\) is using"),
            sole_use(sqlite_url),
        ):
            pass
    assert not is_used(sqlite_url)
    with sole_use(sqlite_url), sole_use("postgresql+psycopg://x@y/z"):
        assert not is_used("postgresql+psycopg://x@y/z")


def test_where_there_is_no_folder_opening_will_say_so(tmp_path: Path) -> None:
    with sole_use(f"sqlite:///{tmp_path}/no/such.db"):
        pass
