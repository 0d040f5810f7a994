"""How close together requests to a domain are, and which hosts want to be left alone.

For all processes that share a PostgreSQL database. Times are the server's: the clocks of the
processes' machines may differ.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from storage.database import Database

_NAMES = bindparam("names", type_=ARRAY(Text()))
# Rows are locked in the order of their names, so that two processes never wait for each other.
_ASK = text("""
    INSERT INTO host AS known (name, last_at)
    SELECT name, clock_timestamp() FROM unnest(:names) AS asked (name) ORDER BY name
    ON CONFLICT (name) DO UPDATE SET last_at = excluded.last_at
    WHERE known.last_at IS NULL
       OR known.last_at + :pause * interval '1 second' <= excluded.last_at
    RETURNING name
""").bindparams(_NAMES)
_LOOK = text("""
    SELECT name, extract(epoch FROM last_at - clock_timestamp())::float AS last,
           extract(epoch FROM held_until - clock_timestamp())::float AS held
    FROM host WHERE name = ANY(:names)
""").bindparams(_NAMES)
_VISITED = text("""
    INSERT INTO host (name, last_at)
    SELECT name, clock_timestamp() FROM unnest(:names) AS visited (name) ORDER BY name
    ON CONFLICT (name) DO UPDATE SET last_at = excluded.last_at
""").bindparams(_NAMES)
_HOLD = text("""
    INSERT INTO host AS known (name, held_until)
    VALUES (:name, clock_timestamp() + :seconds * interval '1 second')
    ON CONFLICT (name) DO UPDATE
    SET held_until = greatest(known.held_until, excluded.held_until)
""")


@dataclass(frozen=True, slots=True)
class Leave:
    """What came of asking. Seconds, by name.

    ``waits`` of a domain is 0 where it may be asked now, and nobody else may for the pause; else
    how long until it is worth asking again. ``held`` are the hosts that want to be left alone.
    """

    waits: Mapping[str, float]
    held: Mapping[str, float]


def ask_leave(db: Database, pauses: Mapping[str, float], hosts: Collection[str]) -> Leave:
    """Ask for the next request to each domain, so many seconds after the one before."""
    granted: set[str] = set()
    for pause in sorted(set(pauses.values())):
        names = sorted(name for name, its in pauses.items() if its == pause)
        with db.write() as connection:
            _hurry(connection)
            rows = connection.execute(_ASK, {"names": names, "pause": pause})
            granted.update(rows.scalars())
    refused = pauses.keys() - granted
    with db.read() as connection:
        known = connection.execute(_LOOK, {"names": sorted({*refused, *hosts})}).all()
    waits = dict.fromkeys(pauses, 0.0)
    for row in known:
        if row.name in refused:
            waits[row.name] = max(0.001, pauses[row.name] + row.last)
    held = {row.name: row.held for row in known if row.name in hosts and (row.held or 0) > 0}
    return Leave(waits, held)


def note_visits(db: Database, domains: Iterable[str]) -> None:
    """These domains have been asked just now, whoever allowed it."""
    with db.write() as connection:
        _hurry(connection)
        connection.execute(_VISITED, {"names": sorted(domains)})


def leave_alone(db: Database, host: str, seconds: float) -> None:
    """Let nobody ask ``host`` for so long, or for longer if that was said before."""
    with db.write() as connection:
        connection.execute(_HOLD, {"name": host, "seconds": seconds})


def _hurry(connection: Connection) -> None:
    """Do not wait for the disk: what a crash of the server forgets here harms nobody."""
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
