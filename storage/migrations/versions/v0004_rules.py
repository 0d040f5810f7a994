"""What the operator's rules say of entries and their articles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Not by batch operations, which would write the largest table anew.
    no = sa.false()
    for table, column in (
        ("entry", sa.Column("ruled_category", sa.String(), nullable=True)),
        ("entry", sa.Column("ruled_publisher", sa.String(), nullable=True)),
        ("entry", sa.Column("never_fold", sa.Boolean(), server_default=no, nullable=False)),
        ("article", sa.Column("category", sa.String(), nullable=True)),
        (
            "article",
            sa.Column("never_fold", sa.Boolean(), server_default=no, nullable=False),
        ),
    ):
        op.add_column(table, column)
