"""A number that moves with every change to what readers see, so that nothing is rendered in vain.

A counter, not the latest time: two changes may share a time, and clocks are set back.
"""

from sqlalchemy import Connection, Integer, String, cast, select

from storage.tables.process import settings
from storage.upsert import insert

_NAME = "revision"


def move_revision(connection: Connection) -> None:
    """What readers see changes with this transaction."""
    following = cast(cast(settings.c.value, Integer) + 1, String)
    connection.execute(
        insert(connection, settings)
        .values(name=_NAME, value="1")
        .on_conflict_do_update(index_elements=["name"], set_={"value": following})
    )


def current_revision(connection: Connection) -> int:
    """The number now; 0 where nothing has ever changed."""
    value = connection.execute(select(settings.c.value).where(settings.c.name == _NAME)).scalar()
    return int(value or 0)
