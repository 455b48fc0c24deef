"""Refused rows: a CSV file for the person who sent them, and the store's import_rejects for the figures."""

import csv
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from sqlalchemy import select, update

from core.spreadsheet import harmless
from core.time import utc_now
from ingestion.imports.batch import Batch, Flags, Instants, Objects
from ingestion.imports.bulk import Loader, listed_keys
from ingestion.imports.directory import REJECTS
from ingestion.imports.mapping import Mapping
from ingestion.imports.reader import Source

_LONGEST_REASON = 300


class RejectedFile:
    """CRM_HOME/rejected/<source>-<file>-<digest>.csv: whole at the end of a run, absent if nothing was refused."""

    def __init__(self, folder: Path, mapping: Mapping, source: Source) -> None:
        name = re.sub(r"[^\w.-]", "_", source.path.stem)[:80]
        self.path = folder / f"{mapping.source}-{name}-{source.digest[:8]}.csv"
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._header = source.header
        self.rows = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(self.path)
        # With a mark, so that spreadsheets read it as UTF-8.
        self._file = self._temporary.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(["line", "reason", *map(harmless, self._header)])
        return self

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Write one refused row with its line and reason."""
        self._writer.writerow([line, harmless(reason), *map(harmless, cells)])
        self.rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None and self.rows:
            self._temporary.replace(self.path)
            return
        self._temporary.unlink(missing_ok=True)
        if kind is None:
            self.path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Remove what killed runs left half-written; a file whose process lives is another import's."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        try:
            os.kill(int(left.name.split(".")[-2]), 0)
        except (ProcessLookupError, ValueError):
            left.unlink(missing_ok=True)
        except PermissionError:
            continue


@dataclass
class Refused:
    """What can be said of a batch's refused rows beside their reason."""

    started: Instants
    channels: Objects
    service_types: Objects
    units: Objects


def reason_text(batch: Batch, place: int) -> str:
    """Reason with the value at fault, no longer than the store takes."""
    detail = batch.details[place]
    reason = batch.reasons[place] if detail is None else f"{batch.reasons[place]}: {detail!r}"
    return str(reason)[:_LONGEST_REASON]


def _stored(loader: Loader, source: str, keys: Sequence[str]) -> dict[str, Any]:
    query = select(REJECTS.c.row_key, REJECTS.c.id, REJECTS.c.reason, REJECTS.c.deleted_at).where(
        REJECTS.c.source == source, REJECTS.c.row_key.in_(listed_keys(loader.connection, keys))
    )
    rows: Sequence[Any] = loader.connection.execute(query).all()
    return {row.row_key: row for row in rows}


def store_rejects(loader: Loader, mapping: Mapping, batch: Batch, keys: Objects, refused: Flags, what: Refused) -> None:
    """Enter refused rows into import_rejects, once a key; a reason that changed is corrected, no row is repeated."""
    places: list[int] = np.flatnonzero(refused).tolist()
    if not places:
        return
    known = _stored(loader, mapping.source, keys[places].tolist())
    for place in places:
        row = known.get(keys[place])
        reason = reason_text(batch, place)
        if row is not None and (row.reason != reason or row.deleted_at is not None):
            changed = update(REJECTS).where(REJECTS.c.id == row.id).values(reason=reason, deleted_at=None)
            loader.connection.execute(changed)
    new = np.array([place for place in places if keys[place] not in known], dtype=np.intp)
    texts = {
        "source": [mapping.source] * len(new),
        "kind": [mapping.kind] * len(new),
        "row_key": keys[new],
        "reason": [reason_text(batch, place) for place in new.tolist()],
        "channel_code": what.channels[new],
        "service_type_code": what.service_types[new],
        "unit_id": what.units[new],
        "line": batch.lines[new],
        "raw": [json.dumps(batch.original(place), ensure_ascii=False) for place in new.tolist()],
    }
    columns = {name: np.array(values, dtype=object) for name, values in texts.items()}
    loader.insert(REJECTS, {"id": loader.reserve(REJECTS, len(new)), **columns, "started_at": what.started[new]})


def withdraw_rejects(loader: Loader, mapping: Mapping, keys: Objects) -> None:
    """Strike out refusals of rows that were taken in now (the mapping or the file was mended)."""
    if not len(keys):
        return
    mended = [row.id for row in _stored(loader, mapping.source, keys.tolist()).values() if row.deleted_at is None]
    for number in mended:
        loader.connection.execute(update(REJECTS).where(REJECTS.c.id == number).values(deleted_at=utc_now()))
