"""Where a model comes from: hashes of its rows and of the code."""

import hashlib
from functools import lru_cache
from pathlib import Path

import pandas as pd


def data_hash(frame: pd.DataFrame) -> str:
    """Sixteen hexadecimal digits that differ if any cell or the order of rows differs."""
    hashed = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(hashed.tobytes()).hexdigest()[:16]


@lru_cache
def code_version() -> str:
    """Sixteen hexadecimal digits of this package's and the features' sources."""
    root = Path(__file__).resolve().parent
    paths = [*root.rglob("*.py"), *(root.parent / "dbt" / "models" / "features").glob("*.sql")]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
