"""The tables that pages ask for by name: questions to the source, shaped by `tables`."""

from collections.abc import Sequence

import pandas as pd

from core.periods import Period
from dashboards.anomalies import expected, history_of
from dashboards.frame import Frame
from dashboards.periods import Comparison
from dashboards.tables import by_day, days_between

#: The comparisons that the overview shows side by side.
COMPARED: tuple[Comparison, ...] = ("previous", "year")
#: A service level with its weight.
SERVICE = ("sl_negative", "offered")


def kpis(frame: Frame, by: Sequence[str], only: Sequence[str]) -> pd.DataFrame:
    """The KPIs `only` of the page's period and city, by dimensions."""
    return frame.source.kpis(frame.view.period, by, only=only, city=frame.city)


def kpis_before(frame: Frame, by: Sequence[str], only: Sequence[str]) -> pd.DataFrame | None:
    """The same of the compared period; None: nothing is compared."""
    return frame.source.kpis(frame.view.before, by, only=only, city=frame.city) if frame.view.before else None


def daily(frame: Frame, code: str) -> pd.DataFrame:
    """A KPI day by day: `day`, `value`, `before` (the compared period's), and what was to be expected of the day.

    `expected`, `low`, `high` and `is_unusual` are those of dashboards.anomalies.
    """
    view = frame.view
    gap = days_between(view.before.first, view.period.first) if view.before else 0
    history = history_of(view.period)
    rows = frame.source.kpis(history, ("day",), only=[code], city=frame.city)
    known = by_day(rows, None, code, history, 0)
    first = pd.Timestamp(view.period.first)
    now = rows[pd.to_datetime(rows["day"]) >= first]
    table = by_day(now, kpis_before(frame, ("day",), [code]), code, view.period, gap)
    if table.empty:
        return table
    band = expected(known.set_index("day")["value"], frame.kpi(code).unit)
    return table.merge(band, left_on="day", right_index=True, how="left")


def comparisons(frame: Frame, codes: Sequence[str]) -> pd.DataFrame:
    """KPIs of the period, the one before and the same weeks a year before: `code`, `now`, `previous`, `year`.

    A period that the data hold only in part has none.
    """
    view = frame.view
    periods: dict[str, Period | None] = {"now": view.period}
    for comparison in COMPARED:
        periods[comparison] = None if view.uncovered(comparison) else view.compared(comparison)
    found = {}
    for name, period in periods.items():
        row = frame.source.kpis(period, only=codes, city=frame.city) if period else pd.DataFrame()
        found[name] = [None if row.empty else row.iloc[0][code] for code in codes]
    return pd.DataFrame({"code": list(codes)} | found)


def cities_compared(frame: Frame, only: Sequence[str]) -> pd.DataFrame:
    """Every city's KPIs, in the catalogue's order: `city_code`, `name` and the KPIs."""
    names = frame.unit_names()
    order = {code: number for number, code in enumerate(names)}
    table = kpis(frame, ("city",), only).rename(columns={"city": "city_code"})
    table = table.assign(name=[names.get(code, code) for code in table["city_code"]])
    return table.sort_values("city_code", key=lambda codes: codes.map(lambda code: order.get(code, len(order))))
