"""Holds that were seen live and that a log, which knows none, must not take away."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.contacts.call_records import CallRecord, VisitRecord, batched
from crm_api.contacts.models import Call, CallSegment, Contact
from crm_api.workforce.models import Agent

_CHUNK = 500
#: Clocks of the log and of the live stream are rounded to seconds on either side.
_ROUNDING = timedelta(seconds=2)

_Hold = tuple[str | None, datetime, datetime | None]


def with_stored_holds(session: Session, records: Iterable[CallRecord]) -> Iterator[CallRecord]:
    """The records; conversations without a hold get those that the store has of them, cut at their ends."""
    for chunk in batched(records, _CHUNK):
        stored = _stored(session, [key for one in chunk for key in (one.external_id, *one.absorbed)])
        for record in chunk:
            holds = sorted(
                (hold for key in (record.external_id, *record.absorbed) for hold in stored.get(key, ())),
                key=lambda hold: hold[1],
            )
            visits = tuple(one if one.holds else replace(one, holds=_of_visit(one, holds)) for one in record.visits)
            yield replace(record, visits=visits) if holds else record


def _stored(session: Session, keys: list[str]) -> dict[str, list[_Hold]]:
    found: dict[str, list[_Hold]] = defaultdict(list)
    for start in range(0, len(keys), _CHUNK):
        rows = session.execute(
            select(Contact.external_id, Agent.code, CallSegment.started_at, CallSegment.ended_at)
            .join(Call, Call.contact_id == Contact.id)
            .join(CallSegment, CallSegment.call_id == Call.id)
            .outerjoin(Agent, Agent.id == CallSegment.agent_id)
            .where(
                Contact.channel_code == "voice",
                Contact.external_id.in_(keys[start : start + _CHUNK]),
                CallSegment.kind == "hold",
                CallSegment.deleted_at.is_(None),
            )
        )
        for key, agent, started_at, ended_at in rows:
            found[str(key)].append((agent, started_at, ended_at))
    return found


def _of_visit(visit: VisitRecord, holds: Iterable[_Hold]) -> tuple[tuple[datetime, datetime | None], ...]:
    answered, ended = visit.exited_at, visit.ended_at
    if visit.exit_class != "answered" or answered is None:
        return ()
    found: list[tuple[datetime, datetime | None]] = []
    for agent, start, end in holds:
        if agent != visit.agent or start < answered - _ROUNDING or (ended and start >= ended):
            continue
        start = max(start, answered)
        end = min(filter(None, (end, ended)), default=None)
        if end is None or end > start:
            found.append((start, end))
    return tuple(found)
