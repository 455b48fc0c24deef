"""How many contacts arrive when: day shape, half-hours, channels shifting over months."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from core.calendar import Day, day_of
from simulator.clock import DAY_MS, HOUR_MS, YEAR_DAYS, Clock
from simulator.columns import Floats, Ints
from simulator.customers import draw_index
from simulator.parameters import Parameters

_MONTH_DAYS = 30.44
_HALF_HOUR_MS = HOUR_MS // 2


def day_factor(day: Day, parameters: Parameters, *, weekday_seen: float = 1.0) -> float:
    """Contacts of a day against a mean day; planners see only `weekday_seen` of the weekday's effect."""
    month = parameters.months[day.day.month - 1]
    if day.kind == "holiday":
        return month * parameters.holiday_factor
    if day.kind == "make_up":
        return month * parameters.make_up_factor
    weekday = parameters.weekdays[day.day.isoweekday() - 1]
    factor = month * (1.0 + weekday_seen * (weekday - 1.0))
    yesterday = day_of(day.day - timedelta(days=1))
    if day.kind == "working" and yesterday.kind == "holiday":
        factor *= parameters.rebound_factor
    return factor


@dataclass(frozen=True)
class DayShapes:
    """Per simulated day: factors against a mean day of the year, and the hotline's hourly profile."""

    factor: Floats
    planned: Floats
    is_working: np.ndarray
    voice_growth: Floats
    hours: Floats  # days × open hours, each day adds up to 1


def day_shapes(parameters: Parameters, clock: Clock) -> DayShapes:
    """The shapes of every simulated day; factors are normalised over the year that ends with the period."""
    days = clock.day_list()
    year = clock.day_list(before=max(0, YEAR_DAYS - clock.days))[-YEAR_DAYS:]
    mean = float(np.mean([day_factor(day, parameters) for day in year]))
    working = np.array([day.kind in ("working", "make_up") for day in days])
    profile = {name: np.array(values) / sum(values) for name, values in
               ((True, parameters.hours_working), (False, parameters.hours_off))}  # fmt: skip
    seen = parameters.staffing.weekday_seen
    return DayShapes(
        factor=np.array([day_factor(day, parameters) for day in days]) / mean,
        planned=np.array([day_factor(day, parameters, weekday_seen=seen) for day in days]) / mean,
        is_working=working,
        voice_growth=growth(parameters.voice_growth, clock),
        hours=np.stack([profile[bool(flag)] for flag in working]),
    )


def growth(monthly: float, clock: Clock) -> Floats:
    """Per day, what a monthly growth makes of a rate; 1 in the middle of the period."""
    months = (np.arange(clock.days) - (clock.days - 1) / 2) / _MONTH_DAYS
    factor: Floats = np.exp(np.log1p(monthly) * months)
    return factor


def draw_arrivals(
    rng: np.random.Generator,
    daily: Floats,
    hours: Floats,
    *,
    first_day: int,
    opens: int,
    noise: tuple[float, float],
    off_hours: float,
) -> Ints:
    """Sorted arrival times (ms) of `len(daily)` days, the expected number of each given in `daily`.

    Args:
        hours: days × open hours, shares of the day; a share of `off_hours` falls outside, spread over the night.
        noise: log standard deviations of the day's and of the half-hour's own shocks.
    """
    days, open_hours = hours.shape
    shock = np.exp(rng.normal(0, noise[0], days) - noise[0] ** 2 / 2)
    rate = np.repeat(hours, 2, axis=1) / 2 * (daily * shock)[:, None] * (1 - off_hours)
    rate *= np.exp(rng.normal(0, noise[1], rate.shape) - noise[1] ** 2 / 2)
    counts = rng.poisson(rate).ravel()
    starts = (first_day + np.repeat(np.arange(days), open_hours * 2)) * DAY_MS
    starts += np.tile(opens * HOUR_MS + np.arange(open_hours * 2) * _HALF_HOUR_MS, days)
    inside = np.repeat(starts, counts) + rng.integers(0, _HALF_HOUR_MS, counts.sum())
    closed = _closed_arrivals(rng, daily * shock * off_hours, first_day, opens, open_hours)
    arrivals: Ints = np.sort(np.concatenate([inside, closed]))
    return arrivals


def _closed_arrivals(rng: np.random.Generator, daily: Floats, first_day: int, opens: int, open_hours: int) -> Ints:
    closed = [hour for hour in range(24) if not opens <= hour < opens + open_hours]
    if not closed:
        return np.zeros(0, np.int64)
    # Few in the dead of night, most just before opening and after closing.
    weights = [1.0 / (1 + min(abs(hour - opens), abs(hour - opens - open_hours))) for hour in closed]
    counts = rng.poisson(daily)
    hour = np.array(closed)[draw_index(rng, weights, int(counts.sum()))]
    day = first_day + np.repeat(np.arange(len(daily)), counts)
    moments: Ints = day * DAY_MS + hour * HOUR_MS + rng.integers(0, HOUR_MS, len(day))
    return moments
