"""Whether a count or a mix is as it used to be: against the same weekdays before, and by the stability index."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import log
from statistics import median

from core.lake import Load
from core.time import to_local

#: Same weekdays looked back on; fewer than the least say nothing.
_WEEKS, _LEAST_WEEKS = 8, 3
#: A usual count below this says nothing.
_LEAST_COUNT = 50
#: A mix of fewer rows says nothing; a stability index above this is a shift (the usual threshold).
_LEAST_ROWS = 200
SHIFTED = 0.25


def ratio_to_usual(count: float, before: Sequence[float]) -> float | None:
    """A count over the median of the counts of the same weekdays before; None where that says nothing."""
    usual = median(before) if len(before) >= _LEAST_WEEKS else 0
    return count / usual if usual >= _LEAST_COUNT else None


def delivered_ratio(loads: Sequence[Load], table: str) -> float | None:
    """Rows of a table that came today up to the newest load's time of day, against the same weekdays before.

    First loads hold the whole store and don't count; nor do days without any load.
    """
    increments = [(to_local(datetime.fromisoformat(load.snapshot_at)), load) for load in loads if load.follows]
    if not increments:
        return None
    now = max(at for at, _ in increments)

    def delivered(weeks: int) -> float | None:
        day = now.date() - timedelta(weeks=weeks)
        of_day = [load for at, load in increments if at.date() == day and at.time() <= now.time()]
        return sum(load.rows.get(table, 0) for load in of_day) if of_day else None

    before = [count for week in range(1, _WEEKS + 1) if (count := delivered(week)) is not None]
    return ratio_to_usual(delivered(0) or 0, before)


def stability(now: Mapping[str, int], before: Mapping[str, int]) -> float | None:
    """How far a mix moved: the population stability index Σ (p − q) ln(p / q), less what chance alone moves it.

    Two samples of n and m rows of one mix of k values have an index of about (k − 1)(1/n + 1/m). None where there are
    too few rows to say.
    """
    n, m = sum(now.values()), sum(before.values())
    if min(n, m) < _LEAST_ROWS:
        return None
    values = sorted({*now, *before})
    index = 0.0
    for value in values:
        p, q = ((counts.get(value, 0) + 0.5) / (total + 0.5 * len(values)) for counts, total in ((now, n), (before, m)))
        index += (p - q) * log(p / q)
    return max(index - 3 * (len(values) - 1) * (1 / n + 1 / m), 0.0)


__all__ = ["SHIFTED", "delivered_ratio", "ratio_to_usual", "stability"]
