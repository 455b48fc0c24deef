"""Copies the built marts into one immutable file."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from core.files import sync_folder
from core.settings import Settings
from warehouse.copying import copying
from warehouse.gate_history import history

SCHEMA = "marts"
#: The warehouse's file is copied as it is if at least this share of its blocks is in use.
_LEAST_USED = 0.7
#: Gate runs that a publication tells of.
_GATE_HISTORY = 500
_GATE_RUNS = f"""
create table {SCHEMA}.dq_gate (
  run_id varchar, stage varchar, checked_at timestamptz, verdict varchar, expectations integer, failed integer,
  rows_set_aside integer, reason varchar, city_code varchar
)
"""
_GATE_RUN = " ".join(["insert into", f"{SCHEMA}.dq_gate", "values (?, ?, ?, ?, ?, ?, ?, ?, 'province')"])


#: A database file begins with three headers of this size together; blocks follow.
_HEADER_BYTES = 3 * 4096


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


@contextmanager
def copy_begun(settings: Settings) -> Iterator[Future[None] | None]:
    """Begin to copy the warehouse's file, for `export_marts`; what the body does not export is deleted.

    None where the file holds too much that is not in use: then the marts are written anew instead. Nothing may write
    to the warehouse meanwhile (`warehouse_lock`).
    """
    temporary = _temporary(settings)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    _forget(temporary)
    try:
        if _is_compact(settings):
            with copying(settings.warehouse_file, temporary) as copied:
                yield copied
        else:
            yield None
    finally:
        _forget(temporary)


def _temporary(settings: Settings) -> Path:
    """Where the next publication is made: one name, so that what a killed process left is deleted by the next."""
    return settings.published / ".marts_next.partial.duckdb"


def export_marts(settings: Settings, target: Path, run_id: str, copied: Future[None] | None) -> dict[str, int]:
    """Write every mart of the warehouse to a new file `target`, whole or not at all; row counts by mart.

    It is made beside it under a temporary name, flushed to disk, then renamed. A full disk raises
    duckdb.Error or OSError and leaves nothing behind.

    Args:
        settings: of the installation.
        target: the file to make.
        run_id: of the publication.
        copied: what `copy_begun` yields; this must be called within it.
    """
    temporary = _temporary(settings)
    try:
        counts = _write(settings, temporary, run_id, copied)
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


def _write(settings: Settings, temporary: Path, run_id: str, copied: Future[None] | None) -> dict[str, int]:
    if copied is not None:
        copied.result()
        return _trimmed(settings, temporary, run_id)
    with duckdb.connect(":memory:", config=engine_options(settings)) as connection:
        connection.execute(f"attach {literal(settings.warehouse_file)} as built (read_only)")
        connection.execute(f"attach {literal(temporary)} as target")
        connection.execute(f"create schema target.{SCHEMA}")
        counts = {name: _copy(connection, name) for name in mart_names(connection, "built")}
        connection.execute("use target")
        _sign(connection, settings, run_id)
        connection.execute("use memory")
        connection.execute("detach target")
    fill_up(temporary)
    return counts


def _is_compact(settings: Settings) -> bool:
    """Whether nearly all of the warehouse's file is in use, so that its bytes may be copied as they are."""
    with duckdb.connect(str(settings.warehouse_file), config=engine_options(settings)) as connection:
        # What a killed process left in the write-ahead log goes into the file.
        connection.execute("checkpoint")
        ((total, used),) = connection.execute(
            "select total_blocks, used_blocks from pragma_database_size() where database_name = current_database()"
        ).fetchall()
    return bool(used >= _LEAST_USED * total)


def _trimmed(settings: Settings, temporary: Path, run_id: str) -> dict[str, int]:
    """Drop all but the marts from a copy of the file: far cheaper than writing every mart anew."""
    with duckdb.connect(str(temporary), config=engine_options(settings)) as connection:
        ((catalogue,),) = connection.execute("select current_database()").fetchall()
        schemas = connection.execute(
            "select schema_name from duckdb_schemas() where database_name = $catalogue and not internal"
            " and schema_name not in ($kept, 'main')",
            {"catalogue": catalogue, "kept": SCHEMA},
        ).fetchall()
        for (schema,) in schemas:
            connection.execute(" ".join(["drop schema", quoted(str(schema)), "cascade"]))
        names = mart_names(connection, str(catalogue))
        counts = {name: _counted(connection, name) for name in names}
        _sign(connection, settings, run_id)
    fill_up(temporary)
    return counts


def whole_size(connection: duckdb.DuckDBPyConnection, catalogue: str) -> int:
    """Bytes that a database's file has by its own table of contents."""
    ((block_size, blocks),) = connection.execute(
        "select block_size, total_blocks from pragma_database_size() where database_name = $catalogue",
        {"catalogue": catalogue},
    ).fetchall()
    return int(_HEADER_BYTES + block_size * blocks)


def fill_up(file: Path) -> None:
    """Make a database's file as long as its own table of contents says.

    Free blocks at the end are counted but not written; readers take a shorter file for a cut one.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach {literal(file)} as copied (read_only)")
        whole = whole_size(connection, "copied")
    if file.stat().st_size < whole:
        os.truncate(file, whole)


def _counted(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    ((counted,),) = connection.execute(" ".join(["select count(*) from", f"{SCHEMA}.{quoted(name)}"])).fetchall()
    return int(counted)


def _sign(connection: duckdb.DuckDBPyConnection, settings: Settings, run_id: str) -> None:
    """Say in the file which run it is, and what the gates said of this run and those before."""
    connection.execute(f"create table {SCHEMA}.publication as select $run_id as run_id", {"run_id": run_id})
    connection.execute(_GATE_RUNS)
    rows = [
        (run.run_id, run.stage, run.when, run.verdict, run.checked, len(run.failed), run.set_aside, run.reason or None)
        for run in history(settings, _GATE_HISTORY)
    ]
    if rows:
        connection.executemany(_GATE_RUN, rows)
    connection.execute("checkpoint")


def engine_options(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    """How a DuckDB connection of the warehouse is tuned: memory, threads, where it spills."""
    return {
        "memory_limit": settings.duckdb_memory,
        "threads": settings.duckdb_threads,
        "temp_directory": str(settings.warehouse_file.parent / "temp"),
        "preserve_insertion_order": False,
        # As dbt/profiles.yml: memory given back and asked for again costs system time.
        "allocator_background_threads": True,
    }
