"""Rows into the operational store: spooled to a temporary folder, then loaded in one transaction, parents first."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, select

from core.errors import BadInputError
from crm_api.base import Base
from crm_api.bulk import BulkWriter, max_keys
from crm_api.contacts.models import Contact
from crm_api.store import store_errors
from simulator.sink import SIMULATED

_SPOOLED = "simulated rows"


def refuse_if_simulated(engine: Engine) -> None:
    """BadInputError if the store holds a simulated province already."""
    query = select(Contact.id).where(Contact.channel_code == "voice", Contact.external_id.like("sim-%")).limit(1)
    with store_errors(engine), engine.connect() as connection:
        if connection.scalar(query) is not None:
            raise BadInputError(
                "The operational store already holds a simulated province; a second one would not fit beside it.",
                "Take another CRM_HOME or an empty database; `crm simulate --to lake` leaves the store alone.",
            )


class StoreSink:
    """Spools rows as Arrow files and loads them at the end, so that an interrupted run leaves nothing."""

    def __init__(self, engine: Engine, progress: Callable[[str, int], None] = lambda table, rows: None) -> None:
        self._engine, self._progress = engine, progress
        self._folder = tempfile.TemporaryDirectory(prefix="crm-simulate-")
        self._files: dict[str, list[Path]] = {}

    def add(self, table: str, rows: pa.Table) -> None:
        """Keep the rows until the end."""
        files = self._files.setdefault(table, [])
        path = Path(self._folder.name) / f"{table}.{len(files)}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows)
        files.append(path)

    def finish(self) -> dict[str, int]:
        """Load every table in one transaction; keys are moved behind those that the store has."""
        written = dict.fromkeys(SIMULATED, 0)
        with store_errors(self._engine), self._engine.begin() as connection:
            offsets = dict(max_keys(connection, SIMULATED))
            writer = BulkWriter(connection)
            for table in SIMULATED:
                for path in self._files.get(table, []):
                    with pa.memory_map(str(path)) as file:
                        rows = pa.ipc.open_file(file).read_all()
                    written[table] += writer.write(table, _moved(table, rows, offsets))
                self._progress(table, written[table])
            writer.finish()
        self._folder.cleanup()
        return written

    def abandon(self) -> None:
        """Remove the spool."""
        self._folder.cleanup()


def _moved(table: str, rows: pa.Table, offsets: dict[str, int]) -> pa.Table:
    """The rows with their keys, and those they refer to, behind what the store has."""
    for column in Base.metadata.tables[table].c:
        target = table if column.name == "id" else _referred(table, column)
        offset = offsets.get(target, 0)
        if offset:
            place = rows.column_names.index(column.name)
            rows = rows.set_column(place, column.name, pc.add(rows.column(place), pa.scalar(np.int64(offset))))
    return rows


def _referred(table: str, column: Any) -> str:
    if table == "agent_states" and column.name == "call_id":
        return "calls"
    if table == "customers" and column.name == "merged_into_id":
        return ""
    return next((key.column.table.name for key in column.foreign_keys if key.column.name == "id"), "")
