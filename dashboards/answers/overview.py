"""What the overview asks: the week by half-hours, and what deserves a look."""

from collections.abc import Sequence

import pandas as pd

from core.display import meets_target, show, show_target
from dashboards import attention
from dashboards.answers import SERVICE, cities_compared, kpis
from dashboards.answers.complaints import complaint_pareto
from dashboards.frame import Frame
from dashboards.tables import weekday_means

#: Where a KPI that missed its target is looked into.
LOOK_AT = {"seat_utilisation": "seat_utilisation", "complaints": "complaint_type", "tickets": "closed_loop"}
#: What the table of cities holds.
CITY_KPIS = (
    "contacts",
    "sl_negative",
    "abandon_rate",
    "tickets",
    "complaints",
    "complaint_rate",
    "resolution_met",
    "mean_hours_to_resolve",
)


def half_hours_by_weekday(frame: Frame, code: str, weight: str | None, weekdays: list[str]) -> pd.DataFrame:
    """A KPI by weekday and half-hour: `row` (the weekday's name), `weekday` (1-7), `half_hour`, `value`."""
    only = dict.fromkeys([code, weight] if weight else [code])
    rows = kpis(frame, ("day", "half_hour"), list(only))
    table = weekday_means(rows, code, weight)
    return table.assign(row=[weekdays[number - 1] for number in table["weekday"]])[
        ["row", "weekday", "half_hour", "value"]
    ]


def attention_list(frame: Frame, codes: Sequence[str]) -> list[attention.Finding]:
    """What deserves a look: missed targets first, then what stands out."""
    text, totals = frame.texts, kpis(frame, (), codes)
    findings = []
    for code in codes:
        kpi = frame.kpi(code)
        value = None if totals.empty else totals.iloc[0][code]
        if meets_target(kpi, value) is False:
            aimed = show_target(kpi, text.language)
            page = LOOK_AT.get(code, "queue_performance")
            findings.append(attention.missed_target(frame.kpi_name(code), show(kpi, value, text.language), aimed, page))
    target = frame.kpi("sl_negative").target
    half_hours = kpis(frame, ("half_hour",), SERVICE)
    findings += attention.weak_half_hours(half_hours, target)
    if frame.city is None and frame.source.scope.is_province:
        cities = cities_compared(frame, [*SERVICE, "complaints", "customers"])
        cities = cities[cities["city_code"].isin(list(frame.known.cities))]
        findings += attention.cities_with_low_service(cities, target)
        findings += attention.cities_with_many_complaints(cities)
    findings += attention.grown_types(complaint_pareto(frame, None, level=2))
    return findings
