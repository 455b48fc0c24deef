"""Loading the reference data: missing rows are added, changed names follow, a person's corrections stay."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import HOLIDAYS_KNOWN_UNTIL, days_between, follows_weekday, parse_windows
from crm_api.base import Base
from crm_api.campaigns.reference import load_offers
from crm_api.contacts.models import Channel, ServiceType
from crm_api.contacts.wrap_up_models import WrapUpCode
from crm_api.customers.models import Product
from crm_api.knowledge.service import load_delivered
from crm_api.organisation.models import CalendarDay, CalendarWindow, OrgUnit, WorkCalendar
from crm_api.tickets.models import ComplaintType
from crm_api.tickets.reference import load_loop

_FOLDER = Path(__file__).parent
#: Calendars know their days from here; history older than this is imported without business time.
FIRST_DAY = date(2010, 1, 1)

Row = dict[str, Any]


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
    return content


def upsert(session: Session, model: type[Base], rows: Iterable[Row], *, key: tuple[str, ...]) -> int:
    """Add the rows whose `key` is new and update those that differ; the number of rows written."""
    present = {tuple(getattr(item, name) for name in key): item for item in session.scalars(select(model))}
    written = 0
    for row in rows:
        item = present.get(tuple(row[name] for name in key))
        if item is None:
            session.add(model(**row))
            written += 1
        elif any(getattr(item, name) != value for name, value in row.items()):
            for name, value in row.items():
                setattr(item, name, value)
            written += 1
    session.flush()
    return written


def _flat(rows: Iterable[Mapping[str, Any]], parent: str | None = None, level: int = 1) -> Iterable[Row]:
    for order, row in enumerate(rows, start=1):
        code = f"{parent}.{row['code']}" if parent else row["code"]
        yield {
            "code": code,
            "parent_code": parent,
            "level": level,
            "name_zh": row["name_zh"],
            "name_en": row["name_en"],
            "sort_order": order,
        }
        yield from _flat(row.get("children", ()), code, level + 1)


def _numbered(rows: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    return ({**row, "sort_order": order} for order, row in enumerate(rows, start=1))


def _load_units(session: Session) -> int:
    content = _read("units.yml")
    written = upsert(session, OrgUnit, [{**content["province"], "kind": "province", "parent_id": None}], key=("code",))
    province = session.scalars(select(OrgUnit).where(OrgUnit.kind == "province")).one()
    cities = [
        {name: value for name, value in city.items() if name != "counties"}
        | {"kind": "city", "parent_id": province.id, "sort_order": order}
        for order, city in enumerate(content["cities"], start=1)
    ]
    written += upsert(session, OrgUnit, cities, key=("code",))
    ids = {unit.code: unit.id for unit in session.scalars(select(OrgUnit).where(OrgUnit.kind == "city"))}
    counties = [
        {
            **county,
            "kind": "county",
            "parent_id": ids[city["code"]],
            "area_code": city["area_code"],
            "sort_order": order,
        }
        for city in content["cities"]
        for order, county in enumerate(city["counties"], start=1)
    ]
    return written + upsert(session, OrgUnit, counties, key=("code",))


def _load_calendars(session: Session, catalogue: dict[str, Any]) -> int:
    rows = [{name: item[name] for name in ("code", "name_zh", "name_en")} for item in catalogue["calendars"]]
    written = upsert(session, WorkCalendar, rows, key=("code",))
    windows, days = [], []
    last = date(max(HOLIDAYS_KNOWN_UNTIL.year, date.today().year + 1), 12, 31)  # noqa: DTZ011 - a horizon, not an instant
    known = list(days_between(FIRST_DAY, last))
    with_week = set(session.scalars(select(CalendarWindow.calendar_code).distinct()))
    for item in catalogue["calendars"]:
        code = item["code"]
        # A week that is there is an administrator's: what they closed stays closed.
        windows += [
            {
                "calendar_code": code,
                "weekday": w.weekday,
                "opens_second": w.opens_second,
                "closes_second": w.closes_second,
            }
            for w in parse_windows(item["windows"], field=f"calendars.{code}.windows")
            if code not in with_week
        ]
        days += [
            {
                "calendar_code": code,
                "day": day.day,
                "day_kind": day.kind,
                "follows_weekday": follows_weekday(day, observes_holidays=item["observes_holidays"]),
                "holiday_zh": day.holiday_zh,
                "holiday_en": day.holiday_en,
            }
            for day in known
        ]
    written += upsert(session, CalendarWindow, windows, key=("calendar_code", "weekday", "opens_second"))
    corrected = {
        (code, day)
        for code, day in session.execute(
            select(CalendarDay.calendar_code, CalendarDay.day).where(CalendarDay.is_correction)
        )
    }
    free = [row for row in days if (row["calendar_code"], row["day"]) not in corrected]
    return written + upsert(session, CalendarDay, free, key=("calendar_code", "day"))


def load_reference(session: Session) -> int:
    """Load units, channels, service and complaint types, products, calendars, the loop; the number of rows written."""
    catalogue = _read("catalogue.yml")
    written = _load_units(session)
    written += upsert(session, Channel, _numbered(catalogue["channels"]), key=("code",))
    written += upsert(session, ServiceType, _numbered(catalogue["service_types"]), key=("code",))
    written += upsert(session, Product, _numbered(catalogue["products"]), key=("code",))
    written += upsert(session, ComplaintType, _flat(catalogue["complaint_types"]), key=("code",))
    written += upsert(session, WrapUpCode, _flat(catalogue["wrap_up_codes"]), key=("code",))
    written += _load_calendars(session, catalogue)
    return written + load_loop(session) + load_offers(session) + load_delivered(session)
