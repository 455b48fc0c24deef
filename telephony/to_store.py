"""From the call model to the store: callers become calls, agents' time becomes state intervals."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from crm_api.contacts.call_records import CallRecord, VisitRecord
from crm_api.routing.service import list_routings
from telephony.asterisk.plan import QUEUE_PREFIX, queue_code
from telephony.call_model import Calls, Visit
from telephony.queue_log import QueueEvent


def instant(seconds: int) -> datetime:
    """The instant of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def wrap_up_of_queues(session: Session) -> dict[str, int]:
    """Asterisk's name of each queue -> its wrap-up time, as the store has it."""
    return {QUEUE_PREFIX + one.queue.code: one.routing.wrap_up_seconds for one in list_routings(session)}


def caller_numbers(events: Iterable[QueueEvent]) -> dict[str, str]:
    """Call id -> the caller's number, where ENTERQUEUE tells it."""
    return {
        event.call: event.data[1]
        for event in events
        if event.kind == "ENTERQUEUE" and len(event.data) > 1 and event.data[1]
    }


def _visit(visit: Visit, name: Callable[[str], str]) -> VisitRecord:
    return VisitRecord(
        queue=name(queue_code(visit.queue)),
        entered_at=instant(visit.entered_at),
        exited_at=None if visit.exited_at is None else instant(visit.exited_at),
        exit_class=visit.exit_class,
        agent=None if visit.agent in (None, "", "NONE") else name(str(visit.agent)),
        ended_at=None if visit.ended_at is None else instant(visit.ended_at),
        is_transferred=visit.is_transferred,
        holds=tuple((instant(start), None if end is None else instant(end)) for start, end in visit.holds),
    )


def call_records(calls: Calls, numbers: dict[str, str], *, prefix: str = "") -> Iterator[CallRecord]:
    """One record a caller.

    Args:
        numbers: call id -> caller's number.
        prefix: put before ids, queues and agents of a foreign centre, so that they never meet ours.
    """
    for call, visits in calls.by_caller().items():
        last = visits[-1]
        ended = last.ended_at if last.exit_class == "answered" else last.exited_at
        ids = {one for visit in visits for one in (visit.call, visit.linked_call) if one}
        yield CallRecord(
            external_id=prefix + call,
            started_at=instant(visits[0].entered_at),
            ended_at=None if ended is None else instant(ended),
            visits=tuple(_visit(visit, lambda code: prefix + code) for visit in visits),
            caller_number=next((numbers[one.call] for one in visits if one.call in numbers), None),
            absorbed=tuple(sorted(prefix + one for one in ids - {call})),
        )
