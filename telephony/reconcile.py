"""`crm telephony reconcile`: the PBX's own log corrects what was seen live, and the difference becomes a figure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.database import session_scope
from core.time import to_local
from crm_api.contacts.call_records import CallRecord
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.routing.service import Residual, record_residuals
from telephony.call_model import ROUNDING, build_calls
from telephony.files import ImportSummary, import_events, read_cel, read_queue_log
from telephony.to_store import call_records, caller_numbers

_CHUNK = 500


@dataclass(frozen=True)
class Seen:
    """One visit as the store has it."""

    entered_at: datetime
    exited_at: datetime | None
    exit_class: str | None
    ended_at: datetime | None


def _seconds(start: datetime | None, end: datetime | None) -> int:
    return 0 if start is None or end is None else round((end - start).total_seconds())


def compare(records: Iterable[CallRecord], stored: Mapping[str, Sequence[Seen]]) -> dict[date, Residual]:
    """Per local day of entry, how the stored visits of each call differ from the log's."""
    days: dict[date, Residual] = defaultdict(Residual)
    for record in records:
        seen = [one for key in (record.external_id, *record.absorbed) for one in stored.get(key, ())]
        first = days[to_local(record.started_at).date()]
        first.calls_in_log += 1
        first.calls_differing += not _agrees(record, seen)
        left = list(seen)
        for visit in record.visits:
            day = days[to_local(visit.entered_at).date()]
            day.visits_in_log += 1
            one = next((other for other in left if abs(_seconds(other.entered_at, visit.entered_at)) <= ROUNDING), None)
            if one is None:
                day.visits_missing += 1
                continue
            left.remove(one)
            if one.exit_class in (None, "unknown") and visit.exit_class not in (None, "unknown"):
                day.visits_unknown += 1
            elif one.exit_class != visit.exit_class:
                day.visits_wrong += 1
            waited = _seconds(visit.entered_at, visit.exited_at) - _seconds(one.entered_at, one.exited_at)
            talked = _seconds(visit.exited_at, visit.ended_at) - _seconds(one.exited_at, one.ended_at)
            day.wait_seconds_differing += abs(waited)
            day.talk_seconds_differing += abs(talked)
        for one in left:
            days[to_local(one.entered_at).date()].visits_extra += 1
    return dict(days)


def _agrees(record: CallRecord, seen: Sequence[Seen]) -> bool:
    """Whether the store tells the same visits and endings of a call."""
    return [one.exit_class for one in record.visits] == [one.exit_class for one in seen]


def _stored(session: Session, keys: Sequence[str]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = defaultdict(list)
    for start in range(0, len(keys), _CHUNK):
        rows = session.execute(
            select(Contact.external_id, QueueVisit)
            .join(QueueVisit, QueueVisit.contact_id == Contact.id)
            .where(
                Contact.channel_code == "voice",
                Contact.external_id.in_(keys[start : start + _CHUNK]),
                QueueVisit.deleted_at.is_(None),
            )
            .order_by(QueueVisit.visit_number)
        )
        for key, visit in rows:
            found[key].append(Seen(visit.entered_at, visit.exited_at, visit.exit_class, visit.ended_at))
    return found


def reconcile(
    engine: Engine, logs: Sequence[Path], *, rejected: Path, cel: Sequence[Path] = ()
) -> tuple[dict[date, Residual], ImportSummary]:
    """Compare the store with queue_log, record the residual of each day, then make the store equal to the log.

    CEL tells of the calls that queue_log has not one line of; where both speak, queue_log is right. Repeating it
    changes nothing.
    """
    events, bad = read_queue_log(logs)
    if cel:
        told = {event.call for event in events}
        more, more_bad = read_cel(cel)
        events, bad = events + [event for event in more if event.call not in told], bad | more_bad
    records = list(call_records(build_calls(events), caller_numbers(events)))
    with session_scope(engine) as session:
        residuals = compare(
            records, _stored(session, [key for one in records for key in (one.external_id, *one.absorbed)])
        )
        record_residuals(session, sorted(residuals.items()))
    paths = [*logs, *cel]
    summary = import_events(engine, (events, bad), paths, source="", rejected=rejected, kind="queue_log")
    return residuals, summary
