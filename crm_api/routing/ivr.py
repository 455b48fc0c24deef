"""What the IVR writes: the caller's way through it, a callback asked for, an answer to the survey."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.contacts.models import Call, CallSegment, Contact, SurveyAnswer
from crm_api.contacts.service import ContactPayload, receive
from crm_api.dialect import insert_if_absent
from crm_api.errors import InvalidError
from crm_api.organisation.models import OrgUnit
from crm_api.routing.outbound_models import IvrStep, OutboundCall
from crm_api.workforce.models import Queue

#: The number of the IVR's segment: before the first talk, which is 1.
IVR_SEGMENT = 0


@dataclass(frozen=True)
class Step:
    """One step of the way: the node, what was chosen there, when."""

    node: str
    choice: str | None
    at: datetime


def telephony_actor(session: Session) -> Actor:
    """The platform itself, acting for the province on the telephone."""
    province = session.scalars(select(OrgUnit).where(OrgUnit.parent_id.is_(None)).order_by(OrgUnit.id)).first()
    if province is None:
        raise InvalidError("The store has no province.", "Run: crm init")
    return Actor(username="telephony", role="system", unit_id=province.id, unit_kind="province")


def record_path(
    session: Session,
    *,
    external_id: str,
    number: str,
    called: str,
    customer_id: int | None,
    started_at: datetime,
    left_at: datetime,
    steps: Sequence[Step],
    service_type: str | None = None,
    is_self_served: bool = False,
    is_over: bool = False,
) -> Contact:
    """Write a caller's way through the IVR to the call's contact, made if it is not there yet; repeatable.

    Args:
        external_id: the call's key within the channel voice.
        left_at: when the caller left the IVR, for a queue or for good (`is_over`).
    """
    actor = telephony_actor(session)
    payload = ContactPayload(
        started_at=started_at,
        ended_at=left_at if is_over else None,
        outcome="ended_in_ivr" if is_over else "unknown",
        remote_address=number or None,
        customer_id=customer_id,
        service_type_code=service_type,
    )
    contact = receive(session, channel="voice", external_id=external_id, payload=payload, actor=actor).contact
    contact.started_at = min(contact.started_at, started_at)
    contact.customer_id = contact.customer_id or customer_id
    contact.service_type_code = contact.service_type_code or service_type
    contact.is_self_served = contact.is_self_served or is_self_served
    call = session.scalars(select(Call).where(Call.contact_id == contact.id)).one_or_none()
    if call is None:
        call = Call(contact_id=contact.id, started_at=started_at, ended_at=contact.ended_at)
        session.add(call)
    call.started_at = min(call.started_at, started_at)
    call.called_number = call.called_number or called[:20] or None
    call.ivr_seconds = max((left_at - started_at).total_seconds(), 0.001)
    session.flush()
    insert_if_absent(
        session,
        CallSegment,
        {
            "call_id": call.id,
            "segment_number": IVR_SEGMENT,
            "kind": "ivr",
            "started_at": started_at,
            "ended_at": max(left_at, started_at),
        },
    )
    for number_of, step in enumerate(steps, start=1):
        values = {"node": step.node[:60], "choice": step.choice and step.choice[:60], "occurred_at": step.at}
        insert_if_absent(session, IvrStep, {"contact_id": contact.id, "step_number": number_of, **values})
    return contact


def path_of(session: Session, contact_id: int) -> list[Step]:
    """The caller's way through the IVR, first step first; empty if there was none."""
    rows = session.scalars(
        select(IvrStep)
        .where(IvrStep.contact_id == contact_id, IvrStep.deleted_at.is_(None))
        .order_by(IvrStep.step_number)
    )
    return [Step(row.node, row.choice, row.occurred_at) for row in rows]


def request_callback(
    session: Session,
    *,
    external_id: str,
    number: str,
    queue: str,
    kept_since: datetime,
    customer_id: int | None = None,
    outage_ticket_id: int | None = None,
    now: datetime | None = None,
) -> None:
    """Take down that a caller wants to be called instead of waiting; repeating it for the same call changes nothing.

    With an outage's ticket the call is made once the outage is over; else when the place in the queue comes up.
    """
    at = now or utc_now()
    insert_if_absent(
        session,
        OutboundCall,
        {
            "kind": "outage_callback" if outage_ticket_id else "queue_callback",
            "origin_id": external_id,
            "number": number,
            "customer_id": customer_id,
            "ticket_id": outage_ticket_id,
            "queue_id": session.scalar(select(Queue.id).where(Queue.code == queue)),
            "kept_since": kept_since,
            "due_at": kept_since,
            "created_at": at,
        },
    )


def record_survey(session: Session, *, external_id: str, score: int | None, asked_at: datetime, at: datetime) -> bool:
    """Write the answer (1 bad … 5 good; None: asked, not answered) to the call's contact; False if there is none yet.

    One answer a call: repeating it changes nothing.
    """
    contact = session.scalars(
        select(Contact).where(Contact.channel_code == "voice", Contact.external_id == external_id)
    ).one_or_none()
    if contact is None:
        return False
    if session.scalar(select(SurveyAnswer.id).where(SurveyAnswer.contact_id == contact.id).limit(1)) is None:
        answered = at if score is not None else None
        session.add(SurveyAnswer(contact_id=contact.id, asked_at=asked_at, answered_at=answered, score=score))
        session.flush()
    return True
