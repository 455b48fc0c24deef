"""Duplicates are found with reasons; a merge moves everything the chosen way, its undo brings all of it back."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.actor import Actor
from core.database import session_scope
from crm_api.contacts.models import Contact
from crm_api.customers import merging
from crm_api.customers.duplicates import candidates_for, name_similarity
from crm_api.customers.models import Consent, Customer, CustomerManager, CustomerMerge, CustomerSearchKey
from crm_api.errors import ConflictError, NotFoundError
from crm_api.models import Base
from tests.crm_api.conftest import actor_named
from tests.crm_api.world import PEOPLE, START, World, add_customer

TWIN = {**PEOPLE["own"], "code": "T1", "account": "6000000009", "card": "8100000009", "landline": "+869173260009"}


def _twin(engine: Engine, **changes: str) -> int:
    with session_scope(engine) as session:
        return add_customer(session, TWIN | changes).id


def _everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of what a merge may touch, without the versions that each write raises."""
    found = {}
    with engine.connect() as connection:
        for table in [model.__table__ for model in merging.MOVED] + [Customer.__table__]:
            columns = [column for column in table.c if column.name != "row_version"]
            found[table.name] = [tuple(row) for row in connection.execute(select(*columns).order_by(table.c.id))]
        key = CustomerSearchKey.__table__
        columns = [column for column in key.c if column.name != "source_version"]
        found[key.name] = [tuple(row) for row in connection.execute(select(*columns).order_by(key.c.customer_id))]
    return found


def test_everything_that_belongs_to_a_customer_is_moved() -> None:
    handled = {model.__tablename__ for model in merging.MOVED}
    own = {Customer.__tablename__, CustomerMerge.__tablename__, CustomerSearchKey.__tablename__}
    # The account manager of the survivor stays theirs.
    own.add(CustomerManager.__tablename__)
    pointing = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "customers"
    }
    assert pointing - own == handled


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"mobile": "+8613000000009", "address": "别处"}, ["identity_number"]),
        ({"identity": "x", "address": "别处", "name": "张小伟"}, ["phone_and_name"]),
        ({"identity": "x", "mobile": "+8613000000009"}, ["address_and_name"]),
        ({}, ["address_and_name", "identity_number", "phone_and_name"]),
        ({"identity": "x", "address": "别处", "name": "李娜"}, None),
    ],
)
def test_duplicates_have_reasons(
    populated: tuple[Engine, World], changes: dict[str, str], reasons: list[str] | None
) -> None:
    engine, world = populated
    _twin(engine, **changes)
    with session_scope(engine) as session:
        customer = session.get_one(Customer, world[("customer", "own")])
        found = candidates_for(session, customer, actor_named(engine, "agent"))
    assert [duplicate.reasons for duplicate in found] == ([reasons] if reasons else [])


def test_names_that_sound_alike_are_similar() -> None:
    assert name_similarity("张伟", "章伟") >= 0.9
    assert name_similarity("张伟", "张 伟") == 1
    assert name_similarity("张伟", "") == 0


def test_undo_brings_everything_back(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    survivor, merged = world[("customer", "own")], _twin(engine)
    actor = actor_named(engine, "supervisor")
    with session_scope(engine) as session:
        session.add(Contact(channel_code="sms", external_id="1", customer_id=merged, started_at=START, outcome="other"))
        consent = session.scalars(select(Consent).where(Consent.customer_id == merged)).one()
        consent.granted = False
    before = _everything(engine)
    with session_scope(engine) as session:
        merge = merging.merge(session, survivor_id=survivor, merged_id=merged, reason="重复", actor=actor)
    with session_scope(engine) as session:
        assert not session.scalars(select(Contact).where(Contact.customer_id == merged)).all()
        consents = session.scalars(
            select(Consent).where(Consent.customer_id == survivor, Consent.valid_from == date(2026, 1, 1))
        )
        assert [consent.granted for consent in consents] == [False], "the refusal stays"
        assert session.get_one(Customer, merged).merged_into_id == survivor
    with session_scope(engine) as session:
        merging.undo(session, merge.id, actor=actor)
    assert _everything(engine) == before
    with pytest.raises(ConflictError, match="before"), session_scope(engine) as session:
        merging.undo(session, merge.id, actor=actor)


def test_a_merge_is_undone_before_the_one_under_it(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    actor, first, second = actor_named(engine, "supervisor"), _twin(engine), world[("customer", "own")]
    third = _twin(engine, code="T2", account="6000000010", card="8100000010")
    with session_scope(engine) as session:
        inner = merging.merge(session, survivor_id=first, merged_id=third, reason="重复", actor=actor)
        outer = merging.merge(session, survivor_id=second, merged_id=first, reason="重复", actor=actor)
    with (
        pytest.raises(ConflictError, match="merged into another"),
        session_scope(engine) as session,
    ):
        merging.undo(session, inner.id, actor=actor)
    with session_scope(engine) as session:
        merging.undo(session, outer.id, actor=actor)
        merging.undo(session, inner.id, actor=actor)


def test_nobody_merges_a_foreign_customer(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    actor: Actor = actor_named(engine, "baoji_manager")
    own, foreign = world[("customer", "own")], world[("customer", "foreign")]
    for survivor, merged in ((own, foreign), (foreign, own)):
        with pytest.raises(NotFoundError), session_scope(engine) as session:
            merging.merge(session, survivor_id=survivor, merged_id=merged, reason="重复", actor=actor)
    with pytest.raises(NotFoundError), session_scope(engine) as session:
        merging.undo(session, world[("merge", "foreign")], actor=actor)


def test_the_merged_one_says_where_it_went(web: Callable[..., TestClient], sqlite_world: tuple[Engine, World]) -> None:
    engine, world = sqlite_world
    survivor, merged = world[("customer", "own")], _twin(engine)
    browser = web("supervisor")
    path = f"/api/v1/customers/{survivor}/merges"
    body, key = {"merged_id": merged, "reason": "重复建档"}, {"Idempotency-Key": "merge-key-1"}
    answers = [browser.post(path, json=body, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    gone = browser.get(f"/api/v1/customers/{merged}")
    assert gone.status_code == 404
    assert str(survivor) in gone.json()["mend"]
    assert browser.post(f"/api/v1/merges/{answers[0].json()['id']}/undo").status_code == 200
    assert browser.get(f"/api/v1/customers/{merged}").status_code == 200
