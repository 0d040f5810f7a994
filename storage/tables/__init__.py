"""The tables. SQLModel's only home; no row leaves this package.

``table=True`` models do not validate: what comes in was validated at the border. Times are aware
UTC. Every change here needs a migration (a test compares the two). Whoever imports one table has
imported all, so that the metadata is always whole.
"""

from sqlalchemy import Table
from sqlmodel import SQLModel

from storage.tables import article, output, process, push, source, story

__all__ = ["article", "every_table", "output", "process", "push", "source", "story"]

_OF_THE_MOMENT = ("host", "process", "duty")
"""Tables about what runs now: no copy of a database holds them."""


def every_table() -> list[Table]:
    """Every table that holds something to keep, those that others point at first."""
    return [table for table in SQLModel.metadata.sorted_tables if table.name not in _OF_THE_MOMENT]
