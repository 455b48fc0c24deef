"""A few of the rows that a failed test found."""

from pathlib import Path

import duckdb

#: Shown per failed test.
SAMPLES = 5


def sample_rows(warehouse: Path, query: str, limit: int = SAMPLES) -> list[str]:
    """The first rows of a test's query on the built warehouse, each as `column=value, …`; none without a query."""
    if not query:
        return []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        result = connection.sql(query).limit(limit)
        names = result.columns
        return [
            ", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True)) for row in result.fetchall()
        ]
