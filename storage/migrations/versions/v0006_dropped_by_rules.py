"""How many entries of a poll the operator's rules dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    none = sa.text("0")
    op.add_column(
        "fetch",
        sa.Column("dropped_entries", sa.Integer(), server_default=none, nullable=False),
    )
