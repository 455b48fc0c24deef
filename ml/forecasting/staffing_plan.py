"""Agents per half-hour that the forecast needs, the roster beside them, and the time left for outbound calls."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import Engine, select

from core.database import session_scope
from core.settings import TIME_ZONE, Settings
from crm_api.workforce.models import Shift
from ml.features import connect
from ml.parameters import parameters
from ml.staffing import Need, estimate_patience, positions, seats_needed, service

HALF_HOUR = 1800.0
_LATELY_DAYS = 56
_ROSTER_DAYS = 28
_MOST_WAITS = 200_000
_HANDLED = """
select coalesce(avg(talk_seconds + hold_seconds + wrap_up_seconds), 0) as handle_seconds
from marts.fct_queue_visit where is_answered and date_key >= $first
"""
_WAITS = """
select wait_seconds, is_abandoned from marts.fct_queue_visit
where (is_answered or is_abandoned) and date_key >= $first
order by visit_key desc limit 200000
"""
_LOGGED_IN = """
select date_key, half_hour_key, sum(on_contact_seconds + available_seconds) as worked_seconds
from marts.fct_seat_half_hour where date_key >= $first group by date_key, half_hour_key
"""


def measured(settings: Settings, as_of: date) -> tuple[float, float | None]:
    """Mean handle seconds and mean patience (None: nobody hung up) of the last eight weeks."""
    first = {"first": int((as_of - timedelta(days=_LATELY_DAYS)).strftime("%Y%m%d"))}
    with connect(settings) as connection:
        ((handle,),) = connection.execute(_HANDLED, first).fetchall()
        waits = connection.execute(_WAITS, first).df()
    if not len(waits) or not waits["is_abandoned"].any():
        return float(handle), None
    patience = estimate_patience(waits["wait_seconds"].clip(lower=0), waits["is_abandoned"]).mean_seconds
    return float(handle), float(patience)


def usual_roster(settings: Settings, as_of: date) -> pd.Series:
    """Agents at work by (weekday 0–6, half-hour) in the last four weeks."""
    first = {"first": int((as_of - timedelta(days=_ROSTER_DAYS)).strftime("%Y%m%d"))}
    with connect(settings) as connection:
        seen = connection.execute(_LOGGED_IN, first).df()
    weekday = pd.to_datetime(seen["date_key"].astype(str)).dt.day_of_week
    days = max(1, _ROSTER_DAYS // 7)
    worked: pd.Series = seen["worked_seconds"].groupby([weekday, seen["half_hour_key"]]).sum() / HALF_HOUR / days
    return worked


def planned_roster(engine: Engine, first: date, last: date, shrinkage: float) -> dict[tuple[date, int], float]:
    """Agents at work by (day, half-hour) from the shifts in the store; days without any shift are missing."""
    zone = ZoneInfo(TIME_ZONE)
    begin = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    found: dict[tuple[date, int], float] = {}
    with session_scope(engine) as session:
        shifts = session.execute(
            select(Shift.starts_at, Shift.ends_at).where(
                Shift.deleted_at.is_(None), Shift.starts_at < end, Shift.ends_at > begin
            )
        ).all()
    for starts, ends in shifts:
        at = max(starts, begin).astimezone(zone).replace(tzinfo=None)
        until = min(ends, end).astimezone(zone).replace(tzinfo=None)
        while at < until:
            step = min(at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0) + timedelta(minutes=30), until)
            key = (at.date(), at.hour * 2 + at.minute // 30)
            found[key] = found.get(key, 0.0) + (step - at).total_seconds() / HALF_HOUR * (1 - shrinkage)
            at = step
    return found


def plan(
    calls: pd.DataFrame, handle: float, patience: float | None, rostered: np.ndarray, given: dict[str, Any]
) -> pd.DataFrame:
    """Needs against the roster.

    Args:
        calls: columns at, calls_expected, calls_staffed_for.
        handle: mean handle seconds.
        patience: mean seconds, None for endless.
        rostered: agents at work in each interval.
        given: target_level, target_seconds, shrinkage, most_occupancy.
    """
    needs = [_need(round(each, 1), handle, patience, *_limits(given)) for each in calls["calls_staffed_for"]]
    agents = np.array([need.agents for need in needs])
    expected = calls["calls_expected"].to_numpy(np.float64)
    return calls.assign(
        handle_seconds=handle,
        patience_seconds=patience,
        agents_needed=agents,
        positions_needed=[positions(number, given["shrinkage"]) for number in agents],
        agents_rostered=rostered,
        roster_gap=rostered - agents,
        service_level_needed=[need.service.service_level for need in needs],
        service_level_rostered=pd.Series(
            [
                _level(each, handle, patience, int(present), given["target_seconds"])
                for each, present in zip(expected, np.floor(rostered + 0.5), strict=True)
            ],
            dtype="float64",
        ),
        outbound_agent_seconds=np.maximum(rostered - agents, 0.0) * HALF_HOUR,
    )


def _limits(given: dict[str, Any]) -> tuple[float, float, float, float]:
    return given["target_level"], given["target_seconds"], given["shrinkage"], given["most_occupancy"]


@lru_cache(maxsize=4096)
def _need(
    calls: float,
    handle: float,
    patience: float | None,
    level: float,
    seconds: float,
    shrinkage: float,
    occupancy: float,
) -> Need:
    return seats_needed(
        calls,
        HALF_HOUR,
        handle,
        patience_seconds=patience,
        target_level=level,
        target_seconds=seconds,
        shrinkage=shrinkage,
        most_occupancy=occupancy,
    )


def _level(calls: float, handle: float, patience: float | None, agents: int, target: float) -> float | None:
    """Share answered in time; None where nobody calls, 0 where nobody is there."""
    if calls < 0.05:
        return None
    return service(calls, HALF_HOUR, handle, agents, target, patience).service_level if agents else 0.0


def limits(settings: Settings) -> dict[str, Any]:
    """The targets that people set, T from the installation's settings."""
    given: dict[str, Any] = parameters()["staffing"]
    return given | {"target_seconds": float(settings.service_level_seconds)}
