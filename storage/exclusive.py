"""One daemon at a time on an SQLite file. The kernel keeps the lock, so that no dead one holds it.

PostgreSQL is made for many; there the claims of single rows keep processes apart.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from storage.database import StorageError


@contextmanager
def sole_use(url: str) -> Iterator[None]:
    """Hold the database at ``url`` for as long as the block runs.

    Raises:
        StorageError: another process holds it; the message says which. Or nobody can write there.
    """
    path = sqlite_path(url)
    if path is None or not path.parent.is_dir():  # opening it will say what is wrong with it
        yield
        return
    with _lock_file(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise StorageError(
                f"another newsfold (process {file.read().strip() or 'unknown'}) is using {path}; "
                "stop it first, or let several share a PostgreSQL database"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock_file(path: Path) -> IO[str]:
    try:
        return lock_path(path).open("a+", encoding="ascii")
    except OSError as error:
        raise StorageError(
            f"cannot write beside the database {path}: {error.strerror}; "
            "its folder must be writable"
        ) from error


def is_used(url: str) -> bool:
    """Whether a process holds the database at ``url`` now."""
    return user_of(url) is not None


def user_of(url: str) -> str | None:
    """The number of the process that holds the database at ``url`` now, None where none does."""
    path = sqlite_path(url)
    if path is None or not lock_path(path).exists():
        return None
    with lock_path(path).open(encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip()
    return None


def lock_path(path: Path) -> Path:
    """The file beside the database that is locked: SQLite locks its own for itself."""
    return path.with_name(f"{path.name}.lock")


def sqlite_path(url: str) -> Path | None:
    """Where the database at ``url`` is, if it is a file."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)
