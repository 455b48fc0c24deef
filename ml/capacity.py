"""Outbound capacity: what the forecast of incoming calls leaves free, so that lists shrink when inbound peaks."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from core.database import make_engine, session_scope
from core.errors import NotPublishedError
from core.scope import PROVINCE
from core.settings import Settings, get_settings
from crm_api.campaigns.capacity import limit_calls
from warehouse.publication import current
from warehouse.reader import open_reader

_STAFFING = "select * from fct_staffing order by date_key, half_hour_key"


@dataclass(frozen=True)
class Free:
    """Time left on one day: agent seconds beyond what incoming calls need, and the calls that fit into them."""

    day: date
    agent_seconds: float
    calls: int


def published_staffing(settings: Settings | None = None) -> pd.DataFrame:
    """The published plan by half-hour, with its local moment `at`.

    Raises:
        NotPublishedError: no forecast was published.
    """
    frame = open_reader(current(settings or get_settings()), PROVINCE).rows(_STAFFING)
    if frame.empty:
        raise NotPublishedError("No forecast was published.", "Forecast with: crm train volume && crm forecast")
    start = pd.to_datetime(frame["date_key"].astype(str)) + pd.to_timedelta(
        frame["half_hour_key"].astype("int64") * 30, unit="min"
    )
    return frame.assign(at=start)


def free_of(
    plan: pd.DataFrame, *, call_seconds: float = 240.0, first_half_hour: int = 18, last_half_hour: int = 41
) -> list[Free]:
    """What each day of a staffing plan leaves free for outbound calls.

    Args:
        plan: half-hours with their local moment `at` and `outbound_agent_seconds`.
        call_seconds: an outbound call with its wrap-up and the attempts that reach nobody.
        first_half_hour, last_half_hour: when people may be called (09:00 to 21:00 by default), both included.
    """
    half_hour = plan["at"].dt.hour * 2 + plan["at"].dt.minute // 30
    allowed = plan[half_hour.between(first_half_hour, last_half_hour)]
    seconds = allowed["outbound_agent_seconds"].groupby(allowed["at"].dt.date).sum()
    return [Free(day, float(each), int(each // call_seconds)) for day, each in seconds.items()]


def outbound(settings: Settings | None = None, day_from: date | None = None, day_to: date | None = None) -> list[Free]:
    """What each day of the published forecast leaves free for outbound calls.

    Args:
        settings: of the installation.
        day_from, day_to: days wanted, both included; all that are forecast by default.

    Raises:
        NotPublishedError: no forecast was published.
    """
    found = free_of(published_staffing(settings))
    return [
        each for each in found if (day_from is None or each.day >= day_from) and (day_to is None or each.day <= day_to)
    ]


def tell_campaigns(settings: Settings, plan: pd.DataFrame) -> list[Free]:
    """Write what the plan leaves free where call lists are built and worked within it; what was told is replaced."""
    free = free_of(plan)
    engine = make_engine(settings)
    with session_scope(engine) as session:
        limit_calls(session, {each.day: each.calls for each in free}, told_by="crm forecast")
    engine.dispose()
    return free
