"""The feature table: built by dbt for the as-of dates wanted, read as a frame."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pandas as pd

from core.errors import CrmError
from core.settings import Settings
from warehouse.build import last_build
from warehouse.dbt_run import run_dbt
from warehouse.export import engine_options, literal
from warehouse.lock import warehouse_lock

#: Columns that name a row; every other column is a feature.
KEYS = ("customer_key", "as_of")


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


def build_features(settings: Settings, as_of: Sequence[date]) -> None:
    """Have dbt build `features.customer_features` and `customer_outcomes` for these dates, replacing what was there.

    Raises:
        CrmError: nothing was built, another build runs, or a model or test fails.
    """
    if last_build(settings) is None:
        raise CrmError("There is no finished build to learn from.", "Build the marts with: crm pipeline")
    with warehouse_lock(settings, "features"):
        _run(settings, "tag:features", sorted(set(as_of)))


def build_scores(settings: Settings) -> None:
    """Have dbt build the marts of scores, segments and forecasts from the lake; publishing them is `crm publish`."""
    with warehouse_lock(settings, "scores"):
        _run(settings, "tag:scores", [])


def _run(settings: Settings, selected: str, dates: Sequence[date]) -> None:
    before = os.environ.get("CRM_FEATURE_DATES")
    os.environ["CRM_FEATURE_DATES"] = ",".join(day.isoformat() for day in dates)
    try:
        command = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]
        results, exception = run_dbt(settings, [*command, "--select", selected])
    finally:
        if before is None:
            os.environ.pop("CRM_FEATURE_DATES")
        else:
            os.environ["CRM_FEATURE_DATES"] = before
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
