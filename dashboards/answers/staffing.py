"""What the staffing page asks: calls to come, how far past forecasts erred, and agents needed under a what-if."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import pandas as pd

from dashboards.frame import Frame
from ml.staffing import positions, seats_needed, service

HALF_HOUR = 1800.0
#: Agents are never planned busier than this.
MOST_OCCUPANCY = 0.85
_FIGURES = ("calls", "needed", "positions", "rostered", "gap", "level")


@dataclass(frozen=True)
class WhatIf:
    """Calls and handle time against the forecast's, share answered in `target_seconds`, share of time not worked."""

    volume: float
    handle: float
    target: float
    shrinkage: float
    target_seconds: float


def coming_days(frame: Frame) -> pd.DataFrame:
    """Calls expected: `day`, `code`, `name` (queue), `calls`."""
    table = frame.source.rows("forecast_days")
    return table.assign(name=frame.named(table)) if len(table) else table.assign(name=[])


def errors(frame: Frame) -> pd.DataFrame:
    """How past forecasts erred: `days_ahead`, `error`, `error_naive`, `covered`, in per cent."""
    table = frame.source.rows("forecast_errors")
    return pd.DataFrame(
        {
            "days_ahead": table["days_ahead"],
            "error": (100 * table["wape"]).round(1),
            "error_naive": (100 * table["baseline_wape"]).round(1),
            "covered": (100 * table["coverage_80"]).round(0),
        }
    )


def plan(frame: Frame) -> pd.DataFrame:
    """The published plan by half-hour."""
    table = frame.source.rows("staffing")
    return table.assign(day=pd.to_datetime(table["day"]).dt.date)


def staffed(table: pd.DataFrame, given: WhatIf) -> pd.DataFrame:
    """The half-hours of `table` under a what-if: `day`, `half_hour` and the figures."""
    rows = [_half_hour(row, given) for row in table.to_dict("records")]
    return pd.DataFrame(rows, columns=["day", "half_hour", *_FIGURES])


def _half_hour(row: Mapping[Hashable, Any], given: WhatIf) -> dict[str, Any]:
    patience = None if pd.isna(row["patience_seconds"]) else float(row["patience_seconds"])
    handle, rostered = row["handle_seconds"] * given.handle, float(row["agents_rostered"])
    calls, present = row["calls_expected"] * given.volume, math.floor(rostered + 0.5)
    needed = _needed(round(row["calls_staffed_for"] * given.volume, 1), handle, patience, given)
    level = 0.0
    if present:
        level = service(calls, HALF_HOUR, handle, present, given.target_seconds, patience).service_level
    figures = (calls, needed, positions(needed, given.shrinkage), rostered, rostered - needed, level)
    return {"day": row["day"], "half_hour": row["half_hour"]} | dict(zip(_FIGURES, figures, strict=True))


@lru_cache(maxsize=20_000)
def _needed(calls: float, handle: float, patience: float | None, given: WhatIf) -> int:
    return seats_needed(
        calls,
        HALF_HOUR,
        handle,
        target_level=given.target,
        target_seconds=given.target_seconds,
        patience_seconds=patience,
        most_occupancy=MOST_OCCUPANCY,
    ).agents


def by_day(table: pd.DataFrame) -> pd.DataFrame:
    """Sums of half-hours: `day`, `calls`, `agent_hours`, `rostered_hours`, `gap_hours`, `most_positions`."""
    grouped = table.groupby("day")
    return pd.DataFrame(
        {
            "calls": grouped["calls"].sum().round(0),
            "agent_hours": grouped["needed"].sum() / 2,
            "rostered_hours": (grouped["rostered"].sum() / 2).round(1),
            "gap_hours": (grouped["gap"].sum() / 2).round(1),
            "most_positions": grouped["positions"].max(),
        }
    ).reset_index()


def days_of(table: pd.DataFrame) -> list[date]:
    """The days of the plan."""
    return sorted(set(table["day"]))
