"""One small province in memory for the facts that need no database."""

from dataclasses import dataclass, field
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulator.parameters import read_parameters
from simulator.province import Province, Wish
from simulator.run import reference_rows

#: Ends in a long holiday (National Day 2025: 1 to 8 October) with make-up days on 28 September and 11 October.
UNTIL = date(2025, 10, 19)


@dataclass
class Memory:
    """A sink that keeps everything as plain tables."""

    tables: dict[str, list[pa.Table]] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table) -> None:
        self.tables.setdefault(table, []).append(plain(rows))

    def finish(self) -> dict[str, int]:
        return {name: table.num_rows for name, table in self.whole().items()}

    def abandon(self) -> None:
        self.tables.clear()

    def whole(self) -> dict[str, pa.Table]:
        return {name: pa.concat_tables(parts) for name, parts in self.tables.items()}


def plain(rows: pa.Table) -> pa.Table:
    """Dictionaries as strings."""
    columns = [
        pc.cast(column, pa.string()) if pa.types.is_dictionary(column.type) else column for column in rows.columns
    ]
    return pa.table(columns, names=rows.column_names)


def play(
    customers: int = 6_000, days: int = 60, seed: int = 7, calls_per_year: float | None = None
) -> tuple[Province, dict[str, pa.Table]]:
    """A province and all its rows."""
    units = reference_rows()["org_units"].to_pylist()
    province = Province(Wish(customers, days, seed, UNTIL), read_parameters(calls_per_year=calls_per_year), units)
    memory = Memory()
    province.run(memory)
    return province, memory.whole()


@pytest.fixture(scope="session")
def province() -> tuple[Province, dict[str, pa.Table]]:
    """A province that calls often enough for its shapes to show: about 45,000 calls in sixty days."""
    return play(customers=10_000, days=60, calls_per_year=28)


@pytest.fixture(scope="session")
def ask(province: tuple[Province, dict[str, pa.Table]]) -> duckdb.DuckDBPyConnection:
    """The province's tables as views, in Asia/Shanghai; plus `offered`: visits with their wait in seconds."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Shanghai'")
    for name, rows in {**reference_rows(), **province[1]}.items():
        connection.register("rows", rows)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    connection.execute(
        "CREATE VIEW offered AS SELECT *, (epoch_us(exited_at) - epoch_us(entered_at)) / 1e6 AS wait FROM queue_visits"
    )
    return connection
