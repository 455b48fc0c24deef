"""Calls as telephony reports them, written to the store: new ones added, corrected ones updated, equal ones left alone.

The same call may be reported many times: while it lasts, after it ended, again when a log corrects it. A report is
the whole call; writing it twice changes nothing, not even a row version.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.base import Base
from crm_api.contacts.models import Call, CallSegment, Contact, QueueVisit
from crm_api.routing.outbound_models import Recording
from crm_api.tickets.models import Ticket
from crm_api.workforce.models import Agent, Queue

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One queue visit; codes of queue and agent, instants in UTC."""

    queue: str
    entered_at: datetime
    exited_at: datetime | None = None
    exit_class: str | None = None
    agent: str | None = None
    ended_at: datetime | None = None
    is_transferred: bool = False
    #: When the caller was on hold in the conversation, by time, not overlapping; end None: still.
    holds: tuple[tuple[datetime, datetime | None], ...] = ()

    @property
    def stretches(self) -> Iterator[tuple[str, datetime, datetime | None]]:
        """The answered conversation as kind (talk or hold), start and end; talk leaves out what was on hold."""
        if self.exit_class != "answered" or self.exited_at is None:
            return
        since: datetime | None = self.exited_at
        for start, end in self.holds:
            if since is not None and since < start:
                yield "talk", since, start
            yield "hold", start, end
            since = end
        # A conversation is told though it ended at once.
        if since is not None and (since != self.ended_at or not self.holds):
            yield "talk", since, self.ended_at


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, whole, with its visits in order; `external_id` is the key within the channel voice."""

    external_id: str
    started_at: datetime
    ended_at: datetime | None
    visits: tuple[VisitRecord, ...]
    caller_number: str | None = None
    called_number: str | None = None
    #: Keys of calls that turned out to be parts of this one (a consultation): they are no contacts of their own.
    absorbed: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """Answered if the last visit is; unknown while the last visit has no exit."""
        if not self.visits:
            return "ended_in_ivr" if self.ended_at else "unknown"
        last = self.visits[-1].exit_class
        if last == "answered":
            return "answered"
        return "abandoned" if last == "abandoned" else "unknown" if last in (None, "unknown") else "other"


@dataclass
class Written:
    """How many calls a writing added, changed and found equal."""

    added: int = 0
    changed: int = 0
    same: int = 0


class Directory:
    """Ids of queues and agents by code, made where a foreign log names one that the store does not know."""

    def __init__(self, session: Session, *, create: bool, calendar: str = "always") -> None:
        self._session, self._create, self._calendar = session, create, calendar
        self.queues = dict(session.execute(select(Queue.code, Queue.id)).all())
        self.agents = dict(session.execute(select(Agent.code, Agent.id)).all())

    def queue(self, code: str) -> int:
        """The queue's id. A queue is always made: a visit without its queue cannot be told."""
        if code not in self.queues:
            item = Queue(code=code, name_zh=code, name_en=code, calendar_code=self._calendar)
            self.queues[code] = self._add(item).id
        return self.queues[code]

    def agent(self, code: str | None) -> int | None:
        """The agent's id; None if unknown and not to be made."""
        if code is None or (code not in self.agents and not self._create):
            return None
        if code not in self.agents:
            self.agents[code] = self._add(Agent(code=code, name=code)).id
        return self.agents[code]

    def _add(self, item: Any) -> Any:
        self._session.add(item)
        self._session.flush()
        return item


def _update(item: Base, values: dict[str, Any]) -> bool:
    """Set what differs; whether anything did."""
    differing = {name: value for name, value in values.items() if getattr(item, name) != value}
    for name, value in differing.items():
        setattr(item, name, value)
    return bool(differing)


def _visit_values(record: VisitRecord, directory: Directory) -> dict[str, Any]:
    return {
        "queue_id": directory.queue(record.queue),
        "entered_at": record.entered_at,
        "exited_at": record.exited_at,
        "exit_class": record.exit_class,
        "agent_id": directory.agent(record.agent),
        "ended_at": record.ended_at,
        "is_transferred": record.is_transferred,
    }


def _segments(record: CallRecord, visit_ids: Sequence[int], directory: Directory) -> list[dict[str, Any]]:
    """What was talked and held; waits are visits already."""
    return [
        {
            "kind": kind,
            "visit_id": visit_id,
            "agent_id": directory.agent(visit.agent),
            "started_at": started_at,
            "ended_at": ended_at,
        }
        for visit, visit_id in zip(record.visits, visit_ids, strict=True)
        for kind, started_at, ended_at in visit.stretches
    ]


class _Chunk:
    """Some calls being written, table by table, so that each table is flushed once."""

    def __init__(self, session: Session, directory: Directory, source: str, records: Sequence[CallRecord]) -> None:
        self.session, self.directory, self.source, self.records = session, directory, source, records
        self.changed: set[str] = set()
        self.through_ivr: set[int] = set()

    def write(self, written: Written) -> None:
        keys = [record.external_id for record in self.records]
        found = self._rows(Contact, Contact.external_id, keys, Contact.channel_code == "voice")
        contacts = {contact.external_id: contact for contact in found}
        known = set(contacts)
        ids = [contact.id for contact in found]
        by_ivr = select(Call.contact_id).where(Call.contact_id.in_(ids), Call.ivr_seconds > 0)
        self.through_ivr = set(self.session.scalars(by_ivr))
        for record in self.records:
            contact = contacts.setdefault(
                record.external_id,
                Contact(channel_code="voice", external_id=record.external_id, source=self.source),
            )
            values = self._contact_values(record) | {"started_at": self._start(record, contact)}
            self._put(record, contact, values)
        self.session.flush()
        calls = self._write_calls(contacts)
        visits = self._write_visits(contacts)
        self._write_segments(calls, visits)
        self._absorb(contacts)
        self.session.flush()
        written.added += len(contacts) - len(known)
        written.changed += len(known & self.changed)
        written.same += len(known - self.changed)

    def _rows(self, model: Any, column: Any, ids: Sequence[Any], *conditions: Any) -> list[Any]:
        return list(self.session.scalars(select(model).where(column.in_(ids), *conditions).order_by(model.id)))

    def _put(self, record: CallRecord, row: Base, values: dict[str, Any]) -> None:
        if _update(row, values):
            self.changed.add(record.external_id)
        self.session.add(row)

    def _start(self, record: CallRecord, row: Contact | Call) -> datetime:
        """When the call began: a queue's events do not know of the IVR before it."""
        key = row.id if isinstance(row, Contact) else row.contact_id
        return min(row.started_at, record.started_at) if key in self.through_ivr else record.started_at

    def _contact_values(self, record: CallRecord) -> dict[str, Any]:
        answered = [one for one in record.visits if one.exit_class == "answered"]
        values: dict[str, Any] = {
            "ended_at": record.ended_at,
            "outcome": record.outcome,
            "deleted_at": None,
            "agent_id": self.directory.agent(answered[-1].agent) if answered else None,
        }
        return values | ({"remote_address": record.caller_number} if record.caller_number else {})

    def _write_calls(self, contacts: dict[str, Contact]) -> dict[str, Call]:
        of_contact = {
            one.contact_id: one for one in self._rows(Call, Call.contact_id, [c.id for c in contacts.values()])
        }
        calls = {}
        for record in self.records:
            contact_id = contacts[record.external_id].id
            call = calls[record.external_id] = of_contact.get(contact_id) or Call(contact_id=contact_id)
            values: dict[str, Any] = {"started_at": self._start(record, call), "ended_at": record.ended_at}
            values["deleted_at"] = None
            self._put(record, call, values | ({"called_number": record.called_number} if record.called_number else {}))
        self.session.flush()
        return calls

    def _write_visits(self, contacts: dict[str, Contact]) -> dict[str, list[QueueVisit]]:
        present: dict[int, list[QueueVisit]] = defaultdict(list)
        for row in self._rows(QueueVisit, QueueVisit.contact_id, [c.id for c in contacts.values()]):
            present[row.contact_id].append(row)
        visits = {}
        for record in self.records:
            contact_id = contacts[record.external_id].id
            rows = sorted(present[contact_id], key=lambda row: row.visit_number)
            wanted = [_visit_values(one, self.directory) for one in record.visits]
            make = partial(QueueVisit, contact_id=contact_id)
            visits[record.external_id] = self._match(record, rows, wanted, make, "visit_number")
        self.session.flush()
        return visits

    def _write_segments(self, calls: dict[str, Call], visits: dict[str, list[QueueVisit]]) -> None:
        present: dict[int, list[CallSegment]] = defaultdict(list)
        # What the IVR wrote is not the queue's to change.
        from_queues = CallSegment.kind != "ivr"
        for row in self._rows(CallSegment, CallSegment.call_id, [one.id for one in calls.values()], from_queues):
            present[row.call_id].append(row)
        for record in self.records:
            call_id = calls[record.external_id].id
            rows = sorted(present[call_id], key=lambda row: row.segment_number)
            wanted = _segments(record, [row.id for row in visits[record.external_id]], self.directory)
            self._match(record, rows, wanted, partial(CallSegment, call_id=call_id), "segment_number")

    def _absorb(self, contacts: dict[str, Contact]) -> None:
        """Parts that were told as calls of their own before get a tombstone; what hangs on them moves to the whole."""
        whole = {part: record for record in self.records for part in record.absorbed}
        if not whole:
            return
        parts = self._rows(Contact, Contact.external_id, list(whole), Contact.channel_code == "voice")
        for part in [one for one in parts if one.deleted_at is None]:
            record, now = whole[str(part.external_id)], utc_now()
            for moved in (Ticket, Recording):
                same = update(moved).where(moved.contact_id == part.id)
                self.session.execute(same.values(contact_id=contacts[record.external_id].id))
            of_part = select(Call.id).where(Call.contact_id == part.id)
            for gone in (
                update(QueueVisit).where(QueueVisit.contact_id == part.id),
                update(CallSegment).where(CallSegment.call_id.in_(of_part)),
                update(Call).where(Call.contact_id == part.id),
            ):
                self.session.execute(gone.values(deleted_at=now))
            self._put(record, part, {"deleted_at": now})

    def _match(
        self,
        record: CallRecord,
        rows: list[Any],
        wanted: list[dict[str, Any]],
        make: Callable[..., Any],
        numbered_by: str,
    ) -> list[Any]:
        """Rows 1, 2, … as wanted; what is no longer reported gets a tombstone."""
        matched = []
        for number, values in enumerate(wanted, start=1):
            row = rows[number - 1] if number <= len(rows) else make(**{numbered_by: number})
            self._put(record, row, values | {"deleted_at": None})
            matched.append(row)
        for row in rows[len(wanted) :]:
            if row.deleted_at is None:
                self._put(record, row, {"deleted_at": utc_now()})
        return matched


def store_calls(
    session: Session, records: Iterable[CallRecord], *, directory: Directory, source: str = "captured"
) -> Written:
    """Write calls; the caller commits.

    Args:
        records: whole calls, each external id once.
        source: where a new contact comes from; "captured" for what this system saw itself.
    """
    written = Written()
    for chunk in batched(records, _CHUNK):
        _Chunk(session, directory, source, chunk).write(written)
    return written


def batched(records: Iterable[CallRecord], size: int) -> Iterator[list[CallRecord]]:
    """Lists of at most `size` records."""
    chunk: list[CallRecord] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
