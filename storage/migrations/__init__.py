"""Alembic migrations: how an older database becomes a current one. Run at every start."""
