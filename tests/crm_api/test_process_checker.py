"""The checker lets the delivered process through and refuses those that would strand or wave through a ticket."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actor import BRANCH_ROLES
from crm_api.errors import InvalidError
from crm_api.tickets import process as process_module
from crm_api.tickets.checker import check, is_review
from crm_api.tickets.process import ROLES, Definition, Transition, parse

DOCUMENT = yaml.safe_load((Path(process_module.__file__).parent / "process.yml").read_text("utf-8"))["definition"]
LOOP = parse(DOCUMENT)


def found(definition: Definition) -> set[tuple[str, str]]:
    return {(problem.code, problem.place) for problem in check(definition)}


def step(code: str, **values: object) -> Transition:
    transition = LOOP.transition(code)
    assert transition is not None
    return replace(transition, **values)  # type: ignore[arg-type]  # as each case sets


def test_the_delivered_process_is_sound_and_survives_being_stored() -> None:
    assert check(LOOP) == []
    assert parse(LOOP.as_document()) == LOOP


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (LOOP.without("resolve"), ("dead_end", "in_progress")),
        (LOOP.without("release"), ("dead_end", "pending")),
        (LOOP.with_transition(step("close", roles=())), ("dead_end", "follow_up")),
        (LOOP.without("return"), ("unreachable", "returned")),
        (LOOP.with_transition(step("close", roles=("reviewer", "branch_lead"))), ("branch_closes", "close")),
        (LOOP.with_transition(step("cancel", roles=("branch_handler",))), ("branch_closes", "cancel")),
        (LOOP.with_transition(step("approve", roles=("branch_manager",))), ("not_provincial", "approve")),
        (LOOP.with_transition(step("close", roles=("agent",))), ("not_provincial", "close")),
        (LOOP.with_transition(step("close", sources=("resolved",))), ("unreviewed_close", "close")),
        (LOOP.with_transition(step("close", sources=("returned",))), ("unreviewed_close", "close")),
        (LOOP.with_transition(step("close_at_once", guards=(), roles=("supervisor",), sources=("dispatched",))),
         ("unreviewed_close", "close_at_once")),
        (LOOP.with_transition(step("approve", sources=("in_review", "in_progress"))), ("unreviewed_close", "close")),
        (LOOP.with_transition(step("close", kind="updated")), ("wrong_kind", "close")),
        (LOOP.with_transition(step("resume", sources=("cancelled",))), ("leaves_cancelled", "resume")),
        (LOOP.with_transition(step("dispatch", sources=("closed",))), ("leaves_closed", "dispatch")),
        (replace(LOOP, states=tuple(s for s in LOOP.states if s.code != "cancelled")), ("missing_state", "cancelled")),
    ],
)  # fmt: skip
def test_an_unsound_process_is_refused(definition: Definition, problem: tuple[str, str]) -> None:
    assert problem in found(definition)


def test_every_refusal_is_told_in_both_languages() -> None:
    for problem in check(LOOP.with_transition(step("close", sources=("resolved",)))):
        assert problem.text_zh
        assert problem.text_en


def test_an_unknown_name_is_refused_with_its_place() -> None:
    wrong = LOOP.as_document()
    wrong["transitions"][0]["guards"] = ["moonlight"]
    with pytest.raises(InvalidError, match="moonlight"):
        parse(wrong)


def _walk(definition: Definition, choices: list[int]) -> list[Transition]:
    """A random walk that respects the two guards about dispatching, as a ticket would."""
    state, dispatched, taken = definition.start, False, []
    for choice in choices:
        blocked = "never_dispatched" if dispatched else "was_dispatched"
        options = [t for t in definition.leaving(state) if t.roles and blocked not in t.guards]
        if not options:
            break
        chosen = options[choice % len(options)]
        taken.append(chosen)
        state, dispatched = chosen.target, dispatched or chosen.kind == "dispatched"
    return taken


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_edited_a_process_that_passes_never_closes_unreviewed(data: st.DataObject) -> None:
    states = [state.code for state in LOOP.states]
    definition = LOOP
    for _ in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.sampled_from(definition.transitions))
        edited = replace(
            chosen,
            sources=tuple(data.draw(st.lists(st.sampled_from(states), min_size=1, max_size=3, unique=True))),
            target=data.draw(st.sampled_from([chosen.target, *states])),
            roles=tuple(data.draw(st.lists(st.sampled_from([*chosen.roles, *ROLES]), max_size=3, unique=True))),
            guards=data.draw(st.sampled_from([chosen.guards, ()])),
        )
        definition = definition.with_transition(edited)
    if check(definition):
        return
    walk = _walk(definition, data.draw(st.lists(st.integers(0, 20), max_size=25)))
    dispatched = approved = False
    for taken in walk:
        assert not (taken.target in ("closed", "cancelled") and set(taken.roles) & BRANCH_ROLES)
        dispatched = dispatched or taken.kind == "dispatched"
        if taken.target in ("in_progress", "new", "dispatched"):
            approved = False
        approved = approved or is_review(taken)
        assert taken.target != "closed" or approved or not dispatched
