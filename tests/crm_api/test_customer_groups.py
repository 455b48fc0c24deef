"""Groups of customers: made once, joined and left, seen within scope, and what a merge does to them."""

import pytest
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.audit.models import AuditEntry
from crm_api.customers import groups, merging
from crm_api.customers.group_models import CustomerGroupMember
from crm_api.errors import ConflictError, NotFoundError
from tests.crm_api.conftest import Client, actor_named
from tests.crm_api.world import PEOPLE, World, add_customer

PATH = "/api/v1/customer-groups"


def test_a_group_is_made_once_joined_left_and_taken_out_of_use(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    engine, world = sqlite_world
    customer = world[("customer", "own")]
    manager = web("baoji_manager")
    body = {"code": "G-WEIBIN", "name": "渭滨酒店集团", "account_manager": "baoji_lead"}
    made = manager.post(PATH, json=body, headers={"Idempotency-Key": "group-of-weibin"})
    again = manager.post(PATH, json=body, headers={"Idempotency-Key": "group-of-weibin"})
    assert (made.status_code, again.json()) == (201, made.json())
    group = made.json()["id"]
    taken = manager.post(PATH, json=body, headers={"Accept-Language": "zh-CN"})
    assert (taken.status_code, taken.json()["detail"]) == (409, "客户集团 'G-WEIBIN' 已存在。")
    second = manager.post(PATH, json={"code": "G-ALLIANCE", "name": "宝鸡采购联盟"}).json()["id"]
    for each in (group, second):
        assert manager.post(f"{PATH}/{each}/members", json={"customer_id": customer}).status_code == 201
    assert manager.post(f"{PATH}/{group}/members", json={"customer_id": customer}).status_code == 409
    seen = manager.get(f"{PATH}/{group}")
    assert [each["customer_code"] for each in seen.json()["members"]] == [PEOPLE["own"]["code"]]
    page = manager.get(f"/app/customers/{customer}").text
    assert "渭滨酒店集团" in page and "宝鸡采购联盟" in page
    assert manager.delete(f"{PATH}/{second}/members/{customer}").status_code == 204
    assert manager.delete(f"{PATH}/{second}/members/{customer}").status_code == 404
    changed = manager.patch(
        f"{PATH}/{group}", json={"name": "渭滨饭店集团", "is_active": False}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert (changed.json()["name"], changed.json()["account_manager"]) == ("渭滨饭店集团", "baoji_lead")
    assert manager.get(f"{PATH}/{group}").json()["members"] == []
    assert manager.post(f"{PATH}/{group}/members", json={"customer_id": customer}).status_code == 409
    with session_scope(engine) as session:
        stays = session.scalars(select(CustomerGroupMember).where(CustomerGroupMember.customer_id == customer)).all()
        noted = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("customer_group.%"))).all()
    assert len(stays) == 2 and all(each.left_at is not None for each in stays)
    assert {"customer_group.created", "customer_group.joined", "customer_group.left", "customer_group.changed"} <= set(
        noted
    )


def test_the_page_makes_a_group_with_the_customer_and_takes_them_out(
    web: Client, sqlite_world: tuple[Engine, World]
) -> None:
    with session_scope(sqlite_world[0]) as session:
        university = {"unit": "baoji", "code": "C-UNI", "name": "宝鸡文理学院"}
        customer = add_customer(session, university, kind="organisation").id
    manager = web("baoji_manager")
    assert "新建并加入" in manager.get(f"/app/customers/{customer}").text
    place = f"/app/customers/{customer}/groups"
    made = manager.post(place, data={"code": "G-1", "name": "秦岭大学"})
    assert made.status_code == 200 and "秦岭大学" in made.text
    (group,) = [each["id"] for each in manager.get(PATH).json()["items"] if each["code"] == "G-1"]
    assert manager.post(place, data={"group_id": group}).status_code == 409
    assert manager.post(f"{place}/{group}/leave").status_code == 200
    assert manager.post(place, data={"group_id": group}).status_code == 200
    assert manager.post(place, data={"name": "没有代码"}).status_code == 422
    assert "秦岭大学" in web("baoji_handler").get(f"/app/customers/{customer}").text
    assert place not in web("baoji_handler").get(f"/app/customers/{customer}").text


def test_nobody_puts_a_foreign_customer_into_a_group_or_sees_one_there(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    province, branch = actor_named(engine, "supervisor"), actor_named(engine, "baoji_manager")
    own, foreign = (world[("customer", side)] for side in ("own", "foreign"))  # type: ignore[index]  # the two sides
    group = world[("group", "own")]
    with session_scope(engine) as session:
        for customer in (own, foreign):
            groups.add_member(session, group, customer, actor=province)
        shown = groups.members(session, [group], branch)[group]
        assert [customer.id for _, customer in shown] == [own]
        assert len(groups.members(session, [group], province)[group]) == 2
    with session_scope(engine) as session:
        with pytest.raises(NotFoundError):
            groups.add_member(session, group, foreign, actor=branch)
        with pytest.raises(NotFoundError):
            groups.get_group(session, world[("group", "foreign")], branch)
        with pytest.raises(ConflictError):
            groups.add_member(session, group, own, actor=branch)


def test_a_merge_moves_memberships_and_its_undo_gives_them_back(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    province = actor_named(engine, "supervisor")
    survivor, group, other = world[("customer", "own")], world[("group", "own")], world[("group", "foreign")]
    with session_scope(engine) as session:
        twin = add_customer(session, {"unit": "baoji", "code": "C-TWIN", "name": "张伟"}).id
        for customer, place in ((survivor, group), (twin, group), (twin, other)):
            groups.add_member(session, place, customer, actor=province)
    with session_scope(engine) as session:
        merge = merging.merge(session, survivor_id=survivor, merged_id=twin, reason="重复建档", actor=province).id
        assert {each.id for each in groups.groups_of(session, survivor, province)} == {group, other}
    with session_scope(engine) as session:
        merging.undo(session, merge, actor=province)
        assert {each.id for each in groups.groups_of(session, twin, province)} == {group, other}
        assert {each.id for each in groups.groups_of(session, survivor, province)} == {group}
