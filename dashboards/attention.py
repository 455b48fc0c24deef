"""What deserves a look first: rules over a page's tables, each finding a sentence. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

#: A city stands out from here: times the whole's complaints per 1,000 customers, and enough of them to mean it.
TIMES_THE_WHOLE, ENOUGH_COMPLAINTS = 1.4, 20
#: A city's service level stands out this far below the target; so many calls make it mean something.
BELOW_TARGET, ENOUGH_CALLS = 0.05, 100
#: A type of complaint has grown by so much, and so many.
GROWN_BY, GROWN_COUNT = 0.3, 15
WEAKEST_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """A sentence's key and what is filled into it; `page` is where to look further."""

    key: str
    values: Mapping[str, Any]
    page: str


def missed_target(name: str, shown: str, target: str, page: str) -> Finding:
    """A KPI on the wrong side of its target."""
    return Finding("attention.target", {"name": name, "value": shown, "target": target}, page)


def cities_with_many_complaints(cities: pd.DataFrame) -> Iterator[Finding]:
    """The city whose complaints per 1,000 customers stand out most. Columns: name, complaints, customers."""
    known = cities[cities["customers"] > 0]
    if known.empty or known["complaints"].sum() == 0:
        return
    whole = known["complaints"].sum() / known["customers"].sum() * 1000
    rates = known.assign(rate=known["complaints"] / known["customers"] * 1000)
    high = rates[(rates["rate"] >= whole * TIMES_THE_WHOLE) & (rates["complaints"] >= ENOUGH_COMPLAINTS)]
    if not high.empty:
        worst = high.nlargest(1, "rate").iloc[0]
        values = {"city": worst["name"], "rate": f"{worst['rate']:.1f}", "whole": f"{whole:.1f}"}
        yield Finding("attention.city_complaints", values, "complaint_type")


def cities_with_low_service(cities: pd.DataFrame, target: float | None) -> Iterator[Finding]:
    """The city whose callers were served worst. Columns: name, sl_negative, offered."""
    if target is None or cities.empty:
        return
    known = cities[(cities["offered"] >= ENOUGH_CALLS) & cities["sl_negative"].notna()]
    low = known[known["sl_negative"] < target - BELOW_TARGET]
    if not low.empty:
        worst = low.nsmallest(1, "sl_negative").iloc[0]
        values = {"city": worst["name"], "value": f"{worst['sl_negative']:.1%}", "target": f"{target:.0%}"}
        yield Finding("attention.city_service", values, "queue_performance")


def weak_half_hours(half_hours: pd.DataFrame, target: float | None) -> Iterator[Finding]:
    """The half-hours of the day below the target that most callers met. Columns: half_hour, sl_negative, offered."""
    if target is None or half_hours.empty:
        return
    busy = half_hours[half_hours["offered"] >= half_hours["offered"].max() / 5]
    low = busy[busy["sl_negative"].astype(float) < target]
    if low.empty:
        return
    missed = low.assign(missed=(target - low["sl_negative"].astype(float)) * low["offered"])
    worst = missed.nlargest(WEAKEST_SHOWN, "missed").sort_values("half_hour")
    listed = " · ".join(f"{row.half_hour} ({row.sl_negative:.0%})" for row in worst.itertuples())
    yield Finding("attention.half_hours", {"half_hours": listed}, "queue_performance")


def grown_types(types: pd.DataFrame) -> Iterator[Finding]:
    """The type of complaint that grew most. Columns: name, value, before (NULL: not compared)."""
    known = types[types["before"].notna() & (types["before"] > 0)]
    grown = known[
        (known["value"] - known["before"] >= GROWN_COUNT) & (known["value"] >= known["before"] * (1 + GROWN_BY))
    ]
    if not grown.empty:
        worst = grown.assign(more=grown["value"] - grown["before"]).nlargest(1, "more").iloc[0]
        percent = worst["value"] / worst["before"] - 1
        values = {"type": worst["name"], "value": f"{worst['value']:,.0f}", "percent": f"{percent:+.0%}"}
        yield Finding("attention.type_grown", values, "complaint_type")
