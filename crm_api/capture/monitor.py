"""The process monitor: the loop drawn with what stands at each node; per branch, per step, per person."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.capture import names
from crm_api.capture.drawing import PLACES, Drawing, draw_loop
from crm_api.capture.pages import render
from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.tickets import monitor as service
from crm_api.tickets.models import ENDED_STATES
from crm_api.tickets.process_service import active_version, definition_of
from crm_api.web.dependencies import DbSession, requires

router = APIRouter(include_in_schema=False)
Watcher = Annotated[Identity, requires(Permission.MONITOR_READ)]
UnitId = Annotated[int | None, Query(ge=1, le=2**63 - 1)]

#: The nodes at which tickets stand, in the order of the tables.
NODES = tuple(code for code in PLACES if code not in ENDED_STATES)
_RECENT = timedelta(days=30)
_LATE_PEOPLE = 12
#: Width of the longest bar; its figures stand beside it.
_CHART = 290


@dataclass
class Node:
    """What stands at one state, perhaps of one unit."""

    number: int = 0
    oldest: datetime | None = None
    at_risk: int = 0
    late: int = 0
    slow: int = 0

    def add(self, figures: "service.NodeFigures | Node") -> None:
        """Count further tickets in."""
        number, oldest = (
            (figures.number, figures.oldest) if isinstance(figures, Node) else (figures.tickets, figures.oldest_since)
        )
        self.number += number
        self.at_risk += figures.at_risk
        self.late += figures.late
        self.slow += figures.slow
        if oldest and (self.oldest is None or oldest < self.oldest):
            self.oldest = oldest

    @property
    def look(self) -> str:
        """The worst that is said about it."""
        return "late" if self.late else "at_risk" if self.at_risk else "slow" if self.slow else "fine"


@dataclass
class Picture:
    """The loop at an instant: nodes over all, and per unit of the level below (0: at none of them)."""

    at: datetime
    nodes: dict[str, Node] = field(default_factory=lambda: defaultdict(Node))
    units: dict[int, dict[str, Node]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Node)))

    def total(self, unit_id: int) -> Node:
        """What a unit has in all."""
        total = Node()
        for node in self.units[unit_id].values():
            total.add(node)
        return total


@dataclass(frozen=True)
class Place:
    """What the reader looks at: the province, a city or a county, and the units that the table breaks it down to."""

    city: OrgUnit | None
    county: OrgUnit | None
    below: Sequence[OrgUnit]

    @property
    def unit_id(self) -> int | None:
        """The unit; None: all that the reader sees."""
        unit = self.county or self.city
        return unit.id if unit else None


def place_of(session: Session, actor: Actor, city_id: int | None, county_id: int | None) -> Place:
    """What the reader chose, within what they see; NotFoundError for anything else."""
    if not actor.is_province:
        city_id, county_id = actor.city_unit_id, county_id if actor.unit_kind == "city" else actor.unit_id
    if city_id is None:
        return Place(None, None, names.cities(session))
    city = names.units(session, [city_id]).get(city_id)
    if city is None or city.kind != "city":
        raise NotFoundError(f"There is no city branch {city_id}.")
    below = names.counties(session, city_id)
    county = next((unit for unit in below if unit.id == county_id), None)
    # A county of another city was chosen before the city changed: the city's own are offered.
    return Place(city, county, below)


def picture(session: Session, actor: Actor, place: Place, now: datetime) -> Picture:
    """Count the open tickets that `actor` sees there, by state and unit."""
    found = Picture(now)
    for each in service.nodes(session, actor=actor, unit_id=place.unit_id, now=now):
        found.nodes[each.state].add(each)
        if place.city is None:
            found.units[each.city_unit_id or 0][each.state].add(each)
    if place.city is not None:
        for each in service.nodes(session, actor=actor, by_county=True, unit_id=place.unit_id, now=now):
            found.units[each.county_unit_id or 0][each.state].add(each)
    return found


def quality(session: Session, actor: Actor, place: Place, now: datetime) -> dict[int, service.BranchFigures]:
    """Returns and rejections of the last 30 days by the unit that the table shows (0: at none of them)."""
    shown = {unit.id for unit in place.below}
    own = shown | ({place.city.id} if place.city else set())
    parents = {unit.id: unit.parent_id or 0 for unit in names.all_units(session)}
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for each in service.branch_quality(session, actor=actor, start=now - _RECENT, end=now):
        unit_id = each.unit_id if each.unit_id in own else parents.get(each.unit_id, 0)
        if unit_id not in own:
            continue
        total = sums[unit_id if unit_id in shown else 0]
        for index, number in enumerate((each.dispatched, each.returned, each.resolved, each.rejected)):
            total[index] += number
    return {unit_id: service.BranchFigures(unit_id, *numbers) for unit_id, numbers in sums.items()}


@dataclass(frozen=True)
class Bar:
    """Time at one state against its target, as it is drawn: parts of the chart's width."""

    figures: service.StepFigures
    mean: float
    target: float | None


def bars(figures: Sequence[service.StepFigures], width: float) -> list[Bar]:
    """The stays at each node, on one scale that the longest mean or target fills."""
    known = {each.state: each for each in figures}
    rows = [known[code] for code in NODES if code in known]
    longest = max([1.0, *(each.mean_seconds for each in rows), *(each.target_seconds or 0 for each in rows)])
    scale = width / longest
    return [
        Bar(each, each.mean_seconds * scale, each.target_seconds * scale if each.target_seconds else None)
        for each in rows
    ]


@router.get("/app/monitor")
def monitor(
    identity: Watcher, session: DbSession, request: Request, city: UnitId = None, county: UnitId = None
) -> Response:
    """The loop as it stands now; `city` and `county` narrow it."""
    actor, now = identity.actor, utc_now()
    place = place_of(session, actor, city, county)
    late = service.late_people(session, actor=actor, unit_id=place.unit_id, limit=_LATE_PEOPLE, now=now)
    times = service.step_times(session, actor=actor, start=now - _RECENT, end=now, unit_id=place.unit_id)
    return render(
        request,
        session,
        identity,
        "monitor.html",
        picture=picture(session, actor, place, now),
        drawing=_drawing(session),
        nodes=NODES,
        place=place,
        cities=names.cities(session) if actor.is_province else [],
        may_choose_county=actor.unit_kind != "county",
        quality=quality(session, actor, place, now),
        bars=bars(times, _CHART),
        late=late,
        units=names.units(session, [each.unit_id for each in late]),
        may_open=identity.may(Permission.TICKET_READ),
    )


def _drawing(session: Session) -> Drawing:
    return draw_loop(definition_of(session, active_version(session, service_type_code="complaint").id))
