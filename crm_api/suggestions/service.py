"""Asking what a text is about, and writing down what people chose instead."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.errors import InvalidError
from crm_api.suggestions.models import ComplaintSuggestion
from crm_api.suggestions.port import SOCKET
from crm_api.tickets.access import find
from crm_api.tickets.models import ComplaintType

#: A text is read so far; what a complaint is about is said early.
_READ = 2_000
_MOST = 5


@dataclass(frozen=True)
class Suggested:
    """A complaint type that a text suggests, with the probability that it is right."""

    code: str
    name_zh: str
    name_en: str
    confidence: float


def suggest(session: Session, text: str) -> list[Suggested]:
    """The complaint types that `text` suggests, likeliest first; types that no longer exist are left out."""
    found = SOCKET.suggest(text[:_READ])[:_MOST] if text.strip() else ()
    codes = [code for code, _ in found]
    rows = session.scalars(
        select(ComplaintType).where(ComplaintType.code.in_(codes), ComplaintType.deleted_at.is_(None))
    )
    known = {row.code: row for row in rows}
    return [
        Suggested(code, known[code].name_zh, known[code].name_en, confidence)
        for code, confidence in found
        if code in known
    ]


def note_choice(
    session: Session,
    *,
    actor: Actor,
    text: str,
    suggested: Sequence[tuple[str, float]],
    chosen_code: str,
    ticket_id: int | None = None,
) -> ComplaintSuggestion:
    """Write down what was chosen where something (or nothing) was suggested: the lesson of the next training.

    Raises:
        InvalidError: there is no such complaint type.
        NotFoundError: the ticket is out of the actor's sight.
    """
    chosen = session.get(ComplaintType, chosen_code)
    if chosen is None or chosen.deleted_at is not None:
        raise InvalidError(f"There is no complaint type {chosen_code!r}.", "Take a code of the catalogue.")
    if ticket_id is not None:
        find(session, actor=actor, ticket_id=ticket_id)
    made = ComplaintSuggestion(
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        ticket_id=ticket_id,
        suggested=[{"code": code, "confidence": round(confidence, 4)} for code, confidence in suggested],
        chosen_code=chosen_code,
        chosen_by=actor.username,
        chosen_at=utc_now(),
    )
    session.add(made)
    session.flush()
    return made
