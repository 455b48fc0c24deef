"""Remarks on a ticket, for colleagues or for the customer; the first answer to a written contact stops a clock."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Actor
from core.time import utc_now
from crm_api.contacts.models import Channel
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.exchange.outgoing import sms
from crm_api.tickets.access import find, hold
from crm_api.tickets.history import Step, record
from crm_api.tickets.loop_models import COMMENT_AUDIENCES, TicketComment

_LONGEST = 20_000
_HUMANS = PROVINCIAL_ROLES | BRANCH_ROLES | {"agent"}


def comments(session: Session, *, actor: Actor, ticket_id: int) -> list[TicketComment]:
    """The remarks on a ticket, oldest first."""
    find(session, actor=actor, ticket_id=ticket_id)
    statement = select(TicketComment).where(TicketComment.ticket_id == ticket_id).order_by(TicketComment.id)
    return list(session.scalars(statement))


def comment(
    session: Session,
    *,
    actor: Actor,
    ticket_id: int,
    body: str,
    audience: str = "internal",
    now: datetime | None = None,
) -> TicketComment:
    """Remark on a ticket that one sees.

    A remark for the customer, by a person, is the first response to a contact that came in writing; what was
    answered once stays answered.
    """
    at = now or utc_now()
    if actor.role not in _HUMANS | {"system"}:
        raise NotAllowedError(f"{actor.role} comments no tickets.")
    if audience not in COMMENT_AUDIENCES:
        raise InvalidError(f"audience is {audience!r}.", f"It is one of: {', '.join(COMMENT_AUDIENCES)}.")
    if not body.strip() or len(body) > _LONGEST or "\x00" in body:
        raise InvalidError(f"The comment is empty or longer than {_LONGEST} characters.")
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    made = TicketComment(
        ticket_id=ticket_id,
        audience=audience,
        body=body,
        author=actor.username,
        unit_id=actor.unit_id,
        created_at=at,
    )
    session.add(made)
    written = session.get_one(Channel, ticket.channel_code).is_written
    if written and audience == "customer" and actor.role in _HUMANS and ticket.first_response_at is None:
        step = Step("responded", "respond", ticket.state)
        record(session, actor=actor, ticket=ticket, work=work, step=step, changes={}, now=at)
    session.flush()
    if audience == "customer":
        sms(session, ticket=ticket, message_id=f"comment-{made.id}", key="comment", text=body)
    return made
