"""The tables that pages ask for by name: questions to the source, shaped by `tables`."""

from collections.abc import Sequence

import pandas as pd

from dashboards.frame import Frame
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
    """A KPI day by day beside the compared period: `day`, `value`, `before`."""
    view = frame.view
    gap = days_between(view.before.first, view.period.first) if view.before else 0
    return by_day(kpis(frame, ("day",), [code]), kpis_before(frame, ("day",), [code]), code, view.period, gap)


def cities_compared(frame: Frame, only: Sequence[str]) -> pd.DataFrame:
    """Every city's KPIs, in the catalogue's order: `city_code`, `name` and the KPIs."""
    names = frame.unit_names()
    order = {code: number for number, code in enumerate(names)}
    table = kpis(frame, ("city",), only).rename(columns={"city": "city_code"})
    table = table.assign(name=[names.get(code, code) for code in table["city_code"]])
    return table.sort_values("city_code", key=lambda codes: codes.map(lambda code: order.get(code, len(order))))
