"""Triggers that make a table append-only: the database refuses to change or delete a row."""

import re

from sqlalchemy import Connection

_NAME = re.compile(r"^[a-z_]+$")

_POSTGRESQL = (
    """
CREATE OR REPLACE FUNCTION crm_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END $$""",
    """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION crm_refuse_change()""",
    """
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION crm_refuse_change()""",
)

_SQLITE = tuple(
    f"""
CREATE TRIGGER {{table}}_no_{act} BEFORE {act.upper()} ON {{table}}
BEGIN
  SELECT RAISE(ABORT, 'rows of {{table}} are never changed or deleted');
END"""
    for act in ("update", "delete")
)


def append_only(connection: Connection, table: str) -> None:
    """Put the triggers on one table; call it in the migration that creates the table."""
    if not _NAME.match(table):
        raise ValueError(f"{table!r} is not a table name")
    for template in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.exec_driver_sql(template.replace("{table}", table).replace("%", "%%"))
