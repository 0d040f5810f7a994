"""``INSERT ... ON CONFLICT``, which SQLAlchemy spells per engine."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Any) -> Any:  # noqa: ANN401 - two unrelated Insert classes
    """An insert into ``table`` that knows ``on_conflict_do_...`` on either engine."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Any) -> Any:  # noqa: ANN401 - two unrelated Insert classes
    """The same for a dialect by name, for statements that are made once."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)
