"""Outbound capacity: what the forecast of incoming calls leaves free, so that lists shrink when inbound peaks."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from core.errors import NotPublishedError
from core.scope import PROVINCE
from core.settings import Settings, get_settings
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


def outbound(
    settings: Settings | None = None,
    day_from: date | None = None,
    day_to: date | None = None,
    *,
    call_seconds: float = 240.0,
    first_half_hour: int = 18,
    last_half_hour: int = 41,
) -> list[Free]:
    """What each day of the published forecast leaves free for outbound calls.

    Args:
        settings: of the installation.
        day_from, day_to: days wanted, both included; all that are forecast by default.
        call_seconds: an outbound call with its wrap-up and the attempts that reach nobody.
        first_half_hour, last_half_hour: when people may be called (09:00 to 21:00 by default), both included.

    Raises:
        NotPublishedError: no forecast was published.
    """
    plan = published_staffing(settings)
    allowed = plan[plan["half_hour_key"].between(first_half_hour, last_half_hour)]
    found = []
    for day, part in allowed.groupby(allowed["at"].dt.date):
        if (day_from is None or day >= day_from) and (day_to is None or day <= day_to):
            seconds = float(part["outbound_agent_seconds"].sum())
            found.append(Free(day, seconds, int(seconds // call_seconds)))
    return found
