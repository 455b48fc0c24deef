"""Calendars and policies are edited over the API and on their page; open tickets follow, ended clocks keep theirs."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from core.database import session_scope
from crm_api.reference.service import load_reference
from crm_api.sla.upkeep import recompute_next
from crm_api.tickets import service as tickets
from tests.crm_api.conftest import Client, actor_named
from tests.crm_api.world import World

ALL_DAY = [{"weekday": day, "opens_second": 0, "closes_second": 86_400} for day in range(1, 8)]
AN_HOUR = [{"weekday": day, "opens_second": 36_000, "closes_second": 39_600} for day in range(1, 6)]
POLICY = {
    "code": "slow_sound",
    "name_zh": "杂音",
    "name_en": "Noise",
    "service_type_code": "suggestion",
    "calendar_code": "always",
    "first_response_seconds": 3600,
    "resolution_seconds": 7200,
}


def _opened(engine: Engine, service_type: str = "suggestion") -> int:
    values = {"channel_code": "voice", "service_type_code": service_type, "title": "t"}
    with session_scope(engine) as session:
        return tickets.create(session, actor=actor_named(engine, "agent"), values=values).id


def _recomputed(engine: Engine, number: int) -> tuple[datetime | None, str]:
    """The promise of a ticket, and the policy that it follows, once the worker has looked at every change."""
    while True:
        with session_scope(engine) as session:
            if not recompute_next(session):
                break
    with session_scope(engine) as session:
        view = tickets.get(session, actor=actor_named(engine, "agent"), ticket_id=number)
        assert view.work is not None
        return view.ticket.resolution_due_at, view.work.clocks["resolution"]["policy"]


def test_a_week_is_changed_and_open_tickets_follow(client: Client, populated: tuple[Engine, World]) -> None:
    engine, boss = populated[0], client("boss")
    number = _opened(engine)
    before, _ = _recomputed(engine, number)
    answer = boss.put("/api/v1/calendars/office/week", json={"windows": ALL_DAY})
    assert answer.status_code == 200, answer.text
    assert boss.get("/api/v1/service-levels").json()["waiting_changes"] == 1
    sooner, _ = _recomputed(engine, number)
    assert boss.put("/api/v1/calendars/office/week", json={"windows": AN_HOUR}).status_code == 200
    later, _ = _recomputed(engine, number)
    assert sooner is not None
    assert before is not None
    assert later is not None
    assert sooner < before < later
    with session_scope(engine) as session:
        load_reference(session)
    assert boss.get("/api/v1/calendars/office").json()["windows"] == AN_HOUR
    assert boss.get("/api/v1/service-levels").json()["waiting_changes"] == 0


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [{"weekday": 8, "opens_second": 0, "closes_second": 60}],
        [{"weekday": 1, "opens_second": 60, "closes_second": 60}],
        [{"weekday": 1, "opens_second": 0, "closes_second": 86_401}],
        [
            {"weekday": 1, "opens_second": 0, "closes_second": 60},
            {"weekday": 1, "opens_second": 59, "closes_second": 90},
        ],
    ],
)
def test_a_week_without_sense_is_refused(web: Client, windows: list[dict[str, int]]) -> None:
    assert web("boss").put("/api/v1/calendars/office/week", json={"windows": windows}).status_code == 422


def test_a_policy_is_added_before_another_and_removed(client: Client, populated: tuple[Engine, World]) -> None:
    engine, boss = populated[0], client("boss")
    number = _opened(engine)
    _, followed = _recomputed(engine, number)
    order = [policy["code"] for policy in boss.get("/api/v1/service-levels").json()["policies"]]
    key = {"Idempotency-Key": "policy-0001"}
    answers = [boss.post("/api/v1/service-levels", json=POLICY | {"before": followed}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    listed = [policy["code"] for policy in boss.get("/api/v1/service-levels").json()["policies"]]
    assert listed == [*order[: order.index(followed)], "slow_sound", *order[order.index(followed) :]]
    assert _recomputed(engine, number)[1] == "slow_sound"
    # As often as one likes: the numbers between two policies are made anew.
    for count in range(5):
        more = POLICY | {"code": f"more_{count}", "priority": "urgent", "before": "slow_sound"}
        assert boss.post("/api/v1/service-levels", json=more).status_code == 201
    assert boss.post("/api/v1/service-levels", json=POLICY).status_code == 409
    assert boss.delete("/api/v1/service-levels/slow_sound").status_code == 204
    assert boss.delete("/api/v1/service-levels/slow_sound").status_code == 404
    assert _recomputed(engine, number)[1] == followed
    assert "slow_sound" not in [policy["code"] for policy in boss.get("/api/v1/service-levels").json()["policies"]]


def test_a_policy_that_names_nothing_is_refused(web: Client) -> None:
    boss = web("boss")
    wrong: list[dict[str, Any]] = [
        {"service_type_code": "none"},
        {"priority": "very"},
        {"unit_id": 987654321},
        {"code": "Not A Code"},
        {"resolution_seconds": 0},
        {"name_zh": " "},
    ]
    for values in wrong:
        assert boss.post("/api/v1/service-levels", json=POLICY | values).status_code == 422, values
    assert boss.post("/api/v1/service-levels", json=POLICY | {"calendar_code": "none"}).status_code == 404
    assert boss.post("/api/v1/service-levels", json=POLICY | {"before": "none"}).status_code == 404


def test_the_page_changes_a_week_and_adds_and_removes_a_policy(web: Client) -> None:
    boss = web("boss")
    boss.headers["HX-Request"] = "true"
    boss.headers["Accept-Language"] = "zh-CN"
    week = {"calendar_code": "office", "d1": "8:30–12:00，14：00-18:00", "d6": "9:00-24:00"}
    page = boss.post("/app/service-levels/weeks", data=week)
    assert page.status_code == 200, page.text
    assert "每周时段已保存" in page.text
    windows = boss.get("/api/v1/calendars/office").json()["windows"]
    assert [(each["weekday"], each["closes_second"]) for each in windows] == [(1, 43_200), (1, 64_800), (6, 86_400)]
    refused = boss.post("/app/service-levels/weeks", data={"calendar_code": "office", "d1": "noon"})
    assert refused.status_code == 422
    form = {"code": "vip", "name_zh": "贵宾", "name_en": "VIP", "is_key_customer": "1", "calendar_code": "always"}
    added = boss.post("/app/service-levels/policies", data=form | {"resolution": "2:30", "is_active": "1"})
    assert "政策已新增" in added.text
    assert "贵宾" in added.text
    vip = next(policy for policy in boss.get("/api/v1/service-levels").json()["policies"] if policy["code"] == "vip")
    assert (vip["is_key_customer"], vip["resolution_seconds"]) == (True, 9000)
    assert "贵宾" not in boss.post("/app/service-levels/policies/vip/remove").text
