"""Service levels and calendars over HTTP; every change has the worker recompute the tickets under way."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy import select

from core.calendar import Window
from crm_api.audit.service import record
from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import CalendarDay, CalendarWindow, WorkCalendar
from crm_api.sla.editing import (
    CONDITIONS,
    Targets,
    add_policy,
    change_policy,
    correct_day,
    remove_policy,
    set_week,
)
from crm_api.sla.models import SlaPolicy
from crm_api.sla.upkeep import waiting_changes
from crm_api.web.dependencies import DbSession, From, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.schemas import In, Out

router = APIRouter(prefix="/api/v1", tags=["service levels"])
Keeper = Annotated[Identity, requires(Permission.CALENDAR_MANAGE)]
CodeInPath = Annotated[str, Path(max_length=60)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Seconds = Annotated[int, Field(ge=1, le=366 * 86_400)]
DayName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


class TargetsIn(In):
    """What a policy promises, in business seconds of its calendar; NULL: no such clock."""

    calendar_code: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(examples=["office"])
    first_response_seconds: Seconds | None = Field(examples=[7200])
    resolution_seconds: Seconds | None = Field(examples=[86400])
    is_active: bool = True


class PolicyIn(TargetsIn):
    """A new policy: whom it applies to (left out: anybody), and what it promises."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")] = Field(examples=["vip_broadband"])
    name_zh: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    name_en: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    service_type_code: Code | None = None
    complaint_type_code: Code | None = None
    product_code: Code | None = None
    channel_code: Code | None = None
    priority: Code | None = None
    is_key_customer: bool | None = None
    unit_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    before: Code | None = Field(default=None, description="Tried before this policy; left out: after all others")


class PolicyOut(Out):
    """A policy: whom it applies to (NULL: anybody), and what it promises."""

    code: str
    name_zh: str
    name_en: str
    sort_order: int
    is_active: bool
    service_type_code: str | None
    complaint_type_code: str | None
    product_code: str | None
    channel_code: str | None
    priority: str | None
    is_key_customer: bool | None
    unit_id: int | None
    calendar_code: str
    first_response_seconds: int | None
    resolution_seconds: int | None


class PoliciesOut(Out):
    """The policies in the order in which they are tried."""

    policies: list[PolicyOut]
    waiting_changes: int = Field(description="Changes whose recomputing is not done yet")


class WindowOut(Out):
    """An opening window of a weekday; 86400 closes at midnight."""

    weekday: int
    opens_second: int
    closes_second: int


class WindowIn(In):
    """An opening window of a weekday (1 Monday … 7 Sunday); 86400 closes at midnight."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    opens_second: Annotated[int, Field(ge=0, lt=86_400)] = Field(examples=[30_600])
    closes_second: Annotated[int, Field(gt=0, le=86_400)] = Field(examples=[64_800])


class WeekIn(In):
    """A calendar's whole week, several windows a day; a weekday without one is closed."""

    windows: list[WindowIn] = Field(min_length=1, max_length=70)


class DayOut(Out):
    """A day that is no ordinary one, or was corrected; follows_weekday NULL: closed."""

    day: date
    day_kind: str
    follows_weekday: int | None
    holiday_zh: str | None
    holiday_en: str | None
    is_correction: bool


class CalendarOut(Out):
    """A calendar with its week and the exceptions asked for."""

    code: str
    name_zh: str
    name_en: str
    windows: list[WindowOut]
    days: list[DayOut]


class DayIn(In):
    """What a day is: closed (NULL), or open as on that weekday (1 Monday … 7 Sunday)."""

    follows_weekday: Annotated[int, Field(ge=1, le=7)] | None
    name_zh: DayName | None = None
    name_en: DayName | None = None


@router.get("/service-levels", responses=problems())
def list_policies(_identity: Keeper, session: DbSession) -> PoliciesOut:
    """The policies; the first whose conditions all match applies."""
    rows = session.scalars(select(SlaPolicy).where(SlaPolicy.deleted_at.is_(None)).order_by(SlaPolicy.sort_order))
    return PoliciesOut(
        policies=[PolicyOut.model_validate(row) for row in rows], waiting_changes=waiting_changes(session)
    )


@router.post("/service-levels", status_code=201, response_model=PolicyOut, responses=problems(404, 409))
def add(body: PolicyIn, identity: Keeper, session: DbSession, origin: From, once: Idempotent) -> Response:
    """Add a policy; the worker then recomputes open tickets."""

    def produce() -> PolicyOut:
        row = add_policy(
            session,
            actor=identity.actor,
            code=body.code,
            names=(body.name_zh, body.name_en),
            conditions=body.model_dump(include=set(CONDITIONS)),
            targets=Targets(**body.model_dump(include=set(TargetsIn.model_fields))),
            before=body.before,
        )
        subject = ("sla_policy", row.id)
        record(session, "sla.policy_added", actor=identity.actor, subject=subject, origin=origin, code=row.code)
        return PolicyOut.model_validate(row)

    return once.run(produce)


@router.delete("/service-levels/{policy_code}", status_code=204, responses=problems(404))
def remove(policy_code: CodeInPath, identity: Keeper, session: DbSession, origin: From) -> None:
    """Take a policy away for good; open tickets then follow the next one that matches, ended clocks keep it."""
    row = remove_policy(session, actor=identity.actor, code=policy_code)
    subject = ("sla_policy", row.id)
    record(session, "sla.policy_removed", actor=identity.actor, subject=subject, origin=origin, code=row.code)


@router.put("/service-levels/{policy_code}", responses=problems(404))
def change(policy_code: CodeInPath, body: TargetsIn, identity: Keeper, session: DbSession, origin: From) -> PolicyOut:
    """Change what a policy promises; the worker then recomputes open tickets, ended clocks stay as judged."""
    targets = Targets(**body.model_dump())
    row = change_policy(session, actor=identity.actor, code=policy_code, targets=targets)
    subject = ("sla_policy", row.id)
    record(session, "sla.policy_changed", actor=identity.actor, subject=subject, origin=origin, code=row.code)
    return PolicyOut.model_validate(row)


@router.get("/calendars/{calendar_code}", responses=problems(404))
def get_calendar(
    calendar_code: CodeInPath,
    _identity: Keeper,
    session: DbSession,
    since: Annotated[date | None, Query(description="Exceptions from this day on")] = None,
    until: Annotated[date | None, Query(description="… up to this day")] = None,
) -> CalendarOut:
    """A calendar's week, and its holidays, made-up working days and corrections (at most 400)."""
    row = session.get(WorkCalendar, calendar_code)
    if row is None or row.deleted_at is not None:
        raise NotFoundError(f"There is no calendar {calendar_code!r}.")
    windows = session.scalars(
        select(CalendarWindow)
        .where(CalendarWindow.calendar_code == row.code, CalendarWindow.deleted_at.is_(None))
        .order_by(CalendarWindow.weekday, CalendarWindow.opens_second)
    )
    days = select(CalendarDay).where(
        CalendarDay.calendar_code == row.code,
        CalendarDay.deleted_at.is_(None),
        CalendarDay.day_kind.in_(("holiday", "make_up")) | CalendarDay.is_correction,
    )
    if since is not None:
        days = days.where(CalendarDay.day >= since)
    if until is not None:
        days = days.where(CalendarDay.day <= until)
    found = session.scalars(days.order_by(CalendarDay.day).limit(400))
    return CalendarOut(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        windows=[WindowOut.model_validate(window) for window in windows],
        days=[DayOut.model_validate(day) for day in found],
    )


@router.put("/calendars/{calendar_code}/week", responses=problems(404))
def set_windows(
    calendar_code: CodeInPath, body: WeekIn, identity: Keeper, session: DbSession, origin: From
) -> list[WindowOut]:
    """Give a calendar its week; the worker then recomputes open tickets."""
    windows = [Window(**each.model_dump()) for each in body.windows]
    rows = set_week(session, actor=identity.actor, calendar_code=calendar_code, windows=windows)
    subject = ("calendar", calendar_code)
    record(session, "calendar.week_changed", actor=identity.actor, subject=subject, origin=origin, code=calendar_code)
    return [WindowOut.model_validate(row) for row in rows]


@router.put("/calendars/{calendar_code}/days/{day}", responses=problems(404))
def correct(
    calendar_code: CodeInPath, day: date, body: DayIn, identity: Keeper, session: DbSession, origin: From
) -> DayOut:
    """Correct one day of a calendar; the worker then recomputes open tickets."""
    row = correct_day(session, actor=identity.actor, calendar_code=calendar_code, day=day, **body.model_dump())
    told = day.isoformat()
    record(
        session, "calendar.corrected", actor=identity.actor, subject=("calendar_day", row.id), origin=origin, day=told
    )
    return DayOut.model_validate(row)
