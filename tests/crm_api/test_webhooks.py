"""Webhooks: told once the change is committed, signed, tried again, and never led inside."""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from core.database import session_scope
from core.time import utc_now
from crm_api.app import create_app
from crm_api.contacts.service import ContactPayload, receive
from crm_api.errors import InvalidError
from crm_api.web.background import tidy
from crm_api.webhooks import service, targets
from crm_api.webhooks.models import WebhookDelivery
from tests.crm_api.conftest import SETTINGS, actor_named, sign_in
from tests.crm_api.world import START, World

HOSTS = frozenset({"hooks.example.com"})
PUBLIC, INTERNAL = "93.184.215.14", "10.0.0.7"


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Say which address the host's name leads to (no test asks the internet)."""

    def answer(*addresses: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    answer(PUBLIC)
    return answer


class Receiver:
    """The other side: keeps what it was sent and answers `status`."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.got: list[tuple[targets.Target, bytes, dict[str, str]]] = []

    def __call__(self, target: targets.Target, body: bytes, headers: dict[str, str]) -> int:
        self.got.append((target, body, headers))
        return self.status


def _subscribed(engine: Engine, event: str = "contact.received") -> str:
    with session_scope(engine) as session:
        row = service.create_endpoint(
            session,
            url="https://hooks.example.com/crm?x=1",
            events=[event],
            actor=actor_named(engine, "boss"),
            allowed_hosts=HOSTS,
            origin=None,
        )
        return row.secret


def _contact(engine: Engine, external_id: str = "1", *, fails: bool = False) -> None:
    with session_scope(engine) as session:
        payload = ContactPayload(START, text="机密")
        receive(session, channel="sms", external_id=external_id, payload=payload, actor=actor_named(engine, "agent"))
        if fails:
            raise InterruptedError


def _deliveries(engine: Engine) -> list[WebhookDelivery]:
    with session_scope(engine) as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def test_an_event_arrives_once_and_signed(populated: tuple[Engine, World], resolved: object) -> None:
    engine, _ = populated
    secret, receiver = _subscribed(engine), Receiver()
    _contact(engine)
    assert service.deliver_due(engine, HOSTS, through=receiver) == 1
    assert service.deliver_due(engine, HOSTS, through=receiver) == 0
    [(target, body, headers)] = receiver.got
    assert (target.host, target.address, target.path) == ("hooks.example.com", PUBLIC, "/crm?x=1")
    event = json.loads(body)
    assert (event["specversion"], event["type"]) == ("1.0", "contact.received")
    assert set(event["data"]) == {"contact_id", "channel"}
    assert "机密" not in body.decode()
    stamp, mac = (part.split("=")[1] for part in headers["CRM-Signature"].split(","))
    assert mac == hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def test_what_was_rolled_back_is_never_told(populated: tuple[Engine, World], resolved: object) -> None:
    engine, _ = populated
    _subscribed(engine)
    with pytest.raises(InterruptedError):
        _contact(engine, fails=True)
    assert _deliveries(engine) == []


def test_a_receiver_that_fails_is_tried_again_later_and_then_given_up(
    populated: tuple[Engine, World], resolved: object
) -> None:
    engine, _ = populated
    _subscribed(engine)
    _contact(engine)
    receiver = Receiver(status=500)
    waits = []
    for _ in range(10):
        service.deliver_due(engine, HOSTS, through=receiver)
        [row] = _deliveries(engine)
        waits.append(row.due_at - utc_now())
        with session_scope(engine) as session:
            session.execute(update(WebhookDelivery).values(due_at=utc_now()))
    assert len(receiver.got) == 6
    assert (row.state, row.last_error) == ("given_up", "answered 500")
    assert waits[:5] == sorted(waits[:5])


def test_one_that_never_answers_is_not_sent_twice_meanwhile(populated: tuple[Engine, World], resolved: object) -> None:
    engine, _ = populated
    _subscribed(engine)
    _contact(engine)
    inner = Receiver()

    def slow(target: targets.Target, body: bytes, headers: dict[str, str]) -> int:
        assert service.deliver_due(engine, HOSTS, through=inner) == 0
        raise TimeoutError("no answer")

    assert service.deliver_due(engine, HOSTS, through=slow) == 0
    assert inner.got == []
    assert "no answer" in (_deliveries(engine)[0].last_error or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://evil.example/",
        "https://user:pass@hooks.example.com/",
        "https://hooks.example.com:99999/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "nonsense",
        "https://hooks.example.com.evil.example/",
    ],
)
def test_urls_that_may_not_be_called(url: str) -> None:
    with pytest.raises(InvalidError):
        targets.check_url(url, HOSTS)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", INTERNAL, "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "2002:0a00:0001::1", "::"],
)  # fmt: skip
def test_no_name_leads_inside(resolved: Callable[..., None], address: str) -> None:
    assert not targets.is_public(address)
    resolved(PUBLIC, address)
    with pytest.raises(InvalidError, match="internal"):
        targets.resolve("https://hooks.example.com/", HOSTS)


def test_a_name_that_turns_inward_later_is_not_followed(
    populated: tuple[Engine, World], resolved: Callable[..., None]
) -> None:
    engine, _ = populated
    _subscribed(engine)
    _contact(engine)
    resolved(INTERNAL)
    receiver = Receiver()
    assert service.deliver_due(engine, HOSTS, through=receiver) == 0
    assert receiver.got == []
    assert "internal" in (_deliveries(engine)[0].last_error or "")


def test_an_administrator_manages_webhooks(sqlite_world: tuple[Engine, World], resolved: object) -> None:
    engine, _ = sqlite_world
    app = create_app(engine, SETTINGS.model_copy(update={"webhook_hosts": "Hooks.Example.Com"}))
    boss = sign_in(TestClient(app), engine, "boss")
    body: dict[str, Any] = {"url": "https://hooks.example.com/crm", "events": ["contact.received"]}
    created = boss.post("/api/v1/webhooks", json=body).json()
    assert created["secret"] not in boss.get("/api/v1/webhooks").text
    _contact(engine)
    path = f"/api/v1/webhooks/{created['webhook']['id']}"
    assert [item["state"] for item in boss.get(f"{path}/deliveries").json()["items"]] == ["waiting"]
    assert boss.delete(path).status_code == 204
    assert [item["state"] for item in boss.get(f"{path}/deliveries").json()["items"]] == ["given_up"]
    _contact(engine, "2")
    assert len(boss.get(f"{path}/deliveries").json()["items"]) == 1
    assert boss.post("/api/v1/webhooks", json=body | {"url": "https://10.0.0.7/"}).status_code == 422


def test_what_ended_long_ago_is_forgotten(populated: tuple[Engine, World], resolved: object) -> None:
    engine, _ = populated
    _subscribed(engine)
    _contact(engine)
    service.deliver_due(engine, HOSTS, through=Receiver())
    with session_scope(engine) as session:
        tidy(session)
        assert len(session.scalars(select(WebhookDelivery)).all()) == 1
        session.execute(update(WebhookDelivery).values(due_at=utc_now() - timedelta(days=31)))
        tidy(session)
        assert session.scalars(select(WebhookDelivery)).all() == []
