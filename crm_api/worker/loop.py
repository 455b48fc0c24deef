"""The worker's rounds: each job in batches, each batch in a transaction of its own.

Several workers may run on one store: PostgreSQL's locked rows are left to whoever holds them, SQLite lets one write at
a time. A worker that is killed leaves what it had not committed to the next round of any other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from sqlalchemy import Engine, Select, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import session_scope
from core.time import utc_now
from crm_api.bus.models import OutboxMessage
from crm_api.bus.service import KEEP, sweep
from crm_api.sla.escalation import escalate
from crm_api.sla.models import SlaChange
from crm_api.sla.upkeep import adopt_open, recompute_next, resume_due
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import ENDED_STATES, Ticket
from crm_api.worker.patience import Patience

#: Tickets of one transaction: small, so that little is lost or held when a worker dies.
BATCH = 20


@dataclass
class Done:
    """What the worker did, by job."""

    adopted: int = 0
    resumed: int = 0
    escalations: int = 0
    recomputed: int = 0
    swept: int = 0
    retries: int = field(default=0, metadata={"doc": "Batches that the database refused for the moment"})
    refused: str = field(default="", metadata={"doc": "What it said"})

    @property
    def any(self) -> bool:
        """Whether it did anything."""
        return any((self.adopted, self.resumed, self.escalations, self.recomputed))


def _waiting(session: Session, statement: Select[int]) -> bool:
    """Whether a job has anything to do; asked before SQLite's one writer is held."""
    return session.scalar(statement.limit(1)) is not None


def _adopt(session: Session, done: Done) -> bool:
    loaded = (
        select(Ticket.id)
        .outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(TicketWork.ticket_id.is_(None), Ticket.state.not_in(ENDED_STATES), Ticket.source == "captured")
    )
    taken = adopt_open(session, limit=BATCH) if _waiting(session, loaded) else 0
    done.adopted += taken
    return taken > 0


def _resume(session: Session, done: Done) -> bool:
    ended = select(TicketWork.ticket_id).where(TicketWork.pending_until <= utc_now())
    taken = resume_due(session, limit=BATCH) if _waiting(session, ended) else 0
    done.resumed += taken
    return taken > 0


def _escalate(session: Session, done: Done) -> bool:
    owed = select(TicketWork.ticket_id).where(TicketWork.next_step_at <= utc_now())
    if not _waiting(session, owed):
        return False
    found = escalate(session, limit=BATCH)
    done.escalations += found.sent
    return found.looked_at > 0


def _recompute(session: Session, done: Done) -> bool:
    announced = select(SlaChange.id).where(SlaChange.done_at.is_(None))
    looked_at = recompute_next(session, limit=BATCH) if _waiting(session, announced) else 0
    done.recomputed += looked_at
    return looked_at > 0


def _sweep(session: Session, done: Done) -> bool:
    old = select(OutboxMessage.id).where(OutboxMessage.created_at < utc_now() - KEEP)
    if _waiting(session, old):
        done.swept += sweep(session)
    return False


_JOBS: tuple[Callable[[Session, Done], bool], ...] = (_adopt, _resume, _recompute, _escalate, _sweep)


def work_round(engine: Engine, *, stop: Event | None = None) -> Done:
    """Do whatever is due now, job after job, until nothing is left or `stop` is set."""
    done = Done()
    for job in _JOBS:
        more = True
        while more and not (stop and stop.is_set()):
            try:
                with session_scope(engine) as session:
                    more = job(session, done)
            except OperationalError as error:
                # Locked, deadlocked or restarting: the batch rolled back whole, the next round takes it up.
                done.retries += 1
                done.refused = str(error.orig)
                more = False
    return done


def work(engine: Engine, *, interval: float, stop: Event, report: Callable[[Done], None]) -> None:
    """Rounds every `interval` seconds until `stop` is set; `report` hears of each that did something."""
    patience = Patience("worker", interval)
    while not stop.is_set():
        began = monotonic()
        done = work_round(engine, stop=stop)
        if done.retries == len(_JOBS):
            patience.failed(done.refused)
        else:
            patience.worked()
        if done.any or (done.retries and not patience.is_away):
            report(done)
        patience.wait(stop, monotonic() - began)
