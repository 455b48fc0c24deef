"""What a campaign's steps demand, when calls may be made, and how much the days hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.actor import Actor
from core.time import to_local
from crm_api.campaigns.models import Campaign
from crm_api.errors import ConflictError, InvalidError, NotAllowedError

#: step -> (states it starts from, state it leads to)
STEPS: Mapping[str, tuple[frozenset[str], str]] = {
    "review": (frozenset({"built"}), "reviewed"),
    "approve": (frozenset({"reviewed"}), "approved"),
    "start": (frozenset({"approved"}), "running"),
    "reopen": (frozenset({"built", "reviewed", "approved", "running"}), "draft"),
    "finish": (frozenset({"approved", "running"}), "finished"),
}
#: States in which a list may be built anew.
BUILDABLE = frozenset({"draft", "built", "reviewed"})
_LONGEST = timedelta(days=366)


def steps_from(campaign: Campaign, actor: Actor) -> list[str]:
    """The steps that `actor` may take now."""
    return [step for step in STEPS if _refusal(campaign, step, actor) is None]


def check_step(campaign: Campaign, step: str, actor: Actor) -> str:
    """The state that `step` leads to.

    Raises:
        InvalidError: there is no such step.
        ConflictError: the present state does not allow it.
        NotAllowedError: who defined, built or reviewed a list does not approve it.
    """
    if step not in STEPS:
        raise InvalidError(f"step is {step!r}.", f"It is one of: {', '.join(STEPS)}.")
    refusal = _refusal(campaign, step, actor)
    if refusal is not None:
        raise refusal
    return STEPS[step][1]


def _refusal(campaign: Campaign, step: str, actor: Actor) -> ConflictError | NotAllowedError | None:
    starts, _ = STEPS[step]
    if campaign.state not in starts:
        return ConflictError(
            f"The campaign is {campaign.state}; {step} starts from {', '.join(sorted(starts))}.", "Reload the campaign."
        )
    if step == "approve" and actor.username in (campaign.created_by, campaign.reviewed_by):
        return NotAllowedError(
            f"{actor.username} made or reviewed this list.", "A second person approves it: ask a colleague."
        )
    return None


def check_days(starts_on: date, ends_on: date) -> None:
    """InvalidError unless the days are in order and no longer than a year."""
    if not starts_on <= ends_on <= starts_on + _LONGEST:
        raise InvalidError(f"The campaign runs from {starts_on} to {ends_on}.", "Name an end within a year.")


def may_call_at(campaign: Campaign, now: datetime, holidays: frozenset[date]) -> str | None:
    """Why no call may be made at `now`: `not_running`, `outside_days`, `calling_hours`; None: it may."""
    local = to_local(now)
    second = local.hour * 3600 + local.minute * 60 + local.second
    if campaign.state != "running":
        return "not_running"
    if not campaign.starts_on <= local.date() <= campaign.ends_on:
        return "outside_days"
    if local.date() in holidays or not campaign.opens_second <= second < campaign.closes_second:
        return "calling_hours"
    return None


@dataclass(frozen=True)
class Days:
    """The days on which a campaign may call, and the calls that each branch gets on each of them."""

    days: tuple[date, ...]
    calls: Mapping[int, tuple[int, ...]]

    def total(self, unit_id: int) -> int:
        """Calls of a branch over all days."""
        return sum(self.calls.get(unit_id, ()))

    def planned(self, unit_id: int, rank: int) -> date:
        """The day on which the rank-th call (from 1) of a branch is due."""
        reached = 0
        for day, calls in zip(self.days, self.calls[unit_id], strict=True):
            reached += calls
            if rank <= reached:
                return day
        return self.days[-1]


def calling_days(
    campaign: Campaign,
    calls_per_day: Mapping[int, int],
    *,
    today: date,
    holidays: frozenset[date],
    free: Mapping[date, int],
) -> Days:
    """The days from today on without holidays; where the forecast leaves fewer calls free, every branch gets its share.

    Args:
        campaign: whose days they are.
        calls_per_day: branch -> calls a day.
        today: local day on which the list is built.
        holidays: days without calls.
        free: day -> outgoing calls that all branches together may make; days that are missing have no limit.
    """
    first = max(today, campaign.starts_on)
    span = range(max(0, (campaign.ends_on - first).days + 1))
    days = tuple(day for day in (first + timedelta(days=n) for n in span) if day not in holidays)
    wanted = sum(calls_per_day.values())
    shares = [min(1.0, free.get(day, wanted) / wanted) if wanted else 0.0 for day in days]
    return Days(days, {unit: tuple(int(calls * share) for share in shares) for unit, calls in calls_per_day.items()})


def need_text(value: str | None, name: str) -> str:
    """`value`; InvalidError if it is blank."""
    if not value:
        raise InvalidError(f"{name} is missing.", "Fill it in.")
    return value


def need_some(values: Sequence[object], name: str) -> None:
    """InvalidError if nothing is named."""
    if not values:
        raise InvalidError(f"{name} is missing.", "Name at least one.")
