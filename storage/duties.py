"""Duties: what one process at a time does for all that share a PostgreSQL database.

A duty is an advisory lock of a session, which the server gives free the moment the session ends,
however it ends. A lock alone does not keep a process that was cut off, and does not know it yet,
from writing: so each duty has a term, a number that rises when another takes over, and what is
written on duty is written only under the term that was taken (a fencing token: Kleppmann, "How to
do distributed locking", 2016).

An SQLite file has one process, which has every duty for as long as it runs.
"""

import threading
from contextlib import suppress
from zlib import crc32

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from storage.database import Database, StorageTroubleError, said
from storage.tables.process import duties
from storage.upsert import insert

FOLD, PUBLISH = "fold", "publish"
ALONE = 0
"""The term of every duty where there is one process only."""
_CLASS = 4637
"""First half of the keys of our advisory locks."""
_NOTICED = (
    # Where the process's machine dies no connection is closed: the server finds out by asking.
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)


class DutyLostError(StorageTroubleError):
    """What was decided on duty is not written: another has the duty by now."""


class Duties:
    """The duties of this process, all on one connection of their own. Thread-safe."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._connection: Connection | None = None
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, name: str) -> int | None:
        """The term in which this process has the duty, new or already; None if another has it.

        Raises:
            StorageTroubleError: the database cannot be reached, and no duty is held any more.
        """
        if self._db.dialect == "sqlite":
            return ALONE
        with self._lock:
            try:
                return self._take(name)
            except (DBAPIError, StorageTroubleError) as error:
                self._let_go()
                raise StorageTroubleError(f"cannot reach the database: {said(error)}") from error

    def _take(self, name: str) -> int | None:
        connection = self._connected()
        if name in self._held:
            # The session lives, and the lock with it. The term may have risen all the same.
            current = select(duties.c.term).where(duties.c.name == name)
            term = connection.execute(current).scalar()
            self._held[name] = term or _raise_term(connection, name)
            return self._held[name]
        if not connection.execute(select(func.pg_try_advisory_lock(_CLASS, key_of(name)))).scalar():
            return None
        # Waits for what the one before is just writing; after this, it writes no more.
        self._held[name] = _raise_term(connection, name)
        return self._held[name]

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._db.engine.connect()
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # never to be anybody else's
            for setting in _NOTICED:
                connection.execute(text(setting))
            self._connection = connection
        return self._connection

    def drop(self, name: str) -> None:
        """Leave the duty to others."""
        with self._lock:
            if self._held.pop(name, None) is None or self._connection is None:
                return
            try:
                self._connection.execute(select(func.pg_advisory_unlock(_CLASS, key_of(name))))
            except DBAPIError:
                self._let_go()

    def close(self) -> None:
        """Leave them all."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


def _raise_term(connection: Connection, name: str) -> int:
    statement = insert(connection, duties).values(name=name, term=ALONE + 1)
    risen = statement.on_conflict_do_update(
        index_elements=["name"], set_={"term": duties.c.term + 1}
    )
    return int(connection.execute(risen.returning(duties.c.term)).scalar_one())


def key_of(name: str) -> int:
    """Second half of a duty's lock: the same in every process and version, 32 bits, signed."""
    return crc32(name.encode()) - 2**31


def stay_on_duty(connection: Connection, name: str, term: int | None) -> None:
    """Let nobody take the duty over until the transaction ends.

    ``term`` is :data:`ALONE` where there is nobody else. Without one, as for an operator's command,
    the term rises, so that whoever is on duty begins anew from what is written now.

    Raises:
        DutyLostError: somebody has taken it over.
    """
    if term is None:
        _raise_term(connection, name)
    if not term:
        return
    current = select(duties.c.term).where(duties.c.name == name).with_for_update(read=True)
    if connection.execute(current).scalar() != term:
        raise DutyLostError(f"another process has the duty to {name} by now")
