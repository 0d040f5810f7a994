"""Backups: one SQLite file, of either engine, taken and put back while the daemon runs.

A backup that is put back is checked first. Beside a running daemon it is laid down next to the
database, and the daemon takes it up (:func:`take_up`) between two lives of its application.
"""

import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from storage.copying import CopyReport, Progress, copy_database
from storage.database import Database, StorageError, open_database
from storage.exclusive import sqlite_path

_SIDES = ("-wal", "-shm")


def back_up(db: Database, to: Path, progress: Progress) -> CopyReport:
    """Write everything that ``db`` holds now to a new file.

    The file appears when it is complete, never before.

    Raises:
        StorageError: there is such a file already, or it cannot be written.
    """
    if to.exists():
        raise StorageError(f"{to} is there already; it was not touched: name a new file")
    part = to.with_name(f".{to.name}.part")
    try:
        _remove(part)
        with closing(open_database(f"sqlite:///{part}")) as target:
            report = copy_database(db, target, progress)
        with closing(sqlite3.connect(part)) as connection:
            # One file, that can be carried away as it is.
            connection.execute("PRAGMA journal_mode=DELETE")
        part.rename(to)
    except OSError as error:
        raise StorageError(f"cannot write {to}: {error.strerror}") from error
    finally:
        _remove(part)
    return report


def examine(file: Path) -> None:
    """See that ``file`` is a whole backup.

    Raises:
        StorageError: it is not there, is no backup, or is damaged.
    """
    if not file.is_file():
        raise StorageError(f"there is no file {file}")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{file} is no backup of newsfold: {error}") from error
    if found != "ok":
        raise StorageError(f"{file} is damaged: {' '.join(found.split())}; take another backup")


def lay_down(file: Path, url: str) -> Path:
    """Put a copy of the backup next to the database at ``url``, for :func:`take_up`.

    Raises:
        StorageError: it is no whole backup, or cannot be written there.
    """
    examine(file)
    path = sqlite_path(url)
    assert path is not None, "only files are replaced; a server's database is copied into"  # noqa: S101
    part = path.with_name(f".{path.name}.part")
    try:
        _remove(part)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        part.rename(waiting(path))
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"cannot write beside {path}: {error}") from error
    finally:
        _remove(part)
    return waiting(path)


def take_up(url: str, now: datetime) -> Path | None:
    """Replace the database by a backup that waits beside it, while nobody has it open.

    Returns where the replaced one was put, or None where nothing waits.
    """
    path = sqlite_path(url)
    if path is None or not waiting(path).exists():
        return None
    aside = path.with_name(f"{path.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    for side in ("", *_SIDES):
        with suppress(FileNotFoundError):
            Path(f"{path}{side}").replace(f"{aside}{side}")
    waiting(path).rename(path)
    return aside


def is_waiting(url: str) -> bool:
    """Whether a backup waits to become the database at ``url``."""
    path = sqlite_path(url)
    return path is not None and waiting(path).exists()


def waiting(path: Path) -> Path:
    """Where a backup waits to become the database at ``path``."""
    return path.with_name(f"{path.name}.restore")


def _remove(path: Path) -> None:
    for side in ("", *_SIDES, "-journal"):
        Path(f"{path}{side}").unlink(missing_ok=True)
