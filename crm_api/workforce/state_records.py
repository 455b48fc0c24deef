"""Agents' time as telephony reports it, written to the store; a later report of the same time corrects it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.workforce.models import AgentStateInterval


@dataclass(frozen=True, slots=True)
class StateRecord:
    """One state of an agent (by id), half-open, UTC; `ended_at` None: still in it."""

    agent_id: int
    state: str
    started_at: datetime
    ended_at: datetime | None
    pause_reason: str | None = None
    pause_paid: bool | None = None


def captured_states(session: Session, agent_id: int, *, since: datetime, until: datetime) -> list[StateRecord]:
    """What the store has of an agent from `since` to `until`, and the first state after it; by time."""
    present = (
        AgentStateInterval.agent_id == agent_id,
        AgentStateInterval.source == "captured",
        AgentStateInterval.deleted_at.is_(None),
    )
    by_time = select(AgentStateInterval).where(*present).order_by(AgentStateInterval.started_at)
    is_going_on = AgentStateInterval.ended_at.is_(None) | (AgentStateInterval.ended_at > since)
    rows = [*session.scalars(by_time.where(AgentStateInterval.started_at <= until, is_going_on))]
    rows += session.scalars(by_time.where(AgentStateInterval.started_at > until).limit(1))
    return [
        StateRecord(row.agent_id, row.state, row.started_at, row.ended_at, row.pause_reason, row.pause_paid)
        for row in rows
    ]


def store_states(
    session: Session, records: Iterable[StateRecord], *, window: tuple[datetime, datetime], source: str = "captured"
) -> int:
    """Make the agents' states that start within `window` what `records` say; the number of rows written.

    A state that is no longer reported gets a tombstone. The caller commits.
    """
    wanted = {(one.agent_id, one.started_at): one for one in records}
    agents = {agent for agent, _ in wanted}
    present = {
        (row.agent_id, row.started_at): row
        for row in session.scalars(
            select(AgentStateInterval).where(
                AgentStateInterval.agent_id.in_(agents),
                AgentStateInterval.source == source,
                AgentStateInterval.started_at >= window[0],
                AgentStateInterval.started_at <= window[1],
            )
        )
    }
    written = 0
    for key, one in wanted.items():
        row = present.get(key)
        if row is None:
            row = AgentStateInterval(agent_id=one.agent_id, started_at=one.started_at, source=source)
            session.add(row)
        values = {
            "state": one.state,
            "ended_at": one.ended_at,
            "pause_reason": one.pause_reason,
            "pause_paid": one.pause_paid,
            "deleted_at": None,
        }
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differing.items():
            setattr(row, name, value)
        written += bool(differing)
    for key, row in present.items():
        if key not in wanted and row.deleted_at is None:
            row.deleted_at = utc_now()
            written += 1
    session.flush()
    return written
