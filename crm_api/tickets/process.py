"""A process as a value: states, transitions, who may take them, what must be filled in, what must hold."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast, get_args

from core.actor import Role
from crm_api.errors import InvalidError
from crm_api.tickets.models import EVENT_KINDS, TICKET_STATES

Guard = Literal[
    "never_dispatched",
    "was_dispatched",
    "no_open_children",
    "no_open_assignments",
    "checklist_done",
    "follow_up_done",
    "within_reopen_days",
]
Requirement = Literal["reason", "unit_id", "pending_reason", "pending_until", "resolution", "complaint_type_code"]
Side = Literal["province", "branch"]

GUARDS: tuple[Guard, ...] = get_args(Guard)
REQUIREMENTS: tuple[Requirement, ...] = get_args(Requirement)
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class State:
    """A node of the loop; `target_seconds` is how long a ticket should stay there (None: no target)."""

    code: str
    name_zh: str
    name_en: str
    side: Side
    target_seconds: int | None = None


@dataclass(frozen=True)
class Transition:
    """A step that `roles` may take from any of `sources` to `target`, writing an event of `kind`."""

    code: str
    kind: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[Role, ...]
    requires: tuple[Requirement, ...]
    guards: tuple[Guard, ...]
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class Definition:
    """A whole process."""

    start: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]

    def state(self, code: str) -> State:
        """The state of that code; KeyError if the process has none."""
        return {state.code: state for state in self.states}[code]

    def transition(self, code: str) -> Transition | None:
        """The transition of that code, if the process has it."""
        return next((transition for transition in self.transitions if transition.code == code), None)

    def leaving(self, state: str) -> list[Transition]:
        """The transitions that leave `state`, in the order of the process."""
        return [transition for transition in self.transitions if state in transition.sources]

    def without(self, code: str) -> "Definition":
        """The same process lacking one transition."""
        return replace(self, transitions=tuple(each for each in self.transitions if each.code != code))

    def with_transition(self, transition: Transition) -> "Definition":
        """The same process with one transition added, or replaced if its code is present."""
        return replace(self, transitions=(*self.without(transition.code).transitions, transition))

    def as_document(self) -> dict[str, Any]:
        """The form that the store and the YAML file hold; `parse` reads it back."""
        document = asdict(self)
        document["states"] = list(document["states"])
        document["transitions"] = [
            {
                ("from" if name == "sources" else "to" if name == "target" else name): _plain(value)
                for name, value in each.items()
            }
            for each in document["transitions"]
        ]
        return document


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _known(value: object, allowed: tuple[str, ...], place: str) -> str:
    if value not in allowed:
        raise InvalidError(f"{place} is {value!r}.", f"It is one of: {', '.join(allowed)}.")
    return str(value)


def _texts(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> dict[str, str]:
    found = {name: row.get(name) for name in names}
    for name, value in found.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidError(f"{place}: {name} is missing.", "Give every step a code and its names in zh and en.")
    return cast("dict[str, str]", found)


def _listed(row: Mapping[str, Any], name: str, allowed: tuple[str, ...], place: str) -> tuple[str, ...]:
    values = row.get(name, [])
    if not isinstance(values, list):
        raise InvalidError(f"{place}: {name} is {values!r}, not a list.", "Write a list.")
    return tuple(dict.fromkeys(_known(value, allowed, f"{place}: {name}") for value in values))


def _state(row: Mapping[str, Any]) -> State:
    place = f"State {row.get('code')!r}"
    _known(row.get("code"), TICKET_STATES, "A state's code")
    target = row.get("target_seconds")
    if target is not None and (not isinstance(target, int) or isinstance(target, bool) or target <= 0):
        raise InvalidError(f"{place}: target_seconds is {target!r}.", "Give whole seconds above 0, or nothing.")
    side = cast("Side", _known(row.get("side"), get_args(Side), f"{place}: side"))
    return State(**_texts(row, ("code", "name_zh", "name_en"), place), side=side, target_seconds=target)


def _transition(row: Mapping[str, Any]) -> Transition:
    place = f"Transition {row.get('code')!r}"
    return Transition(
        **_texts(row, ("code", "name_zh", "name_en"), place),
        kind=_known(row.get("kind"), EVENT_KINDS, f"{place}: kind"),
        sources=_listed(row, "from", TICKET_STATES, place),
        target=_known(row.get("to"), TICKET_STATES, f"{place}: to"),
        roles=cast("tuple[Role, ...]", _listed(row, "roles", ROLES, place)),
        requires=cast("tuple[Requirement, ...]", _listed(row, "requires", REQUIREMENTS, place)),
        guards=cast("tuple[Guard, ...]", _listed(row, "guards", GUARDS, place)),
    )


def parse(document: Mapping[str, Any]) -> Definition:
    """The process that a document describes; whether it is sound is the checker's question.

    Raises:
        InvalidError: a name is unknown or missing, or a code stands twice.
    """
    states = tuple(_state(row) for row in document.get("states", []))
    transitions = tuple(_transition(row) for row in document.get("transitions", []))
    for what, codes in (("State", [s.code for s in states]), ("Transition", [t.code for t in transitions])):
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise InvalidError(f"{what} {twice[0]!r} stands twice.", "Give each its own code.")
    return Definition(_known(document.get("start"), TICKET_STATES, "start"), states, transitions)
