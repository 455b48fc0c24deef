"""Rows of the lake that are set aside: they stay in its files, and the build does not read them.

    <lake>/_quarantine/<newest load of the batch>.parquet   table_name, key_column, row_key, load_id, reasons, row
    <lake>/_gates/<newest load of the batch>.json           which loads were judged, and what they looked like

A row that is mended at its source comes with a later load and counts from then on; a row's earlier version that was
good goes on counting until then.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.files import write_atomically
from core.settings import Settings

FOLDER = "_quarantine"
NOTES = "_gates"
#: Notes that are kept one by one; the older ones are joined.
_KEPT = 200
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("table_name", "key_column", "row_key", "load_id", "reasons", "row")]
)


@dataclass(frozen=True)
class SetAside:
    """One row that is set aside, why, and what it holds (JSON; the lake's tables carry no personal columns)."""

    table_name: str
    key_column: str
    row_key: str
    load_id: str
    reasons: str
    row: str


@dataclass(frozen=True)
class Note:
    """What a gate saw of a batch of loads: rows by table, and how often each value of the watched columns came."""

    run_id: str
    loads: list[str]
    rows: dict[str, int] = field(default_factory=dict)
    shares: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


def set_aside(lake: Path, name: str, rows: Sequence[SetAside]) -> None:
    """Set rows of the batch `name` aside; repeating it changes nothing."""
    path = lake / FOLDER / f"{name}.parquet"
    if not rows:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows], schema=_SCHEMA), temporary)
    temporary.replace(path)


def rows_set_aside(settings: Settings) -> list[SetAside]:
    """Every row that is set aside, oldest batch first."""
    found: list[dict[str, Any]] = []
    for path in sorted((settings.lake / FOLDER).glob("*.parquet")):
        found += pq.read_table(path).to_pylist()
    return [SetAside(**row) for row in found]


def tables_set_aside(settings: Settings, loads: Iterable[str]) -> list[str]:
    """`table:key column` of the tables of which rows of these loads are set aside."""
    wanted = set(loads)
    return sorted({f"{row.table_name}:{row.key_column}" for row in rows_set_aside(settings) if row.load_id in wanted})


def note_of(lake: Path, note: Note) -> None:
    """Write down that the loads were judged."""
    _write(lake, note)
    _join_oldest(lake)


def _write(lake: Path, note: Note) -> None:
    write_atomically(lake / NOTES / f"{note.loads[-1]}.json", json.dumps(asdict(note), ensure_ascii=False))


def _join_oldest(lake: Path) -> None:
    """Keep twice the newest notes at most: a year has tens of thousands of loads."""
    every = notes(lake)
    if len(every) <= 2 * _KEPT:
        return
    old = every[:-_KEPT]
    _write(lake, Note(old[-1].run_id, [load for note in old for load in note.loads]))
    for note in old[:-1]:
        (lake / NOTES / f"{note.loads[-1]}.json").unlink(missing_ok=True)


def notes(lake: Path) -> list[Note]:
    """What was written down, oldest first."""
    paths = sorted((lake / NOTES).glob("*.json"), key=lambda path: float(path.stem))
    return [Note(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def judged_loads(lake: Path) -> set[str]:
    """The loads that a gate let through or a person released."""
    return {load for note in notes(lake) for load in note.loads}
