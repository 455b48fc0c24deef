"""A batch of rows being turned into ours: its columns as texts, and what was refused and why."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingestion.imports.reader import Rows

Objects: TypeAlias = npt.NDArray[np.object_]
Flags: TypeAlias = npt.NDArray[np.bool_]
Instants: TypeAlias = npt.NDArray[np.datetime64]
Lengths: TypeAlias = npt.NDArray[np.timedelta64]


def per_unique(values: Objects, function: Callable[[Any], Any]) -> Objects:
    """`function` of each element, called once for each different one."""
    codes, uniques = pd.factorize(values)
    results = np.empty(len(uniques) + 1, dtype=object)
    for position, value in enumerate(uniques):
        results[position] = function(value)
    if (codes < 0).any():
        results[-1] = function(None)  # nothing has the code -1
    return results[codes]


def is_none(values: Objects) -> Flags:
    """Where there is nothing."""
    return np.asarray(pd.isna(values), dtype=np.bool_)


def looked_up(codes: Objects, ids: Mapping[str, int]) -> Objects:
    """The id of each code, None where there is no code."""
    result = np.empty(len(codes), dtype=object)
    result[:] = [ids.get(code) for code in codes]
    return result


def only_where(where: Flags, values: Objects) -> Objects:
    """The values where asked for, None elsewhere."""
    result = values.copy()
    result[~where] = None
    return result


class Batch:
    """Rows of a file under one mapping; the first reason to refuse a row stays."""

    def __init__(self, rows: Rows, header: list[str]) -> None:
        self.rows = rows
        self.header = header
        self.lines: npt.NDArray[np.int64] = np.asarray(rows.lines, dtype=np.int64)
        self.reasons: Objects = np.full(len(rows), None, dtype=object)
        self.details: Objects = np.full(len(rows), None, dtype=object)
        self._raw: list[tuple[str, ...]] = list(zip(*rows.cells, strict=True))
        self._columns: dict[str, Objects] = {}
        for position, fault in rows.faults.items():
            self.reasons[position] = fault

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> Objects:
        """Texts of a column, without the white space around them."""
        if name not in self._columns:
            values = np.empty(len(self), dtype=object)
            values[:] = list(map(str.strip, self._raw[self.header.index(name)]))
            self._columns[name] = values
        return self._columns[name]

    def refuse(self, where: Flags, reason: str, details: Objects | None = None) -> None:
        """Refuse rows that were not refused before; `details` shows the value at fault."""
        fresh = where & self.accepted
        if fresh.any():
            self.reasons[fresh] = reason
            if details is not None:
                self.details[fresh] = details[fresh]

    @property
    def accepted(self) -> Flags:
        """Rows that nothing was found against so far."""
        return is_none(self.reasons)

    def original(self, position: int) -> dict[str, str] | list[str]:
        """A row as it was read: by column, or the bare fields where their number is wrong."""
        kept = self.rows.originals.get(position)
        return kept if kept is not None else dict(zip(self.header, self.rows.cells[position], strict=True))
