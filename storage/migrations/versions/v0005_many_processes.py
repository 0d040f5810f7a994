"""Several processes share one database: who holds what, who runs, which host was asked when."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

from storage.columns import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "host",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "process",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("config", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "duty",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Written with every request, and worth nothing after a crash of the server.
        op.execute("ALTER TABLE host SET UNLOGGED")
        op.execute("ALTER TABLE host SET (fillfactor = 50)")
    op.add_column("source", sa.Column("host", sa.String(), nullable=False, server_default=""))
    op.add_column("source", sa.Column("claim", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("source", sa.Column("claimed_by", sa.String(), nullable=True))
    op.add_column("article", sa.Column("claimed_by", sa.String(), nullable=True))
    _name_hosts()
    op.create_index("ix_source_host", "source", ["host"])


def _name_hosts() -> None:
    source = sa.table("source", sa.column("id"), sa.column("feed_url"), sa.column("host"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(source.c.id, source.c.feed_url)).all()
    named = [{"its_id": row.id, "its_host": _host(row.feed_url)} for row in rows]
    if named:
        connection.execute(
            sa.update(source)
            .where(source.c.id == sa.bindparam("its_id"))
            .values(host=sa.bindparam("its_host")),
            named,
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
