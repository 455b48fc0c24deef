"""Wrap-up codes: what came of a contact, chosen in two levels, mandatory where its queue asks for one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.contacts.wrap_up_models import ContactWrapUp, QueueWrapUp, WrapUpCode
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotFoundError
from crm_api.tickets.errors import MissingFieldsError
from crm_api.workforce.models import Queue


def codes(session: Session) -> list[WrapUpCode]:
    """The codes in use, groups before what they hold."""
    statement = select(WrapUpCode).where(WrapUpCode.is_active)
    return list(session.scalars(statement.order_by(WrapUpCode.level, WrapUpCode.sort_order, WrapUpCode.code)))


def code_of(session: Session, contact_id: int) -> str | None:
    """The code that a contact was given."""
    return session.scalar(select(ContactWrapUp.code).where(ContactWrapUp.contact_id == contact_id))


def is_required(session: Session, contact_id: int) -> bool:
    """Whether the queue in which the contact waited last asks for a code."""
    queue = (
        select(QueueVisit.queue_id)
        .where(QueueVisit.contact_id == contact_id, QueueVisit.deleted_at.is_(None))
        .order_by(QueueVisit.visit_number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return bool(session.scalar(select(QueueWrapUp.is_required).where(QueueWrapUp.queue_id == queue)))


def choose(session: Session, *, actor: Actor, contact: Contact, code: str | None) -> bool:
    """Give the contact a code of the second level; None leaves what it has. Whether it changed.

    Raises:
        InvalidError: no such code, or one that only groups others.
        MissingFieldsError: the contact's queue asks for a code, none is given and it has none.
    """
    present = session.get(ContactWrapUp, contact.id)
    if code is None:
        if present is None and is_required(session, contact.id):
            raise MissingFieldsError("Wrap-up", ["wrap_up_code"])
        return False
    known = session.get(WrapUpCode, code)
    if known is None or not known.is_active or known.level != 2:
        raise InvalidError(f"There is no wrap_up_code {code!r}.", "Take a code of the second level.")
    if present is not None and present.code == code:
        return False
    if present is None:
        present = ContactWrapUp(contact_id=contact.id)
        session.add(present)
    present.code, present.chosen_by, present.chosen_at = code, actor.username, utc_now()
    session.flush()
    return True


def demand(session: Session, *, actor: Actor, queue_id: int, required: bool, origin: Origin | None = None) -> None:
    """Say whether the contacts of a queue must be given a code; NotFoundError if there is no such queue."""
    begin_writing(session)
    queue = session.get(Queue, queue_id)
    if queue is None or queue.deleted_at is not None:
        raise NotFoundError(f"There is no queue {queue_id}.")
    row = session.get(QueueWrapUp, queue_id)
    if row is None:
        row = QueueWrapUp(queue_id=queue_id)
        session.add(row)
    row.is_required, row.changed_by = required, actor.username
    session.flush()
    record(session, "queue.wrap_up", actor=actor, subject=("queue", queue_id), origin=origin, is_required=required)


def queues(session: Session) -> list[tuple[Queue, bool]]:
    """The queues, each with whether its contacts must be given a code."""
    rows = session.execute(
        select(Queue, QueueWrapUp.is_required)
        .outerjoin(QueueWrapUp, QueueWrapUp.queue_id == Queue.id)
        .where(Queue.deleted_at.is_(None))
        .order_by(Queue.code)
    )
    return [(row[0], bool(row[1])) for row in rows]
