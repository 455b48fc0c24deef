"""Working a call list at the desk: preview, check, call, outcome."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.campaigns import desk, reading, service
from crm_api.campaigns.dialling import Verdict
from crm_api.campaigns.models import ATTEMPT_OUTCOMES, CallListEntry, Campaign, CampaignOffer, Offer
from crm_api.capture.campaigns import campaign_texts
from crm_api.capture.forms import Sent
from crm_api.capture.names import products
from crm_api.capture.pages import render
from crm_api.customers.models import Account, Customer, Subscription
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.scores.models import CustomerScore
from crm_api.scores.service import Words, reason_words, texts_of
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Caller = Annotated[Identity, requires(Permission.CALL_LIST_WORK)]
#: What an agent may tell; `abandoned` and `failed` are the dialler's.
TELLABLE = tuple(outcome for outcome in ATTEMPT_OUTCOMES if outcome not in ("abandoned", "failed"))


@router.get("/app/calls")
def list_calls(identity: Caller, session: DbSession, request: Request) -> Response:
    """The running campaigns and the call that one is at."""
    return _page(request, session, identity)


@router.post("/app/calls/{campaign_id}/next")
def take_next(campaign_id: RowId, identity: Caller, session: DbSession, request: Request) -> Response:
    """Take the next customer of a list; one's open call comes first."""
    found = reading.get_campaign(session, campaign_id, identity.actor)
    if desk.taken_by(session, identity.actor) is not None:
        return _page(request, session, identity)
    units = None if identity.actor.is_province else [identity.actor.city_unit_id or identity.actor.unit_id]
    worker = identity.actor.username
    taken = service.next_entries(session, campaign_id=found.id, limit=1, worker=worker, unit_ids=units)
    return _page(request, session, identity, is_empty=not taken)


@router.post("/app/calls/entries/{entry_id}/check")
def check(entry_id: RowId, identity: Caller, session: DbSession, request: Request, origin: From) -> Response:
    """Whether the call may be made this moment, and the number if so."""
    verdict, number = desk.number_to_dial(session, entry_id, actor=identity.actor, origin=origin)
    return _page(request, session, identity, verdict=verdict, number=number)


@router.post("/app/calls/entries/{entry_id}/outcome")
def tell_outcome(
    entry_id: RowId, identity: Caller, session: DbSession, request: Request, sent: Sent, origin: From
) -> Response:
    """What came of the call; the next one is a click away."""
    outcome = sent.text("outcome", longest=20) or ""
    desk.tell_outcome(
        session,
        entry_id,
        outcome,
        actor=identity.actor,
        agent_id=session.get_one(User, identity.user_id).agent_id,
        external_id=sent.text("key", longest=80) or "desk",
        callback_at=sent.local_time("callback_at") if outcome == "callback" else None,
        note=sent.text("note", longest=300),
        origin=origin,
    )
    return _page(request, session, identity, told=outcome)


@router.post("/app/calls/entries/{entry_id}/release")
def give_back(entry_id: RowId, identity: Caller, session: DbSession, request: Request) -> Response:
    """Give the call back to the list."""
    entry = desk.own_entry(session, entry_id, identity.actor)
    service.release(session, entry.id, worker=identity.actor.username)
    return _page(request, session, identity)


def _page(
    request: Request,
    session: Session,
    identity: Identity,
    *,
    verdict: Verdict | None = None,
    number: str | None = None,
    told: str | None = None,
    is_empty: bool = False,
) -> Response:
    session.flush()
    running = reading.campaigns_of(session, identity.actor, states=("running",)).order_by(Campaign.id)
    rows = list(session.scalars(running))
    entry = desk.taken_by(session, identity.actor)
    return render(
        request,
        session,
        identity,
        "calls.html",
        c=campaign_texts(request, identity),
        rows=rows,
        left={row.id: _left(session, row.id) for row in rows},
        entry=entry,
        shown=_shown(session, entry) if entry else None,
        verdict=verdict,
        number=number,
        told=told,
        is_empty=is_empty,
        outcomes=TELLABLE,
    )


def _left(session: Session, campaign_id: int) -> int:
    statement = select(func.count()).where(
        CallListEntry.campaign_id == campaign_id,
        CallListEntry.state == "waiting",
        CallListEntry.deleted_at.is_(None),
        func.coalesce(CallListEntry.next_attempt_at, utc_now()) <= utc_now(),
    )
    return session.scalar(statement) or 0


def _shown(session: Session, entry: CallListEntry) -> dict[str, object]:
    """What the agent sees of the customer before the call: never a number."""
    codes = select(Subscription.product_code).join(Account, Account.id == Subscription.account_id)
    taken = set(
        session.scalars(
            codes.where(
                Account.customer_id == entry.customer_id,
                Subscription.ended_at.is_(None),
                Subscription.deleted_at.is_(None),
            )
        )
    )
    return {
        "customer": session.get_one(Customer, entry.customer_id),
        "campaign": session.get_one(Campaign, entry.campaign_id),
        "offer": session.get_one(Offer, entry.offer_code),
        "products": [row for row in products(session) if row.code in taken],
        "reasons": _reasons(session, entry),
    }


def _reasons(session: Session, entry: CallListEntry) -> list[Words]:
    """Why the model put this customer on the list, in words; empty where no model scored the offer."""
    chosen = session.scalars(
        select(CampaignOffer).where(
            CampaignOffer.campaign_id == entry.campaign_id, CampaignOffer.offer_code == entry.offer_code
        )
    ).one_or_none()
    if chosen is None or chosen.score_model is None:
        return []
    score = session.get(CustomerScore, (entry.customer_id, chosen.score_model))
    if score is None:
        return []
    return list(reason_words(score.model, score.reasons, texts_of(session, [score.model])))
