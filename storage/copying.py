"""A whole database copied into another, of the other engine too: identities, history and all.

Like rsync, in pieces: a piece of a table that is the same on both sides (count and checksum) is
passed over, another one is written again. So an interrupted copy is resumed by running it once
more, and a finished one is verified by the same comparison.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, func, literal, select, tuple_, update

from storage.chunks import chunks
from storage.database import Database, StorageError
from storage.search_index import index_article
from storage.tables import every_table
from storage.tables.article import article_texts, articles
from storage.tables.process import settings
from storage.upsert import insert

PIECE = 1000
"""Rows that are compared, and written in one transaction."""
_ORIGIN = "copied from"
"""Setting in a copy: which installation it is a copy of, so that no other is written over."""

Progress = Callable[[str, int, int], None]
"""Called with a table's name, its rows that are the same by now, and all its rows."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """Rows by table, all of them equal on both sides, and how many had to be written."""

    rows: Mapping[str, int]
    written: int


def copy_database(source: Database, target: Database, progress: Progress) -> CopyReport:
    """Make ``target`` hold what ``source`` holds now.

    The source is read in one consistent view; what is written to it meanwhile is left out.

    Raises:
        StorageError: the target holds another installation, or differs after all.
    """
    with source.read() as reading:
        _claim(reading, target)
        rows: dict[str, int] = {}
        written = 0
        for table in every_table():
            total = _count(reading, table)
            rows[table.name] = 0
            for piece in _pieces(reading, table):
                written += _copy_piece(target, table, piece)
                rows[table.name] += len(piece)
                progress(table.name, rows[table.name], total)
            _point_forward(reading, target, table)
        _verify(reading, target)
    _index(target)
    _settle(target)
    return CopyReport(rows, written)


def _claim(reading: Connection, target: Database) -> None:
    """Write down whose copy the target becomes, or find that it is somebody else's already."""
    named = _facts(reading)
    origin = f"{named.get('authority')} {named.get('born')}"
    with target.write() as connection:
        found = _facts(connection)
        if _ORIGIN not in found and (found or connection.execute(select(articles.c.id)).first()):
            raise StorageError(
                "the target database is in use already: it was not touched; name an empty one"
            )
        if found.get(_ORIGIN, origin) != origin:
            raise StorageError(
                "the target database holds the copy of another installation: it was not touched; "
                "name an empty one"
            )
        if not found:
            connection.execute(settings.insert().values(name=_ORIGIN, value=origin))


def _facts(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(settings.c.name, settings.c.value))
    return {row.name: row.value for row in rows}


def _pieces(reading: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    key = list(table.primary_key)
    rows = select(table).order_by(*key).limit(PIECE)
    piece: Sequence[Row[Any]] = reading.execute(rows).all()
    while piece:
        yield piece
        (last,) = _keys(table, piece[-1:])
        piece = reading.execute(rows.where(tuple_(*key) > tuple_(*last))).all()


def _keys(table: Table, piece: Sequence[Row[Any]]) -> list[tuple[Any, ...]]:
    """The primary key of each row, as bound values of its columns' types."""
    columns = list(table.primary_key)
    return [
        tuple(literal(getattr(row, column.name), column.type) for column in columns)
        for row in piece
    ]


def _copy_piece(target: Database, table: Table, piece: Sequence[Row[Any]]) -> int:
    with target.write() as connection:
        if _checksum(_same(connection, table, piece)) == _checksum(piece):
            return 0
        _write(connection, table, [dict(row._mapping) for row in piece])  # noqa: SLF001 - a row's public name for it
    return len(piece)


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Upsert rows; what points at a row that comes later waits until that is there."""
    for column in _inward(table):
        for row in rows:
            if row[column.name] is not None and row[column.name] > row["id"]:
                row[column.name] = None
    statement = insert(connection, table)
    names = [column.name for column in table.c if not column.primary_key]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key],
            set_={name: statement.excluded[name] for name in names},
        ),
        rows,
    )


def _inward(table: Table) -> list[Column[Any]]:
    return [key.parent for key in table.foreign_keys if key.column.table is table]


def _point_forward(reading: Connection, target: Database, table: Table) -> None:
    for column in _inward(table):
        rows = reading.execute(select(table.c.id, column).where(column > table.c.id)).all()
        for some in chunks(rows):
            with target.write() as connection:
                for row in some:
                    connection.execute(
                        update(table).where(table.c.id == row[0]).values({column.name: row[1]})
                    )


def _verify(reading: Connection, target: Database) -> None:
    with target.read() as connection:
        for table in every_table():
            surplus = 1 if table is settings else 0  # the mark of an unfinished copy
            if _count(connection, table) != _count(reading, table) + surplus or any(
                _checksum(piece) != _checksum(_same(connection, table, piece))
                for piece in _pieces(reading, table)
            ):
                raise StorageError(
                    f"the copy's table {table.name} differs from the original; the original was "
                    "not touched: copy once more, into an empty database"
                )


def _same(connection: Connection, table: Table, piece: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    key = list(table.primary_key)
    those = tuple_(*key).in_([tuple_(*values) for values in _keys(table, piece)])
    return connection.execute(select(table).where(those).order_by(*key)).all()


def _checksum(rows: Sequence[Row[Any]]) -> str:
    """Of what the rows say, however an engine keeps it: times in UTC, JSON with sorted keys."""
    return hashlib.sha256(
        json.dumps([list(row) for row in rows], default=str, sort_keys=True).encode(
            errors="surrogatepass"
        )
    ).hexdigest()


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _index(target: Database) -> None:
    """Let the copied articles be found by their words: the index is the engine's own."""
    shown = select(articles.c.id, articles.c.title, article_texts.c.text).join(article_texts)
    with target.read() as connection:
        ids = list(connection.execute(select(article_texts.c.article_id)).scalars())
    for some in chunks(ids):
        with target.write() as connection:
            for row in connection.execute(shown.where(articles.c.id.in_(some))).all():
                index_article(connection, row.id, f"{row.title}\n{row.text}")


def _settle(target: Database) -> None:
    """Make the copy an installation of its own: new rows get ids above those that came."""
    with target.write() as connection:
        connection.execute(settings.delete().where(settings.c.name == _ORIGIN))
        if connection.dialect.name != "postgresql":
            return
        for table in every_table():
            if "id" in table.c:
                highest = connection.execute(select(func.max(table.c.id))).scalar()
                sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
                connection.execute(select(func.setval(sequence, highest or 1, highest is not None)))
