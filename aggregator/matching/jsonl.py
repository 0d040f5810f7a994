"""Articles from JSON Lines files, plain or gzipped; a bad line is named and skipped.

Lines wait in a temporary file for their turn, so that a pile larger than memory can be read in
order of publication; only a date, a place and an id are held for each.
"""

import gzip
import json
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import numpy as np

from aggregator.matching.document import EPOCH, Document
from feeds.page.second_readings import language_of
from feeds.parsing.dates import EARLIEST, read_date

Progress = Callable[[int, int], None]
"""Told how much of how much is done: bytes, articles."""

_IN_MEMORY = 1 << 26
_TELL_EVERY = 1_000
_SHOWN = 60
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Row:
    """One article of a file: the document, its own id there, and its label if it has one."""

    id: str
    document: Document
    cluster: str | None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no article: where, and what is wrong with it."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


@dataclass(slots=True)
class Pile:
    """The articles of some files; going through them reads each again from where it waits.

    Documents are numbered in order of ``published``; undated ones count as old as the first of
    their file. ``bad`` are the lines that were skipped.
    """

    spool: IO[bytes]
    bad: list[BadLine] = field(default_factory=list)
    _arrived: "array[float]" = field(default_factory=lambda: array("d"))
    _places: "array[int]" = field(default_factory=lambda: array("q"))
    _ids: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Row]:
        arrived = np.array(self._arrived)
        for number, position in enumerate(np.argsort(arrived, kind="stable").tolist()):
            self.spool.seek(self._places[position])
            value = json.loads(self.spool.readline())
            when = datetime.fromtimestamp(self._arrived[position], UTC)
            yield Row(_id(value) or "", _document(number, value, when), _label(value))

    def read(self, path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> None:
        """Add the articles of a file; ``progress`` hears how many bytes of it were read so far.

        Raises OSError when the file cannot be read, or the lines find no room to wait.
        """
        dates = array("d")
        number = 0
        try:
            for number, line in enumerate(_lines(path, progress), 1):
                self._take(path, number, line, dates)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            problem = f"the gzip data are broken, nothing after this was read: {error}"
            self.bad.append(BadLine(str(path), number + 1, problem))
        found = np.array(dates)
        first = np.nanmin(found) if not np.isnan(found).all() else EPOCH.timestamp()
        self._arrived.extend(np.where(np.isnan(found), first, found).tolist())

    def _take(self, path: Path, number: int, line: bytes, dates: "array[float]") -> None:
        text = line.decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if not text:
            return
        value, problem = _parsed(text)
        id_ = _id(value) if problem is None else ""
        if problem is None and not id_:
            problem = "no id"
        elif id_ in self._ids:
            problem = f"id {id_[:_SHOWN]!r} was already there"
        if problem or not id_:
            self.bad.append(BadLine(str(path), number, problem or ""))
            return
        self._ids.add(id_)
        published = _date(value.get("published"))
        dates.append(published.timestamp() if published else float("nan"))
        self._places.append(self.spool.seek(0, 2))
        self.spool.write(text.encode())
        self.spool.write(b"\n")


@contextmanager
def opened_pile(
    paths: Sequence[Path], progress: Progress = lambda _read, _all: None
) -> Iterator[Pile]:
    """The articles of several files as one stream, in order of ``published``.

    Raises OSError when a file cannot be read, or the lines find no room to wait.
    """
    with SpooledTemporaryFile(_IN_MEMORY) as spool:
        pile = Pile(cast("IO[bytes]", spool))
        sizes = [path.stat().st_size for path in paths]
        for number, path in enumerate(paths):
            before, total = sum(sizes[:number]), sum(sizes)
            pile.read(path, lambda here: progress(before + here, total))  # noqa: B023 - used at once
        progress(1, 1)
        yield pile


def read_rows(path: Path) -> tuple[list[Row], list[BadLine]]:
    """The articles of a file in order of ``published``; undated ones count as old as the first.

    Raises OSError when the file cannot be read.
    """
    with opened_pile([path]) as pile:
        return list(pile), pile.bad


def _lines(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file, gzipped or not, whatever its name."""
    with path.open("rb") as file:
        packed = file.peek(2)[:2] == _GZIP
        lines: IO[bytes] = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
        for number, line in enumerate(lines, 1):
            yield line
            if number % _TELL_EVERY == 0 and file.seekable():
                progress(file.raw.tell())


def _parsed(text: str) -> tuple[dict[str, Any], str | None]:
    """The object on a line, and what is wrong with it if it is none."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return {}, f"not JSON: {error}"
    except ValueError:
        return {}, "not JSON that can be read: a number of thousands of digits"
    except RecursionError:
        return {}, "not JSON that can be read: nested too deeply"
    return (value, None) if isinstance(value, dict) else ({}, "not an object")


def _id(value: dict[str, Any]) -> str | None:
    found = value.get("id")
    return _clean(str(found)) if type(found) in {str, int} else None  # a bool is an int, too


def _label(value: dict[str, Any]) -> str | None:
    found = value.get("cluster")
    return str(found) if isinstance(found, str | int) else None


def _document(number: int, value: dict[str, Any], arrived: datetime) -> Document:
    def text(key: str) -> str:
        found = value.get(key)
        return _clean(found) if isinstance(found, str) else ""

    title, body = text("title"), text("text")
    return Document(
        id=number,
        title=title,
        text=body,
        url=text("url") or None,
        publisher=text("publisher") or None,
        published=_date(value.get("published")),
        arrived=arrived,
        language=text("lang") or language_of(f"{title}\n{body}"),
    )


def _clean(text: str) -> str:
    """Without the halves of characters that JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _date(value: object) -> datetime | None:
    """A date as feeds' are read: none before the web, where broken clocks stand."""
    if not isinstance(value, str | int):
        return None
    moment = read_date(str(value))
    return moment if moment and moment >= EARLIEST else None
