"""What outputs have published."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.columns import BigId, UtcDateTime
from storage.tables.rows import core_table


class Publication(SQLModel, table=True):
    """That an output has published a story (or an article), and its place in that sequence.

    Places are never given twice. No foreign key: retention may take the item first.
    """

    __table_args__ = (
        UniqueConstraint("output", "item_id"),
        UniqueConstraint("output", "position"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    output: str
    item_id: int = Field(sa_type=BigId, description="Story or article.")
    position: int = Field(sa_type=BigId)


class OutputProgress(SQLModel, table=True):
    """How far an output has looked through what there is, and what it has archived."""

    __tablename__ = "output_progress"

    id: int | None = Field(default=None, primary_key=True)
    output: str = Field(unique=True)
    admits: str = Field(description="Names the filter that decided what is in its sequence.")
    looked_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="Latest change of a story that was judged."
    )
    looked_to: int = Field(
        default=0, sa_type=BigId, description="Last story, or article in fold order."
    )
    next_position: int = Field(default=1, sa_type=BigId)
    archived_to: int = Field(default=0, sa_type=BigId, description="Last position in an archive.")
    archives: int = 0


class Archive(SQLModel, table=True):
    """A closed archive of an output (RFC 5005, 4): its entries as they stood then, frozen."""

    __table_args__ = (UniqueConstraint("output", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    output: str
    number: int
    closed_at: datetime = Field(sa_type=UtcDateTime)
    full: bool = Field(description="Whether it holds whole articles.")
    body: bytes


class Rendition(SQLModel, table=True):
    """Since when a document of an output has had the bytes that ``digest`` names."""

    __table_args__ = (UniqueConstraint("output", "page", "form"),)

    id: int | None = Field(default=None, primary_key=True)
    output: str
    page: int
    form: str
    digest: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


publications = core_table(Publication)
output_progress = core_table(OutputProgress)
archives = core_table(Archive)
renditions = core_table(Rendition)
