"""The reading side of a load: starts the reader's process and hands on what it streams."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table

from core.errors import StoreUnavailableError
from core.lake import PERSONAL_SCHEMA, arrow_schema
from crm_api.base import captured_tables, personal_columns
from ingestion.reader import Request
from ingestion.snapshot import Position, StoreState

_ROOT = Path(__file__).parents[1]


@dataclass
class Snapshot:
    """One snapshot of the store: its state, then its rows, and after the last of them the tables' row counts."""

    state: StoreState
    snapshot_at: str
    _reader: "subprocess.Popen[bytes]"
    store_rows: dict[str, int] = field(default_factory=dict)

    def batches(self) -> Iterator[tuple[Table, pa.RecordBatch]]:
        """Batches of every captured table, parents before children; personal columns are still in them.

        Raises:
            StoreUnavailableError: the store could not be read to its end.
        """
        for table in captured_tables():
            with _told_by(self._reader), pa.ipc.open_stream(self._reader.stdout) as stream:
                yield from ((table, batch) for batch in stream)
        with _told_by(self._reader):
            self.store_rows.update(json.loads(_output(self._reader).readline()))


@contextmanager
def start_reader() -> Iterator[Callable[[Request], Snapshot]]:
    """Start the reader, whose imports take a while, and end it whatever happens.

    Yields:
        A function that asks it, once, for a snapshot; StoreUnavailableError if the store cannot be read.
    """
    # The child finds our packages however this process came to find them.
    path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "ingestion.reader"]
    environment = os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as reader:  # noqa: S603 - our own module
        try:
            yield lambda request: _ask(reader, request)
        finally:
            reader.kill()


def _ask(reader: "subprocess.Popen[bytes]", request: Request) -> Snapshot:
    with _told_by(reader):
        if reader.stdin:
            reader.stdin.write(request.to_json().encode())
            reader.stdin.close()
        header: dict[str, Any] = json.loads(_output(reader).readline())
    state = StoreState(header["store_id"], header["cursor"], Position.parse(header["position"]))
    return Snapshot(state, header["snapshot_at"], reader)


def _output(reader: "subprocess.Popen[bytes]") -> IO[bytes]:
    if reader.stdout is None:
        raise ValueError("the reader was started without a pipe")
    return reader.stdout


@contextmanager
def _told_by(reader: "subprocess.Popen[bytes]") -> Iterator[None]:
    """When the reader's stream breaks off, raise what the reader says about it."""
    try:
        yield
    except (pa.ArrowInvalid, EOFError, json.JSONDecodeError, BrokenPipeError, OSError) as error:
        reader.kill()
        said = reader.stderr.read().decode(errors="replace").strip() if reader.stderr else ""
        raise StoreUnavailableError(
            f"Reading the operational store failed: {said.splitlines()[-1] if said else 'its reader was ended'}",
            "Nothing was loaded. Check that the store answers and can be read, then run: crm ingest",
        ) from error


def without_personal(table: Table, batch: pa.RecordBatch) -> pa.Table:
    """The batch as it lies in the table's own folder of the lake."""
    return pa.Table.from_batches([batch]).select(arrow_schema(table).names)


def personal_values(table: Table, batch: pa.RecordBatch) -> pa.Table:
    """The personal values of the batch, one row a value, in the lake's restricted form without the load column."""
    schema = pa.schema([PERSONAL_SCHEMA.field(i) for i in range(len(PERSONAL_SCHEMA) - 1)])
    key = next(iter(table.primary_key.columns)).name
    parts = []
    for name in personal_columns(table):
        kept = batch.filter(pc.is_valid(batch.column(name)))
        constants = [pa.repeat(pa.scalar(text), kept.num_rows) for text in (table.name, name)]
        columns = [
            constants[0],
            kept.column(key),
            constants[1],
            pc.cast(kept.column(name), pa.string()),
            kept.column("row_version"),
            kept.column("deleted_at"),
        ]
        parts.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(parts) if parts else schema.empty_table()
