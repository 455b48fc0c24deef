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
        # Fetched, not limited in SQL: DuckDB 2.0.0 hangs on LIMIT over a UNION ALL that reads a CTE twice.
        result = connection.execute(query)
        names = [column[0] for column in result.description or ()]
        rows = result.fetchmany(limit)
    return [", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True)) for row in rows]
