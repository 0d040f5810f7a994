"""Articles from JSON Lines files, plain or gzipped; a bad line is named and skipped."""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from aggregator.matching.document import EPOCH, Document


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


def read_rows(path: Path) -> tuple[list[Row], list[BadLine]]:
    """The articles of a file in order of ``published``; undated ones count as old as the first.

    Raises OSError when the file cannot be read.
    """
    rows: list[tuple[str, dict[str, Any]]] = []
    bad: list[BadLine] = []
    seen: set[str] = set()
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                bad.append(BadLine(str(path), number, f"not JSON: {error}"))
                continue
            problem = _problem(value, seen)
            if problem:
                bad.append(BadLine(str(path), number, problem))
                continue
            seen.add(str(value["id"]))
            rows.append((str(value["id"]), value))
    dated = [(_date(value.get("published")), id_, value) for id_, value in rows]
    first = min((date for date, _, _ in dated if date), default=EPOCH)
    dated.sort(key=lambda item: item[0] or first)
    return [
        Row(id_, _document(number, value, date, first), value.get("cluster"))
        for number, (date, id_, value) in enumerate(dated)
    ], bad


def _problem(value: object, seen: set[str]) -> str | None:
    if not isinstance(value, dict):
        return "not an object"
    if not isinstance(value.get("id"), str | int):
        return "no id"
    if str(value["id"]) in seen:
        return f"id {value['id']!r} was already there"
    return None


def _document(
    number: int, value: dict[str, Any], published: datetime | None, first: datetime
) -> Document:
    def text(key: str) -> str:
        found = value.get(key)
        return found if isinstance(found, str) else ""

    return Document(
        id=number,
        title=text("title"),
        text=text("text"),
        url=text("url") or None,
        publisher=text("publisher") or None,
        published=published,
        arrived=published or first,
        language=text("lang") or None,
    )


def _date(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        return None
    return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")
