"""A series of counts per interval as a table of days by time of day, and which intervals are open."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.calendar import day_of

Holidays = bool | Literal["auto"]
HOLIDAY, MAKE_UP = 7, 8
#: Occurrences of a weekday that decide whether it is open.
_RECENT = 10
_DAY = pd.Timedelta(days=1)


class IntervalGrid:
    """Counts by day (rows) and time of day (columns); intervals that the series does not hold are NaN.

    Steps of a day or longer have one column, and one row a step.

    Attributes:
        step: length of an interval.
        first: moment of the first row's first column, without zone.
        table: counts, shape (rows, columns).
        days: moment of each row.
        kinds: day kind of each row: weekday 0-6, 7 holiday, 8 make-up working day.
    """

    def __init__(self, series: pd.Series, holidays: Holidays) -> None:
        """Read a series of counts indexed by moment.

        Raises:
            TypeError: the index holds no moments.
            ValueError: an empty series, negative counts, two values of one moment, or moments off a regular step.
        """
        clean = _clean(series)
        self.zone: Any = getattr(clean.index, "tz", None)
        self.name = clean.index.name
        moments = _local(clean.index)
        if moments.has_duplicates:
            # Clocks set back show an hour twice: a usual hour's count is the mean of both.
            clean = clean.groupby(moments).mean()
            moments = pd.DatetimeIndex(clean.index)
        self.last = moments[-1]
        self.step = _step(moments)
        self.columns = max(1, round(_DAY / self.step)) if self.step < _DAY else 1
        self.offset = _DAY if self.step <= _DAY else _long_step(moments, self.step)
        self.days = pd.date_range(
            _row_start(moments[0], self.step), _row_start(moments[-1], self.step), freq=self.offset
        )
        rows, columns = self.place(moments)
        self.table = np.full((len(self.days), self.columns), np.nan)
        self.table[rows, columns] = 0.0
        np.add.at(self.table, (rows, columns), clean.to_numpy(np.float64))
        self.holidays = holidays
        self.kinds = self.kinds_of(self.days)
        if holidays == "auto" and not _holidays_matter(self.table, self.kinds, self.days):
            self.holidays = False
            self.kinds = self.kinds_of(self.days)

    def __getstate__(self) -> dict[str, Any]:
        """Plain numbers and texts only, so that a model file needs no pandas object unpacked."""
        offset = self.offset.value if isinstance(self.offset, pd.Timedelta) else self.offset.freqstr
        plain = {"step": self.step.value, "last": self.last.as_unit("ns").value, "offset": offset}
        zone = None if self.zone is None else str(self.zone)
        days = self.days.as_unit("ns").asi8
        return {**self.__dict__, **plain, "zone": zone, "days": days}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what `__getstate__` wrote."""
        self.__dict__.update(state)
        offset = state["offset"]
        self.offset = pd.tseries.frequencies.to_offset(offset) if isinstance(offset, str) else pd.Timedelta(offset)
        self.step, self.last = pd.Timedelta(state["step"]), pd.Timestamp(state["last"])
        self.days = pd.DatetimeIndex(np.asarray(state["days"]).view("M8[ns]"))

    def place(self, moments: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each moment (without zone); rows after the last go on counting."""
        if self.step > _DAY:
            ends = [*self.days]
            while ends[-1] < moments.max():
                ends.append(ends[-1] + self.offset)
            rows = np.asarray(pd.DatetimeIndex(ends).searchsorted(moments, side="right") - 1)
            return rows, np.zeros(len(moments), dtype=np.int64)
        rows = np.asarray((moments.normalize() - self.days[0]) // _DAY)
        columns = np.asarray((moments - moments.normalize()) // self.step)
        return rows.astype(np.int64), np.minimum(columns, self.columns - 1).astype(np.int64)

    def day(self, row: int) -> pd.Timestamp:
        """Moment of a row, also of one after the last."""
        if row < len(self.days):
            return self.days[row]
        return pd.Timestamp(self.days[-1] + (row - len(self.days) + 1) * self.offset)

    def kinds_of(self, days: Iterable[Any]) -> np.ndarray:
        """Day kind of each day."""
        if self.step > _DAY:
            return np.zeros(len(list(days)), dtype=np.int64)
        kinds = []
        for moment in days:
            kind = day_of(moment.date()).kind if self.holidays else "working"
            kinds.append({"holiday": HOLIDAY, "make_up": MAKE_UP}.get(kind, moment.weekday()))
        return np.array(kinds, dtype=np.int64)

    def open_pattern(self, rows: int) -> np.ndarray:
        """Which (kind, column) were open in the last occurrences before row `rows`, shape (9, columns)."""
        known = ~np.isnan(self.table[:rows])
        pattern = np.zeros((9, self.columns), dtype=bool)
        for kind in range(9):
            of_kind = np.flatnonzero(self.kinds[:rows] == kind)[-_RECENT:]
            held = of_kind[known[of_kind].any(axis=1)]
            if len(held) and len(held) >= 0.3 * len(of_kind):
                pattern[kind] = known[held].mean(axis=0) >= 0.5
        working = pattern[:5].any(axis=0)
        if not (self.kinds[:rows] == MAKE_UP).any():
            pattern[MAKE_UP] = working
        if not (self.kinds[:rows] == HOLIDAY).any():
            pattern[HOLIDAY] = pattern[6] if self.offset == _DAY else working
        return pattern

    def next_moments(self, wanted: int | pd.Timedelta, pattern: np.ndarray) -> pd.DatetimeIndex:
        """The next `wanted` open intervals, or all open intervals of the next stretch of that length, without zone."""
        end = self.last + wanted if isinstance(wanted, pd.Timedelta) else None
        found: list[pd.Timestamp] = []
        for row in range(len(self.days) - 1, len(self.days) + 4000):
            start = self.day(row)
            if end is not None and start > end:
                break
            kind = int(self.kinds_of([start])[0])
            moments = [start + int(column) * self.step for column in np.flatnonzero(pattern[kind])]
            found += [moment for moment in moments if moment > self.last and (end is None or moment <= end)]
            if end is None and isinstance(wanted, int) and len(found) >= wanted:
                return pd.DatetimeIndex(found[:wanted])
        return pd.DatetimeIndex(found)

    def with_zone(self, moments: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """The moments in the zone of the series, if it has one: the hour that clocks skip is left out, the hour that
        they show twice stands there twice.
        """
        if self.zone is not None and len(moments):
            summer = np.ones(len(moments), dtype=bool)
            once = moments.tz_localize(self.zone, ambiguous=summer, nonexistent="NaT")
            moments = once.union(moments.tz_localize(self.zone, ambiguous=~summer, nonexistent="NaT")).dropna()
        return moments.rename(self.name)

    def coming(self, wanted: int | pd.Timedelta, pattern: np.ndarray) -> pd.DatetimeIndex:
        """As `next_moments`, in the zone of the series."""
        if isinstance(wanted, pd.Timedelta):
            return self.with_zone(self.next_moments(wanted, pattern))
        spare = self.columns if self.zone is not None and wanted else 0
        return self.with_zone(self.next_moments(wanted + spare, pattern))[:wanted]

    def local(self, index: Any) -> pd.DatetimeIndex:
        """Any index of moments as clock times of the series' zone."""
        moments = pd.DatetimeIndex(index)
        if moments.tz is not None and self.zone is not None:
            moments = moments.tz_convert(self.zone)
        return _local(moments)


def _clean(series: Any) -> pd.Series:
    if isinstance(series, pd.DataFrame) and series.shape[1] == 1:
        series = series.iloc[:, 0]
    if not isinstance(series, pd.Series):
        raise TypeError("y is no pandas Series; give counts indexed by the moment at which their interval starts.")
    index = series.index.to_timestamp() if isinstance(series.index, pd.PeriodIndex) else series.index
    if not isinstance(index, pd.DatetimeIndex) and not pd.api.types.is_numeric_dtype(index):
        # Dates as a file or a database gives them: objects or texts.
        with suppress(ValueError, TypeError):
            index = pd.to_datetime(index, format="mixed")
    if not isinstance(index, pd.DatetimeIndex):
        raise TypeError(f"y's index is {type(index).__name__}; it holds the moments at which the intervals start.")
    clean = series.set_axis(index).astype(np.float64).dropna().sort_index()
    if clean.empty:
        raise ValueError("y holds no value; at least one interval is needed.")
    if (clean < 0).any() or np.isinf(clean).any():
        raise ValueError(f"y holds {int((clean < 0).sum())} negative or infinite values; volumes are 0 or more.")
    if clean.index.has_duplicates:
        raise ValueError(f"y holds {int(clean.index.duplicated().sum())} moments twice; sum them first.")
    return clean


def _local(moments: Any) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(moments.tz_localize(None) if moments.tz is not None else moments)


def _step(moments: pd.DatetimeIndex) -> pd.Timedelta:
    gaps = pd.Series(moments).diff().dropna()
    gaps = gaps[gaps > pd.Timedelta(0)]
    if gaps.empty:
        return _DAY
    step = pd.Timedelta(gaps.mode().min())
    return step if step > _DAY or _DAY % step == pd.Timedelta(0) else pd.Timedelta(gaps.min())


def _long_step(moments: pd.DatetimeIndex, step: pd.Timedelta) -> Any:
    with pd.option_context("future.infer_freq_returns_offset", True):
        offset: Any = pd.infer_freq(moments) if len(moments) > 2 else None
    if offset is None and pd.Timedelta(days=28) <= step <= pd.Timedelta(days=31):
        name = "MS" if (moments.day == 1).all() else "ME" if moments.is_month_end.all() else None
        offset = pd.tseries.frequencies.to_offset(name) if name else None
    return step if offset is None else offset


def _row_start(moment: pd.Timestamp, step: pd.Timedelta) -> pd.Timestamp:
    return moment.normalize() if step <= _DAY else moment


def _holidays_matter(table: np.ndarray, kinds: np.ndarray, days: pd.DatetimeIndex) -> bool:
    """Whether past holidays and make-up days were unlike their weekdays: counts, or closed where others were open."""
    special = np.flatnonzero(kinds >= HOLIDAY)
    totals = np.where(np.isnan(table).all(axis=1), 0.0, np.nansum(table, axis=1))
    unlike = compared = 0
    for row in special:
        near = [row + week * 7 for week in (-4, -3, -2, -1, 1, 2, 3, 4)]
        near = [other for other in near if 0 <= other < len(days) and kinds[other] < HOLIDAY]
        usual = float(np.median(totals[near])) if near else 0.0
        if near and (usual > 0 or totals[row] > 0):
            compared += 1
            unlike += abs(totals[row] - usual) > 0.25 * max(usual, totals[row])
    return compared > 0 and unlike >= 0.5 * compared
