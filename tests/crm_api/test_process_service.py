"""Processes are edited as drafts and only sound ones are used; tickets under way stay with theirs."""

import pytest
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.tickets import process_service
from crm_api.tickets.errors import MissingFieldsError
from crm_api.tickets.process_models import ProcessVersion
from tests.crm_api.ticket_world import World


@pytest.fixture
def world(store: Engine) -> World:
    return World(store)


def document(world: World) -> dict:  # type: ignore[type-arg]  # a document is any mapping
    with session_scope(world.engine) as session:
        active = process_service.active_version(session, service_type_code="complaint")
        return dict(active.definition)


def test_an_edited_step_asks_for_more_from_new_tickets_only(world: World) -> None:
    before = world.open()
    edited = document(world)
    for step in edited["transitions"]:
        if step["code"] == "accept":
            step["requires"] = ["reason"]
    with session_scope(world.engine) as session:
        administrator = world.who("administrator")
        draft = process_service.save_draft(session, actor=administrator, process_code="closed_loop", document=edited)
        again = process_service.save_draft(session, actor=administrator, process_code="closed_loop", document=edited)
        assert (draft.id, draft.number) == (again.id, 2)
        process_service.activate(session, actor=administrator, version_id=draft.id, note="接单须说明")
    world.to(before, "accepted")
    after = world.open()
    world.to(after, "dispatched")
    with pytest.raises(MissingFieldsError, match="reason"):
        world.step("baoji.branch_handler", after, "accept")
    with session_scope(world.engine) as session:
        statuses = session.scalars(select(ProcessVersion.status).order_by(ProcessVersion.number)).all()
        assert statuses == ["retired", "active"]


def test_an_unsound_process_may_be_a_draft_but_is_never_used(world: World) -> None:
    edited = document(world)
    for step in edited["transitions"]:
        if step["code"] == "close":
            step["roles"] = ["branch_lead"]
    assert {each.code for each in process_service.problems_of(edited)} == {"branch_closes"}
    with session_scope(world.engine) as session:
        draft = process_service.save_draft(
            session, actor=world.who("administrator"), process_code="closed_loop", document=edited
        )
        number = draft.id
    with pytest.raises(process_service.UnsoundProcessError), session_scope(world.engine) as session:
        process_service.activate(session, actor=world.who("administrator"), version_id=number)
    with session_scope(world.engine) as session:
        assert process_service.active_version(session, service_type_code="complaint").number == 1


def test_only_an_administrator_edits_and_only_in_known_words(world: World) -> None:
    edited = document(world)
    with pytest.raises(NotAllowedError), session_scope(world.engine) as session:
        process_service.save_draft(session, actor=world.who("supervisor"), process_code="closed_loop", document=edited)
    edited["states"][0]["target_seconds"] = -1
    with pytest.raises(InvalidError, match="target_seconds"), session_scope(world.engine) as session:
        process_service.save_draft(
            session, actor=world.who("administrator"), process_code="closed_loop", document=edited
        )
