"""Rows straight into lake files, for scale runs: one load that becomes visible when it is whole."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Table

from core.errors import BadInputError
from core.files import sync_folder
from core.lake import (
    LOAD_COLUMN,
    PERSONAL_SCHEMA,
    PERSONAL_TABLE,
    Load,
    arrow_schema,
    completed_loads,
    ensure_schemas,
    load_file,
    new_load_id,
    record_load,
)
from core.time import utc_now
from crm_api.base import captured_tables, personal_columns
from crm_api.models import Base
from simulator.columns import words

_ROW_GROUP = 500_000
#: Batches that may wait for the writer: memory stays bounded.
_WAITING = 6


def refuse_if_loaded(lake: Path) -> None:
    """BadInputError if the lake holds any load: what is simulated would mix with it."""
    if completed_loads(lake):
        raise BadInputError(
            f"The lake {lake} already holds loads; a simulated province would mix with them.",
            "Take another CRM_HOME, or remove the lake first (ingestion makes it anew from the store).",
        )


class LakeSink:
    """Writes Parquet files in a thread of its own while the next stretch is simulated."""

    def __init__(self, lake: Path, store_id: str) -> None:
        self._lake, self._store_id = lake, store_id
        self._load_id = new_load_id()
        self._files: list[Path] = []
        self._rows: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lake")
        self._pending: list[Future[None]] = []
        self._room = threading.Semaphore(_WAITING)
        ensure_schemas(lake, captured_tables())

    def add(self, table: str, rows: pa.Table) -> None:
        """Hand the rows to the writing thread; waits while it is behind."""
        for done in [future for future in self._pending if future.done()]:
            self._pending.remove(done)
            done.result()
        self._room.acquire()
        self._pending.append(self._writer.submit(self._write, table, rows))

    def finish(self) -> dict[str, int]:
        """Wait for the files, then enter the load into the ledger."""
        self._writer.shutdown(wait=True)
        for future in self._pending:
            future.result()
        for folder in {path.parent for path in self._files}:
            sync_folder(folder)
        now = utc_now().isoformat()
        record_load(
            self._lake,
            Load(
                load_id=self._load_id,
                epoch=0,
                store_id=self._store_id,
                cursor=0,
                snapshot_at=now,
                completed_at=now,
                rows=dict(self._rows),
            ),
        )
        return dict(self._rows)

    def abandon(self) -> None:
        """Remove the files written so far; nobody has seen them."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        for path in self._files:
            path.unlink(missing_ok=True)

    def _write(self, table: str, rows: pa.Table) -> None:
        try:
            target = Base.metadata.tables[table]
            schema = arrow_schema(target)
            self._store(table, rows.select(schema.names), schema)
            for name in personal_columns(target):
                self._store_personal(target, rows, name)
        finally:
            self._room.release()

    def _store(self, table: str, rows: pa.Table, schema: pa.Schema) -> None:
        load = words([self._load_id], _zeros(rows.num_rows))
        whole = rows.append_column(LOAD_COLUMN, load)
        number = self._numbers.get(table, 0)
        self._numbers[table] = number + 1
        path = load_file(self._lake, table, self._load_id, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._files.append(path)
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        # Plain strings in the file, whatever form they have in memory.
        coded = [name for name in texts if pa.types.is_dictionary(whole.schema.field(name).type)]
        pq.write_table(
            whole, path, row_group_size=_ROW_GROUP, compression="snappy", use_dictionary=[*coded, LOAD_COLUMN],
            store_schema=False, write_statistics=True,
        )  # fmt: skip
        self._rows[table] = self._rows.get(table, 0) + rows.num_rows

    def _store_personal(self, target: Table, rows: pa.Table, name: str) -> None:
        kept = rows.filter(rows.column(name).is_valid())
        count = kept.num_rows
        values = pa.table(
            {
                "source_table": words([target.name], _zeros(count)),
                "source_id": kept.column("id"),
                "field": words([name], _zeros(count)),
                "value": kept.column(name),
                "row_version": kept.column("row_version"),
                "deleted_at": kept.column("deleted_at"),
            }
        )
        self._store(PERSONAL_TABLE, values, PERSONAL_SCHEMA.remove(PERSONAL_SCHEMA.get_field_index(LOAD_COLUMN)))


def _zeros(count: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.zeros(count, np.int32)
