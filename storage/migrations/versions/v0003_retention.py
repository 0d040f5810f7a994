"""Retention: what was dropped is remembered, and its copies may outlive an original."""

import re

import sqlalchemy as sa
from alembic import op

from storage.columns import BigId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REFERENCE = re.compile(r"(CONSTRAINT \w+ )?FOREIGN KEY\(copy_of\) REFERENCES article \(id\),\s*")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dropped_entry",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("guid_hash", BigId, autoincrement=False, nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["source.id"],
        ),
        sa.PrimaryKeyConstraint("source_id", "guid_hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dropped_article",
        sa.Column("key_hash", BigId, autoincrement=False, nullable=False),
        sa.Column("dropped_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash"),
    )
    op.create_index("ix_article_age", "article", ["source_id", "arrived_at"], unique=False)
    op.create_index(
        "ix_story_retired_into",
        "story",
        ["retired_into"],
        unique=False,
        sqlite_where=sa.text("retired_into IS NOT NULL"),
        postgresql_where=sa.text("retired_into IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _forget_reference()
    else:
        op.drop_constraint("article_copy_of_fkey", "article", type_="foreignkey")


def _forget_reference() -> None:
    """Take a foreign key out of a table without writing its rows anew.

    The way that SQLite's own documentation gives for constraints that change nothing on disk
    (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
    """
    connection = op.get_bind()
    was = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 'article'")
    sql = was.scalar_one()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = 'article'",
        (_REFERENCE.sub("", sql),),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")
