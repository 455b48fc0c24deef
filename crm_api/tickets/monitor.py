"""The process monitor's figures: what stands at each node, how long, at risk or late; per branch, step and person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, case, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.actor import Actor
from core.time import utc_now
from crm_api.dialect import seconds_between
from crm_api.organisation.models import OrgUnit
from crm_api.sla.clocks import DONE_STATES
from crm_api.tickets.access import visible
from crm_api.tickets.loop_models import TicketAssignment, TicketWork
from crm_api.tickets.models import ENDED_STATES, Ticket, TicketEvent
from crm_api.tickets.process_service import active_version, definition_of

Risk = Literal["late", "at_risk", "slow"]


@dataclass(frozen=True)
class NodeFigures:
    """The open tickets at one state, of a city branch (None: of none yet) and one of its counties (None: all)."""

    state: str
    city_unit_id: int | None
    county_unit_id: int | None
    tickets: int
    oldest_since: datetime | None
    at_risk: int
    late: int
    slow: int


@dataclass(frozen=True)
class StepFigures:
    """How long tickets stayed at a state, wall-clock seconds, against its target (None: no target)."""

    state: str
    stays: int
    mean_seconds: float
    longest_seconds: float
    target_seconds: int | None
    over_target: int


@dataclass(frozen=True)
class LateFigures:
    """Late and at-risk tickets of one handler in one branch (None: nobody has taken them)."""

    unit_id: int | None
    handler: str | None
    late: int
    at_risk: int


@dataclass(frozen=True)
class BranchFigures:
    """What a branch was sent and what came back, over a period; the rates are None where nothing was sent or done."""

    unit_id: int
    dispatched: int
    returned: int
    resolved: int
    rejected: int

    @property
    def return_rate(self) -> float | None:
        """Returned of dispatched."""
        return self.returned / self.dispatched if self.dispatched else None

    @property
    def rejection_rate(self) -> float | None:
        """Rejected of resolved."""
        return self.rejected / self.resolved if self.resolved else None


def _since() -> ColumnElement[datetime]:
    return func.coalesce(TicketWork.state_since, Ticket.created_at)


def _open(actor: Actor) -> list[ColumnElement[bool]]:
    return [
        Ticket.state.not_in(ENDED_STATES),
        Ticket.deleted_at.is_(None),
        Ticket.source == "captured",
        visible(actor),
    ]


def _runs() -> ColumnElement[bool]:
    """The resolution clock runs: a paused or finished ticket gets no later than it is."""
    return Ticket.state.not_in((*DONE_STATES, *ENDED_STATES, "pending"))


def _late(now: datetime) -> ColumnElement[bool]:
    return _runs() & (Ticket.resolution_due_at < now)


def _at_risk(now: datetime) -> ColumnElement[bool]:
    return _runs() & (TicketWork.at_risk_at <= now) & (Ticket.resolution_due_at >= now)


def step_targets(session: Session, *, service_type_code: str = "complaint") -> dict[str, int]:
    """State -> seconds a ticket should stay there at most, by the active process; only states with a target."""
    definition = definition_of(session, active_version(session, service_type_code=service_type_code).id)
    return {state.code: state.target_seconds for state in definition.states if state.target_seconds}


def _slow(targets: dict[str, int], now: datetime) -> ColumnElement[bool]:
    limits = [(Ticket.state == code) & (_since() < now - timedelta(seconds=limit)) for code, limit in targets.items()]
    return or_(false(), *limits)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def nodes(
    session: Session,
    *,
    actor: Actor,
    by_county: bool = False,
    unit_id: int | None = None,
    now: datetime | None = None,
) -> list[NodeFigures]:
    """The open tickets that `actor` sees, by state and city branch, or also by the county that has them now.

    By county, a ticket that two counties share counts for each of them. `unit_id` narrows to a city or a county.
    """
    at = now or utc_now()
    unit, county = aliased(OrgUnit), _county()
    city = case((unit.kind == "county", unit.parent_id), else_=unit.id)
    groups: list[Any] = [Ticket.state, city]
    if by_county:
        groups.append(county)
    statement = (
        select(
            Ticket.state.label("state"),
            city.label("city"),
            func.count().label("tickets"),
            func.min(_since()).label("oldest"),
            _number(_at_risk(at)).label("at_risk"),
            _number(_late(at)).label("late"),
            _number(_slow(step_targets(session), at)).label("slow"),
            *([county.label("county")] if by_county else []),
        )
        .select_from(Ticket)
        .outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
        .outerjoin(unit, unit.id == Ticket.unit_id)
        .where(*_open(actor))
        .group_by(*groups)
    )
    if by_county:
        statement = statement.outerjoin(
            TicketAssignment,
            (TicketAssignment.ticket_id == Ticket.id) & TicketAssignment.returned_at.is_(None),
        )
    if unit_id is not None:
        statement = statement.where(of_unit(unit_id))
    return [
        NodeFigures(
            row.state,
            row.city,
            row.county if by_county else None,
            row.tickets,
            row.oldest,
            int(row.at_risk),
            int(row.late),
            int(row.slow),
        )
        for row in session.execute(statement)
    ]


def _county() -> ColumnElement[int | None]:
    """Where the ticket lies below its city: the county it was sub-dispatched or sent to."""
    own = select(OrgUnit.id).where(OrgUnit.id == Ticket.unit_id, OrgUnit.kind == "county").scalar_subquery()
    return func.coalesce(TicketAssignment.unit_id, own)


def tickets_at(
    session: Session,
    *,
    actor: Actor,
    states: Sequence[str] = (),
    unit_id: int | None = None,
    handler: str | None = None,
    risk: Risk | None = None,
    after: int = 0,
    limit: int = 50,
    now: datetime | None = None,
) -> list[Ticket]:
    """The open tickets behind a figure, in the order of their numbers; `after` is the last number of the page before.

    `unit_id` is a city (with its counties) or a county (also what was sub-dispatched to it).
    """
    at = now or utc_now()
    statement = (
        select(Ticket)
        .outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(*_open(actor), Ticket.id > after)
        .order_by(Ticket.id)
        .limit(limit)
    )
    if states:
        statement = statement.where(Ticket.state.in_(states))
    if unit_id is not None:
        statement = statement.where(of_unit(unit_id))
    if handler is not None:
        statement = statement.where(TicketWork.handler == handler)
    if risk is not None:
        statement = statement.where(standing_as(session, risk, now=at))
    return list(session.scalars(statement))


def standing_as(session: Session, risk: Risk, *, now: datetime) -> ColumnElement[bool]:
    """The condition behind a figure; the statement outer-joins `TicketWork` and names open tickets only."""
    if risk == "late":
        return _late(now)
    return _at_risk(now) if risk == "at_risk" else _slow(step_targets(session), now)


def of_unit(unit_id: int) -> ColumnElement[bool]:
    """The tickets of a city with its counties, or of a county with what was sub-dispatched to it."""
    below = select(OrgUnit.id).where(OrgUnit.parent_id == unit_id)
    shared = select(TicketAssignment.ticket_id).where(
        TicketAssignment.unit_id == unit_id, TicketAssignment.returned_at.is_(None)
    )
    return or_(Ticket.unit_id == unit_id, Ticket.unit_id.in_(below), Ticket.id.in_(shared))


def late_people(
    session: Session, *, actor: Actor, unit_id: int | None = None, limit: int = 50, now: datetime | None = None
) -> list[LateFigures]:
    """Who has late tickets or such at risk, most late ones first; `unit_id` narrows to a city or a county."""
    at = now or utc_now()
    late, at_risk = _number(_late(at)), _number(_at_risk(at))
    statement = (
        select(Ticket.unit_id, TicketWork.handler, late.label("late"), at_risk.label("at_risk"))
        .outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(*_open(actor), or_(_late(at), _at_risk(at)))
        .group_by(Ticket.unit_id, TicketWork.handler)
        .order_by(late.desc(), at_risk.desc(), Ticket.unit_id, TicketWork.handler)
        .limit(limit)
    )
    if unit_id is not None:
        statement = statement.where(of_unit(unit_id))
    return [
        LateFigures(row.unit_id, row.handler, int(row.late), int(row.at_risk)) for row in session.execute(statement)
    ]


def step_times(
    session: Session,
    *,
    actor: Actor,
    start: datetime,
    end: datetime,
    unit_id: int | None = None,
    targets: dict[str, int] | None = None,
) -> list[StepFigures]:
    """How long tickets stayed at each state, for stays that ended between `start` and `end`."""
    limits = step_targets(session) if targets is None else targets
    stays = _stays(actor, start, end, unit_id).subquery()
    seconds = seconds_between(session, stays.c.entered_at, stays.c.left_at)
    over = case(
        *[(stays.c.state == code, case((seconds > limit, 1), else_=0)) for code, limit in limits.items()], else_=0
    )
    statement = (
        select(
            stays.c.state,
            func.count().label("stays"),
            func.avg(seconds).label("mean"),
            func.max(seconds).label("longest"),
            func.sum(over).label("over"),
        )
        .where(stays.c.left_at >= start, stays.c.left_at < end)
        .group_by(stays.c.state)
        .order_by(stays.c.state)
    )
    return [
        StepFigures(
            row.state, row.stays, float(row.mean), float(row.longest), limits.get(row.state), int(row.over or 0)
        )
        for row in session.execute(statement)
    ]


def _stays(actor: Actor, start: datetime, end: datetime, unit_id: int | None) -> Select[str, datetime, Any]:
    """One row for each stay at a state, of tickets to which something happened in the period."""
    touched = (
        select(TicketEvent.ticket_id)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(
            TicketEvent.occurred_at >= start,
            TicketEvent.occurred_at < end,
            Ticket.source == "captured",
            visible(actor),
        )
    )
    if unit_id is not None:
        touched = touched.where(of_unit(unit_id))
    moved = or_(TicketEvent.from_state.is_(None), TicketEvent.from_state != TicketEvent.to_state)
    order = {"partition_by": TicketEvent.ticket_id, "order_by": TicketEvent.event_number}
    return select(
        TicketEvent.to_state.label("state"),
        TicketEvent.occurred_at.label("entered_at"),
        func.lead(TicketEvent.occurred_at).over(**order).label("left_at"),  # type: ignore[arg-type]  # window arguments from a dict
    ).where(TicketEvent.ticket_id.in_(touched), moved)


def branch_quality(session: Session, *, actor: Actor, start: datetime, end: datetime) -> list[BranchFigures]:
    """What each branch was sent, gave back, resolved and had rejected between two instants, per unit of the ticket.

    A returned ticket counts for the branch that returned it, everything else for the branch that has the ticket now.
    """
    unit = case((TicketEvent.kind == "returned", TicketEvent.unit_id), else_=Ticket.unit_id)
    kinds = ("dispatched", "returned", "resolved", "rejected")
    counts = [_number(TicketEvent.kind == kind).label(kind) for kind in kinds]
    statement = (
        select(unit.label("unit"), *counts)
        .select_from(TicketEvent)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(
            TicketEvent.kind.in_(kinds),
            TicketEvent.occurred_at >= start,
            TicketEvent.occurred_at < end,
            Ticket.source == "captured",
            visible(actor),
        )
        .group_by(unit)
        .order_by(unit)
    )
    return [
        BranchFigures(row.unit, int(row.dispatched), int(row.returned), int(row.resolved), int(row.rejected))
        for row in session.execute(statement)
        if row.unit is not None
    ]
