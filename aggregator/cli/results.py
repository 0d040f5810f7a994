"""What a long command shows while it works, and what it leaves: whole files or a clear error."""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from aggregator.errors import ApplicationError

STANDARD_OUTPUT = Path("-")
_STEPS = 200


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error where that is a terminal; to be told how much of how much is done."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    with click.progressbar(length=1, label=f"{label:<8}", file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            if done == of or done - bar.pos >= of / _STEPS:
                bar.length = max(of, 1)
                bar.update(done - bar.pos)

        yield show


@contextmanager
def written(out: Path) -> Iterator[IO[str]]:
    """A file that appears, or replaces an older one, when it is whole; ``-`` is standard output.

    Raises ApplicationError where it cannot be written, if possible before the work is done.
    """
    try:
        if out == STANDARD_OUTPUT:
            stream = click.open_file("-", "w", encoding="utf-8")
            yield stream
            stream.flush()
        elif out.exists() and not out.is_file():  # a pipe, a device
            with out.open("w", encoding="utf-8") as file:
                yield file
        else:
            yield from _in_one_piece(out.resolve())
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever read it has enough: click ends quietly
        name: object = out
        if out == STANDARD_OUTPUT:
            name = "standard output"
            _let_go_of_standard_output()
        raise ApplicationError(f"cannot write {name}: {error.strerror}") from error


def _let_go_of_standard_output() -> None:
    """What could not be written is tried again at exit, and would be complained of again."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _in_one_piece(out: Path) -> Iterator[IO[str]]:
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        if out.exists():
            shutil.copymode(out, part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def problems_with(what: object) -> Iterator[None]:
    """Where the system refuses, say so of ``what``.

    Raises ApplicationError in place of OSError.
    """
    try:
        yield
    except OSError as error:
        raise ApplicationError(f"{what}: {error.strerror or error}") from error
