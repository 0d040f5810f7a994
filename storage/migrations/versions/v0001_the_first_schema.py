"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lead_text_hash", sa.String(), nullable=False))
        batch_op.drop_column("categories")
