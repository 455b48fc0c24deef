"""Why a deadline is what it is: every stretch since creation, whether it counted, and the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.business_time import BusinessCalendar
from crm_api.sla.clocks import Clock, Moment, Reading, Span, counts, spans

_COUNTED = ("工作时间", "Business time")
_MADE_UP = ("调休上班", "Made-up working day")
_CLOSED = ("非工作时段", "Outside business hours")
_DAY_OFF = ("休息日", "Day off")
_STATES = {
    "pending": ("挂起", "On hold"),
    "resolved": ("已处理，待审核", "Resolved, waiting for review"),
    "in_review": ("审核中", "In review"),
    "follow_up": ("回访中", "Follow-up call"),
    "closed": ("归档期间（后重新打开）", "Closed, then reopened"),
    "cancelled": ("已撤销", "Cancelled"),
}


@dataclass(frozen=True)
class Stretch:
    """From `start` until `end` the clock ran or stood still, because of the reason."""

    start: datetime
    end: datetime
    counted: bool
    reason_zh: str
    reason_en: str

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True)
class Explanation:
    """A clock's reading and the stretches behind it, without a gap, from creation until its end or now."""

    reading: Reading
    stretches: tuple[Stretch, ...]

    @property
    def counted(self) -> timedelta:
        """The sum of what counted: the reading's elapsed time."""
        return sum((each.length for each in self.stretches if each.counted), timedelta())


def explain(reading: Reading, history: Sequence[Moment], calendar: BusinessCalendar, *, now: datetime) -> Explanation:
    """The stretches of a clock; `history` and `calendar` are those that the reading was made of."""
    until = reading.ended_at or now
    found: list[Stretch] = []
    for span in spans([moment for moment in history if moment.at < until], until):
        for stretch in _stretches(reading.clock, span, calendar):
            last = found[-1] if found else None
            if last and (last.counted, last.reason_en) == (stretch.counted, stretch.reason_en):
                found[-1] = replace(last, end=stretch.end)
            else:
                found.append(stretch)
    return Explanation(reading, tuple(found))


def _stretches(clock: Clock, span: Span, calendar: BusinessCalendar) -> Iterator[Stretch]:
    if not counts(clock, span.state):
        yield Stretch(span.start, span.end, False, *_STATES[span.state])
        return
    position = span.start
    for interval in calendar.intervals(span.start, span.end):
        yield from _closed(position, interval.start, calendar)
        yield from _days(interval.start, interval.end, calendar, counted=True)
        position = interval.end
    yield from _closed(position, span.end, calendar)


def _closed(start: datetime, end: datetime, calendar: BusinessCalendar) -> Iterator[Stretch]:
    if start < end:
        yield from _days(start, end, calendar, counted=False)


def _days(start: datetime, end: datetime, calendar: BusinessCalendar, *, counted: bool) -> Iterator[Stretch]:
    """The stretch cut at local midnights, so that each piece has the reason of its day."""
    while start < end:
        local = start.astimezone(calendar.zone)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        stop = min(end, midnight.astimezone(start.tzinfo))
        names, opens = calendar.names.get(local.date()), calendar.opens_on(local.date())
        if counted:
            reason = _MADE_UP if names and local.isoweekday() > 5 else _COUNTED
        elif opens:
            reason = _CLOSED
        else:
            reason = names or _DAY_OFF
        yield Stretch(start, stop, counted, *reason)
        start = stop
