"""The installation and the processes that share it."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.columns import UtcDateTime
from storage.tables.rows import core_table


class Setting(SQLModel, table=True):
    """Small facts of the installation itself, such as the authority its ids are minted under."""

    name: str = Field(primary_key=True)
    value: str


class Host(SQLModel, table=True):
    """When a registrable domain was last asked, and how long a host is to be left alone.

    For several processes that share a database; one alone remembers it in memory.
    """

    name: str = Field(primary_key=True)
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Process(SQLModel, table=True):
    """A running process among those that share the database."""

    name: str = Field(primary_key=True)
    roles: str
    config: str = Field(description="Of what configuration, as a hash.")
    version: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime, description="Its latest sign of life.")


class Duty(SQLModel, table=True):
    """What one process at a time does for all. ``term`` rises whenever another takes over."""

    name: str = Field(primary_key=True)
    term: int


settings = core_table(Setting)
hosts = core_table(Host)
processes = core_table(Process)
duties = core_table(Duty)
