"""How many outgoing calls the forecast of incoming ones leaves free, told a day and shared by all campaigns."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crm_api.campaigns.models import OPEN_STATES, CallAttempt, CallListEntry, Campaign, OutboundCapacity
from crm_api.dialect import begin_writing


def limit_calls(session: Session, calls: Mapping[date, int], *, told_by: str) -> None:
    """Replace what was told of these days and of all later ones: a newer forecast knows better.

    Args:
        session: the caller's transaction.
        calls: local day -> calls that all campaigns together may make.
        told_by: who says so.
    """
    if not calls:
        return
    begin_writing(session)
    session.execute(delete(OutboundCapacity).where(OutboundCapacity.day >= min(calls)))
    session.add_all(OutboundCapacity(day=day, calls=number, told_by=told_by) for day, number in sorted(calls.items()))
    session.flush()


def free_calls(session: Session, first: date, last: date, *, campaign_id: int) -> dict[date, int]:
    """Calls left for a campaign, by day: the forecast's less what other approved lists plan; no limit: no entry."""
    told = session.execute(
        select(OutboundCapacity.day, OutboundCapacity.calls).where(OutboundCapacity.day.between(first, last))
    )
    others = session.execute(
        select(CallListEntry.planned_on, func.count())
        .join(Campaign, Campaign.id == CallListEntry.campaign_id)
        .where(
            CallListEntry.campaign_id != campaign_id,
            CallListEntry.state.in_(OPEN_STATES),
            CallListEntry.planned_on.between(first, last),
            CallListEntry.deleted_at.is_(None),
            Campaign.state.in_(("approved", "running")),
        )
        .group_by(CallListEntry.planned_on)
    )
    planned = {row[0]: row[1] for row in others}
    return {row.day: max(0, row.calls - planned.get(row.day, 0)) for row in told}


def free_today(session: Session, day: date, since: datetime, *, campaign_id: int) -> int | None:
    """Calls that a campaign may still make on `day`: the forecast's less what others called since its start."""
    told = session.get(OutboundCapacity, day)
    if told is None:
        return None
    begun = session.scalar(
        select(func.count())
        .select_from(CallAttempt)
        .where(CallAttempt.campaign_id != campaign_id, CallAttempt.at >= since)
    )
    return max(0, told.calls - (begun or 0))
