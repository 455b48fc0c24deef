"""The feature table: built by dbt for the as-of dates wanted, read as a frame."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pandas as pd

from core.errors import CrmError
from core.settings import Settings
from warehouse.build import last_build
from warehouse.dbt_run import run_dbt
from warehouse.export import engine_options, literal, quoted
from warehouse.lock import warehouse_lock

#: Columns that name a row; every other column is a feature.
KEYS = ("customer_key", "as_of")
#: Customers drawn at most for each as-of date that is learnt from or judged by.
LEARNT_ROWS = 300_000
#: What the database may hold while features or scores are built; larger tables go to its temporary files.
_MEMORY = "4GB"
_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_AMOUNT = re.compile(r"^\s*([\d.]+)\s*([KMGT]I?B)\s*$", re.I)


@dataclass(frozen=True)
class Span:
    """The local days that the built marts hold contacts of: `first` … `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def next_day(self) -> date:
        """The as-of date that sees everything."""
        return self.last + timedelta(days=1)


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection that sees the built warehouse read-only, as its default catalogue; close it soon.

    Raises:
        CrmError: nothing was built.
    """
    if last_build(settings) is None:
        raise CrmError("There is no finished build to learn from.", "Build the marts with: crm pipeline")
    connection = duckdb.connect(":memory:", config=engine_options(settings))
    connection.execute(f"attach {literal(settings.warehouse_file)} as built (read_only)")
    connection.execute("use built")
    return connection


def span(settings: Settings) -> Span:
    """The days that the marts cover.

    Raises:
        CrmError: nothing was built, or the marts hold no contact of a known customer.
    """
    with connect(settings) as connection:
        ((first, last),) = connection.execute(
            "select min(date_key), max(date_key) from marts.fct_contact where date_key <> 0 and customer_key <> 0"
        ).fetchall()
    if first is None:
        raise CrmError("The marts hold no contact of a known customer: there is nothing to learn from.",
                       "Fill the store (crm simulate, crm import calls), then: crm pipeline")  # fmt: skip
    return Span(_day(first), _day(last))


def _day(key: int) -> date:
    return date(key // 10000, key // 100 % 100, key % 100)


def build_features(settings: Settings, as_of: Sequence[date], *, most_rows: int | None = None) -> None:
    """Have dbt build `features.customer_features` and `customer_outcomes` for these dates, replacing what was there.

    Args:
        settings: of the installation.
        as_of: the dates.
        most_rows: build somewhat more than so many customers a date, those whom `read_features` draws; None: everybody.

    Raises:
        CrmError: nothing was built, another build runs, or a model or test fails.
    """
    if last_build(settings) is None:
        raise CrmError("There is no finished build to learn from.", "Build the marts with: crm pipeline")
    with warehouse_lock(settings, "features"):
        try:
            _run(settings, "tag:features", sorted(set(as_of)), _drawn(settings, most_rows))
        finally:
            _drop_steps(settings)


def build_scores(settings: Settings) -> None:
    """Have dbt build the marts of scores, segments and forecasts from the lake; publishing them is `crm publish`."""
    with warehouse_lock(settings, "scores"):
        _run(settings, "tag:scores", [])


def _drawn(settings: Settings, most_rows: int | None) -> str:
    """The hash below which half as many customers again lie as are wanted: some of them have left; "": everybody."""
    if most_rows is None:
        return ""
    with connect(settings) as connection:
        ((customers,),) = connection.execute("select count(*) from marts.dim_customer").fetchall()
    return str(2**64 * 3 * most_rows // (2 * customers)) if customers > 1.5 * most_rows else ""


def _drop_steps(settings: Settings) -> None:
    """Free the space of what features are built from."""
    with duckdb.connect(str(settings.warehouse_file), config=engine_options(settings)) as connection:
        steps = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'features' and starts_with(table_name, 'ftr_')"
        ).fetchall()
        for (name,) in steps:
            connection.execute("drop table features." + quoted(str(name)))


def _bounded(settings: Settings) -> Settings:
    """The settings with the database's memory no larger than features need."""
    given = _AMOUNT.match(settings.duckdb_memory)
    if given and float(given[1]) * _UNITS[given[2].upper()] <= 4e9:
        return settings
    return settings.model_copy(update={"duckdb_memory": _MEMORY})


def _run(settings: Settings, selected: str, dates: Sequence[date], drawn: str = "") -> None:
    wanted = {"CRM_FEATURE_DATES": ",".join(day.isoformat() for day in dates), "CRM_FEATURE_DRAWN": drawn}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        command = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]
        results, exception = run_dbt(_bounded(settings), [*command, "--select", selected])
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
    broken = [f"{node.name}: {node.message}" for node in results if node.failed]
    if broken or exception is not None:
        told = "\n  ".join(broken) or str(exception)
        raise CrmError(f"dbt could not build {selected}:\n  {told}", "See warehouse/dbt/logs/dbt.log under CRM_HOME.")


def read_features(settings: Settings, as_of: date, *, most_rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """The features of one date, by customer; `most_rows` draws that many customers at random, the same each time."""
    drawn = "order by hash(customer_key + $seed) limit $rows"
    query = "select * from features.customer_features where as_of = $as_of"
    values: dict[str, object] = {"as_of": as_of}
    if most_rows is not None:
        query, values = " ".join([query, drawn]), {**values, "seed": seed, "rows": most_rows}
    with connect(settings) as connection:
        frame = connection.execute(query, values).df()
    return frame.sort_values("customer_key", ignore_index=True)


def read_outcomes(settings: Settings, as_of: date) -> pd.DataFrame:
    """Who of one date's customers left later: customer_key, leaves_after_days, leave_reason."""
    with connect(settings) as connection:
        return connection.execute(
            "select customer_key, leaves_after_days, leave_reason from features.customer_outcomes where as_of = $as_of",
            {"as_of": as_of},
        ).df()


def feature_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of a feature table from which models learn."""
    return [name for name in frame.columns if name not in KEYS]
