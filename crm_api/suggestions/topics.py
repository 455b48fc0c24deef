"""Topics that fit no complaint type: a scoring finds them, a person names them by a type or waves them off."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.dialect import begin_writing
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.identity.scope import scoped
from crm_api.suggestions.models import EmergingTopic
from crm_api.tickets.models import ComplaintType, Ticket

#: A topic is the same as one that was decided if it shares this much of its tickets, or its first words.
_SAME_SHARE, _FIRST_WORDS = 0.5, 2
_LEVELS = 3
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: Four digits and more may be a number that names a person.
_DIGITS = re.compile(r"\d[\d\s-]{2,}\d")


@dataclass(frozen=True)
class Found:
    """A topic as a scoring found it: words, most telling first; ids of its tickets; days of the first and the last."""

    terms: tuple[str, ...]
    tickets: tuple[int, ...]
    first: date
    last: date


@dataclass(frozen=True)
class NewType:
    """A complaint type to be made: below `parent_code` (None: at the top), `slug` is the last part of its code."""

    slug: str
    name_zh: str
    name_en: str
    parent_code: str | None = None


def propose(session: Session, found: Sequence[Found]) -> int:
    """Replace what is open by the topics of a new scoring, those left out that a person decided; how many are open."""
    begin_writing(session)
    session.execute(update(EmergingTopic).where(EmergingTopic.state == "open").values(state="superseded"))
    decided = session.scalars(select(EmergingTopic).where(EmergingTopic.state.in_(("named", "dismissed")))).all()
    fresh = [each for each in found if not any(_is_same(each, known) for known in decided)]
    session.add_all(
        EmergingTopic(
            terms=list(each.terms),
            tickets=list(each.tickets),
            first_seen=each.first,
            last_seen=each.last,
            found_at=utc_now(),
        )
        for each in fresh
    )
    session.flush()
    return len(fresh)


def _is_same(found: Found, known: EmergingTopic) -> bool:
    shared = set(found.tickets) & set(known.tickets)
    said = set(found.terms[:_FIRST_WORDS]) & set(known.terms[:_FIRST_WORDS])
    return bool(said) or len(shared) >= _SAME_SHARE * len(found.tickets)


def open_topics(session: Session) -> list[EmergingTopic]:
    """What waits for a person, the largest first."""
    rows = session.scalars(select(EmergingTopic).where(EmergingTopic.state == "open")).all()
    return sorted(rows, key=lambda row: (-len(row.tickets), row.id))


def examples(session: Session, topic: EmergingTopic, *, actor: Actor, most: int = 3) -> list[str]:
    """Texts of the topic's newest tickets within the actor's sight, numbers masked."""
    statement = scoped(select(Ticket), actor).where(Ticket.id.in_(topic.tickets[-50:]), Ticket.deleted_at.is_(None))
    rows = session.scalars(statement.order_by(Ticket.id.desc()).limit(most))
    return [_DIGITS.sub("…", " ".join(filter(None, (row.title, row.description)))) for row in rows]


def name(
    session: Session,
    topic_id: int,
    *,
    actor: Actor,
    complaint_type_code: str | None = None,
    new: NewType | None = None,
    origin: Origin | None = None,
) -> EmergingTopic:
    """Say what a topic is about: a type of the catalogue, or a new one. The next training learns its texts as that.

    Raises:
        NotFoundError: there is no such topic.
        ConflictError: it was decided already, or the new type's code is taken.
        InvalidError: neither or both of the types are named, or one that cannot be.
    """
    topic = _open(session, topic_id)
    if (complaint_type_code is None) == (new is None):
        raise InvalidError("Neither one type nor one new type is named.", "Name a complaint type, or a new one.")
    kind = _made(session, new) if new is not None else _known(session, complaint_type_code or "")
    _decide(session, topic, "named", kind.code, actor, None, origin)
    return topic


def dismiss(
    session: Session, topic_id: int, *, actor: Actor, note: str | None = None, origin: Origin | None = None
) -> EmergingTopic:
    """Say that a topic is none; it is not shown again.

    Raises:
        NotFoundError: there is no such topic.
        ConflictError: it was decided already.
    """
    topic = _open(session, topic_id)
    _decide(session, topic, "dismissed", None, actor, note, origin)
    return topic


def named_tickets(session: Session) -> dict[int, str]:
    """Ticket -> the complaint type that a person gave its topic."""
    rows = session.scalars(select(EmergingTopic).where(EmergingTopic.state == "named").order_by(EmergingTopic.id))
    return {ticket: row.complaint_type_code for row in rows for ticket in row.tickets if row.complaint_type_code}


def _open(session: Session, topic_id: int) -> EmergingTopic:
    begin_writing(session)
    topic = session.scalars(select(EmergingTopic).where(EmergingTopic.id == topic_id).with_for_update()).one_or_none()
    if topic is None:
        raise NotFoundError(f"There is no topic {topic_id}.", "List the open ones.")
    if topic.state != "open":
        raise ConflictError(f"Topic {topic_id} is {topic.state}.", "Take an open one.")
    return topic


def _known(session: Session, code: str) -> ComplaintType:
    found = session.get(ComplaintType, code)
    if found is None or found.deleted_at is not None:
        raise InvalidError(f"There is no complaint type {code!r}.", "Take a code of the catalogue.")
    return found


def _made(session: Session, new: NewType) -> ComplaintType:
    if not _SLUG.fullmatch(new.slug):
        raise InvalidError(f"The short name is {new.slug!r}.", "Write small letters, digits and _, a letter first.")
    if not new.name_zh.strip() or not new.name_en.strip():
        raise InvalidError("A name is missing.", "Name the type in Chinese and in English.")
    parent = _known(session, new.parent_code) if new.parent_code else None
    level = parent.level + 1 if parent else 1
    if level > _LEVELS:
        raise InvalidError(f"{new.parent_code} is of the third level.", "Choose a type of the first or second level.")
    code = f"{parent.code}.{new.slug}" if parent else new.slug
    if session.get(ComplaintType, code) is not None:
        raise ConflictError(f"There is a complaint type {code} already.", "Choose it, or another short name.")
    made = ComplaintType(
        code=code,
        parent_code=parent.code if parent else None,
        level=level,
        name_zh=new.name_zh.strip(),
        name_en=new.name_en.strip(),
        sort_order=999,
    )
    session.add(made)
    session.flush()
    return made


def _decide(
    session: Session,
    topic: EmergingTopic,
    state: str,
    code: str | None,
    actor: Actor,
    note: str | None,
    origin: Origin | None,
) -> None:
    topic.state, topic.complaint_type_code = state, code
    topic.decided_by, topic.decided_at, topic.note = actor.username, utc_now(), note
    record(
        session,
        f"topic.{state}",
        actor=actor,
        subject=("topic", topic.id),
        reason=note,
        origin=origin,
        complaint_type_code=code,
    )
    session.flush()
