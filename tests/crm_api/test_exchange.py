"""Other systems over the file drop: messages, work orders, rows of customers; each once, whatever dies."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from core.database import session_scope
from core.time import utc_now
from crm_api.bus.inbox import inbox
from crm_api.capture.models import Callback
from crm_api.contacts.models import Contact
from crm_api.contacts.text_models import ContactText
from crm_api.customers.models import Account, Consent, Customer
from crm_api.exchange import service
from crm_api.exchange.filedrop import FileDrop
from crm_api.exchange.models import ExchangeMessage
from crm_api.tickets import service as tickets
from crm_api.tickets.comments import comment, comments
from crm_api.webhooks.models import WebhookDelivery, WebhookEndpoint
from crm_api.worker.reminders import remind
from tests.crm_api.conftest import actor_named
from tests.crm_api.world import PEOPLE, World

SMS = {"id": "s-1", "from": "138 9123 4567", "text": "机顶盒无信号", "at": "2026-03-02T09:00:00+08:00"}


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a file drop with every port in use."""
    monkeypatch.setenv("CRM_EXCHANGE_PORTS", "sms office foreign")
    monkeypatch.setenv("CRM_EXCHANGE_FOLDER", str(tmp_path / "drop"))
    yield tmp_path / "drop"


def put(drop: Path, port: str, document: Any, name: str = "m.json") -> None:
    """What another system does: write the file, older than a moment."""
    path = drop / port / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    os.utime(path, (0, 0))


def names(drop: Path, port: str, folder: str) -> list[str]:
    return sorted(path.name for path in (drop / port / folder).glob("*"))


def test_a_short_message_comes_in_once_however_often_it_is_dropped(populated: tuple[Engine, World], drop: Path) -> None:
    engine, world = populated
    for name in ("a.json", "b.json"):
        put(drop, "sms", SMS, name)
    assert service.work_round(engine).taken == 2
    with session_scope(engine) as session:
        contact = session.scalars(select(Contact).where(Contact.channel_code == "sms")).one()
        assert contact.customer_id == world[("customer", "own")]
        assert (
            session.scalars(select(ContactText.body).where(ContactText.contact_id == contact.id)).one() == SMS["text"]
        )
    assert names(drop, "sms", "inbox") == []
    assert names(drop, "sms", "done") == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{not json", "not JSON"),
        ("[1]", "no JSON object"),
        ({"from": "1", "text": "x"}, "id is missing"),
        (SMS | {"id": "x" * 101}, "id is missing"),
        (SMS | {"at": "yesterday"}, "at:"),
        (SMS | {"extra": 1}, "extra:"),
        (SMS | {"text": ""}, "text:"),
    ],
)
def test_a_bad_file_is_kept_aside_with_its_reason(
    sqlite_world: tuple[Engine, World], drop: Path, document: Any, why: str
) -> None:
    put(drop, "sms", document)
    assert service.work_round(sqlite_world[0]).refused == 1
    assert names(drop, "sms", "refused") == ["m.json", "m.json.reason.txt"]
    assert why in (drop / "sms" / "refused" / "m.json.reason.txt").read_text(encoding="utf-8")
    with session_scope(sqlite_world[0]) as session:
        assert session.scalar(select(func.count()).where(Contact.channel_code == "sms")) == 0


def test_a_file_that_is_still_being_written_is_left_alone(sqlite_world: tuple[Engine, World], drop: Path) -> None:
    path = drop / "sms" / "inbox" / "m.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"id": "s-', encoding="utf-8")
    done = service.work_round(sqlite_world[0])
    assert (done.taken, done.refused, path.exists()) == (0, 0, True)


def test_a_worker_that_dies_between_committing_and_moving_the_file_changes_nothing_twice(
    sqlite_world: tuple[Engine, World], drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(drop, "sms", SMS)
    with monkeypatch.context() as patch:
        patch.setattr(FileDrop, "accept", lambda _port, _message: (_ for _ in ()).throw(OSError("gone")))
        service.work_round(sqlite_world[0])
    assert names(drop, "sms", "inbox") == ["m.json"]
    assert service.work_round(sqlite_world[0]).taken == 1
    with session_scope(sqlite_world[0]) as session:
        assert session.scalar(select(func.count()).where(Contact.channel_code == "sms")) == 1


def _dispatched(engine: Engine, world: World) -> tuple[int, str]:
    with session_scope(engine) as session:
        values = {
            "channel_code": "voice",
            "service_type_code": "complaint",
            "title": "无图像",
            "customer_id": world[("customer", "own")],
        }
        made = tickets.create(session, actor=actor_named(engine, "agent"), values=values)
        fields = {"unit_id": world[("unit", "own")]}
        tickets.transition(
            session, actor=actor_named(engine, "dispatcher"), ticket_id=made.id, step="dispatch", fields=fields
        )
        return made.id, made.code


def test_the_customer_is_told_by_short_message_unless_they_said_no(populated: tuple[Engine, World], drop: Path) -> None:
    engine, world = populated
    ticket_id, code = _dispatched(engine, world)
    agent = actor_named(engine, "agent")
    with session_scope(engine) as session:
        told = comment(session, actor=agent, ticket_id=ticket_id, body="师傅明早上门", audience="customer").id
        comment(session, actor=agent, ticket_id=ticket_id, body="仅内部可见")
    service.work_round(engine)
    assert names(drop, "sms", "outbox") == [f"comment-{told}.json"]
    sent = json.loads((drop / "sms" / "outbox" / f"comment-{told}.json").read_text(encoding="utf-8"))
    assert sent["to"] == PEOPLE["own"]["mobile"]
    assert code in sent["text"]
    assert "师傅明早上门" in sent["text"]
    with session_scope(engine) as session:
        rows = session.scalars(select(ExchangeMessage).where(ExchangeMessage.port == "sms")).all()
        assert [(row.state, row.body) for row in rows] == [("done", {})], "numbers are not kept"
        no = Consent(customer_id=world[("customer", "own")], channel="sms", purpose="service", granted=False)
        no.valid_from = utc_now().date() - timedelta(days=1)
        session.add(no)
    with session_scope(engine) as session:
        comment(session, actor=agent, ticket_id=ticket_id, body="再来一条", audience="customer")
    assert service.work_round(engine).sent == 0


def test_closing_tells_the_customer(sqlite_world: tuple[Engine, World], drop: Path) -> None:
    engine, world = sqlite_world
    with session_scope(engine) as session:
        values = {"channel_code": "voice", "service_type_code": "consultation", "contact_id": world[("contact", "own")]}
        agent = actor_named(engine, "agent")
        made = tickets.create(session, actor=agent, values=values)
        tickets.transition(
            session, actor=agent, ticket_id=made.id, step="close_at_once", fields={"resolution": "已解释"}
        )
        code = made.code
    assert service.work_round(engine).sent == 1
    text = (drop / "sms" / "outbox" / f"{code}-2.json").read_text(encoding="utf-8")
    assert "已办结" in text


def test_a_work_order_goes_to_the_office_system_and_its_acknowledgement_comes_back(
    populated: tuple[Engine, World], drop: Path
) -> None:
    engine, world = populated
    ticket_id, code = _dispatched(engine, world)
    service.work_round(engine)
    order = json.loads((drop / "office" / "outbox" / f"{code}-2.json").read_text(encoding="utf-8"))
    assert (order["id"], order["ticket"], order["unit"], order["title"]) == (f"{code}-2", code, "baoji", "无图像")
    assert PEOPLE["own"]["mobile"] not in json.dumps(order)
    answer = {"id": "oa-9", "order": order["id"], "by": "王主任", "at": "2026-03-02T10:00:00+08:00", "note": "已派人"}
    put(drop, "office", answer, "1.json")
    put(drop, "office", answer, "2.json")
    put(drop, "office", answer | {"id": "oa-10", "order": "W000000-0-1"}, "3.json")
    done = service.work_round(engine)
    assert (done.taken, done.refused) == (2, 1)
    with session_scope(engine) as session:
        bodies = [row.body for row in comments(session, actor=actor_named(engine, "agent"), ticket_id=ticket_id)]
    assert len(bodies) == 1
    assert "王主任" in bodies[0]


def _customer(code: str, **more: Any) -> dict[str, Any]:
    account = {"number": f"A-{code}", "balance_fen": 1250, "opened_at": "2020-01-01T00:00:00+08:00"}
    known = {"code": code, "name": "赵敏", "unit": "baoji", "phones": ["13800138000"], "accounts": [account]}
    return known | more


def test_rows_of_a_foreign_database_add_and_change_customers(populated: tuple[Engine, World], drop: Path) -> None:
    engine, _ = populated
    put(drop, "foreign", {"id": "f-1", "customers": [_customer("F1"), _customer("F2")]}, "1.json")
    assert service.work_round(engine).taken == 1
    later = _customer("F1", name="赵敏敏", accounts=[_customer("F1")["accounts"][0] | {"balance_fen": -5}])
    put(drop, "foreign", {"id": "f-2", "customers": [later]}, "2.json")
    assert service.work_round(engine).taken == 1
    with session_scope(engine) as session:
        names_now = session.scalars(
            select(Customer.name).where(Customer.code.in_(("F1", "F2"))).order_by(Customer.code)
        )
        assert list(names_now) == ["赵敏敏", "赵敏"]
        assert session.scalars(select(Account.balance_fen).where(Account.number == "A-F1")).one() == -5


def test_one_bad_row_keeps_the_whole_file_out(sqlite_world: tuple[Engine, World], drop: Path) -> None:
    rows = [_customer("G1"), _customer("G2", phones=["not a number"])]
    put(drop, "foreign", {"id": "f-3", "customers": rows})
    assert service.work_round(sqlite_world[0]).refused == 1
    assert "G2" in (drop / "foreign" / "refused" / "m.json.reason.txt").read_text(encoding="utf-8")
    with session_scope(sqlite_world[0]) as session:
        assert session.scalar(select(func.count()).where(Customer.code == "G1")) == 0


def test_ports_that_are_not_in_use_queue_nothing(sqlite_world: tuple[Engine, World]) -> None:
    _dispatched(*sqlite_world)
    with session_scope(sqlite_world[0]) as session:
        assert session.scalar(select(func.count()).select_from(ExchangeMessage)) == 0


def test_other_systems_hear_of_a_ticket_s_life_without_personal_data(sqlite_world: tuple[Engine, World]) -> None:
    engine, world = sqlite_world
    with session_scope(engine) as session:
        events = "ticket.created ticket.state_changed complaint.created"
        session.add(
            WebhookEndpoint(
                url="https://hooks.example.com/t", events=events, secret="s", created_at=utc_now(), created_by="boss"
            )
        )
    _, code = _dispatched(engine, world)
    with session_scope(engine) as session:
        rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
        assert [row.event_type for row in rows] == ["ticket.created", "complaint.created", "ticket.state_changed"]
        told = json.loads(rows[-1].body)["data"]
        assert (told["code"], told["from_state"], told["state"]) == (code, "new", "dispatched")
        assert PEOPLE["own"]["name"] not in rows[-1].body


def test_a_promised_call_is_remembered_once(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    agent = actor_named(engine, "agent")
    now = utc_now()
    with session_scope(engine) as session:
        for minutes in (3, 60):
            session.add(
                Callback(
                    customer_id=world[("customer", "own")],
                    username="agent",
                    unit_id=agent.unit_id,
                    due_at=now + timedelta(minutes=minutes),
                    note="问机顶盒",
                    created_at=now,
                )
            )
    for expected in (1, 0):
        with session_scope(engine) as session:
            assert remind(session, now=now) == expected
    with session_scope(engine) as session:
        assert [row.kind for row in inbox(session, actor=agent)] == ["callback"]
