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
    op.add_column("article", sa.Column("canonical_key", sa.String(), nullable=True))
    op.add_column("article", sa.Column("original_url", sa.String(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        # Alembic would make the table anew for this, which others point at: SQLite refuses.
        op.execute("ALTER TABLE article ADD COLUMN merged_into INTEGER REFERENCES article (id)")
    else:
        op.add_column("article", sa.Column("merged_into", BigId, nullable=True))
        op.create_foreign_key("fk_article_merged", "article", "article", ["merged_into"], ["id"])
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
