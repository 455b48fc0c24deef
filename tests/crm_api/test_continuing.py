"""Imported history is read, linked and continued, never worked; so is a ticket that has ended."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from core.database import session_scope
from crm_api.tickets.models import Ticket
from tests.crm_api.conftest import Client
from tests.crm_api.world import World

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def imported(populated: tuple[Engine, World]) -> int:
    """A closed ticket of an old system, of the customer of 宝鸡."""
    engine, world = populated
    with session_scope(engine) as session:
        row = Ticket(
            code="F-1",
            channel_code="voice",
            service_type_code="complaint",
            complaint_type_code="signal.digital_tv.no_picture",
            customer_id=world[("customer", "own")],
            unit_id=world[("unit", "own")],
            state="closed",
            source="old_centre",
            title="无图像",
            created_at=LONG_AGO,
            closed_at=LONG_AGO,
        )
        session.add(row)
        session.flush()
        return row.id


def test_history_is_read_but_not_worked(client: Client, imported: int) -> None:
    path = f"/api/v1/tickets/{imported}"
    dispatcher = client("dispatcher")
    seen = dispatcher.get(path).json()
    assert seen["ticket"]["source"] == "old_centre"
    assert (seen["work"], seen["steps"]) == (None, [])
    refused = dispatcher.post(f"{path}/transitions", json={"step": "reopen", "reason": "x"})
    assert refused.status_code == 409
    assert refused.json()["extra"] == {"guard": "imported"}
    assert dispatcher.post(f"{path}/comments", json={"body": "x"}).status_code == 409


def test_history_is_continued_by_a_ticket_that_is_worked(
    client: Client, imported: int, populated: tuple[Engine, World]
) -> None:
    path, key = f"/api/v1/tickets/{imported}/continuations", {"Idempotency-Key": "continue-1"}
    agent, world = client("agent"), populated[1]
    answers = [agent.post(path, json={"description": "又坏了"}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    made = answers[0].json()
    assert answers[1].json() == made
    assert (made["state"], made["title"], made["source"]) == ("new", "无图像", "captured")
    assert made["customer_id"] == world[("customer", "own")]
    assert made["complaint_type_code"] == "signal.digital_tv.no_picture"
    links = agent.get(f"/api/v1/tickets/{made['id']}/links").json()
    assert [(link["ticket_id"], link["other_id"]) for link in links] == [(made["id"], imported)]
    sent = client("dispatcher").post(
        f"/api/v1/tickets/{made['id']}/transitions",
        json={"step": "dispatch", "fields": {"unit_id": world[("unit", "own")]}},
    )
    assert sent.status_code == 200, sent.text
    # What is still worked is gone on with, not continued.
    assert agent.post(f"/api/v1/tickets/{made['id']}/continuations", json={}).status_code == 409


def test_the_page_says_what_it_is_and_leads_on(client: Client, imported: int) -> None:
    agent = client("agent")
    agent.headers.update({"HX-Request": "true", "Accept-Language": "zh-CN"})
    page = agent.get(f"/app/tickets/{imported}")
    assert "从“old_centre”导入的历史工单" in page.text
    assert "/comments" not in page.text
    going_on = {"title": "又无图像", "key": "abc"}
    first, again = (agent.post(f"/app/tickets/{imported}/continue", data=going_on) for _ in range(2))
    assert first.status_code == 200, first.text
    assert "又无图像" in first.text
    assert "F-1" in first.text
    assert first.headers["hx-push-url"] == again.headers["hx-push-url"]
