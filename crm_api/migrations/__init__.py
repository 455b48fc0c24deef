"""The one Alembic history of the store, for SQLite and PostgreSQL alike."""
