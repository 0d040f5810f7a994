"""``INSERT ... ON CONFLICT``, which SQLAlchemy spells per engine."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Any) -> Any:  # noqa: ANN401 - two unrelated Insert classes
    """An insert into ``table`` that knows ``on_conflict_do_...`` on either engine."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
