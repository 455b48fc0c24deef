"""What a supervisor does to a call or an agent: every act is in the audit log, in the same transaction as the order."""

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.audit.service import Origin, record
from crm_api.errors import InvalidError, NotFoundError
from crm_api.identity.sessions import Identity
from crm_api.routing import phones
from crm_api.workforce.models import Agent

Mode = Literal["listen", "whisper", "barge"]
MODES: tuple[Mode, ...] = ("listen", "whisper", "barge")


def join(session: Session, *, identity: Identity, code: str, mode: str, origin: Origin) -> str:
    """Join an agent's call from one's own phone: unheard, heard by the agent only, or by both; the order's key.

    Raises:
        NotFoundError: no such agent, or the supervisor has no phone.
        TelephonyAwayError: nobody would hear the order.
    """
    if mode not in MODES:
        raise InvalidError(f"mode is {mode!r}.", f"It is one of {', '.join(MODES)}.")
    own = phones.own_phone(session, identity.user_id)
    agent = _agent(session, code)
    if agent.id == own.agent.id:
        raise InvalidError("This is your own phone.", "Choose another agent.")
    key = phones.order(session, by=identity.actor.username, action=mode, agent=agent.code, supervisor=own.agent.code)
    subject = ("agent", agent.id)
    record(session, "call.supervised", actor=identity.actor, subject=subject, origin=origin, mode=mode)
    return key


def force_pause(session: Session, *, identity: Identity, code: str, reason: str | None, origin: Origin) -> str:
    """Pause an agent, whose call in progress goes on; the order's key. Raises as `join`."""
    if not reason or len(reason) < 2:
        raise InvalidError("The reason is missing.", "Say why the agent is paused.")
    agent = _agent(session, code)
    by = identity.actor.username
    key = phones.order(session, by=by, action="state", agent=agent.code, state="pause", reason="supervisor")
    record(session, "agent.paused", actor=identity.actor, subject=("agent", agent.id), reason=reason, origin=origin)
    return key


def _agent(session: Session, code: str) -> Agent:
    agent = session.scalars(select(Agent).where(Agent.code == code, Agent.left_on.is_(None))).one_or_none()
    if agent is None:
        raise NotFoundError(f"There is no agent {code!r}.", "See who is there: GET /api/v1/telephony/agents.")
    return agent
