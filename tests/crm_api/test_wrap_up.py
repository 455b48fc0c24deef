"""What came of a contact is said in two levels, and must be said where the queue asks for it."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from core.database import session_scope
from core.time import utc_now
from crm_api.contacts.models import QueueVisit
from crm_api.workforce.models import Queue
from tests.crm_api.conftest import Client
from tests.crm_api.world import World


@pytest.fixture
def waited(populated: tuple[Engine, World]) -> int:
    """The queue in which the world's own contact waited."""
    engine, world = populated
    with session_scope(engine) as session:
        queue = Queue(code="faults", name_zh="故障报修", name_en="Faults", calendar_code="always")
        session.add(queue)
        session.flush()
        entered = utc_now() - timedelta(minutes=5)
        visit = QueueVisit(contact_id=world[("contact", "own")], queue_id=queue.id, visit_number=1, entered_at=entered)
        visit.exited_at, visit.exit_class = entered + timedelta(seconds=9), "answered"
        session.add(visit)
        session.flush()
        return queue.id


def test_a_queue_that_asks_for_a_code_gets_one(
    client: Client, world: World, waited: int, populated: tuple[Engine, World]
) -> None:
    agent, boss = client("agent"), client("boss")
    path, any_version = f"/api/v1/contacts/{world[('contact', 'own')]}", {"If-Match": "*"}
    about = {"service_type_code": "complaint"}
    assert agent.patch(path, json=about, headers=any_version).status_code == 200, "nobody asks for a code yet"
    assert boss.put(f"/api/v1/wrap-up-queues/{waited}", json={"is_required": True}).status_code == 204
    assert [row["is_required"] for row in boss.get("/api/v1/wrap-up-queues").json()] == [True]
    assert agent.get(path).json()["is_wrap_up_required"]
    refused = agent.patch(path, json=about, headers=any_version)
    assert (refused.status_code, refused.json()["extra"]["fields"]) == (422, ["wrap_up_code"])
    coded = agent.patch(path, json=about | {"wrap_up_code": "solved.guided"}, headers=any_version)
    assert (coded.status_code, coded.json()["wrap_up_code"]) == (200, "solved.guided")
    assert agent.patch(path, json=about, headers=any_version).status_code == 200, "it has one"


@pytest.mark.parametrize("code", ["solved", "solved.nothing", "nothing"])
def test_only_a_code_of_the_second_level_is_taken(web: Client, sqlite_world: tuple[Engine, World], code: str) -> None:
    path = f"/api/v1/contacts/{sqlite_world[1][('contact', 'own')]}"
    answer = web("agent").patch(path, json={"wrap_up_code": code}, headers={"If-Match": "*"})
    assert answer.status_code == 422


def test_the_codes_have_two_levels_in_both_languages(web: Client) -> None:
    rows = web("agent").get("/api/v1/wrap-up-codes").json()
    groups = {row["code"] for row in rows if row["level"] == 1}
    assert len(groups) >= 4
    assert {row["parent_code"] for row in rows if row["level"] == 2} == groups
    assert all(row["name_zh"] and row["name_en"] for row in rows)


def test_a_channel_may_report_the_code_with_the_contact(web: Client) -> None:
    body = {"channel": "walk_in", "external_id": "w-1", "started_at": "2026-03-02T09:00:00+08:00"}
    agent = web("agent")
    made = agent.post("/api/v1/contacts", json=body | {"wrap_up_code": "later.callback"})
    assert made.status_code == 201, made.text
    assert agent.get(f"/api/v1/contacts/{made.json()['contact']['id']}").json()["wrap_up_code"] == "later.callback"
