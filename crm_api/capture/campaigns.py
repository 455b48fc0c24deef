"""The campaign pages of marketing: define, see each gate's effect, build, review, approve, follow."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from core.i18n import Texts, texts
from core.time import to_local, utc_now
from crm_api.campaigns import exchange, policy, reading, service
from crm_api.campaigns.models import AUDIENCE_KINDS, CAMPAIGN_STATES, GATES, GOALS, Campaign, Offer
from crm_api.campaigns.routes import file_answer
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.names import cities, own_branches
from crm_api.capture.pages import language_of, render
from crm_api.customers.models import CONSENT_PURPOSES
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.scores.models import CustomerScore
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.CALL_LIST_READ)]
Manager = Annotated[Identity, requires(Permission.CAMPAIGN_MANAGE)]
Exporter = Annotated[Identity, requires(Permission.EXPORT)]
_SHOWN = 100
#: Counted after the gates, in this order.
_AFTER = ("holdout", "capacity")
_OFFER_ROWS = 4


@dataclass(frozen=True)
class Gate:
    """One gate of the funnel: what it takes out, and who is left after it, in per cent of all candidates."""

    code: str
    removed: int
    left: int
    share: float


def campaign_texts(request: Request, identity: Identity) -> Texts:
    """The campaigns' texts in the reader's language."""
    return texts("crm_api.campaigns", language_of(request, identity.language))


def funnel(gates: dict[str, int]) -> list[Gate]:
    """The gates that take somebody out, in their order, with who is left."""
    everybody = sum(gates.get(gate, 0) for gate in (*GATES, "eligible"))
    left, found = everybody, []
    for code in (*GATES, *_AFTER):
        removed = gates.get(code, 0)
        if removed:
            left -= removed
            found.append(Gate(code, removed, left, left / everybody * 100 if everybody else 0.0))
    return found


@router.get("/app/campaigns")
def list_campaigns(identity: Reader, session: DbSession, request: Request) -> Response:
    """The campaigns, newest first."""
    statement = reading.campaigns_of(session, identity.actor).order_by(Campaign.id.desc()).limit(_SHOWN)
    rows = list(session.scalars(statement))
    counts = {row.id: reading.progress(session, row.id) for row in rows}
    may_manage = identity.may(Permission.CAMPAIGN_MANAGE)
    words = campaign_texts(request, identity)
    return render(
        request, session, identity, "campaigns.html", c=words, rows=rows, counts=counts, may_manage=may_manage
    )


@router.get("/app/campaigns/new")
def new_campaign(identity: Manager, session: DbSession, request: Request) -> Response:
    """The empty form."""
    return _form(request, session, identity, None)


@router.post("/app/campaigns")
def create_campaign(identity: Manager, session: DbSession, request: Request, sent: Sent, origin: From) -> Response:
    """A new draft from the form."""
    code = sent.text("code", longest=40) or ""
    made = service.create(
        session,
        actor=identity.actor,
        code=policy.need_text(code, "code"),
        values=_values(sent),
        offers=_offers(sent),
        calls_per_day=_units(sent),
        origin=origin,
    )
    return _page(request, session, identity, made, moved_to=f"/app/campaigns/{made.id}")


@router.get("/app/campaigns/{campaign_id}")
def show_campaign(campaign_id: RowId, identity: Reader, session: DbSession, request: Request) -> Response:
    """One campaign: where it stands, its gates, its list, its calls."""
    return _page(request, session, identity, reading.get_campaign(session, campaign_id, identity.actor))


@router.get("/app/campaigns/{campaign_id}/edit")
def edit_campaign(campaign_id: RowId, identity: Manager, session: DbSession, request: Request) -> Response:
    """The form with what it holds now."""
    return _form(request, session, identity, reading.get_campaign(session, campaign_id, identity.actor))


@router.post("/app/campaigns/{campaign_id}")
def change_campaign(
    campaign_id: RowId, identity: Manager, session: DbSession, request: Request, sent: Sent, origin: From
) -> Response:
    """Save the form: a new version of the campaign."""
    changed = service.change(
        session,
        campaign_id,
        actor=identity.actor,
        values=_values(sent),
        offers=_offers(sent),
        calls_per_day=_units(sent),
        origin=origin,
    )
    return _page(request, session, identity, changed, moved_to=f"/app/campaigns/{campaign_id}")


@router.post("/app/campaigns/{campaign_id}/effects")
def show_effects(campaign_id: RowId, identity: Reader, session: DbSession, request: Request) -> Response:
    """The page with what each gate would take out now."""
    found = service.effects(session, campaign_id, actor=identity.actor)
    campaign = reading.get_campaign(session, campaign_id, identity.actor)
    return _page(request, session, identity, campaign, tried=found)


@router.post("/app/campaigns/{campaign_id}/build")
def build_list(campaign_id: RowId, identity: Manager, session: DbSession, request: Request, origin: From) -> Response:
    """Ask for the list."""
    service.request_build(session, campaign_id, actor=identity.actor, origin=origin)
    return _page(request, session, identity, reading.get_campaign(session, campaign_id, identity.actor))


@router.post("/app/campaigns/{campaign_id}/steps")
def take_step(
    campaign_id: RowId, identity: Manager, session: DbSession, request: Request, sent: Sent, origin: From
) -> Response:
    """Review, approve, start, reopen or finish."""
    name = sent.text("step", longest=20) or ""
    moved = service.step(session, campaign_id, name, actor=identity.actor, origin=origin)
    return _page(request, session, identity, moved)


@router.get("/app/campaigns/{campaign_id}/file")
def export_list(
    campaign_id: RowId,
    identity: Exporter,
    session: DbSession,
    origin: From,
    kind: Annotated[Literal["csv", "xlsx"], Query()] = "xlsx",
) -> Response:
    """The approved list as a file, numbers masked."""
    content = exchange.export(session, campaign_id, actor=identity.actor, kind=kind, origin=origin)
    return file_answer(session, campaign_id, identity.actor, content, kind)


async def _file(request: Request) -> bytes:
    form = await request.form(max_files=1)
    sent = form.get("file")
    return await sent.read() if isinstance(sent, UploadFile) else b""


@router.post("/app/campaigns/{campaign_id}/outcomes")
def import_outcomes(
    campaign_id: RowId,
    identity: Manager,
    session: DbSession,
    request: Request,
    origin: From,
    content: Annotated[bytes, Depends(_file)],
) -> Response:
    """Take in a file of outcomes."""
    campaign = reading.get_campaign(session, campaign_id, identity.actor)
    if not content:
        raise InvalidError("No file was sent.", "Choose a CSV or XLSX file.")
    read = exchange.import_outcomes(session, campaign_id, content, actor=identity.actor, origin=origin)
    return _page(request, session, identity, campaign, read=read)


def _page(
    request: Request,
    session: Session,
    identity: Identity,
    campaign: Campaign,
    *,
    tried: dict[str, int] | None = None,
    read: exchange.Imported | None = None,
    moved_to: str | None = None,
) -> Response:
    session.flush()
    session.refresh(campaign)
    build = reading.last_build(session, campaign.id)
    gates = tried if tried is not None else reading.gates_of(session, campaign)
    return render(
        request,
        session,
        identity,
        "campaign.html",
        headers={"HX-Push-Url": moved_to} if moved_to else None,
        c=campaign_texts(request, identity),
        campaign=campaign,
        plan=reading.plan_of(session, campaign),
        units={unit.id: unit for unit in cities(session)},
        states=CAMPAIGN_STATES,
        steps=policy.steps_from(campaign, identity.actor) if identity.may(Permission.CAMPAIGN_MANAGE) else [],
        may_manage=identity.may(Permission.CAMPAIGN_MANAGE),
        may_export=identity.may(Permission.EXPORT) and campaign.state in ("approved", "running", "finished"),
        may_change=identity.may(Permission.CAMPAIGN_MANAGE) and campaign.state in ("draft", "built", "reviewed"),
        build=build,
        is_tried=tried is not None,
        gates=gates,
        funnel=funnel(gates),
        progress=reading.progress(session, campaign.id),
        outcomes=reading.outcomes(session, campaign.id),
        read=read,
    )


def _form(request: Request, session: Session, identity: Identity, campaign: Campaign | None) -> Response:
    plan = reading.plan_of(session, campaign) if campaign else None
    today = to_local(utc_now()).date()
    offers = session.scalars(select(Offer).where(Offer.is_active, Offer.deleted_at.is_(None)).order_by(Offer.code))
    chosen = [row for row, _ in plan.offers] if plan else []
    return render(
        request,
        session,
        identity,
        "campaign_form.html",
        c=campaign_texts(request, identity),
        campaign=campaign,
        today=today,
        offers=offers.all(),
        chosen=[*chosen, *([None] * (_OFFER_ROWS - len(chosen)))],
        calls={unit.unit_id: unit.calls_per_day for unit in plan.units} if plan else {},
        units=own_branches(session, identity.actor),
        models=sorted(session.scalars(select(CustomerScore.model).distinct())),
        goals=GOALS,
        purposes=CONSENT_PURPOSES,
        kinds=AUDIENCE_KINDS,
    )


def _values(sent: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": sent.text("name", longest=120),
        "purpose": _one(sent, "purpose", CONSENT_PURPOSES),
        "goal": _one(sent, "goal", GOALS),
        "audience_kind": _one(sent, "audience_kind", AUDIENCE_KINDS),
        "segments": sent.text("segments", longest=200) or "",
        "includes_key_customers": sent.text("includes_key_customers", longest=2) is not None,
        "starts_on": _day(sent, "starts_on"),
        "ends_on": _day(sent, "ends_on"),
        "opens_second": _clock(sent, "opens"),
        "closes_second": _clock(sent, "closes"),
        "script": sent.text("script", longest=10_000) or "",
        "cost_per_call_fen": round(_decimal(sent, "cost") * 100),
    }
    for name in ("holdout_percent", "max_attempts", "retry_minutes", "cap_contacts", "cap_days", "cooling_days"):
        values[name] = sent.number(name)
    values["window_days"] = sent.number("window_days")
    given = {name: value for name, value in values.items() if value is not None}
    model = sent.text("score_model", longest=40)
    return given | {"score_model": model, "min_percentile": sent.number("min_percentile") or 0 if model else 0}


def _one(sent: Fields, name: str, values: tuple[str, ...]) -> str:
    value = sent.text(name, longest=20) or ""
    if value not in values:
        raise InvalidError(f"{name} is {value!r}.", f"It is one of: {', '.join(values)}.")
    return value


def _day(sent: Fields, name: str) -> date | None:
    value = sent.text(name, longest=10)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise InvalidError(f"{name} is {value!r}, not a day.", "Write it like 2026-03-02.") from error


def _clock(sent: Fields, name: str) -> int | None:
    value = sent.text(name, longest=5)
    if value is None:
        return None
    hours, _, minutes = value.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
        raise InvalidError(f"{name} is {value!r}, not a time of day.", "Write it like 09:30.")
    return int(hours) * 3600 + int(minutes) * 60


def _decimal(sent: Fields, name: str) -> float:
    value = sent.text(name, longest=20) or "0"
    try:
        number = float(value)
    except ValueError as error:
        raise InvalidError(f"{name} is {value!r}, not a number.", "Write it like 3.50.") from error
    if not 0 <= number < 1_000_000:
        raise InvalidError(f"{name} is {number}, out of range.", "Write 0 or more.")
    return number


def _offers(sent: Fields) -> list[service.OfferPlan]:
    found = []
    for index in range(_OFFER_ROWS):
        code = sent.text(f"offer_{index}", longest=40)
        if code:
            found.append(
                service.OfferPlan(
                    code,
                    score_model=sent.text(f"model_{index}", longest=40),
                    assumed_rate=_decimal(sent, f"rate_{index}") / 100,
                    capacity=sent.number(f"capacity_{index}"),
                )
            )
    if len({plan.offer_code for plan in found}) < len(found):
        raise InvalidError("An offer is named twice.", "Name each once.")
    return found


def _units(sent: Fields) -> dict[int, int]:
    found = {}
    for name in sent.texts():
        if name.startswith("unit_") and name.removeprefix("unit_").isdigit():
            calls = sent.number(name)
            if calls is not None:
                found[int(name.removeprefix("unit_"))] = calls
    return found
