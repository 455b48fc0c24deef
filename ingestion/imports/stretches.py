"""Stretches of a call from any two of start, end and recorded length: midnight, summer time, ends before starts."""

from dataclasses import dataclass

import numpy as np

from ingestion.imports.batch import Batch, Flags, Instants, Lengths
from ingestion.imports.instants import DAY, TimeReader, no_instants, no_lengths, on_day
from ingestion.imports.mapping import Instant, Timing
from ingestion.imports.texts import holds

_ZERO = np.timedelta64(0, "us")
_UNKNOWN = np.timedelta64("NaT", "us")
_SECOND = np.timedelta64(1_000_000, "us")
_HALF_DAY = np.timedelta64(43_200_000_000, "us")


@dataclass(frozen=True)
class Stretch:
    """Start and end in UTC of one kind of stretch in each row, and where there is one."""

    start: Instants
    end: Instants
    exists: Flags
    backwards: Flags
    differs: Flags

    @property
    def lengths(self) -> Lengths:
        """End − start; zero where there is none."""
        result: Lengths = np.where(self.exists, self.end - self.start, _ZERO)
        return result


@dataclass
class Resolver:
    """Resolves the stretches of a batch of calls one after the other, each beginning where the last one ended.

    `began` is UTC, `began_local` the same in the centre's time; `cursor` is where the next stretch begins
    if its own start is not known.
    """

    times: TimeReader
    batch: Batch
    began: Instants
    began_local: Instants
    cursor: Instants

    def nothing(self) -> Stretch:
        """A kind of stretch that the file does not tell of: none, at the cursor."""
        none = np.zeros(len(self.batch), dtype=bool)
        return Stretch(self.cursor, self.cursor, none, none, none)

    def resolve(self, timing: Timing, *, field: str, only: Flags | None = None) -> Stretch:
        """One kind of stretch; where the end comes before the start a row is refused, or it is cut to nothing.

        `only`: rows whose stretch counts; a fault elsewhere refuses nothing.
        """
        batch = self.batch
        recorded = no_lengths(len(batch))
        if timing.seconds is not None:
            recorded = self.times.length(timing.seconds, batch, field=f"{field}.seconds")
        absent = np.zeros(len(batch), dtype=bool)
        if timing.absent is not None:
            absent = holds(timing.absent, batch)
        start, end = self._ends(timing, recorded, field=field)
        start[absent], end[absent], recorded[absent] = (np.datetime64("NaT"), np.datetime64("NaT"), _UNKNOWN)
        start = np.where(np.isnat(start) & ~np.isnat(end) & ~np.isnat(recorded), end - recorded, start)
        start = np.where(np.isnat(start), self.cursor, start)
        end = np.where(np.isnat(end), start + recorded, end)
        exists = ~np.isnat(end)
        backwards = exists & (end < start)
        if timing.negative == "reject":
            counts = backwards if only is None else backwards & only
            batch.refuse(counts, f"{field} ends before it starts", np.datetime_as_string(end, unit="s").astype(object))
        differs = exists & ~backwards & (np.abs(end - start - recorded) > _SECOND)
        # Which of the two is wrong is not known: nothing is left of the stretch, at the earlier of them.
        start = np.where(backwards, end, start)
        self.cursor = np.where(exists, end, self.cursor)
        return Stretch(np.where(exists, start, self.cursor), self.cursor, exists, backwards, differs)

    def _ends(self, timing: Timing, recorded: Lengths, *, field: str) -> tuple[Instants, Instants]:
        """UTC of start and end as far as they are given."""
        start, start_local = self._start(timing.start, field=f"{field}.start")
        if timing.end is None:
            return start, no_instants(len(self.batch))
        if not timing.end.is_time_of_day:
            return start, self.times.instant(timing.end, self.batch, field=f"{field}.end")
        clock = self.times.clock
        known = np.where(np.isnat(start), self.cursor, start)
        start_local = np.where(np.isnat(start_local), clock.to_local(known), start_local)
        end_local = on_day(start_local, self.times.time_of_day(timing.end, self.batch, field=f"{field}.end"))
        wrapped = end_local + DAY - start_local
        fits = np.where(np.isnat(recorded), wrapped < _HALF_DAY, wrapped == recorded)
        end_local = np.where((end_local < start_local) & fits, end_local + DAY, end_local)
        given = ~np.isnat(start)
        first, last = self._twice(start_local, end_local, recorded)
        return np.where(given, first, start), last

    def _start(self, part: Instant | None, *, field: str) -> tuple[Instants, Instants]:
        """UTC of a start and, if it is a bare time of day, its local time, on the call's day or the next."""
        if part is None:
            return no_instants(len(self.batch)), no_instants(len(self.batch))
        if not part.is_time_of_day:
            return self.times.instant(part, self.batch, field=field), no_instants(len(self.batch))
        local = on_day(self.began_local, self.times.time_of_day(part, self.batch, field=field))
        # Far before the call began: the call has passed midnight by then.
        local = np.where(self.began_local - local > _HALF_DAY, local + DAY, local)
        return self.times.clock.to_utc(local), local

    def _twice(self, start_local: Instants, end_local: Instants, recorded: Lengths) -> tuple[Instants, Instants]:
        """UTC of both; of the two instants of a local time that came twice, those that give the recorded length."""
        to_utc = self.times.clock.to_utc
        start, end = to_utc(start_local), to_utc(end_local)
        start2, end2 = to_utc(start_local, second=True), to_utc(end_local, second=True)
        for other_start, other_end in ((start, end2), (start2, end2)):
            wrong = np.where(np.isnat(recorded), end < start, end - start != recorded)
            right = np.where(np.isnat(recorded), other_end >= other_start, other_end - other_start == recorded)
            start = np.where(wrong & right, other_start, start)
            end = np.where(wrong & right, other_end, end)
        return start, end
