"""Services keep to their caller's sight by themselves: the pages call them without the routes."""

import pytest
from sqlalchemy import Engine

from core.database import session_scope
from crm_api.errors import InvalidError, NotAllowedError, NotFoundError
from crm_api.tickets import bulk, proposals, relations, service
from tests.crm_api.conftest import actor_named
from tests.crm_api.world import World

COMPLAINT = {"channel_code": "voice", "service_type_code": "complaint"}


@pytest.mark.parametrize("name", ["customer", "contact"])
def test_no_ticket_names_a_foreign_customer_or_contact(populated: tuple[Engine, World], name: str) -> None:
    engine, world = populated
    actor = actor_named(engine, "baoji_handler")
    foreign = {f"{name}_id": world[(name, "foreign")]}  # type: ignore[index]  # the names are a world's
    with session_scope(engine) as session, pytest.raises(InvalidError, match="does not exist"):
        service.create(session, actor=actor, values=COMPLAINT | foreign)


def test_a_ticket_that_a_branch_opens_without_naming_one_is_its_own(populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    for username in ("baoji_handler", "weibin_handler"):
        actor = actor_named(engine, username)
        with session_scope(engine) as session:
            made = service.create(session, actor=actor, values=COMPLAINT)
            assert made.unit_id == actor.unit_id
            assert service.get(session, actor=actor, ticket_id=made.id).ticket.id == made.id


def test_children_and_links_out_of_sight_are_not_shown(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    province, branch = actor_named(engine, "supervisor"), actor_named(engine, "baoji_handler")
    own, foreign = world[("work", "own")], world[("work", "foreign")]
    with session_scope(engine) as session:
        relations.attach(session, actor=province, ticket_id=foreign, parent_id=own)
        relations.link(session, actor=province, ticket_id=own, other_id=foreign)
    with session_scope(engine) as session:
        assert [row.id for row in relations.children(session, actor=province, ticket_id=own)] == [foreign]
        assert len(relations.links(session, actor=province, ticket_id=own)) == 1
        assert relations.children(session, actor=branch, ticket_id=own) == []
        assert relations.links(session, actor=branch, ticket_id=own) == []


def test_a_branch_carries_out_no_proposal_and_takes_back_no_other_s_action(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    province, branch = actor_named(engine, "supervisor"), actor_named(engine, "baoji_manager")
    with session_scope(engine) as session:
        number = proposals.propose(session, actor=province, ticket_ids=[world[("work", "own")]], action="cancel").id
    with session_scope(engine) as session, pytest.raises(NotAllowedError):
        bulk.carry_out(session, actor=branch, bulk_id=number)
    with session_scope(engine) as session, pytest.raises(NotFoundError):
        bulk.undo(session, actor=branch, bulk_id=number)


def test_a_bulk_action_leaves_foreign_tickets_alone_and_unnamed(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    branch = actor_named(engine, "baoji_manager")
    foreign = world[("work", "foreign")]
    with session_scope(engine) as session:
        _, outlooks = bulk.carry_out(
            session, actor=branch, ticket_ids=[foreign], action="edit", parameters={"product_code": "digital_tv"}
        )
        assert [(each.code, each.from_state) for each in outlooks] == [(str(foreign), "")]
        assert service.get(session, actor=actor_named(engine, "supervisor"), ticket_id=foreign).version == 1
