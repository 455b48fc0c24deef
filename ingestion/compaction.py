"""Fewer, larger files in the lake: what the loads of a month wrote becomes one file a table; readers see the same rows.

Only loads that no increment and no gate will ask for alone are touched (see `settled`), and never the first load that
holds a table: staging takes that one for a whole copy. Rows keep their load id; the new file carries the name of the
newest load in it. What replaces what is noted first, so that a run that ended midway is finished by the next
one; until then rows stand twice with one load id, of which staging takes one.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import CrmError
from core.files import sync_folder, write_atomically
from core.lake import LEDGER, Load, completed_loads, current_loads, load_file
from core.settings import Settings

#: Notes of replacements under way; the underscore keeps it apart from tables.
NOTES = "_compaction"
_ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Compaction:
    """What was done: files before and after, of how many tables and months, rows; loads of former epochs removed."""

    files_before: int = 0
    files_after: int = 0
    groups: int = 0
    rows: int = 0
    bytes_freed: int = 0
    loads_removed: int = 0
    finished: list[str] = field(default_factory=list)


def settled(settings: Settings, built: Sequence[str], oldest_kept: datetime | None) -> list[Load]:
    """The loads of the newest epoch that may be compacted, oldest first.

    They were built already (an increment reads new loads by name), and every kept publication has seen them (the gates
    look at the loads since the publication that readers see, which a rollback makes an older one).
    """
    loads, known = current_loads(settings.lake), set(built)
    if oldest_kept is None:
        return []
    old = [load for load in loads[:-1] if datetime.fromisoformat(load.snapshot_at) < oldest_kept]
    return [load for load in old if load.load_id in known]


def compact(lake: Path, loads: Sequence[Load], step: Callable[[str], None] = lambda _at: None) -> Compaction:
    """Join the files of the given loads per table and month; the caller keeps builds and publications away.

    Args:
        lake: its folder.
        loads: as `settled` gives them.
        step: called after each step that a crash could follow, with its name.
    """
    finished = finish(lake)
    before = after = groups = rows = freed = 0
    for folder in _tables(lake):
        for files in _groups(lake, folder, loads):
            size = sum(path.stat().st_size for path in files)
            target, held = _join(lake, folder, files, step)
            before, after, groups, rows = before + len(files), after + 1, groups + 1, rows + held
            freed += size - target.stat().st_size
    return Compaction(before, after, groups, rows, freed, 0, finished)


def _tables(lake: Path) -> list[Path]:
    return sorted(path.parent for path in lake.glob("*/_schema.parquet"))


def _load_of(path: Path) -> str:
    return ".".join(path.name.split(".")[:2])


def _groups(lake: Path, folder: Path, loads: Sequence[Load]) -> Iterator[list[Path]]:
    """Files to join: of one month, in the order of their loads; two or more."""
    current = {load.load_id for load in current_loads(lake)}
    allowed = {load.load_id for load in loads}
    files = sorted((path for path in folder.glob("*/*.parquet") if _load_of(path) in current), key=_order)
    first = _load_of(files[0]) if files else ""
    months: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        load = _load_of(path)
        if load != first and load in allowed:
            months[datetime.fromtimestamp(float(load), UTC).strftime("%Y-%m")].append(path)
    yield from (group for group in months.values() if len(group) > 1)


def _order(path: Path) -> tuple[float, str]:
    return float(_load_of(path)), path.name


def _join(lake: Path, folder: Path, files: list[Path], step: Callable[[str], None]) -> tuple[Path, int]:
    newest = _load_of(files[-1])
    number = len(files)
    while (target := load_file(lake, folder.name, newest, f"joined{number}")).exists():
        number += 1
    temporary = target.with_suffix(".tmp")
    rows = _write(files, temporary)
    step("written")
    note = lake / NOTES / f"{folder.name}.{newest}.json"
    paths = {"target": target, "temporary": temporary}
    content: dict[str, object] = {name: str(path.relative_to(lake)) for name, path in paths.items()}
    write_atomically(note, json.dumps(content | {"files": [str(path.relative_to(lake)) for path in files]}))
    step("noted")
    _replace(lake, note, step)
    return target, rows


def _write(files: list[Path], target: Path) -> int:
    """One file with the rows of all, durable; CrmError if it does not hold as many."""
    schema = pa.unify_schemas([pq.read_schema(path) for path in files], promote_options="permissive")
    schema = schema.remove_metadata()
    expected = written = 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for path in files:
            with pq.ParquetFile(path) as source:
                expected += source.metadata.num_rows
                for batch in source.iter_batches(_ROWS_AT_ONCE):
                    table = _as(pa.Table.from_batches([batch]), schema)
                    writer.write_table(table)
                    written += table.num_rows
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if written != expected or pq.read_metadata(target).num_rows != expected:
        target.unlink()
        raise CrmError(f"{target} holds {written:,} of {expected:,} rows.", "The lake is as it was; look at the disk.")
    return expected


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the schema's columns; those that an older load did not have are empty."""
    for column in schema:
        if column.name not in table.column_names:
            table = table.append_column(column, pa.nulls(table.num_rows, column.type))
    return table.select(schema.names).cast(schema)


def _replace(lake: Path, note: Path, step: Callable[[str], None]) -> None:
    """Put the joined file into place and remove what it replaces; done again after a crash it comes to the same."""
    content = json.loads(note.read_text(encoding="utf-8"))
    target, temporary = lake / content["target"], lake / content["temporary"]
    if temporary.exists():
        temporary.replace(target)
        sync_folder(target.parent)
    step("placed")
    for name in content["files"]:
        (lake / name).unlink(missing_ok=True)
    step("removed")
    for name in content["files"]:
        day = (lake / name).parent
        sync_folder(day) if any(day.iterdir()) else day.rmdir()
    note.unlink()


def finish(lake: Path) -> list[str]:
    """Finish what a run that ended midway had begun; what it had not noted yet is dropped."""
    notes = sorted((lake / NOTES).glob("*.json"))
    for note in notes:
        _replace(lake, note, lambda _at: None)
    for folder in _tables(lake):
        for left in folder.glob("*/*.tmp"):
            left.unlink()
    return [note.stem for note in notes]


def remove_former_epochs(lake: Path, before: datetime) -> int:
    """Remove loads of epochs that a restore ended, completed before an instant; how many.

    Readers look at the newest epoch alone. The ledger's entry goes first: a load without it does not exist.
    """
    loads = completed_loads(lake)
    newest = loads[-1].epoch if loads else 0
    old = [load for load in loads if load.epoch < newest and datetime.fromisoformat(load.completed_at) < before]
    for load in old:
        (lake / LEDGER / f"{load.load_id}.json").unlink()
        for table in _tables(lake):
            for path in load_file(lake, table.name, load.load_id, 0).parent.glob(f"{load.load_id}.*.parquet"):
                path.unlink()
    return len(old)
