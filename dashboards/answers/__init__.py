"""The tables that pages ask for by name: questions to the source, shaped by `tables`."""

from collections.abc import Sequence

import pandas as pd

from dashboards.anomalies import expected, history_of
from dashboards.frame import Frame
from dashboards.periods import compared_with
from dashboards.tables import by_day, days_between

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
    """KPIs of the period, the one before and the same weeks a year before: `code`, `now`, `previous`, `year`."""
    view = frame.view
    periods = {
        "now": view.period,
        "previous": compared_with(view.period, "previous", view.preset),
        "year": compared_with(view.period, "year", view.preset),
    }
    found = {}
    for name, period in periods.items():
        # Sums of days before the first data are no year to compare with.
        is_whole = period is not None and (name == "now" or period.first >= frame.known.days.first)
        row = frame.source.kpis(period, only=codes, city=frame.city) if period and is_whole else pd.DataFrame()
        found[name] = [None if row.empty else row.iloc[0][code] for code in codes]
    return pd.DataFrame({"code": list(codes)} | found)


def cities_compared(frame: Frame, only: Sequence[str]) -> pd.DataFrame:
    """Every city's KPIs, in the catalogue's order: `city_code`, `name` and the KPIs."""
    names = frame.unit_names()
    order = {code: number for number, code in enumerate(names)}
    table = kpis(frame, ("city",), only).rename(columns={"city": "city_code"})
    table = table.assign(name=[names.get(code, code) for code in table["city_code"]])
    return table.sort_values("city_code", key=lambda codes: codes.map(lambda code: order.get(code, len(order))))
