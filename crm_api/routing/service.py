"""Reading and writing how calls are routed."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.routing.models import AgentEndpoint, QueueRouting, TelephonyResidual
from crm_api.workforce.models import Agent, AgentQueue, Queue


@dataclass(frozen=True)
class Routing:
    """One queue with its routing; defaults where nobody chose."""

    queue: Queue
    routing: QueueRouting


@dataclass(frozen=True)
class Phone:
    """One agent's endpoint and the queues (code, skill rank) served from it."""

    agent: Agent
    endpoint: AgentEndpoint
    queues: tuple[tuple[str, int], ...]


@dataclass
class Residual:
    """How one day's live picture differed from the log (see TelephonyResidual)."""

    calls_in_log: int = 0
    calls_differing: int = 0
    visits_in_log: int = 0
    visits_missing: int = 0
    visits_extra: int = 0
    visits_unknown: int = 0
    visits_wrong: int = 0
    wait_seconds_differing: int = 0
    talk_seconds_differing: int = 0


def ensure(session: Session) -> int:
    """Give every queue a routing and every present agent an endpoint with a secret of its own; the number made."""
    queues = set(session.scalars(select(Queue.id))) - set(session.scalars(select(QueueRouting.queue_id)))
    agents = set(session.scalars(select(Agent.id).where(Agent.left_on.is_(None)))) - set(
        session.scalars(select(AgentEndpoint.agent_id))
    )
    session.add_all(QueueRouting(queue_id=key) for key in sorted(queues))
    session.add_all(AgentEndpoint(agent_id=key, secret=secrets.token_hex(16)) for key in sorted(agents))
    session.flush()
    return len(queues) + len(agents)


def list_routings(session: Session) -> list[Routing]:
    """Every queue that is not removed, by code."""
    rows = session.execute(
        select(Queue, QueueRouting)
        .join(QueueRouting, QueueRouting.queue_id == Queue.id)
        .where(Queue.deleted_at.is_(None))
        .order_by(Queue.code)
    )
    return [Routing(queue, routing) for queue, routing in rows]


def list_phones(session: Session) -> list[Phone]:
    """Every present agent's phone, by the agent's code."""
    served: dict[int, list[tuple[str, int]]] = {}
    for agent_id, code, rank in session.execute(
        select(AgentQueue.agent_id, Queue.code, AgentQueue.skill_rank)
        .join(Queue, Queue.id == AgentQueue.queue_id)
        .where(AgentQueue.deleted_at.is_(None))
        .order_by(Queue.code)
    ):
        served.setdefault(agent_id, []).append((code, rank))
    rows = session.execute(
        select(Agent, AgentEndpoint)
        .join(AgentEndpoint, AgentEndpoint.agent_id == Agent.id)
        .where(Agent.left_on.is_(None), Agent.deleted_at.is_(None))
        .order_by(Agent.code)
    )
    return [Phone(agent, endpoint, tuple(served.get(agent.id, ()))) for agent, endpoint in rows]


def record_residuals(session: Session, days: Iterable[tuple[date, Residual]]) -> None:
    """Write the residual of each day.

    The first reconciliation of a day tells how good the live picture was; a later one finds that part mended. So a
    day is written again only when its log grew, and the new differences are added to those found before.
    """
    present = {row.day: row for row in session.scalars(select(TelephonyResidual))}
    for day, residual in days:
        row = present.get(day)
        if row is not None and row.visits_in_log >= residual.visits_in_log:
            continue
        values = asdict(residual)
        if row is None:
            session.add(TelephonyResidual(day=day, reconciled_at=utc_now(), **values))
            continue
        # The part that was compared before was mended then: its differences are added to the new ones.
        for name, value in values.items():
            setattr(row, name, value if name.endswith("_in_log") else getattr(row, name) + value)
        row.reconciled_at = utc_now()
    session.flush()
