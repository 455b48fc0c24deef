"""Campaigns and call lists over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from core.actor import Actor
from core.time import utc_now
from crm_api.campaigns import desk, exchange, policy, reading, service
from crm_api.campaigns.models import CallListEntry, Campaign, Offer
from crm_api.campaigns.schemas import (
    AttemptOut,
    BuildOut,
    CampaignChange,
    CampaignDetail,
    CampaignIn,
    CampaignOut,
    CheckOut,
    EntryOut,
    ExportIn,
    GatesOut,
    LeftOut,
    LeftOutOut,
    NextIn,
    OfferIn,
    OfferOut,
    OutcomeIn,
    StepIn,
    TakenOut,
)
from crm_api.errors import InvalidError
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Out, Page
from crm_api.web.versions import IfMatch, check_if_match, set_etag

router = APIRouter(prefix="/api/v1", tags=["campaigns"])
Reader = Annotated[Identity, requires(Permission.CALL_LIST_READ)]
Watcher = Annotated[Identity, requires(Permission.REPORT_READ)]
Manager = Annotated[Identity, requires(Permission.CAMPAIGN_MANAGE)]
Caller = Annotated[Identity, requires(Permission.CALL_LIST_WORK)]
Exporter = Annotated[Identity, requires(Permission.EXPORT)]
MEDIA = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class ImportedOut(Out):
    """What a file of outcomes brought."""

    taken: int
    known: int
    refused: list[tuple[int, str]] = Field(description="Line and reason")


@router.get("/offers", responses=problems())
def list_offers(identity: Reader, session: DbSession) -> list[OfferOut]:
    """The catalogue of offers."""
    rows = session.scalars(select(Offer).where(Offer.deleted_at.is_(None)).order_by(Offer.code))
    return [OfferOut.model_validate(row) for row in rows]


@router.post("/offers", status_code=201, response_model=OfferOut, responses=problems(409, 422))
def create_offer(body: OfferIn, identity: Manager, session: DbSession, origin: From, once: Idempotent) -> Response:
    """A new offer."""

    def produce() -> OfferOut:
        made = service.add_offer(session, actor=identity.actor, values=body.model_dump(), origin=origin)
        return OfferOut.model_validate(made)

    return once.run(produce)


@router.get("/campaigns", responses=problems())
def list_campaigns(
    identity: Reader,
    session: DbSession,
    page: Paging,
    state: Annotated[Literal["draft", "built", "reviewed", "approved", "running", "finished"] | None, Query()] = None,
) -> Page[CampaignOut]:
    """Campaigns that the caller sees, newest first."""
    statement = reading.campaigns_of(session, identity.actor, states=(state,) if state else ())
    rows, cursor = fetch_page(session, statement, keys=[Campaign.id], page=page, descending=True)
    return Page(items=[CampaignOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.post("/campaigns", status_code=201, response_model=CampaignDetail, responses=problems(409, 422))
def create_campaign(
    body: CampaignIn, identity: Manager, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """A new campaign, as a draft."""

    def produce() -> CampaignDetail:
        made = service.create(
            session,
            actor=identity.actor,
            code=body.code,
            values=_values(body),
            offers=_offers(body) or [],
            calls_per_day=_units(body) or {},
            origin=origin,
        )
        return _detail(session, made, identity.actor)

    return once.run(produce)


@router.get("/campaigns/{campaign_id}", responses=problems(404))
def get_campaign(campaign_id: RowId, identity: Reader, session: DbSession, response: Response) -> CampaignDetail:
    """A campaign with its offers, branches, last build, gates and progress."""
    found = reading.get_campaign(session, campaign_id, identity.actor)
    set_etag(response, found.version)
    return _detail(session, found, identity.actor)


@router.patch("/campaigns/{campaign_id}", responses=problems(404, 409, 412, 422))
def change_campaign(
    campaign_id: RowId,
    body: CampaignChange,
    identity: Manager,
    session: DbSession,
    origin: From,
    response: Response,
    if_match: IfMatch = None,
) -> CampaignDetail:
    """Change what is not approved yet; its list must then be built anew."""
    found = reading.get_campaign(session, campaign_id, identity.actor, to_change=True)
    check_if_match(if_match, found.version)
    changed = service.change(
        session,
        campaign_id,
        actor=identity.actor,
        values=_values(body),
        offers=_offers(body),
        calls_per_day=_units(body),
        origin=origin,
    )
    set_etag(response, changed.version)
    return _detail(session, changed, identity.actor)


@router.get("/campaigns/{campaign_id}/effects", responses=problems(404))
def get_effects(campaign_id: RowId, identity: Reader, session: DbSession) -> GatesOut:
    """What each gate would take out of a list built now."""
    return GatesOut(gates=service.effects(session, campaign_id, actor=identity.actor))


@router.get("/campaigns/{campaign_id}/left-out", responses=problems(404))
def get_left_out(
    campaign_id: RowId, gate: Annotated[str, Query(max_length=20)], identity: Watcher, session: DbSession
) -> LeftOutOut:
    """Whom a gate took out of the newest list, by number alone: how many, and the 500 newest customers."""
    found = reading.get_campaign(session, campaign_id, identity.actor)
    total, customers = reading.left_out(session, found, gate, identity.actor)
    return LeftOutOut(total=total, customers=[LeftOut(customer_id=key, city_code=city) for key, city in customers])


@router.post("/campaigns/{campaign_id}/builds", status_code=202, response_model=BuildOut, responses=problems(404, 409))
def build_list(campaign_id: RowId, identity: Manager, session: DbSession, origin: From, once: Idempotent) -> Response:
    """Ask for the list; a worker builds it."""

    def produce() -> BuildOut:
        asked = service.request_build(session, campaign_id, actor=identity.actor, origin=origin)
        return BuildOut.model_validate(asked)

    return once.run(produce, status=202)


@router.post("/campaigns/{campaign_id}/steps", responses=problems(403, 404, 409, 422))
def take_step(campaign_id: RowId, body: StepIn, identity: Manager, session: DbSession, origin: From) -> CampaignDetail:
    """Review, approve (a second person), start, reopen or finish."""
    moved = service.step(session, campaign_id, body.step, actor=identity.actor, origin=origin)
    return _detail(session, moved, identity.actor)


@router.get("/campaigns/{campaign_id}/entries", responses=problems(404))
def list_entries(campaign_id: RowId, identity: Reader, session: DbSession, page: Paging) -> Page[EntryOut]:
    """The calls of a list, in the order of their making; never the holdout."""
    found = reading.get_campaign(session, campaign_id, identity.actor)
    own = select(CallListEntry).where(CallListEntry.campaign_id == found.id, CallListEntry.arm == "call")
    rows, cursor = fetch_page(session, scoped(own, identity.actor), keys=[CallListEntry.id], page=page)
    return Page(items=[EntryOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.post("/campaigns/{campaign_id}/export", responses=problems(403, 404))
def export_list(campaign_id: RowId, body: ExportIn, identity: Exporter, session: DbSession, origin: From) -> Response:
    """The approved list as a file: masked, or in clear for who may and says why."""
    content = exchange.export(
        session,
        campaign_id,
        actor=identity.actor,
        kind=body.format,
        may_reveal=identity.may(Permission.CUSTOMER_REVEAL),
        reason=body.reason,
        origin=origin,
    )
    return file_answer(session, campaign_id, identity.actor, content, body.format)


@router.post("/campaigns/{campaign_id}/outcomes", responses=problems(404, 422))
async def import_outcomes(
    campaign_id: RowId, identity: Manager, session: DbSession, origin: From, request: Request
) -> ImportedOut:
    """Take in a file of outcomes (CSV or XLSX as the body); sent twice it changes nothing."""
    content = await request.body()
    if not content:
        raise InvalidError("The body is empty.", "Send the file as the body.")
    found = await run_in_threadpool(
        exchange.import_outcomes, session, campaign_id, content, actor=identity.actor, origin=origin
    )
    return ImportedOut(taken=found.taken, known=found.known, refused=found.refused)


@router.post("/campaigns/{campaign_id}/next", responses=problems(404))
def take_next(campaign_id: RowId, body: NextIn, identity: Caller, session: DbSession) -> list[TakenOut]:
    """Take the next calls of a running list; each was checked this moment."""
    found = reading.get_campaign(session, campaign_id, identity.actor)
    units = None if identity.actor.is_province else [identity.actor.city_unit_id or identity.actor.unit_id]
    taken = service.next_entries(
        session, campaign_id=found.id, limit=body.limit, worker=identity.actor.username, unit_ids=units
    )
    return [TakenOut.model_validate(each) for each in taken]


@router.post("/call-list-entries/{entry_id}/check", responses=problems(404))
def check_entry(entry_id: RowId, identity: Caller, session: DbSession, origin: From) -> CheckOut:
    """Whether a taken entry may be dialled this moment, and then its number; audited."""
    verdict, number = desk.number_to_dial(session, entry_id, actor=identity.actor, origin=origin)
    return CheckOut(may_dial=verdict.may_dial, reason=verdict.reason, number=number)


@router.post("/call-list-entries/{entry_id}/outcome", responses=problems(404, 409, 422))
def tell_outcome(entry_id: RowId, body: OutcomeIn, identity: Caller, session: DbSession, origin: From) -> AttemptOut:
    """What came of a call that the caller made."""
    agent_id = session.get_one(User, identity.user_id).agent_id
    values: dict[str, Any] = body.model_dump(exclude={"outcome"})
    if isinstance(body.callback_at, datetime) and body.callback_at.tzinfo is None:
        raise InvalidError("callback_at has no time zone.", "Write it like 2026-03-02T14:00:00+08:00.")
    made = desk.tell_outcome(
        session, entry_id, body.outcome, actor=identity.actor, agent_id=agent_id, origin=origin, **values
    )
    return AttemptOut.model_validate(made)


@router.post("/call-list-entries/{entry_id}/release", status_code=204, responses=problems(404))
def release_entry(entry_id: RowId, identity: Caller, session: DbSession) -> None:
    """Give a taken entry back."""
    entry = desk.own_entry(session, entry_id, identity.actor)
    service.release(session, entry.id, worker=identity.actor.username)


def file_answer(session: Session, campaign_id: int, actor: Actor, content: bytes, kind: exchange.Format) -> Response:
    """A file as a download that no cache keeps."""
    campaign = reading.get_campaign(session, campaign_id, actor)
    name = exchange.file_name(campaign, kind, utc_now())
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=MEDIA[kind], headers=headers)


def _values(body: CampaignChange) -> dict[str, Any]:
    given = body.model_dump(exclude_unset=True, exclude={"code", "offers", "units"})
    return {name: value for name, value in given.items() if value is not None or name == "score_model"}


def _offers(body: CampaignChange) -> list[service.OfferPlan] | None:
    return None if body.offers is None else [service.OfferPlan(**offer.model_dump()) for offer in body.offers]


def _units(body: CampaignChange) -> dict[int, int] | None:
    return None if body.units is None else {unit.unit_id: unit.calls_per_day for unit in body.units}


def _detail(session: Session, campaign: Campaign, actor: Actor) -> CampaignDetail:
    session.refresh(campaign)
    plan = reading.plan_of(session, campaign)
    build = reading.last_build(session, campaign.id)
    return CampaignDetail(
        campaign=CampaignOut.model_validate(campaign),
        offers=[
            {
                "offer_code": offer.code,
                "score_model": chosen.score_model,
                "assumed_rate": chosen.assumed_rate,
                "capacity": chosen.capacity,
            }
            for chosen, offer in plan.offers
        ],
        units=[{"unit_id": unit.unit_id, "calls_per_day": unit.calls_per_day} for unit in plan.units],
        steps=policy.steps_from(campaign, actor),
        build=BuildOut.model_validate(build) if build else None,
        gates=reading.gates_of(session, campaign),
        entries=reading.progress(session, campaign.id),
        outcomes=reading.outcomes(session, campaign.id),
    )
