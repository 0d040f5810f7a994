"""Moving the database as a whole, with progress: a backup, a backup put back, another engine."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.running.application import open_storage, sole_use_of
from storage.backup import back_up, examine, is_waiting, lay_down
from storage.copying import CopyReport, copy_database
from storage.database import Database, StorageError, open_database
from storage.exclusive import is_used, sqlite_path
from storage.processes import running

_PATIENCE = 60.0
"""Seconds in which a running daemon takes up a backup: it ends its life in ten at most."""


def run_backup(settings: Settings, file: Path) -> None:
    """Write a backup.

    Raises:
        ApplicationError: it cannot be written.
    """
    path = sqlite_path(settings.storage.url)
    if path is not None and not path.exists():  # a wrong folder's empty one would be no backup
        raise ApplicationError(f"there is no database {path}: nothing was backed up")
    with _in_words(), open_storage(settings) as database:
        report = back_up(database, file, _show())
    click.echo(f"{file}: {_rows(report)}")


def run_restore(settings: Settings, file: Path) -> None:
    """Put a backup back; a running daemon takes it up by itself.

    Raises:
        ApplicationError: it is no backup, or cannot be put there.
    """
    url = settings.storage.url
    with _in_words():
        examine(file)
        if sqlite_path(url) is None:
            with _brought_up_to_date(file) as saved, open_storage(settings) as db:
                report = copy_database(saved, db, _show())
            click.echo(f"{file} is back: {_rows(report)}")
            return
        lay_down(file, url)
        _wait_until_taken_up(settings)
    click.echo(f"{file} is back; what it replaced is kept beside it")


@contextmanager
def _brought_up_to_date(file: Path) -> Iterator[Database]:
    """A copy of a backup, of whichever version it is: the backup itself stays what it was."""
    with tempfile.TemporaryDirectory(prefix="newsfold-") as folder:
        copy = Path(folder) / "backup.db"
        try:
            shutil.copyfile(file, copy)
        except OSError as error:
            raise StorageError(f"cannot copy {file} to {folder}: {error.strerror}") from error
        with closing(open_database(f"sqlite:///{copy}")) as saved:
            yield saved


def _wait_until_taken_up(settings: Settings) -> None:
    deadline = time.monotonic() + _PATIENCE
    while is_waiting(settings.storage.url):
        if not is_used(settings.storage.url):
            with sole_use_of(settings):
                return
        if time.monotonic() > deadline:
            raise ApplicationError(
                "the running daemon has not taken the backup up; restart it and it will"
            )
        time.sleep(0.1)


def run_migration(settings: Settings, url: str) -> None:
    """Copy the database to ``url``, and say what to write into the config.

    Raises:
        ApplicationError: one of the two is no good, or the daemon runs.
    """
    if is_used(settings.storage.url):
        raise ApplicationError(
            "the daemon is running, and what it writes meanwhile would stay behind: stop it first"
        )
    with _in_words(), open_storage(settings) as db, closing(open_database(url)) as target:
        if living := ", ".join(one.name for one in running(db)):
            raise ApplicationError(
                "processes are running, and what they write meanwhile would stay behind: "
                f"{living}; stop them first (one that was killed is forgotten in 15 seconds)"
            )
        report = copy_database(db, target, _show())
    click.echo(f"{_rows(report)}, compared row by row. Now set storage.url to the new address.")


def _rows(report: CopyReport) -> str:
    total = sum(report.rows.values())
    return f"{total:,} rows in {len(report.rows)} tables, {report.written:,} of them written now"


def _show() -> Callable[[str, int, int], None]:
    """Progress on standard error: a line that moves on a terminal, one for each table in a pipe."""
    moving = sys.stderr.isatty()

    def show(table: str, done: int, total: int) -> None:
        if moving:
            end = "\n" if done == total else ""
            click.echo(f"\r{table:<14} {done:>12,} of {total:,}{end}", err=True, nl=False)
        elif done == total:
            click.echo(f"{table} {total}", err=True)

    return show


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise ApplicationError(str(error)) from error
