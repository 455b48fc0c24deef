"""Who does something: the value that services take instead of a session or a request."""

from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "agent",
    "dispatcher",
    "reviewer",
    "supervisor",
    "branch_handler",
    "branch_lead",
    "branch_manager",
    "analyst",
    "manager",
    "marketing",
    "administrator",
    "system",
]
UnitKind = Literal["province", "city", "county"]

#: Roles that work for the provincial company: they dispatch, review, call back, close and cancel.
PROVINCIAL_ROLES: frozenset[Role] = frozenset({"dispatcher", "reviewer", "supervisor"})
#: Roles that work in a city or county branch: they finish work and never close it.
BRANCH_ROLES: frozenset[Role] = frozenset({"branch_handler", "branch_lead", "branch_manager"})


@dataclass(frozen=True)
class Actor:
    """A person (or the system) acting in one role from one unit.

    `unit_id` is org_units.id of the unit they work in and `city_unit_id` the city above it (itself for a city, None for
    the province).
    """

    username: str
    role: Role
    unit_id: int
    unit_kind: UnitKind
    city_unit_id: int | None = None

    @property
    def is_province(self) -> bool:
        """Whether the actor works in the provincial company and so sees every branch."""
        return self.unit_kind == "province"
