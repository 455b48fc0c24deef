"""Keys of rows: joined from their columns, and which of them the file held before."""

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingestion.imports.batch import Batch, Objects
from ingestion.imports.texts import joined

_LONGEST = 70
_DIGEST = 24


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def row_keys(batch: Batch, columns: list[str]) -> Objects:
    """Each row's key; rows whose key is empty are refused and keyed by a digest of their content."""
    parts = [batch.column(name) for name in columns]
    if len(parts) > 1:
        parts = [_escaped(part) for part in parts]
    keys = joined(parts, "|")
    empty = joined([batch.column(name) for name in columns], "") == ""
    batch.refuse(np.asarray(empty, dtype=np.bool_), f"the key ({', '.join(columns)}) is empty")
    long = np.array([len(key) > _LONGEST for key in keys], dtype=np.bool_)
    for place in np.flatnonzero(long).tolist():
        keys[place] = f"{keys[place][:40]}~{_digest(keys[place])}"
    for place in np.flatnonzero(empty).tolist():
        keys[place] = f"~{_digest(json.dumps(batch.original(place), ensure_ascii=False))}"
    return keys


def _escaped(part: Objects) -> Objects:
    """The texts with the separator escaped, so that different keys never join to the same text."""
    if not any("|" in text or "\\" in text for text in part):
        return part
    result = np.empty(len(part), dtype=object)
    result[:] = [text.replace("\\", "\\\\").replace("|", "\\|") for text in part]
    return result


class SeenKeys:
    """Keys of the file so far: 16 bytes a row, so that a repeat is found however far back it stood."""

    def __init__(self) -> None:
        self._runs: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]] = []
        self._repeats: dict[int, int] = {}

    def _first_lines(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Line of each hash's first occurrence in earlier batches, 0 where there was none."""
        result = np.zeros(len(hashes), dtype=np.int64)
        for known, lines in self._runs:
            place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
            result = np.where(known[place] == hashes, lines[place], result)
        return result

    def _keep(self, hashes: npt.NDArray[np.uint64], lines: npt.NDArray[np.int64]) -> None:
        order = np.argsort(hashes, kind="stable")
        run = (hashes[order], lines[order])
        # Runs of like size are merged, so that there are few of them.
        while self._runs and len(self._runs[-1][0]) <= len(run[0]):
            other = self._runs.pop()
            both: Any = np.concatenate([other[0], run[0]])
            order = np.argsort(both, kind="stable")
            run = (both[order], np.concatenate([other[1], run[1]])[order])
        self._runs.append(run)

    def repeats(self, keys: Objects, lines: npt.NDArray[np.int64]) -> dict[int, tuple[int, int]]:
        """Rows whose key occurred before: place → (line of the first occurrence, how manieth it is, from 2)."""
        hashes = pd.util.hash_array(keys, categorize=False)
        earlier = self._first_lines(hashes)
        first_here = pd.Series(hashes).drop_duplicates().index.to_numpy()
        fresh = first_here[earlier[first_here] == 0]
        where = dict(zip(hashes[fresh].tolist(), lines[fresh].tolist(), strict=True)) if len(fresh) < len(keys) else {}
        is_first = np.zeros(len(keys), dtype=np.bool_)
        is_first[fresh] = True
        found: dict[int, tuple[int, int]] = {}
        for place in np.flatnonzero(~is_first).tolist():
            code = int(hashes[place])
            self._repeats[code] = self._repeats.get(code, 1) + 1
            found[place] = (int(earlier[place]) or where[code], self._repeats[code])
        if len(fresh):
            self._keep(hashes[fresh], lines[fresh])
        return found
