"""Clears the warehouse for a full build, so that its file holds each mart once."""

import duckdb

from core.settings import Settings
from warehouse.export import SCHEMA, engine_options, mart_names, quoted

#: What the earlier build leaves to the next one: the log of restatements, and the figures that it is told by.
LOG = "dq_restatement"
FIGURES = "kpi_day"
BEFORE = "before"
_MADE = ("staging", "intermediate", "affected", "changes")


def clear(settings: Settings) -> None:
    """Drop what a full build makes anew; the log stays, and the days' figures as `before.kpi_day`.

    Without it, old and new tables would stand side by side in the file, and a publication (a copy of the file) carry
    the room of both.
    """
    if not settings.warehouse_file.exists():
        return
    (settings.warehouse_file.parent / "temp").mkdir(exist_ok=True)
    with duckdb.connect(str(settings.warehouse_file), config=engine_options(settings)) as connection:
        ((catalogue,),) = connection.execute("select current_database()").fetchall()
        tables = mart_names(connection, catalogue)
        connection.execute(f"create schema if not exists {BEFORE}")
        if FIGURES in tables:
            connection.execute(f"create or replace table {BEFORE}.{FIGURES} as from {SCHEMA}.{FIGURES}")
        for name in tables:
            if name != LOG:
                connection.execute(" ".join(["drop table", f"{SCHEMA}.{quoted(name)}", "cascade"]))
        for schema in _MADE:
            connection.execute(f"drop schema if exists {schema} cascade")
        connection.execute("checkpoint")
