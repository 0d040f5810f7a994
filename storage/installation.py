"""Small facts of the installation, kept for ever once they are settled."""

from collections.abc import Mapping

from sqlalchemy import select

from storage.database import Database
from storage.tables.process import settings
from storage.upsert import insert


def settle(db: Database, proposed: Mapping[str, str]) -> dict[str, str]:
    """What was settled before, and ``proposed`` where nothing was."""
    with db.write() as connection:
        rows = [{"name": name, "value": value} for name, value in proposed.items()]
        connection.execute(insert(connection, settings).on_conflict_do_nothing(), rows)
        found = connection.execute(
            select(settings.c.name, settings.c.value).where(settings.c.name.in_(proposed))
        )
        return {row.name: row.value for row in found}
