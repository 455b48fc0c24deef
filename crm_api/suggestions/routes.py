"""Complaint types suggested for a text, and what was chosen, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.suggestions import service
from crm_api.web.dependencies import DbSession, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.schemas import In, Out

router = APIRouter(prefix="/api/v1/complaint-type-suggestions", tags=["suggestions"])
Opener = Annotated[Identity, requires(Permission.TICKET_CREATE)]
Words = Annotated[str, StringConstraints(max_length=20_000)]
TypeCode = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class TextIn(In):
    """What the customer says; kept nowhere."""

    text: Words = Field(examples=["机顶盒开机后没有图像"])


class SuggestionOut(Out):
    """A complaint type, and how likely it is right."""

    code: str = Field(examples=["signal.digital_tv.no_picture"])
    name_zh: str
    name_en: str
    confidence: float = Field(ge=0, le=1)


class SuggestedIn(In):
    """A suggestion as it was shown."""

    code: TypeCode
    confidence: Annotated[float, Field(ge=0, le=1)]


class ChoiceIn(In):
    """What was chosen beside what was suggested."""

    text: Words
    suggested: list[SuggestedIn] = Field(default=[], max_length=5)
    chosen_code: TypeCode = Field(examples=["signal.digital_tv.no_picture"])
    ticket_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


@router.post("", responses=problems())
def suggest(body: TextIn, _identity: Opener, session: DbSession) -> list[SuggestionOut]:
    """Likeliest first; empty until a model was trained. In a POST, so that the text stands in no log."""
    return [SuggestionOut.model_validate(each) for each in service.suggest(session, body.text)]


@router.post("/choices", status_code=204, response_class=Response, responses=problems(404, 409))
def note_choice(body: ChoiceIn, identity: Opener, session: DbSession, once: Idempotent) -> Response:
    """Tell what was chosen: the next model learns from corrections. Of the text only its digest is kept here."""

    def produce() -> None:
        service.note_choice(
            session,
            actor=identity.actor,
            text=body.text,
            suggested=[(each.code, each.confidence) for each in body.suggested],
            chosen_code=body.chosen_code,
            ticket_id=body.ticket_id,
        )

    return once.run(produce, status=204)
