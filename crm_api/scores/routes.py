"""Scores of a customer, and proposed key levels for a person to decide, over HTTP."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import select

from crm_api.customers.models import Customer
from crm_api.customers.service import get_customer
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.scores import proposals, service
from crm_api.scores.models import KeyLevelProposal
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import In, Out, Page

router = APIRouter(prefix="/api/v1", tags=["scores"])
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]
Decider = Annotated[Identity, requires(Permission.KEY_LEVEL_DECIDE)]
KeyLevel = Literal["none", "silver", "gold", "platinum"]


class WordsOut(Out):
    """A text in both languages."""

    zh: str
    en: str


class ScoreOut(Out):
    """What one model says of a customer."""

    model: str
    name: WordsOut
    score: float
    percentile: int = Field(description="0 … 99 among all scored; 99 is the highest hundredth")
    label: str
    label_words: WordsOut
    version: str
    as_of: date
    reasons: list[WordsOut] = Field(description="Strongest first")


class ProposalOut(Out):
    """A proposed change of a customer's key level."""

    id: int
    customer_id: int
    customer_code: str
    from_level: KeyLevel
    to_level: KeyLevel
    score: float
    parts: dict[str, float]
    version: str
    as_of: date
    proposed_at: datetime
    state: str


class DecisionIn(In):
    """Accept or decline; an account manager may be named with an addition."""

    accept: bool
    note: str | None = Field(default=None, max_length=300)
    account_manager: str | None = Field(default=None, max_length=60)


@router.get("/customers/{customer_id}/scores", responses=problems(404))
def scores(customer_id: RowId, identity: Reader, session: DbSession) -> list[ScoreOut]:
    """The latest score of every model, with reasons; empty if the customer was never scored."""
    customer = get_customer(session, customer_id, identity.actor)
    return [
        ScoreOut(
            model=each.model,
            name=_words(each.name),
            score=each.score,
            percentile=each.percentile,
            label=each.label,
            label_words=_words(each.label_words),
            version=each.version,
            as_of=each.as_of,
            reasons=[_words(reason) for reason in each.reasons],
        )
        for each in service.of(session, customer.id)
    ]


def _words(words: service.Words) -> WordsOut:
    return WordsOut(zh=words.zh, en=words.en)


@router.get("/key-level-proposals", responses=problems())
def list_proposals(
    identity: Decider,
    session: DbSession,
    page: Paging,
    to_level: Annotated[KeyLevel | None, Query(description="Only proposals of this level")] = None,
) -> Page[ProposalOut]:
    """Open proposals within the caller's scope."""
    statement = proposals.visible(identity.actor)
    if to_level is not None:
        statement = statement.where(KeyLevelProposal.to_level == to_level)
    rows, cursor = fetch_page(session, statement, keys=[KeyLevelProposal.id], page=page)
    codes = _codes(session, [row.customer_id for row in rows])
    return Page(items=[_proposal(row, codes[row.customer_id]) for row in rows], next_cursor=cursor)


@router.post("/key-level-proposals/{proposal_id}/decision", responses=problems(404, 409))
def decide(
    proposal_id: RowId, decision: DecisionIn, identity: Decider, session: DbSession, origin: From
) -> ProposalOut:
    """Accept (the customer's key level follows, audited) or decline (the same change is not proposed again)."""
    row = proposals.decide(
        session,
        proposal_id,
        accept=decision.accept,
        actor=identity.actor,
        note=decision.note,
        account_manager=decision.account_manager,
        origin=origin,
    )
    return _proposal(row, _codes(session, [row.customer_id])[row.customer_id])


def _codes(session: DbSession, customer_ids: list[int]) -> dict[int, str]:
    rows = session.execute(select(Customer.id, Customer.code).where(Customer.id.in_(customer_ids)))
    return {row.id: row.code for row in rows}


def _proposal(row: KeyLevelProposal, code: str) -> ProposalOut:
    plain = {name: getattr(row, name) for name in ProposalOut.model_fields if name != "customer_code"}
    return ProposalOut(**plain, customer_code=code)
