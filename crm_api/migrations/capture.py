"""What makes a table captured: its columns, and triggers that number row versions and refuse hard deletes.

See docs/architecture.md, decision 3.
"""

import re
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, text

from core.database import UtcDateTime

_NAME = re.compile(r"^[a-z_]+$")

_POSTGRESQL_FUNCTIONS = """
CREATE OR REPLACE FUNCTION crm_set_row_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.row_version := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION crm_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never deleted: write deleted_at instead', TG_TABLE_NAME;
END $$;
"""

_POSTGRESQL_TRIGGERS = """
CREATE TRIGGER {table}_row_version BEFORE INSERT OR UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION crm_set_row_version();
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION crm_refuse_delete();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION crm_refuse_delete();
"""

# The clock moves once a statement's row; a bulk load takes one number itself and inserts rows that carry it.
_SQLITE_TRIGGERS = (
    """
CREATE TRIGGER {table}_row_version_insert AFTER INSERT ON {table} WHEN NEW.row_version = 0
BEGIN
  UPDATE capture_clock SET value = value + 1;
  UPDATE {table} SET row_version = (SELECT value FROM capture_clock) WHERE rowid = NEW.rowid;
END""",
    """
CREATE TRIGGER {table}_row_version_update AFTER UPDATE ON {table} WHEN NEW.row_version = OLD.row_version
BEGIN
  UPDATE capture_clock SET value = value + 1;
  UPDATE {table} SET row_version = (SELECT value FROM capture_clock) WHERE rowid = NEW.rowid;
END""",
    """
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
BEGIN
  SELECT RAISE(ABORT, 'rows of {table} are never deleted: write deleted_at instead');
END""",
)


def prepare_capture(connection: Connection) -> None:
    """Create what the triggers share: functions on PostgreSQL, the one-row clock on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_POSTGRESQL_FUNCTIONS))
        return
    connection.execute(text("CREATE TABLE capture_clock (value INTEGER NOT NULL)"))
    connection.execute(text("INSERT INTO capture_clock (value) VALUES (0)"))


def captured_columns() -> list[Column[Any]]:
    """The columns that a captured table ends with, for `op.create_table`."""
    return [
        Column("row_version", BigInteger(), server_default=text("0"), nullable=False),
        Column("deleted_at", UtcDateTime(), nullable=True),
    ]


def capture(connection: Connection, table: str) -> None:
    """Put the triggers on one captured table; call it in the migration that creates the table."""
    if not _NAME.match(table):
        raise ValueError(f"{table!r} is not a table name")
    templates = (_POSTGRESQL_TRIGGERS,) if connection.dialect.name == "postgresql" else _SQLITE_TRIGGERS
    for template in templates:
        connection.exec_driver_sql(template.format(table=table))
