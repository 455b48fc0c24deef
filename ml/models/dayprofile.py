"""Day total times intraday profile: what a day of some kind holds, as seen from a given evening."""

import numpy as np

from ml.models.intervals import HOLIDAY, MAKE_UP, IntervalGrid

#: Occurrences of a weekday that its factor is the median of, and its profile the mean of.
_FOR_FACTOR, _FOR_PROFILE = 12, 12
#: Share of a weekday's own profile in its profile; the rest is that of all days.
_OWN = 0.6
_LEVEL_DAYS = 120
#: Half-lives of the level's views, in days.
_HALFLIVES = (2.0, 4.0, 8.0, 16.0, 40.0)


class DayProfile:
    """What the rows before `origin` say of later days: level × factor of the day's kind × profile of its kind.

    Attributes:
        open: (kind, column) -> open.
    """

    def __init__(self, grid: IntervalGrid, origin: int) -> None:
        table, self.kinds = grid.table[:origin], grid.kinds[:origin]
        self.open = grid.open_pattern(origin)
        self.totals = _totals(table, self.kinds, self.open)
        self.factors = self._factors()
        self.profiles = self._profiles(table)
        usable = ~np.isnan(self.totals) & (self.kinds < HOLIDAY) & (self.factors[self.kinds] > 0)
        self.age = (origin - 1 - np.flatnonzero(usable))[-_LEVEL_DAYS:]
        self.even = (self.totals[usable] / self.factors[self.kinds[usable]])[-_LEVEL_DAYS:]

    def level(self) -> float:
        """Mean day total without the weekdays' factors: the average of quick and slow views of the past.

        Each view halves a day's weight every so many days; one half-life chosen by backtest did worse than all.
        """
        if not len(self.even):
            known = self.totals[~np.isnan(self.totals)]
            return float(known.mean()) if len(known) else 0.0
        views = [np.average(self.even, weights=0.5 ** (self.age / days) + 1e-12) for days in _HALFLIVES]
        return float(np.mean(views))

    def expected(self, kinds: np.ndarray) -> np.ndarray:
        """Expected counts of days of these kinds, shape (days, columns); closed intervals have 0."""
        return np.asarray(self.level() * self.factors[kinds][:, None] * self.profiles[kinds] * self.open[kinds])

    def _factors(self) -> np.ndarray:
        factors = np.ones(9)
        known = np.flatnonzero(~np.isnan(self.totals))
        if not len(known):
            return factors
        plain = known[self.kinds[known] < HOLIDAY]
        week = max(1, min(7, len(np.unique(self.kinds[plain])))) if len(plain) else 1
        # The second pass knows the weekdays: a week cut by a holiday holds other days than a whole one.
        for _ in range(2):
            even = np.divide(
                self.totals, factors[self.kinds], out=np.full(len(self.kinds), np.nan), where=factors[self.kinds] > 0
            )
            around = _centred_mean(even, plain if len(plain) else known, week)
            ratio = np.divide(self.totals, around, out=np.full(len(around), np.nan), where=around > 0)
            for kind in range(9):
                seen = ratio[(self.kinds == kind) & ~np.isnan(ratio)]
                seen = seen if kind >= HOLIDAY else seen[-_FOR_FACTOR:]
                if len(seen):
                    factors[kind] = (len(seen) * np.median(seen) + 0.5) / (len(seen) + 0.5)
        present = set(self.kinds[known].tolist())
        working = [kind for kind in range(5) if kind in present]
        if MAKE_UP not in present and working:
            factors[MAKE_UP] = factors[working].mean()
        if HOLIDAY not in present and 6 in present:
            factors[HOLIDAY] = factors[6]
        return factors

    def _profiles(self, table: np.ndarray) -> np.ndarray:
        shape = (9, table.shape[1])
        shares = np.divide(
            table, self.totals[:, None], out=np.full(table.shape, np.nan), where=self.totals[:, None] > 0
        )
        usable = ~np.isnan(shares).all(axis=1)
        common = _mean(shares[usable & (self.kinds < HOLIDAY)][-5 * _FOR_PROFILE :], np.full(shape[1], np.nan))
        common = np.where(np.isnan(common), _mean(shares, np.zeros(shape[1])), common)
        out = np.zeros(shape)
        for kind in range(9):
            own = shares[usable & (self.kinds == kind)][-_FOR_PROFILE:]
            mixed = _OWN * _mean(own, common) + (1 - _OWN) * common if len(own) else common
            mixed = np.where(self.open[kind], np.nan_to_num(mixed), 0.0)
            out[kind] = mixed / mixed.sum() if mixed.sum() > 0 else self.open[kind] / max(self.open[kind].sum(), 1)
        return out


def _totals(table: np.ndarray, kinds: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Day totals; a day with gaps is raised by what its missing intervals usually hold, NaN if most are missing."""
    usual = np.nan_to_num(_mean(table, np.zeros(table.shape[1])))
    known = ~np.isnan(table)
    held = (known * usual).sum(axis=1)
    missing = ((pattern[kinds] & ~known) * usual).sum(axis=1)
    share = np.divide(held, held + missing, out=np.ones(len(held)), where=held + missing > 0)
    totals = np.nansum(table, axis=1) / np.maximum(share, 1e-9)
    return np.where(known.any(axis=1) & (share >= 0.4), totals, np.nan)


def _centred_mean(totals: np.ndarray, rows: np.ndarray, week: int) -> np.ndarray:
    """Mean of the `week` known days around each day."""
    out = np.full(len(totals), np.nan)
    rows = rows[~np.isnan(totals[rows])]
    if not len(rows):
        return out
    known = totals[rows]
    sums = np.concatenate([[0.0], np.cumsum(known)])
    places = np.searchsorted(rows, np.arange(len(totals)))
    low = np.clip(places - week // 2, 0, max(len(rows) - week, 0))
    high = np.minimum(low + week, len(rows))
    out[:] = (sums[high] - sums[low]) / np.maximum(high - low, 1)
    return out


def _mean(values: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Column means of known values, `otherwise` where a column has none."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, sums / np.maximum(count, 1), otherwise)
