"""How the queues stand now; what is not known is None, never a guess."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.settings import get_settings
from core.time import LOCAL, require_aware, to_local, utc_now
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.dialect import seconds_between
from crm_api.routing.phones import is_there
from crm_api.workforce.models import Agent, AgentQueue, AgentStateInterval, Queue

#: Longer than a shift or a call nobody works or waits: an end was missed.
_LONGEST = timedelta(hours=16)


@dataclass(frozen=True)
class QueueFigures:
    """One queue; seconds; the service level is answered within T of offered today (core/kpi.yml sl_negative)."""

    code: str
    name_zh: str
    name_en: str
    is_priority: bool
    waiting: int | None
    longest_wait_seconds: int | None
    offered_today: int | None
    answered_today: int | None
    abandoned_today: int | None
    service_level_today: float | None
    agents_available: int | None


@dataclass(frozen=True)
class Figures:
    """Every queue and the sums; `is_known` False: telephony is not there, nobody knows how things stand."""

    at: datetime
    is_known: bool
    waiting: int | None
    longest_wait_seconds: int | None
    offered_today: int | None
    answered_today: int | None
    abandoned_today: int | None
    service_level_today: float | None
    agents_by_state: dict[str, int] | None
    queues: list[QueueFigures] = field(default_factory=list)


@dataclass(frozen=True)
class AgentNow:
    """One agent who is logged in."""

    code: str
    name: str
    state: str
    since: datetime
    pause_reason: str | None


@dataclass
class _Sum:
    waiting: int = 0
    longest: int = 0
    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0

    def add(self, other: "_Sum") -> None:
        self.longest = max(self.longest, other.longest)
        for name in ("waiting", "offered", "answered", "in_time", "abandoned"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def told(self) -> dict[str, Any]:
        return {
            "waiting": self.waiting,
            "longest_wait_seconds": self.longest if self.waiting else None,
            "offered_today": self.offered,
            "answered_today": self.answered,
            "abandoned_today": self.abandoned,
            "service_level_today": self.in_time / self.offered if self.offered else None,
        }


_UNKNOWN: dict[str, Any] = dict.fromkeys(_Sum().told())


def figures(session: Session, *, now: datetime | None = None) -> Figures:
    """How the queues and agents stand at `now`."""
    now = now or utc_now()
    known = is_there(session, now=now)
    queues = list(session.scalars(select(Queue).where(Queue.deleted_at.is_(None)).order_by(Queue.code)))
    sums = _sums(session, now) if known else {}
    free = _free(session, now) if known else None
    total = _Sum()
    for one in sums.values():
        total.add(one)
    states = Counter(agent.state for agent in agents_now(session, now=now)) if known else None
    return Figures(
        at=now,
        is_known=known,
        agents_by_state=dict(states) if states is not None else None,
        queues=[
            QueueFigures(
                code=queue.code,
                name_zh=queue.name_zh,
                name_en=queue.name_en,
                is_priority=queue.is_priority,
                agents_available=None if free is None else free.get(queue.id, 0),
                **(sums.get(queue.id, _Sum()).told() if known else _UNKNOWN),
            )
            for queue in queues
        ],
        **(total.told() if known else _UNKNOWN),
    )


def _sums(session: Session, now: datetime) -> dict[int, _Sum]:
    today = require_aware(datetime.combine(to_local(now).date(), time(), LOCAL))
    wait = seconds_between(session, QueueVisit.entered_at, QueueVisit.exited_at)
    in_time = (QueueVisit.exit_class == "answered") & (wait <= get_settings().service_level_seconds)

    def number(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    found: dict[int, _Sum] = defaultdict(_Sum)
    rows = session.execute(
        select(
            QueueVisit.queue_id,
            func.count(),
            number(QueueVisit.exit_class == "answered"),
            number(in_time),
            number(QueueVisit.exit_class == "abandoned"),
        )
        .join(Contact, Contact.id == QueueVisit.contact_id)
        .where(
            QueueVisit.entered_at >= today,
            QueueVisit.entered_at <= now,
            QueueVisit.deleted_at.is_(None),
            Contact.source == "captured",
        )
        .group_by(QueueVisit.queue_id)
    )
    for row in rows:
        found[row[0]] = _Sum(offered=row[1], answered=row[2], in_time=row[3], abandoned=row[4])
    waiting = session.execute(
        select(QueueVisit.queue_id, func.count(), func.min(QueueVisit.entered_at))
        .where(
            QueueVisit.exited_at.is_(None),
            QueueVisit.deleted_at.is_(None),
            QueueVisit.entered_at.between(now - _LONGEST, now),
        )
        .group_by(QueueVisit.queue_id)
    )
    for queue_id, count, oldest in waiting:
        found[queue_id].waiting = count
        found[queue_id].longest = int((now - oldest).total_seconds())
    return found


def _present(now: datetime) -> tuple[Any, ...]:
    return (
        AgentStateInterval.ended_at.is_(None),
        AgentStateInterval.deleted_at.is_(None),
        AgentStateInterval.started_at.between(now - _LONGEST, now),
    )


def _free(session: Session, now: datetime) -> dict[int, int]:
    """Queue -> its agents who could take a call."""
    rows = session.execute(
        select(AgentQueue.queue_id, func.count())
        .join(AgentStateInterval, AgentStateInterval.agent_id == AgentQueue.agent_id)
        .where(AgentQueue.deleted_at.is_(None), AgentStateInterval.state == "available", *_present(now))
        .group_by(AgentQueue.queue_id)
    )
    return dict(rows.all())


def agents_now(session: Session, *, now: datetime | None = None) -> list[AgentNow]:
    """Everybody who is logged in, by code; empty while telephony is not there."""
    now = now or utc_now()
    if not is_there(session, now=now):
        return []
    rows = session.execute(
        select(Agent, AgentStateInterval)
        .join(AgentStateInterval, AgentStateInterval.agent_id == Agent.id)
        .where(*_present(now))
        .order_by(Agent.code, AgentStateInterval.started_at)
    )
    newest = {agent.code: (agent, state) for agent, state in rows}
    return [
        AgentNow(agent.code, agent.name, state.state, state.started_at, state.pause_reason)
        for agent, state in newest.values()
    ]
