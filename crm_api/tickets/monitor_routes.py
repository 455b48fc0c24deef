"""The process monitor's figures over HTTP: nodes, their tickets, who is late, time in each step, returns."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from core.time import utc_now
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.schemas import Instant
from crm_api.identity.sessions import Identity
from crm_api.tickets import monitor
from crm_api.tickets.schemas import TicketOut, TicketState
from crm_api.web.dependencies import DbSession, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import Out, Page

router = APIRouter(prefix="/api/v1/monitor", tags=["process monitor"])
Watcher = Annotated[Identity, requires(Permission.MONITOR_READ)]
UnitId = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="A city with its counties, or a county")]
Since = Annotated[Instant | None, Query(description="From; a week ago if not told")]
Until = Annotated[Instant | None, Query(description="Until, at most a year later; now if not told")]
_WEEK, _LONGEST = timedelta(days=7), timedelta(days=366)


class NodeOut(Out):
    """The open tickets at one state, of a city branch (NULL: of none yet) and county (NULL: all, or at none)."""

    state: TicketState
    city_unit_id: int | None
    county_unit_id: int | None
    tickets: int
    oldest_since: datetime | None
    oldest_seconds: float | None = Field(description="How long the oldest has stood there, wall-clock")
    at_risk: int = Field(description="75 % of the target used up")
    late: int
    slow: int = Field(description="Longer at the node than its target")


class LateOut(Out):
    """Late and at-risk tickets of one handler in one branch (NULL: nobody has taken them)."""

    unit_id: int | None
    handler: str | None
    late: int
    at_risk: int


class StepTimesOut(Out):
    """How long tickets stayed at a state, wall-clock seconds, against its target (NULL: none)."""

    state: TicketState
    stays: int
    mean_seconds: float
    longest_seconds: float
    target_seconds: int | None
    over_target: int


class BranchOut(Out):
    """What a branch was sent and what came back; a rate is NULL where nothing was sent or resolved."""

    unit_id: int
    dispatched: int
    returned: int
    resolved: int
    rejected: int
    return_rate: float | None
    rejection_rate: float | None


def _period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = until or utc_now()
    start = since or end - _WEEK
    if not timedelta(0) < end - start <= _LONGEST:
        raise InvalidError(f"The period {start.isoformat()} to {end.isoformat()} is empty or over a year.")
    return start, end


@router.get("/nodes", responses=problems())
def get_nodes(
    identity: Watcher,
    session: DbSession,
    by_county: Annotated[bool, Query(description="Also by the county that has the ticket")] = False,
) -> list[NodeOut]:
    """The open tickets within the caller's sight by state and city: how many, how old, at risk, late, slow."""
    now = utc_now()
    return [
        NodeOut(
            state=each.state,  # type: ignore[arg-type]  # the store holds the literals only
            city_unit_id=each.city_unit_id,
            county_unit_id=each.county_unit_id,
            tickets=each.tickets,
            oldest_since=each.oldest_since,
            oldest_seconds=(now - each.oldest_since).total_seconds() if each.oldest_since else None,
            at_risk=each.at_risk,
            late=each.late,
            slow=each.slow,
        )
        for each in monitor.nodes(session, actor=identity.actor, by_county=by_county, now=now)
    ]


@router.get("/tickets", responses=problems())
def get_tickets(
    identity: Watcher,
    session: DbSession,
    state: Annotated[list[TicketState] | None, Query(description="Any of these")] = None,
    unit_id: UnitId = None,
    handler: Annotated[str | None, Query(max_length=60)] = None,
    risk: Annotated[Literal["late", "at_risk", "slow"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Rows a page")] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="next_cursor of the page before")] = None,
) -> Page[TicketOut]:
    """The open tickets behind a figure, oldest number first."""
    rows = monitor.tickets_at(
        session,
        actor=identity.actor,
        states=state or (),
        unit_id=unit_id,
        handler=handler,
        risk=risk,
        after=int(cursor or 0),
        limit=limit + 1,
    )
    shown = rows[:limit]
    further = str(shown[-1].id) if len(rows) > limit else None
    return Page(items=[TicketOut.model_validate(row) for row in shown], next_cursor=further)


@router.get("/late", responses=problems())
def get_late(identity: Watcher, session: DbSession, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[LateOut]:
    """Who has late tickets or such at risk, most late ones first."""
    return [LateOut.model_validate(each) for each in monitor.late_people(session, actor=identity.actor, limit=limit)]


@router.get("/step-times", responses=problems())
def get_step_times(
    identity: Watcher, session: DbSession, since: Since = None, until: Until = None, unit_id: UnitId = None
) -> list[StepTimesOut]:
    """How long tickets stayed at each state against its target, for stays that ended in the period."""
    start, end = _period(since, until)
    found = monitor.step_times(session, actor=identity.actor, start=start, end=end, unit_id=unit_id)
    return [StepTimesOut.model_validate(each) for each in found]


@router.get("/branches", responses=problems())
def get_branches(identity: Watcher, session: DbSession, since: Since = None, until: Until = None) -> list[BranchOut]:
    """Rejections and returns per branch in the period."""
    start, end = _period(since, until)
    found = monitor.branch_quality(session, actor=identity.actor, start=start, end=end)
    return [BranchOut.model_validate(each) for each in found]
