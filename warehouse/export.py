"""Copies the built marts into one immutable file."""

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from core.files import sync_folder
from core.settings import Settings

SCHEMA = "marts"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """An SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def mart_names(connection: duckdb.DuckDBPyConnection, catalogue: str) -> list[str]:
    """Tables of the serving schema, by name."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = $catalogue and schema_name = $schema order by 1",
        {"catalogue": catalogue, "schema": SCHEMA},
    ).fetchall()
    return [str(name) for (name,) in rows]


def _copy(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    table = f"{SCHEMA}.{quoted(name)}"
    connection.execute(" ".join(["create table", f"target.{table}", "as from", f"built.{table}"]))
    ((counted,),) = connection.execute(" ".join(["select count(*) from", f"target.{table}"])).fetchall()
    return int(counted)


def export_marts(settings: Settings, target: Path, run_id: str) -> dict[str, int]:
    """Copy every mart of the warehouse to a new file `target`, whole or not at all; row counts by mart.

    The copy is made beside it under a temporary name, flushed to disk, then renamed. A full disk raises
    duckdb.Error or OSError and leaves nothing behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.partial.duckdb")
    _forget(temporary)
    try:
        counts = _write(settings, temporary, run_id)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except BaseException:
        _forget(temporary)
        raise
    return counts


def _forget(temporary: Path) -> None:
    for path in (temporary, temporary.with_name(f"{temporary.name}.wal")):
        with suppress(FileNotFoundError):
            path.unlink()


def _write(settings: Settings, temporary: Path, run_id: str) -> dict[str, int]:
    with duckdb.connect(":memory:", config=engine_options(settings)) as connection:
        connection.execute(f"attach {literal(settings.warehouse_file)} as built (read_only)")
        connection.execute(f"attach {literal(temporary)} as target")
        connection.execute(f"create schema target.{SCHEMA}")
        counts = {name: _copy(connection, name) for name in mart_names(connection, "built")}
        connection.execute(f"create table target.{SCHEMA}.publication as select $run_id as run_id", {"run_id": run_id})
        connection.execute("detach target")
    return counts


def engine_options(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    """How a DuckDB connection of the warehouse is tuned: memory, threads, where it spills."""
    return {
        "memory_limit": settings.duckdb_memory,
        "threads": settings.duckdb_threads,
        "temp_directory": str(settings.warehouse_file.parent / "temp"),
        "preserve_insertion_order": False,
    }
