"""An agent's phone: whose it is, what state they ask for, what telephony is told to do, who rings at whose desk.

Orders go over the live bus to the process that holds the manager connection, which tells over the bus how they went.
An order that nobody takes is lost, as a key press on a dead phone is: so it is refused while telephony is not there.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.bus.service import publish
from crm_api.customers.masking import mask_number
from crm_api.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from crm_api.identity.models import User
from crm_api.identity.sessions import Identity
from crm_api.routing.models import AgentEndpoint, TelephonySign
from crm_api.workforce.models import Agent, AgentQueue, AgentStateInterval, Queue

#: Topics of the bus: what telephony is to do, and how that went.
ORDER, DONE = "phone_order", "phone"
#: Why an agent pauses -> whether the pause is paid.
PAUSE_REASONS: dict[str, bool] = {
    "rest": True,
    "lunch": False,
    "paperwork": True,
    "training": True,
    "briefing": True,
    "supervisor": True,
}
#: Telephony signs every second or so; without a sign for so long nobody knows how things stand.
THERE_FOR = timedelta(seconds=8)
#: A state older than a shift is one whose end was missed.
_SHIFT = timedelta(hours=16)

Wish = Literal["available", "pause", "logged_out"]


class TelephonyAwayError(RefusedError):
    """The process that speaks with the PBX is not running, or the PBX does not answer it."""

    status = 503
    slug = "telephony-away"


@dataclass(frozen=True)
class OwnPhone:
    """An agent, their endpoint and the queues that they serve (codes)."""

    agent: Agent
    endpoint: AgentEndpoint
    queues: tuple[str, ...]


def phone_of(session: Session, user_id: int) -> OwnPhone | None:
    """The phone of a user who is a present agent; None for everybody else."""
    row = session.execute(
        select(Agent, AgentEndpoint)
        .join(AgentEndpoint, AgentEndpoint.agent_id == Agent.id)
        .join(User, User.agent_id == Agent.id)
        .where(User.id == user_id, Agent.left_on.is_(None), Agent.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    served = session.scalars(
        select(Queue.code)
        .join(AgentQueue, AgentQueue.queue_id == Queue.id)
        .where(AgentQueue.agent_id == row[0].id, AgentQueue.deleted_at.is_(None), Queue.deleted_at.is_(None))
        .order_by(Queue.code)
    )
    return OwnPhone(row[0], row[1], tuple(served))


def own_phone(session: Session, user_id: int) -> OwnPhone:
    """The same; NotFoundError for somebody without a phone."""
    found = phone_of(session, user_id)
    if found is None:
        raise NotFoundError("You have no phone.", "Give one with: crm telephony phone USERNAME")
    return found


def sign(session: Session, *, now: datetime | None = None) -> None:
    """Telephony says that it is there."""
    row = session.get(TelephonySign, 1) or TelephonySign(id=1)
    row.seen_at = now or utc_now()
    session.add(row)


def is_there(session: Session, *, now: datetime | None = None) -> bool:
    """Whether telephony is connected to the PBX, as far as its last sign tells."""
    row = session.get(TelephonySign, 1)
    return row is not None and (now or utc_now()) - row.seen_at < THERE_FOR


def state_of(session: Session, agent_id: int, *, now: datetime | None = None) -> AgentStateInterval | None:
    """The state that an agent is in; None: logged out, or not known."""
    return session.scalars(
        select(AgentStateInterval)
        .where(
            AgentStateInterval.agent_id == agent_id,
            AgentStateInterval.ended_at.is_(None),
            AgentStateInterval.deleted_at.is_(None),
            AgentStateInterval.started_at > (now or utc_now()) - _SHIFT,
        )
        .order_by(AgentStateInterval.started_at.desc())
        .limit(1)
    ).one_or_none()


def check_wish(wish: str, reason: str | None) -> None:
    """InvalidError if a pause has no reason that we know, or something else has one."""
    if wish == "pause" and reason not in PAUSE_REASONS:
        raise InvalidError(f"reason is {reason!r}.", f"It is one of {', '.join(PAUSE_REASONS)}.")
    if wish != "pause" and reason is not None:
        raise InvalidError(f"reason is {reason!r} with the state {wish!r}.", "Only a pause has a reason.")


def order(session: Session, *, by: str, action: str, now: datetime | None = None, **details: Any) -> str:
    """Tell telephony to do something; the order's key, by which the bus tells how it went.

    Raises:
        TelephonyAwayError: nobody would hear it.
    """
    if not is_there(session, now=now):
        raise TelephonyAwayError("Telephony does not answer.", "Calls go on; try again, or tell the operator.")
    key = uuid4().hex
    publish(session, topic=ORDER, payload={"key": key, "username": by, "action": action} | details, now=now)
    return key


def call(session: Session, *, identity: Identity, number: str, subject: tuple[str, object], origin: Origin) -> str:
    """Call a number from one's own phone, which rings first; audited. The order's key.

    Args:
        number: E.164, or as the exchange takes it; the browser sees it masked.
        subject: (type, id) of what the call is about.

    Raises:
        NotFoundError: the caller has no phone.
        TelephonyAwayError: nobody would hear the order.
    """
    phone = own_phone(session, identity.user_id)
    shown = mask_number(number)
    by = identity.actor.username
    key = order(session, by=by, action="dial", agent=phone.agent.code, number=number, shown=shown)
    record(session, "phone.dialled", actor=identity.actor, subject=subject, origin=origin, agent=phone.agent.code)
    return key


def tell_done(session: Session, *, told: dict[str, Any], problem: str | None) -> None:
    """Telephony's answer to an order, for whoever gave it."""
    answer = {"username": told["username"], "key": told["key"], "action": told["action"], "problem": problem}
    publish(session, topic=DONE, payload=answer)


def announce(
    session: Session,
    *,
    username: str,
    number: str,
    contact_id: int | None = None,
    call: str | None = None,
    queue: str | None = None,
    priority: int | None = None,
    path: str | None = None,
) -> None:
    """Show at a desk who calls: `call` is the contact's external id, `path` what was chosen in the IVR."""
    told = {
        "username": username,
        "number": number,
        "contact_id": contact_id,
        "call": call,
        "queue": queue,
        "priority": priority,
        "path": path,
    }
    publish(session, topic="screen_pop", payload={name: value for name, value in told.items() if value is not None})


def queues_of(session: Session, agent_code: str) -> list[tuple[str, int]]:
    """The queues (code, skill rank) that a present agent serves."""
    rows = session.execute(
        select(Queue.code, AgentQueue.skill_rank)
        .join(AgentQueue, AgentQueue.queue_id == Queue.id)
        .join(Agent, Agent.id == AgentQueue.agent_id)
        .where(
            Agent.code == agent_code,
            Agent.left_on.is_(None),
            AgentQueue.deleted_at.is_(None),
            Queue.deleted_at.is_(None),
        )
        .order_by(Queue.code)
    )
    return [(row[0], row[1]) for row in rows]


def users_of(session: Session, agent_codes: set[str]) -> dict[str, str]:
    """Agent's code -> user name, of those who are active."""
    rows = session.execute(
        select(Agent.code, User.username)
        .join(User, User.agent_id == Agent.id)
        .where(Agent.code.in_(agent_codes), User.is_active)
    )
    return dict(rows.all())


def assign(
    session: Session, *, username: str, agent_code: str | None = None, kind: str = "webrtc", queues: Sequence[str] = ()
) -> OwnPhone:
    """Make a user an agent with a phone of their own; repeating it changes only what differs.

    Args:
        agent_code: the agent's record; None: the one they have, else a new one.
        kind: webrtc (in the browser) or sip (on the desk).
        queues: codes of the queues to serve; empty: those served already, else every one that is not removed.

    Raises:
        NotFoundError: no such user, or no such queue.
        ConflictError: the agent's record is another user's.
    """
    user = session.scalars(select(User).where(User.username == username.lower(), User.is_active)).one_or_none()
    if user is None:
        raise NotFoundError(f"There is no user {username!r}.", "See them with: crm users list")
    agent = _agent_for(session, user, agent_code)
    endpoint = session.get(AgentEndpoint, agent.id)
    if endpoint is None:
        endpoint = AgentEndpoint(agent_id=agent.id, secret=secrets.token_hex(16))
        session.add(endpoint)
    endpoint.kind = kind
    _serve(session, agent, queues)
    session.flush()
    return own_phone(session, user.id)


def _agent_for(session: Session, user: User, code: str | None) -> Agent:
    agent = session.get(Agent, user.agent_id) if user.agent_id and code is None else None
    if agent is None:
        wanted = code or f"{7000 + user.id}"
        agent = session.scalars(select(Agent).where(Agent.code == wanted)).one_or_none()
        if agent is None:
            agent = Agent(code=wanted, name=user.display_name, unit_id=user.unit_id)
            session.add(agent)
            session.flush()
    other = session.scalar(select(User.username).where(User.agent_id == agent.id, User.id != user.id))
    if other is not None:
        raise ConflictError(f"Agent {agent.code} is {other}'s.", "Name another agent.")
    user.agent_id = agent.id
    return agent


def _serve(session: Session, agent: Agent, codes: Sequence[str]) -> None:
    served = {row.queue_id: row for row in session.scalars(select(AgentQueue).where(AgentQueue.agent_id == agent.id))}
    if served and not codes:
        return
    known = {row.code: row.id for row in session.scalars(select(Queue).where(Queue.deleted_at.is_(None)))}
    if not known and not codes:
        general = Queue(code="general", name_zh="综合", name_en="General", calendar_code="always")
        session.add(general)
        session.flush()
        known = {general.code: general.id}
    for code in codes or sorted(known):
        if code not in known:
            raise NotFoundError(f"There is no queue {code!r}.", f"There are: {', '.join(sorted(known))}.")
        row = served.get(known[code])
        if row is None:
            session.add(AgentQueue(agent_id=agent.id, queue_id=known[code]))
        else:
            row.deleted_at = None
