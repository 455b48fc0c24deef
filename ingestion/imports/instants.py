"""Times of a foreign file: several formats, epochs, offsets; local times become UTC, summer time included."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ingestion.imports.batch import Batch, Flags, Instants, Lengths, Objects
from ingestion.imports.mapping import Duration, Instant, Settled, TimePart

DAY = np.timedelta64(86_400_000_000, "us")
_EARLIEST, _LATEST = np.datetime64("1970-01-01", "us"), np.datetime64("2100-01-01", "us")
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "minutes": 60.0}
_EPOCHS = {"epoch_seconds": 1e6, "epoch_milliseconds": 1e3}


def no_instants(size: int) -> Instants:
    """`size` unknown instants."""
    return np.full(size, "NaT", dtype="datetime64[us]")


def no_lengths(size: int) -> Lengths:
    """`size` unknown lengths."""
    return np.full(size, "NaT", dtype="timedelta64[us]")


def on_day(day: Instants, since_midnight: Lengths) -> Instants:
    """The time of day on the day that an instant falls on."""
    result: Instants = (day.astype("datetime64[D]") + since_midnight).astype("datetime64[us]")
    return result


class Clock:
    """Local time of the foreign centre."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    def to_utc(self, local: Instants, *, second: bool = False) -> Instants:
        """UTC of local times; of a time that comes twice the first or the second; one that never comes is NaT."""
        first = np.full(len(local), not second)
        aware = pd.DatetimeIndex(local).tz_localize(self.zone, ambiguous=first, nonexistent="NaT")
        return aware.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")

    def to_local(self, utc: Instants) -> Instants:
        """Local times of UTC ones, without zone."""
        aware = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(self.zone)
        return aware.tz_localize(None).to_numpy().astype("datetime64[us]")


def _numbers(texts: "pd.Series[str]") -> "pd.Series[float]":
    return pd.to_numeric(texts, errors="coerce").astype(float)


def _parse_one(texts: "pd.Series[str]", form: str) -> tuple[Instants, Flags]:
    """Values under one format (NaT where it does not fit), and which of them are UTC already."""
    size = len(texts)
    if form in _EPOCHS:
        micros = (_numbers(texts) * _EPOCHS[form]).to_numpy(dtype=float, copy=True)
        micros[~(np.abs(micros) < 4.2e15)] = np.nan
        found = no_instants(size)
        good = ~np.isnan(micros)
        found[good] = micros[good].round().astype("int64").astype("datetime64[us]")
        return found, np.ones(size, dtype=bool)
    is_utc = np.zeros(size, dtype=bool)
    if form == "iso":
        is_utc = texts.str.contains(_OFFSET).to_numpy(dtype=bool)
        found = no_instants(size)
        for chosen in (is_utc, ~is_utc):
            if chosen.any():
                parsed = pd.to_datetime(texts[chosen], format="ISO8601", utc=True, errors="coerce")
                found[chosen] = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        return found, is_utc
    if "%z" in form:
        parsed = pd.to_datetime(texts, format=form, utc=True, errors="coerce").dt.tz_localize(None)
        return parsed.to_numpy().astype("datetime64[us]"), np.ones(size, dtype=bool)
    parsed = pd.to_datetime(texts, format=form, errors="coerce")
    return parsed.to_numpy().astype("datetime64[us]"), is_utc


def parse_times(values: Objects, formats: list[str]) -> tuple[Instants, Flags]:
    """Times of texts, the first format that fits deciding; NaT where none does. The second result: already UTC."""
    codes, uniques = pd.factorize(values)
    texts = pd.Series(uniques, dtype="str")
    found, is_utc = no_instants(len(texts)), np.zeros(len(texts), dtype=bool)
    for form in formats:
        open_ = np.isnat(found)
        if not open_.any():
            break
        found[open_], is_utc[open_] = _parse_one(texts[open_], form)
    return found[codes], is_utc[codes]


class TimeReader:
    """Reads a mapping's instants and lengths from batches of one file."""

    def __init__(self, zone: str, *, is_workbook: bool) -> None:
        self.clock = Clock(zone)
        # A workbook's cells that are real dates arrive in ISO form, whatever the mapping's formats.
        self._also = ["iso"] if is_workbook else []
        self._also_clock = ["%H:%M:%S", "%H:%M:%S.%f"] if is_workbook else []

    @staticmethod
    def _settled(
        values: Objects, formats: list[str], settled_by: Settled, batch: Batch
    ) -> tuple[Instants, Flags, Flags]:
        """Times under the format whose date the other column confirms; the third result: rows where none does."""
        truth, _ = parse_times(batch.column(settled_by.column), settled_by.formats)
        found, is_utc = no_instants(len(values)), np.zeros(len(values), dtype=bool)
        read = np.zeros(len(values), dtype=bool)
        for form in formats:
            parsed, utc = parse_times(values, [form])
            read |= ~np.isnat(parsed)
            agrees = np.isnat(found) & (parsed.astype("datetime64[D]") == truth.astype("datetime64[D]"))
            found[agrees], is_utc[agrees] = parsed[agrees], utc[agrees]
        return found, is_utc, read & np.isnat(found)

    def _part(self, part: TimePart | Instant, batch: Batch, *, field: str) -> tuple[Instants, Flags]:
        values = batch.column(part.column or "")
        formats = [*part.formats, *self._also]
        if part.settled_by is None:
            found, is_utc = parse_times(values, formats)
        else:
            found, is_utc, torn = self._settled(values, formats, part.settled_by, batch)
            batch.refuse(torn, f"{field}: the date differs from the column {part.settled_by.column}", values)
        batch.refuse(np.isnat(found) & (values != ""), f"{field} is not a time in the mapping's formats", values)
        return found, is_utc

    def time_of_day(self, instant: Instant, batch: Batch, *, field: str) -> Lengths:
        """Time since midnight; NaT where the column is empty; unreadable ones are refused."""
        assert instant.time is not None  # noqa: S101 - the mapping's validator sees to it
        values = batch.column(instant.time.column)
        found, _ = parse_times(values, [*instant.time.formats, *self._also_clock])
        batch.refuse(np.isnat(found) & (values != ""), f"{field} is not a time in the mapping's formats", values)
        since_midnight: Lengths = found - found.astype("datetime64[D]")
        return since_midnight

    def instant(self, instant: Instant, batch: Batch, *, field: str) -> Instants:
        """UTC of a whole instant (not a bare time of day); NaT where empty; wrong or impossible times are refused."""
        if instant.time is None:
            found, is_utc = self._part(instant, batch, field=field)
        else:
            assert instant.date is not None  # noqa: S101 - callers ask is_time_of_day first
            day, _ = self._part(instant.date, batch, field=field)
            found = on_day(day, self.time_of_day(instant, batch, field=field))
            is_utc = np.zeros(len(batch), dtype=bool)
        return self._to_utc(found, is_utc, batch, field=field)

    def _to_utc(self, found: Instants, is_utc: Flags, batch: Batch, *, field: str) -> Instants:
        shown = np.datetime_as_string(found, unit="s").astype(object)
        with np.errstate(invalid="ignore"):
            strange = ~np.isnat(found) & ((found < _EARLIEST) | (found >= _LATEST))
        batch.refuse(strange, f"{field} is not between 1970 and 2100", shown)
        found = found.copy()
        found[strange] = np.datetime64("NaT")
        result = found.copy()
        local = ~is_utc & ~np.isnat(found)
        if local.any():
            result[local] = self.clock.to_utc(found[local])
            never = local & np.isnat(result)
            batch.refuse(never, f"{field} never came: clocks went forward over it in {self.clock.zone.key}", shown)
        return result

    def length(self, duration: Duration, batch: Batch, *, field: str) -> Lengths:
        """Lengths; NaT where empty; what is no length is refused."""
        values = batch.column(duration.column)
        codes, uniques = pd.factorize(values)
        texts = pd.Series(uniques, dtype="str")
        is_clock = duration.unit == "h:mm:ss"
        numbers = _clock_lengths(texts) if is_clock else _numbers(texts) * _UNITS[duration.unit]
        seconds = numbers.to_numpy(dtype=float)
        found = no_lengths(len(uniques))
        good = np.abs(seconds) < 1e9
        found[good] = np.round(seconds[good] * 1e6).astype("int64").astype("timedelta64[us]")
        result = found[codes] if len(uniques) else no_lengths(len(values))
        batch.refuse(np.isnat(result) & (values != ""), f"{field} is not a length in {duration.unit}", values)
        return result


def _clock_lengths(texts: "pd.Series[str]") -> "pd.Series[float]":
    """Seconds of [H:]MM:SS texts; NaN where a text is none."""
    parts = texts.str.extract(r"^(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d+)?)$").astype(float)
    return parts[0].fillna(0) * 3600 + parts[1] * 60 + parts[2]
