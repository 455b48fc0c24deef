"""Entering loads into the ledger: only whole ones, and only once their bytes are on the disk."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import CrmError
from core.files import sync_folder
from core.lake import LEDGER, Load, load_files, record_load
from core.time import utc_now


def _rows_of(path: Path) -> int:
    """Rows of a Parquet file, made durable; -1 if it is not whole."""
    try:
        rows: int = pq.read_metadata(path).num_rows
    except pa.ArrowInvalid:
        return -1
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return rows


def is_whole(lake: Path, load: Load) -> bool:
    """Whether the load's files hold the rows that it says; they are on the disk when this returns."""
    for table, rows in load.rows.items():
        files = load_files(lake, table, load.load_id)
        if not files or sum(_rows_of(path) for path in files) != rows:
            return False
        for folder in (files[0].parent, files[0].parents[1], lake):
            sync_folder(folder)
    return True


def enter(lake: Path, load: Load) -> None:
    """Let readers see the load; CrmError if its files are not all there."""
    if not is_whole(lake, load):
        raise CrmError(
            f"Load {load.load_id} does not hold the rows that it should.",
            "Readers do not see it. Run crm ingest again: it takes the whole store anew.",
        )
    record_load(lake, replace(load, completed_at=utc_now().isoformat()))


def repair(lake: Path, loads: Iterable[Load]) -> list[str]:
    """Enter the loads that a process completed but did not live to enter; their ids.

    One whose files are damaged, or that continues a load which is not there, stays out: the ledger and dlt's state then
    differ, and the next load takes the whole store anew.
    """
    entered = []
    for load in sorted(loads, key=lambda load: load.rank):
        if not _is_entered(lake, load.load_id) and _is_entered(lake, load.follows) and is_whole(lake, load):
            enter(lake, load)
            entered.append(load.load_id)
    return entered


def _is_entered(lake: Path, load_id: str) -> bool:
    return not load_id or (lake / LEDGER / f"{load_id}.json").exists()
