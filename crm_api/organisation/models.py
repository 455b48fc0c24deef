"""Organisation units (a tree), townships, and the working calendars."""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key
from crm_api.base import Base, Captured, one_of

UNIT_KINDS = ("province", "city", "county")
DAY_KINDS = ("working", "weekend", "holiday", "make_up")


class OrgUnit(Captured, Base):
    """One unit: the province, a city branch or a county branch."""

    __tablename__ = "org_units"
    __table_args__ = (
        one_of("kind", UNIT_KINDS),
        CheckConstraint("(kind = 'province') = (parent_id IS NULL)", name="only_province_has_no_parent"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"), index=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    area_code: Mapped[str | None] = mapped_column(String(8), doc="Telephone area code, e.g. 029")
    sort_order: Mapped[int] = mapped_column(Integer, server_default="0")


class Township(Captured, Base):
    """A township or street office: the finest place an address names."""

    __tablename__ = "townships"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))


class WorkCalendar(Captured, Base):
    """A working calendar: weekly windows plus its days (holidays, make-up days, corrections)."""

    __tablename__ = "calendars"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    time_zone: Mapped[str] = mapped_column(String(40), server_default="Asia/Shanghai")


class CalendarWindow(Captured, Base):
    """One weekly opening window, in seconds of the local day; several a day are allowed."""

    __tablename__ = "calendar_windows"
    __table_args__ = (
        UniqueConstraint("calendar_code", "weekday", "opens_second"),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="iso_weekday"),
        CheckConstraint("0 <= opens_second AND opens_second < closes_second", name="opens_before_it_closes"),
        CheckConstraint("closes_second <= 86400", name="closes_within_the_day"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendars.code"))
    weekday: Mapped[int] = mapped_column(Integer, doc="ISO: 1 Monday … 7 Sunday")
    opens_second: Mapped[int] = mapped_column(Integer)
    closes_second: Mapped[int] = mapped_column(Integer, doc="24:00 is 86400")


class CalendarDay(Captured, Base):
    """What one day of a calendar is, and which weekday's windows it follows (NULL: closed all day)."""

    __tablename__ = "calendar_days"
    __table_args__ = (
        UniqueConstraint("calendar_code", "day"),
        one_of("day_kind", DAY_KINDS),
        CheckConstraint("follows_weekday BETWEEN 1 AND 7", name="iso_weekday"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendars.code"))
    day: Mapped[date] = mapped_column(Date)
    day_kind: Mapped[str] = mapped_column(String(12))
    follows_weekday: Mapped[int | None] = mapped_column(Integer)
    holiday_zh: Mapped[str | None] = mapped_column(String(40))
    holiday_en: Mapped[str | None] = mapped_column(String(40))
    is_correction: Mapped[bool] = mapped_column(server_default="0", doc="Set by a person; init leaves it alone")
