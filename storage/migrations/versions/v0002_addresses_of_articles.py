"""What an article's page says of its address, and which other article it turned out to be."""

import sqlalchemy as sa
from alembic import op

from storage.columns import BigId

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("article") as batch_op:
        batch_op.add_column(sa.Column("canonical_key", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("original_url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("merged_into", BigId, nullable=True))
        batch_op.create_foreign_key("fk_article_merged", "article", ["merged_into"], ["id"])
    for name, column in (
        ("ix_article_canonical", "canonical_key"),
        ("ix_article_merged", "merged_into"),
    ):
        op.create_index(
            name,
            "article",
            [column],
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
