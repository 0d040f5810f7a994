"""Waking other processes: PostgreSQL's NOTIFY and LISTEN. psycopg's own home.

Nothing depends on a word that is heard: who misses one finds the work at the next tick.
"""

from collections.abc import AsyncIterator, Iterable

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from storage.database import Database, StorageTroubleError, said

_CHANNEL = "newsfold"
_TELL = text("SELECT pg_notify(:channel, word) FROM unnest(:words) AS word").bindparams(
    bindparam("words", type_=ARRAY(Text()))
)


def tell(db: Database, words: Iterable[str]) -> None:
    """Say ``words`` to all processes that listen, this one too."""
    with db.write() as connection:
        connection.execute(_TELL, {"channel": _CHANNEL, "words": sorted(words)})


async def listen(db: Database) -> AsyncIterator[str]:
    """The words that are said, from now on; an empty one first, when it begins to hear.

    Raises:
        StorageTroubleError: the connection is lost, or cannot be had.
    """
    import psycopg  # noqa: PLC0415 - the driver is an extra: only who shares a database has it

    _, where = db.engine.dialect.create_connect_args(db.engine.url)
    try:
        connection = await psycopg.AsyncConnection.connect(**where, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            yield ""
            async for notice in connection.notifies():
                yield notice.payload
    except psycopg.Error as error:
        raise StorageTroubleError(f"cannot listen to the database: {said(error)}") from error
