"""Time: aware UTC inside, Asia/Shanghai for people."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from core.settings import TIME_ZONE

LOCAL = ZoneInfo(TIME_ZONE)


def utc_now() -> datetime:
    """The present instant, timezone-aware, in UTC."""
    return datetime.now(UTC)


def require_aware(value: datetime) -> datetime:
    """The same instant in UTC; ValueError if `value` has no zone."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; give an aware datetime")
    return value.astimezone(UTC)


def to_local(value: datetime) -> datetime:
    """The same instant as people read it (Asia/Shanghai)."""
    return require_aware(value).astimezone(LOCAL)
