"""From answers of the marts to the tables that charts draw. Pure: data frames in, data frames out."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from core.periods import Period


def by_day(now: pd.DataFrame, before: pd.DataFrame | None, code: str, period: Period, gap: int) -> pd.DataFrame:
    """A KPI day by day with the compared period's value beside it.

    Args:
        now: rows of the period with `day` and the KPI.
        before: rows of the compared period; None: not compared.
        code: the KPI.
        period: days without a row are NULL, so that a line breaks there.
        gap: days between the compared period's start and the period's.

    Returns:
        `day`, `value`, `before`; empty if no day has a value.
    """
    days = pd.DataFrame({"day": pd.date_range(period.first, period.last, freq="D")})
    table = days.merge(_series(now, code, "value"), on="day", how="left")
    if before is None or before.empty:
        table["before"] = float("nan")
    else:
        moved = _series(before, code, "before")
        moved["day"] = moved["day"] + pd.Timedelta(days=gap)
        table = table.merge(moved, on="day", how="left")
    return table if table["value"].notna().any() else table.iloc[0:0]


def _series(rows: pd.DataFrame, code: str, name: str) -> pd.DataFrame:
    days = pd.to_datetime(rows["day"]).astype("datetime64[us]")
    return pd.DataFrame({"day": days, name: pd.to_numeric(rows[code], errors="coerce")})


def with_share(table: pd.DataFrame, *, within: Sequence[str] = (), value: str = "value") -> pd.DataFrame:
    """The table with `share`: each value over the sum of its group `within` (all rows if empty)."""
    sums = table.groupby(list(within))[value].transform("sum") if within else table[value].sum()
    return table.assign(share=table[value] / sums)


def compared(now: pd.DataFrame, before: pd.DataFrame | None, key: str, value: str) -> pd.DataFrame:
    """Rows by `key` with `value` and `before`; a key new since has 0 before; NULL if not compared."""
    table = now[[key, value]].rename(columns={value: "value"})
    if before is None or before.empty:
        return table.assign(before=float("nan"))
    other = before[[key, value]].rename(columns={value: "before"})
    return table.merge(other, on=key, how="left").fillna({"before": 0})


def weekday_means(rows: pd.DataFrame, code: str, weight: str | None) -> pd.DataFrame:
    """A KPI by weekday and half-hour from rows by day and half-hour.

    Args:
        rows: `day`, `half_hour`, the KPI, and the weight.
        code: the KPI.
        weight: the KPI's denominator, which makes the mean exact (Σ share × weight / Σ weight); None: a mean per day.

    Returns:
        `weekday` (1-7), `half_hour`, `value`; without the pairs that have no value.
    """
    table = rows.assign(weekday=pd.to_datetime(rows["day"]).dt.day_of_week + 1)
    if weight is None:
        days = table.groupby("weekday")["day"].nunique()
        sums = table.groupby(["weekday", "half_hour"])[code].sum().reset_index(name="value")
        sums["value"] = sums["value"] / sums["weekday"].map(days)
        return sums
    table = table[table[code].notna() & (table[weight] > 0)]
    table = table.assign(product=table[code].astype(float) * table[weight])
    sums = table.groupby(["weekday", "half_hour"])[["product", weight]].sum().reset_index()
    return sums.assign(value=sums["product"] / sums[weight])[["weekday", "half_hour", "value"]]


def pareto(counts: Mapping[str, int], before: Mapping[str, int] | None, names: Mapping[str, str]) -> pd.DataFrame:
    """Complaints by type, largest first: `code`, `name`, `value`, `share`, `cumulative`, `before`."""
    rows = [
        {
            "code": code,
            "name": names.get(code, code),
            "value": count,
            "before": float("nan") if before is None else before.get(code, 0),
        }
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count
    ]
    table = pd.DataFrame(rows, columns=["code", "name", "value", "before"])
    table = with_share(table)
    return table.assign(cumulative=table["share"].cumsum())


def child_under(code: str, above: str | None) -> str:
    """The type that `code` counts under when the page stands at `above`: its ancestor one level below, or itself."""
    depth = above.count(".") + 2 if above else 1
    return ".".join(code.split(".")[:depth])


def starts(period: Period, days: pd.Series) -> pd.Series:
    """The bar that each day belongs to, as a label: the day itself up to five weeks, else its Monday."""
    stamps = pd.to_datetime(days)
    if period.days > 35:
        stamps = stamps - pd.to_timedelta(stamps.dt.day_of_week, unit="D")
    return stamps.dt.strftime("%m-%d" if period.days <= 300 else "%Y-%m-%d")


def bar_days(period: Period, days: pd.Series) -> tuple[pd.Series, pd.Series]:
    """First and last day of the bar that each day belongs to (see `starts`), within the period."""
    stamps = pd.to_datetime(days)
    if period.days <= 35:
        return stamps, stamps
    monday = stamps - pd.to_timedelta(stamps.dt.day_of_week, unit="D")
    sunday = monday + pd.Timedelta(days=6)
    first, last = pd.Timestamp(period.first), pd.Timestamp(period.last)
    return monday.where(monday > first, first), sunday.where(sunday < last, last)


def days_between(earlier: date, later: date) -> int:
    """How many days `later` lies after `earlier`."""
    return (later - earlier).days
