"""The cheapest shifts that cover the seats needed in every interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Cost of one agent missing in one interval, against a shift's: cover is never traded for cheapness.
_MISSING = 1_000.0


@dataclass(frozen=True)
class Shift:
    """A shift that may be worked.

    Attributes:
        name: as a roster shows it.
        works: for each interval of the day whether its people are at work (breaks are not).
        cost: of one person working it, in any unit.
        most: people who may work it; None: any number.
    """

    name: str
    works: tuple[bool, ...]
    cost: float
    most: int | None = None


@dataclass(frozen=True)
class Cover:
    """Shifts chosen.

    Attributes:
        people: shift name -> people, shifts with none left out.
        covered: people at work in each interval.
        missing: people short in each interval; 0 wherever the shifts can cover it.
        cost: of the people, in the unit of the shifts' cost.
        gap: how far above the cheapest possible the cost may be, as a share (0: proven cheapest).
    """

    people: dict[str, int]
    covered: tuple[int, ...]
    missing: tuple[int, ...]
    cost: float
    gap: float


def shift_templates(
    intervals: int,
    interval_minutes: int,
    *,
    hours: Sequence[float] = (8.0,),
    first: int = 0,
    last: int | None = None,
    every: int = 1,
    meal_minutes: int = 60,
    wraps: bool = False,
) -> list[Shift]:
    """Shifts of some lengths starting at every `every`-th interval from `first`, a meal in the middle of long ones.

    Args:
        intervals, interval_minutes: of the day.
        hours: lengths, meal included; a shift of 6 hours or more has a meal.
        first, last: earliest start and latest end, as interval numbers (`last` exclusive; None: the day's end).
        meal_minutes: length of the meal, unpaid: cost is the hours worked.
        wraps: shifts may run over midnight into the same day's first intervals.
    """
    end = intervals if last is None else last
    out = []
    for length in hours:
        span = round(length * 60 / interval_minutes)
        meal = round(meal_minutes / interval_minutes) if length >= 6 else 0
        if span <= meal or span > intervals:
            raise ValueError(
                f"A shift of {length} hours does not fit a day of {intervals} × {interval_minutes} minutes."
            )
        starts = range(first, intervals if wraps else end - span + 1, every)
        for start in starts:
            rest = range((span - meal) // 2, (span - meal) // 2 + meal)
            works = np.zeros(intervals, dtype=bool)
            works[[(start + place) % intervals for place in range(span) if place not in rest]] = True
            clock = f"{start * interval_minutes // 60:02d}:{start * interval_minutes % 60:02d}"
            cost = (span - meal) * interval_minutes / 60.0
            out.append(Shift(f"{clock} +{length:g}h", tuple(bool(w) for w in works), cost))
    return out


def cover(needed: Sequence[int], shifts: Sequence[Shift], *, people: int | None = None, seconds: float = 20.0) -> Cover:
    """The cheapest cover (an integer program, solved by HiGHS); agents are missing only where nothing can cover them.

    Args:
        needed: agents wanted in each interval.
        shifts: shifts that may be worked, each as long as `needed`.
        people: people there are; None: any number.
        seconds: time allowed; the best cover found by then is returned with its gap.

    Raises:
        ValueError: no shifts, lengths that differ, negative needs.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    wanted = np.asarray(needed, dtype=np.float64)
    if not shifts or any(len(shift.works) != len(wanted) for shift in shifts):
        raise ValueError(f"Each shift says for {len(wanted)} intervals whether it works; at least one shift is needed.")
    if len(wanted) == 0 or not np.isfinite(wanted).all() or (wanted < 0).any():
        raise ValueError("Needs hold missing or negative values, or there are none.")
    count, intervals = len(shifts), len(wanted)
    works = np.array([shift.works for shift in shifts], dtype=np.float64).T
    costs = np.array([shift.cost for shift in shifts])
    heavy = _MISSING * max(float(costs.max()), 1.0)
    rules = [LinearConstraint(np.hstack([works, np.eye(intervals)]), lb=wanted)]
    if people is not None:
        rules.append(LinearConstraint(np.append(np.ones(count), np.zeros(intervals)), ub=people))
    most = [np.inf if shift.most is None else shift.most for shift in shifts]
    found = milp(
        np.append(costs, np.full(intervals, heavy)),
        constraints=rules,
        integrality=np.append(np.ones(count), np.zeros(intervals)),
        bounds=Bounds(0, np.append(most, wanted)),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        raise ValueError(f"No cover was found in {seconds:g} seconds; allow more time or give fewer shifts.")
    chosen = np.rint(found.x[:count]).astype(int)
    covered = works @ chosen
    missing = np.maximum(wanted - covered, 0)
    return Cover(
        people={shift.name: int(n) for shift, n in zip(shifts, chosen, strict=True) if n},
        covered=tuple(int(n) for n in covered),
        missing=tuple(int(np.ceil(n)) for n in missing),
        cost=float(costs @ chosen),
        gap=float(found.mip_gap or 0.0),
    )
