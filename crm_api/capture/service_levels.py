"""Service levels and calendars: what is promised to whom, when the clock runs, and which days are exceptions."""

import re
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import Window, parse_clock
from core.errors import ConfigurationError
from core.time import to_local, utc_now
from crm_api.audit.service import record
from crm_api.capture import names
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import render
from crm_api.errors import InvalidError
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
from crm_api.sla.models import EscalationStep, SlaPolicy
from crm_api.tickets.models import PRIORITIES, ComplaintType
from crm_api.web.dependencies import DbSession, From, requires

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Identity, requires(Permission.CALENDAR_MANAGE)]
Code = Annotated[str, Path(max_length=60)]
_AHEAD = timedelta(days=200)
_SPAN = re.compile(r"\s*(\d{1,2}:\d{2})\s*[-–—~至]\s*(\d{1,2}:\d{2})\s*")
_BETWEEN = re.compile("[,，、;；]")


@router.get("/app/service-levels")
def service_levels(identity: Keeper, session: DbSession, request: Request) -> Response:
    """Policies in the order in which they are tried, the ladder, and the calendars with their coming exceptions."""
    return _page(request, session, identity)


@router.post("/app/service-levels/policies/{code}")
def save_policy(
    code: Code, identity: Keeper, session: DbSession, request: Request, origin: From, sent: Sent
) -> Response:
    """Change what a policy promises; open tickets are recomputed by the worker."""
    policy = change_policy(session, actor=identity.actor, code=code, targets=_targets(sent))
    subject = ("sla_policy", policy.id)
    record(session, "sla.policy_changed", actor=identity.actor, subject=subject, origin=origin, code=code)
    return _page(request, session, identity, told="service_levels.saved")


@router.post("/app/service-levels/policies")
def add(identity: Keeper, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """A new policy, put before the one that was chosen."""
    policy = add_policy(
        session,
        actor=identity.actor,
        code=sent.text("code", longest=60) or "",
        names=(sent.text("name_zh", longest=80) or "", sent.text("name_en", longest=80) or ""),
        conditions={name: _condition(sent, name) for name in CONDITIONS},
        targets=_targets(sent),
        before=sent.text("before", longest=60),
    )
    subject = ("sla_policy", policy.id)
    record(session, "sla.policy_added", actor=identity.actor, subject=subject, origin=origin, code=policy.code)
    return _page(request, session, identity, told="service_levels.added")


@router.post("/app/service-levels/policies/{code}/remove")
def remove(code: Code, identity: Keeper, session: DbSession, request: Request, origin: From) -> Response:
    """Take a policy away; open tickets follow the next one that matches."""
    policy = remove_policy(session, actor=identity.actor, code=code)
    subject = ("sla_policy", policy.id)
    record(session, "sla.policy_removed", actor=identity.actor, subject=subject, origin=origin, code=code)
    return _page(request, session, identity, told="service_levels.removed")


@router.post("/app/service-levels/weeks")
def save_week(identity: Keeper, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """Give a calendar its week: of each weekday the opening windows as people write them."""
    code = sent.text("calendar_code", longest=40) or ""
    windows = [window for weekday in range(1, 8) for window in _spans(sent, weekday)]
    set_week(session, actor=identity.actor, calendar_code=code, windows=windows)
    subject = ("calendar", code)
    record(session, "calendar.week_changed", actor=identity.actor, subject=subject, origin=origin, code=code)
    return _page(request, session, identity, told="service_levels.week_saved")


@router.post("/app/service-levels/days")
def save_day(identity: Keeper, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """Correct one day of a calendar: closed, or open as on another weekday."""
    typed = sent.text("day", longest=10) or ""
    try:
        day = date.fromisoformat(typed)
    except ValueError as error:
        raise InvalidError(f"day is {typed!r}, not a date.", "Write it like 2026-10-10.") from error
    row = correct_day(
        session,
        actor=identity.actor,
        calendar_code=sent.text("calendar_code", longest=40) or "",
        day=day,
        follows_weekday=sent.number("follows_weekday"),
        name_zh=sent.text("name_zh", longest=40),
        name_en=sent.text("name_en", longest=40),
    )
    subject = ("calendar_day", row.id)
    record(session, "calendar.corrected", actor=identity.actor, subject=subject, origin=origin, day=typed)
    return _page(request, session, identity, told="service_levels.day_saved")


def _targets(sent: Fields) -> Targets:
    return Targets(
        calendar_code=sent.text("calendar_code", longest=40) or "",
        first_response_seconds=_seconds(sent, "first_response"),
        resolution_seconds=_seconds(sent, "resolution"),
        is_active=sent.text("is_active", longest=1) == "1",
    )


def _condition(sent: Fields, name: str) -> Any:
    if name == "unit_id":
        return sent.number(name)
    typed = sent.text(name, longest=80)
    return typed if name != "is_key_customer" or typed is None else typed == "1"


def _spans(sent: Fields, weekday: int) -> list[Window]:
    """The windows of a weekday, typed like “8:30–12:00, 14:00–18:00”; blank: closed."""
    typed = (sent.text(f"d{weekday}", longest=200) or "").replace("：", ":")
    found = []
    for part in _BETWEEN.split(typed) if typed else []:
        matched = _SPAN.fullmatch(part)
        try:
            clocks = [parse_clock(clock, field="window") for clock in matched.groups()] if matched else []
        except ConfigurationError:
            clocks = []
        if not clocks:
            raise InvalidError(f"A window is {part.strip()!r}.", "Write it like 8:30-12:00; several with commas.")
        found.append(Window(weekday, clocks[0], clocks[1]))
    return found


def _seconds(sent: Fields, name: str) -> int | None:
    """Hours and minutes of business time (22:30) in seconds; None if blank."""
    typed = sent.text(name, longest=8)
    if typed is None:
        return None
    hours, colon, minutes = typed.replace("：", ":").partition(":")
    if not hours.isdecimal() or (colon and not (minutes.isdecimal() and int(minutes) < 60)):
        raise InvalidError(f"{name} is {typed!r}.", "Write hours and minutes, like 22:30.")
    return int(hours) * 3600 + int(minutes or 0) * 60


def _page(request: Request, session: Session, identity: Identity, *, told: str = "") -> Response:
    today = to_local(utc_now()).date()
    calendars = session.scalars(
        select(WorkCalendar).where(WorkCalendar.deleted_at.is_(None)).order_by(WorkCalendar.code)
    ).all()
    policies = session.scalars(
        select(SlaPolicy).where(SlaPolicy.deleted_at.is_(None)).order_by(SlaPolicy.sort_order)
    ).all()
    days = session.scalars(
        select(CalendarDay)
        .where(
            CalendarDay.day >= today,
            CalendarDay.day <= today + _AHEAD,
            CalendarDay.deleted_at.is_(None),
            CalendarDay.day_kind.in_(("holiday", "make_up")) | CalendarDay.is_correction,
        )
        .order_by(CalendarDay.calendar_code, CalendarDay.day)
    ).all()
    return render(
        request,
        session,
        identity,
        "service_levels.html",
        policies=policies,
        steps=session.scalars(select(EscalationStep).order_by(EscalationStep.percent, EscalationStep.id)).all(),
        calendars=calendars,
        windows=_windows(session),
        days={each.code: [day for day in days if day.calendar_code == each.code] for each in calendars},
        conditions=tuple(CONDITIONS),
        priorities=PRIORITIES,
        known={
            "service_type_code": {row.code: row for row in names.service_types(session)},
            "complaint_type_code": {row.code: row for row in session.scalars(select(ComplaintType))},
            "product_code": {row.code: row for row in names.products(session)},
            "channel_code": {row.code: row for row in names.channels(session)},
            "unit_id": {row.id: row for row in names.all_units(session)},
        },
        told=told,
    )


def _windows(session: Session) -> dict[str, list[tuple[int, list[str]]]]:
    """Calendar -> (weekday, its opening windows as people read them)."""
    rows = session.scalars(
        select(CalendarWindow)
        .where(CalendarWindow.deleted_at.is_(None))
        .order_by(CalendarWindow.calendar_code, CalendarWindow.weekday, CalendarWindow.opens_second)
    )
    found: dict[str, dict[int, list[str]]] = {}
    for row in rows:
        text = f"{_clock(row.opens_second)}–{_clock(row.closes_second)}"
        found.setdefault(row.calendar_code, {}).setdefault(row.weekday, []).append(text)
    return {code: sorted(week.items()) for code, week in found.items()}


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"
