"""Fixtures of the model tests: one thread a test, the public data, tables as odd as real ones."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

FULL = os.environ.get("CRM_TEST_FULL") == "1"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Two fits with two threads each on two cores run many times slower; what fixtures fit is fitted so, too."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def public(real_data: Path) -> Path:
    """The folder of public model data."""
    return real_data / "ml"


def odd_table(rows: int, seed: int = 0) -> pd.DataFrame:
    """A table with every kind of column that an export may hold, and an index that is not 0..n-1."""
    rng = np.random.default_rng(seed)
    text = np.array(["north", "south", "west", None], dtype=object)
    table = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1, rows),
            "amount_text": [f" {v:.2f}" if v > 0.1 else " " for v in rng.random(rows) * 100],
            "region": text[rng.integers(0, 4, rows)],
            "flag": rng.random(rows) < 0.5,
            "maybe": pd.array(np.where(rng.random(rows) < 0.2, None, rng.random(rows) < 0.5), dtype="boolean"),
            "count": pd.array(np.where(rng.random(rows) < 0.3, None, rng.integers(0, 9, rows)), dtype="Int64"),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D"),
            "since_zone": pd.Timestamp("2024-01-01", tz="Asia/Shanghai")
            + pd.to_timedelta(rng.integers(0, 9, rows), "h"),
            "day_text": [f"2025-0{m}-11" for m in rng.integers(1, 9, rows)],
            "waited": pd.to_timedelta(rng.integers(0, 900, rows), unit="s"),
            "kind": pd.Categorical(rng.choice(["a", "b"], rows)),
            "town": [f"town {i}" for i in rng.integers(0, max(rows // 6, 1), rows)],
            "key": [f"{i:08x}" for i in rng.permutation(rows)],
            "row_id": np.arange(rows),
            "empty": np.nan,
            "empty_text": None,
            "constant": 7,
            "one_text": "x",
            "infinite": np.where(rng.random(rows) < 0.1, np.inf, rng.random(rows)),
            "mixed": [("1" if i % 3 else 2.5) if i % 7 else None for i in range(rows)],
            "listed": [[1, 2] if i % 2 else None for i in range(rows)],
        }
    )
    table["copy"] = table["amount"]
    table.insert(3, "amount", rng.random(rows), allow_duplicates=True)
    table.index = pd.Index([f"r{i}" for i in range(rows)][::-1])
    return table
