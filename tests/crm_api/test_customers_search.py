"""Finding customers as people type: numbers in any spelling, names, pinyin, addresses; several are all offered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from core.actor import Actor
from core.database import session_scope
from crm_api.customers import numbers
from crm_api.customers.models import Customer, CustomerPhone, CustomerSearchKey
from crm_api.customers.pinyin import search_forms
from crm_api.customers.search import by_number, search
from crm_api.customers.search_keys import refresh, refresh_all
from crm_api.organisation.models import OrgUnit
from tests.crm_api.conftest import actor_named
from tests.crm_api.world import PEOPLE, START, World, add_customer

AREA_CODES = ["029", "0917"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("13891234567", "+8613891234567"),
        ("+86 138 9123 4567", "+8613891234567"),
        ("0086-13891234567", "+8613891234567"),
        ("8613891234567", "+8613891234567"),
        ("013891234567", "+8613891234567"),
        ("１３８９１２３４５６７", "+8613891234567"),
        ("029-8765 4321", "+862987654321"),
        ("(029)87654321", "+862987654321"),
        ("＋８６－２９－８７６５４３２１", "+862987654321"),
        ("87654321", "+862987654321"),
        ("3260000", "+86293260000"),
        ("0917 326 0000", "+869173260000"),
    ],
)
def test_a_number_in_any_spelling(typed: str, meant: str) -> None:
    assert numbers.candidates(typed, AREA_CODES)[0] == meant


def test_a_local_number_may_mean_each_city() -> None:
    assert "+869173260000" in numbers.candidates("3260000", AREA_CODES)


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_no_text_breaks_the_reading_of_numbers(text: str) -> None:
    assert all(number.startswith("+") for number in numbers.candidates(text, AREA_CODES))


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("张伟", ("zw", "zhangwei")),
        ("曾小贤", ("zxx", "zengxiaoxian")),
        ("单田芳", ("stf", "shantianfang")),
        ("吕布", ("lb", "lvbu")),
        ("宝鸡ABC公司", ("bjabcgs", "baojiabcgongsi")),
        ("", ("", "")),
    ],
)
def test_pinyin_of_names(name: str, forms: tuple[str, str]) -> None:
    assert search_forms(name) == forms


def _found(engine: Engine, text: str, actor: Actor) -> list[tuple[str | None, str]]:
    with session_scope(engine) as session:
        return [(match.customer.code, match.reason) for match in search(session, actor, text)]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("138-9123-4567", "phone"),
        ("1389123", "phone"),
        ("0917 326 0000", "phone"),
        ("3260000", "phone"),
        ("6000000001", "account"),
        ("8100000001", "smart_card"),
        ("810000000", "smart_card"),
        ("c0000001", "code"),
        ("ZHANG.WEI@example.com", "email"),
        ("张伟", "name"),
        ("张", "name"),
        ("zw", "initials"),
        ("zhangw", "pinyin"),
        ("经二路12号", "address"),
        ("张 经二路", "name"),
        ("经二路 501", "address"),
    ],
)
def test_what_one_types_finds_the_customer(shared_world: tuple[Engine, World], typed: str, reason: str) -> None:
    engine, _ = shared_world
    found = _found(engine, typed, actor_named(engine, "agent"))
    assert found[0] == ("C0000001", reason)
    assert found[0] in _found(engine, typed, actor_named(engine, "baoji_handler"))


@pytest.mark.parametrize("typed", ["%", "_", "张_", "\\", "' OR 1=1 --", "zz%", "＋", "+", "0", "😀", "‮"])
def test_wildcards_and_tricks_are_plain_text(shared_world: tuple[Engine, World], typed: str) -> None:
    engine, _ = shared_world
    assert _found(engine, typed, actor_named(engine, "agent")) == []


def test_several_customers_of_a_number_are_offered_ranked(populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    with session_scope(engine) as session:
        shared = PEOPLE["own"]["mobile"]
        for code, values in (("G1", {"key_level": "gold"}), ("L1", {"status": "left", "left_at": START})):
            add_customer(session, {"unit": "baoji", "code": code, "name": "张伟", "mobile": shared}, **values)
        matches = by_number(session, actor_named(engine, "agent"), "138 9123 4567")
        assert [match.customer.code for match in matches] == ["G1", "C0000001", "L1"]


def test_a_key_customer_is_not_lost_among_namesakes(populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    with session_scope(engine) as session:
        for number in range(150):
            add_customer(session, {"unit": "baoji", "code": f"N{number}", "name": "王芳"})
        add_customer(session, {"unit": "baoji", "code": "KEY", "name": "王芳"}, key_level="platinum")
    assert _found(engine, "王芳", actor_named(engine, "agent"))[0][0] == "KEY"


def test_keys_follow_a_bulk_load_and_a_change(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    agent = actor_named(engine, "agent")
    assert refresh_all(engine) == 0, "nothing is stale"
    with session_scope(engine) as session:
        unit = session.scalars(select(OrgUnit.id).where(OrgUnit.code == "ankang")).one()
        rows = [
            Customer(code=f"B{number}", kind="person", unit_id=unit, name="欧阳修", registered_at=START)
            for number in range(3)
        ]
        session.add_all(rows)
        session.flush()
        session.add(CustomerPhone(customer_id=rows[0].id, e164="+8613000000001", kind="mobile"))
    assert _found(engine, "oyx", agent) == []
    told: list[int] = []
    assert refresh_all(engine, told.append) == 3
    assert told
    assert len(_found(engine, "oyx", agent)) == 3
    with session_scope(engine) as session:
        session.execute(update(Customer).where(Customer.code == "B0").values(name="司马光"))
    assert refresh_all(engine) == 1
    assert _found(engine, "司马光", agent) == [("B0", "name")]
    with session_scope(engine) as session:
        customer = session.get_one(Customer, world[("customer", "own")])
        customer.deleted_at = START
        assert refresh(session, [customer.id]) == 0
        assert session.get(CustomerSearchKey, customer.id) is None
    assert refresh_all(engine) == 0
