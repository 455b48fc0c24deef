"""Whether a process is sound: no dead end, nothing unreachable, no way to close around the province's review.

The search walks every state together with two facts of a ticket: was it ever dispatched, and has the province
approved the present piece of work. So it follows each sequence of transitions that the guards would let through.
"""

from collections import deque
from dataclasses import dataclass

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Role
from crm_api.roles import role_names
from crm_api.tickets.models import ENDED_STATES
from crm_api.tickets.process import Definition, Transition

#: Event kinds that only the province may write.
PROVINCIAL_KINDS = frozenset(
    {"dispatched", "review_started", "approved", "rejected", "closed", "cancelled", "reopened"}
)
#: Where work is done: entering one of these asks for a new review.
_WORKING = frozenset({"new", "dispatched", "accepted", "in_progress", "pending", "returned"})


@dataclass(frozen=True)
class Problem:
    """Why a process is refused; `place` is the code of the state or transition."""

    code: str
    place: str
    text_zh: str
    text_en: str


@dataclass(frozen=True)
class Situation:
    """A ticket as the search sees it."""

    state: str
    dispatched: bool = False
    approved: bool = False


def is_review(transition: Transition) -> bool:
    """Whether taking it is the province's approval: an approval out of the review, open to provincial roles only."""
    return (
        transition.kind == "approved"
        and transition.sources == ("in_review",)
        and set(transition.roles) <= PROVINCIAL_ROLES
    )


def _after(situation: Situation, transition: Transition) -> Situation | None:
    guards = transition.guards
    if "never_dispatched" in guards and situation.dispatched:
        return None
    if "was_dispatched" in guards and not situation.dispatched:
        return None
    approved = is_review(transition) or (situation.approved and transition.target not in _WORKING)
    return Situation(transition.target, situation.dispatched or transition.kind == "dispatched", approved)


def situations(definition: Definition) -> dict[Situation, tuple[Situation, Transition] | None]:
    """Every situation that a ticket can reach, with the step that led there first; a ticket may be born pending."""
    found: dict[Situation, tuple[Situation, Transition] | None] = {Situation(definition.start): None}
    if any(state.code == "pending" for state in definition.states):
        found[Situation("pending")] = None
    waiting = deque(found)
    while waiting:
        situation = waiting.popleft()
        for transition in definition.leaving(situation.state):
            after = _after(situation, transition) if transition.roles else None
            if after is not None and after not in found:
                found[after] = (situation, transition)
                waiting.append(after)
    return found


def _can_close(definition: Definition, reached: set[Situation]) -> set[Situation]:
    """The situations from which some sequence of steps closes the ticket."""
    before: dict[Situation, set[Situation]] = {situation: set() for situation in reached}
    for situation in reached:
        for transition in definition.leaving(situation.state):
            after = _after(situation, transition) if transition.roles else None
            if after is not None:
                before[after].add(situation)
    good = {situation for situation in reached if situation.state == "closed"}
    waiting = deque(good)
    while waiting:
        for situation in before[waiting.popleft()] - good:
            good.add(situation)
            waiting.append(situation)
    return good


def check(definition: Definition) -> list[Problem]:
    """What is wrong with a process; nothing: it may be used."""
    problems = [*_names(definition), *_rights(definition)]
    if problems:
        return problems
    reached = situations(definition)
    seen = {situation.state for situation in reached}
    for state in definition.states:
        if state.code not in seen:
            text = f"节点“{state.name_zh}”无法到达。", f"No ticket ever reaches “{state.name_en}”."
            problems.append(Problem("unreachable", state.code, *text))
    closing = _can_close(definition, set(reached))
    stuck = {situation.state for situation in reached if situation.state not in ENDED_STATES} & {
        situation.state for situation in set(reached) - closing
    }
    for code in sorted(stuck):
        state = definition.state(code)
        text = f"工单会停在“{state.name_zh}”，无法归档。", f"A ticket gets stuck at “{state.name_en}” and never closes."
        problems.append(Problem("dead_end", code, *text))
    unreviewed = [each for each in reached if each.state == "closed" and each.dispatched and not each.approved]
    if unreviewed:
        path = _path(reached, unreviewed[0])
        problems.append(
            Problem(
                "unreviewed_close",
                path[-1].code,
                f"派出的工单可以不经省公司审核就归档：{'、'.join(step.name_zh for step in path)}。",
                f"A dispatched ticket can close without the province's review: {', '.join(s.name_en for s in path)}.",
            )
        )
    return problems


def _path(reached: dict[Situation, tuple[Situation, Transition] | None], goal: Situation) -> list[Transition]:
    steps: list[Transition] = []
    came = reached[goal]
    while came is not None:
        steps.insert(0, came[1])
        came = reached[came[0]]
    return steps


def _names(definition: Definition) -> list[Problem]:
    """States that transitions name and the process lacks; ends that it needs and lacks; ways out of the final end."""
    present = {state.code for state in definition.states}
    found = []
    for code in (definition.start, *ENDED_STATES):
        if code not in present:
            found.append(
                Problem("missing_state", code, f"流程缺少节点 {code}。", f"The process lacks the state {code}.")
            )
    for transition in definition.transitions:
        for code in sorted({*transition.sources, transition.target} - present):
            text = (
                f"“{transition.name_zh}”指向未知节点 {code}。",
                f"“{transition.name_en}” names {code}, no state of this process.",
            )
            found.append(Problem("missing_state", transition.code, *text))
        if "cancelled" in transition.sources:
            text = "已撤销的工单不能再流转。", "Nothing leaves a cancelled ticket."
            found.append(Problem("leaves_cancelled", transition.code, *text))
        if "closed" in transition.sources and transition.kind != "reopened":
            text = "已归档的工单只能重新打开。", "A closed ticket can only be reopened."
            found.append(Problem("leaves_closed", transition.code, *text))
    return found


def _rights(definition: Definition) -> list[Problem]:
    """Steps of the province that somebody else may take, and events that don't say what the step does."""
    found = []
    for transition in definition.transitions:
        closes = transition.target == "closed"
        ends = closes or transition.target == "cancelled"
        provincial = ends or transition.kind in PROVINCIAL_KINDS
        # Whoever answers a contact at once closes a ticket that never left the centre.
        centre: set[Role] = {"agent"} if closes and "never_dispatched" in transition.guards else set()
        strangers = set(transition.roles) - PROVINCIAL_ROLES - centre
        if provincial and strangers:
            branch = bool(strangers & BRANCH_ROLES)
            code = "branch_closes" if branch and ends else "not_provincial"
            who_zh = "、".join(role_names("zh")[role] for role in sorted(strangers))
            who_en = " or ".join(role_names("en")[role] for role in sorted(strangers))
            text = (
                f"“{transition.name_zh}”只能由省公司执行，不能由{who_zh}执行。",
                f"Only the province may “{transition.name_en}”, not {who_en}.",
            )
            found.append(Problem(code, transition.code, *text))
        named = {"closed": "closed", "cancelled": "cancelled", "dispatched": "dispatched"}.get(transition.target)
        if named and transition.kind != named:
            text = (
                f"“{transition.name_zh}”的事件应为 {named}。",
                f"“{transition.name_en}” must write the event {named}.",
            )
            found.append(Problem("wrong_kind", transition.code, *text))
    return found
