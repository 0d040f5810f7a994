"""The processes that share a database: who is there, under what configuration, and who is gone.

A process that gives no sign of life has its claims taken away, long before their leases end. That
is safe even where it lives after all: what it writes of them counts no more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from storage.database import Database
from storage.tables.article import articles
from storage.tables.process import processes
from storage.tables.source import sources
from storage.upsert import insert

PATIENCE = timedelta(seconds=15)
"""How long a process may give no sign of life."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process: its ``name`` is its alone, ``config`` tells configurations apart."""

    name: str
    roles: tuple[str, ...]
    config: str
    version: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Neighbours:
    """All processes that live, this one among them, and those just found dead."""

    living: tuple[RunningProcess, ...]
    dead: tuple[str, ...]


def give_sign(
    db: Database, one: RunningProcess, now: datetime, patience: timedelta = PATIENCE
) -> Neighbours:
    """Say that ``one`` lives, and give back what the dead had claimed."""
    with db.write() as connection:
        row = {
            "name": one.name,
            "roles": ",".join(one.roles),
            "config": one.config,
            "version": one.version,
            "started_at": one.started_at,
            "seen_at": func.now(),  # the server's clock: machines' clocks differ
        }
        statement = insert(connection, processes).values(row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"],
                set_={name: statement.excluded[name] for name in row if name != "name"},
            )
        )
        dead = connection.execute(
            delete(processes)
            .where(processes.c.seen_at < func.now() - patience)
            .returning(processes.c.name)
        ).scalars()
        gone = tuple(sorted(dead))
        _release_claims(connection, gone, now)
    return Neighbours(running(db, patience), gone)


def running(db: Database, patience: timedelta = PATIENCE) -> tuple[RunningProcess, ...]:
    """The processes that live, the oldest first; none on SQLite, whose file is locked instead."""
    if not db.is_shared:
        return ()
    with db.read() as connection:
        rows = connection.execute(
            select(processes)
            .where(processes.c.seen_at >= func.now() - patience)
            .order_by(processes.c.started_at, processes.c.name)
        ).all()
    return tuple(
        RunningProcess(
            row.name, tuple(row.roles.split(",")), row.config, row.version, row.started_at
        )
        for row in rows
    )


def leave(db: Database, name: str, now: datetime) -> None:
    """The process called so ends, and gives back what it still holds."""
    with db.write() as connection:
        connection.execute(delete(processes).where(processes.c.name == name))
        _release_claims(connection, (name,), now)


def begin_alone(db: Database, now: datetime) -> None:
    """The only process on this database begins: whoever had claimed anything is dead."""
    with db.write() as connection:
        names = set(connection.execute(select(sources.c.claimed_by).distinct()).scalars())
        waiting = select(articles.c.claimed_by).where(articles.c.state == "new").distinct()
        names.update(connection.execute(waiting).scalars())
        _release_claims(connection, sorted(name for name in names if name), now)


def recall_articles(db: Database, name: str, held: Collection[int]) -> None:
    """Give back what the process called so has claimed and does not know of.

    Where the connection went between a claim's commit and its answer. ``held`` it does know of.
    It does not count as an attempt.
    """
    with db.write() as connection:
        _release_articles(connection, (name,), held, attempts=articles.c.attempts - 1)


def recall_sources(db: Database, name: str, held: Collection[int], now: datetime) -> None:
    """The same for sources."""
    with db.write() as connection:
        _release_sources(connection, (name,), now, held)


def _release_claims(connection: Connection, names: Sequence[str], now: datetime) -> None:
    if names:
        _release_articles(connection, names)
        _release_sources(connection, names, now)


def _release_articles(
    connection: Connection, names: Sequence[str], but: Collection[int] = (), **values: object
) -> None:
    held = select(articles.c.id).where(
        articles.c.state == "new", articles.c.claimed_by.in_(names), articles.c.id.not_in(but)
    )
    ids = connection.execute(held.order_by(articles.c.id).with_for_update(key_share=True)).scalars()
    connection.execute(
        update(articles)
        .where(articles.c.id.in_(ids.all()), articles.c.claimed_by.in_(names))
        .values(claimed_until=None, claimed_by=None, **values)
    )


def _release_sources(
    connection: Connection, names: Sequence[str], now: datetime, but: Collection[int] = ()
) -> None:
    held = select(sources.c.id).where(sources.c.claimed_by.in_(names), sources.c.id.not_in(but))
    ids = connection.execute(held.order_by(sources.c.id).with_for_update(key_share=True)).scalars()
    connection.execute(
        update(sources)
        .where(sources.c.id.in_(ids.all()), sources.c.claimed_by.in_(names))
        .values(next_poll_at=now, claimed_by=None)
    )
