"""One's own phone, live figures, a supervisor's acts, recordings: who gets what, and what is said if nobody knows."""

import io
import json
import wave
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import session_scope
from core.i18n import differences, texts
from core.settings import get_settings
from core.time import utc_now
from crm_api.app import create_app
from crm_api.audit.models import AuditEntry
from crm_api.bus.models import OutboxMessage
from crm_api.capture.live import event_for
from crm_api.capture.phone_library import phone_library
from crm_api.capture.phone_words import way_text
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.errors import ConflictError, NotFoundError
from crm_api.identity.models import User
from crm_api.identity.sessions import actor_of
from crm_api.routing import live, phones, recordings
from crm_api.routing.models import AgentEndpoint
from crm_api.web.settings import WebSettings
from crm_api.workforce.models import AgentStateInterval, Queue
from tests.crm_api.conftest import SETTINGS, Client, sign_in
from tests.crm_api.world import World

Populated = tuple[Engine, World]
SOCKET = "ws://127.0.0.1:8088/ws"


def _give(engine: Engine, *usernames: str, kind: str = "webrtc") -> None:
    with session_scope(engine) as session:
        for username in usernames:
            phones.assign(session, username=username, kind=kind)


def _sign(engine: Engine) -> None:
    with session_scope(engine) as session:
        phones.sign(session)


def _orders(engine: Engine) -> list[dict[str, object]]:
    with session_scope(engine) as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == phones.ORDER))
        return [row.payload for row in rows]


def _desk(engine: Engine) -> Client:
    app = create_app(engine, SETTINGS.model_copy(update={"phone_socket": SOCKET}))

    def client(username: str) -> TestClient:
        return sign_in(TestClient(app), engine, username)

    return client


@pytest.fixture
def populated(sqlite_world: Populated) -> Populated:
    """Who may do what does not depend on the database: what does asks for both."""
    return sqlite_world


@pytest.fixture
def desk(populated: Populated) -> Client:
    """Clients of an application whose pages have phones."""
    return _desk(populated[0])


def test_texts_are_in_both_languages() -> None:
    assert differences("crm_api.routing") == []


def test_a_phones_secret_goes_to_its_own_browser_only(desk: Client, populated: Populated) -> None:
    engine, _ = populated
    _give(engine, "agent", "agent2")
    agent = desk("agent")
    told = agent.post("/api/v1/phone/credentials").json()
    with session_scope(engine) as session:
        own = session.scalars(
            select(AgentEndpoint).join(User, User.agent_id == AgentEndpoint.agent_id).where(User.username == "agent")
        ).one()
        secrets = set(session.scalars(select(AgentEndpoint.secret)))
        assert (told["secret"], told["socket"]) == (own.secret, SOCKET)
    page = agent.get("/app", headers={"Accept": "text/html"})
    assert 'id="phone"' in page.text
    assert not any(secret in page.text for secret in secrets)
    assert "connect-src 'self' wss: ws://127.0.0.1:8088;" in page.headers["content-security-policy"]
    token = agent.post("/api/v1/tokens", json={"name": "t", "scopes": ["phone:use"]}).json()["token"]
    machine = TestClient(agent.app, headers={"Authorization": f"Bearer {token}"})
    assert machine.post("/api/v1/phone/credentials").status_code == 403
    with session_scope(engine) as session:
        assert session.scalars(select(AuditEntry.username).where(AuditEntry.action == "phone.credentials")).all() == [
            "agent"
        ]


def test_a_phone_on_the_desk_has_no_secret_in_the_browser(desk: Client, populated: Populated) -> None:
    _give(populated[0], "agent", kind="sip")
    assert desk("agent").post("/api/v1/phone/credentials").status_code == 404
    assert "jssip" not in desk("agent").get("/app", headers={"Accept": "text/html"}).text


def test_who_has_no_phone_sees_none(desk: Client) -> None:
    assert 'id="phone"' not in desk("dispatcher").get("/app", headers={"Accept": "text/html"}).text


def test_states_are_ordered_from_telephony_which_answers_over_the_live_line(desk: Client, populated: Populated) -> None:
    engine, _ = populated
    _give(engine, "agent")
    agent = desk("agent")
    away = agent.put("/api/v1/phone/state", json={"state": "available"})
    assert (away.status_code, away.json()["type"]) == (503, "urn:crm:problem:telephony-away")
    _sign(engine)
    for body, status in (
        ({"state": "pause"}, 422),
        ({"state": "pause", "reason": "holiday"}, 422),
        ({"state": "available", "reason": "lunch"}, 422),
        ({"state": "asleep"}, 422),
        ({"state": "pause", "reason": "lunch"}, 202),
    ):
        assert agent.put("/api/v1/phone/state", json=body).status_code == status
    (order,) = _orders(engine)
    assert (order["action"], order["state"], order["reason"]) == ("state", "pause", "lunch")
    with session_scope(engine) as session:
        phones.tell_done(session, told=order, problem="no such queue")
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == phones.DONE)).one()
        own, other = (
            actor_of(session.scalars(select(User).where(User.username == name)).one()) for name in ("agent", "agent2")
        )
        told = (message.id, message.topic, message.payload)
        assert event_for(own, frozenset(), told) == ("phone", message.payload)
        assert event_for(other, frozenset(), told) is None


def test_a_number_is_dialled_without_its_decoration(desk: Client, populated: Populated) -> None:
    _give(populated[0], "agent")
    _sign(populated[0])
    agent = desk("agent")
    assert agent.post("/api/v1/phone/calls", json={"number": "0917-326 0000"}).status_code == 202
    assert _orders(populated[0])[0]["number"] == "09173260000"
    assert agent.post("/api/v1/phone/calls", json={"number": "1&Application=System"}).status_code == 422


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_nothing_is_guessed_while_telephony_is_away(request: pytest.FixtureRequest, kind: str) -> None:
    engine, _ = request.getfixturevalue(f"{kind}_world")
    desk = _desk(engine)
    _give(engine, "agent")
    now = utc_now()
    with session_scope(engine) as session:
        queue = session.scalars(select(Queue)).first()
        agent = session.scalars(select(User.agent_id).where(User.username == "agent")).one()
        assert queue is not None
        calls = ((30, 12, "answered"), (60, 40, "answered"), (90, 4, "abandoned"), (25, None, None))
        for number, (ago, waited, how) in enumerate(calls):
            entered = now - timedelta(seconds=ago)
            contact = Contact(
                channel_code="voice", external_id=f"live-{number}", started_at=entered, outcome=how or "unknown"
            )
            session.add(contact)
            session.flush()
            exited = entered + timedelta(seconds=waited) if waited is not None else None
            session.add(
                QueueVisit(
                    contact_id=contact.id,
                    visit_number=1,
                    queue_id=queue.id,
                    entered_at=entered,
                    exited_at=exited,
                    exit_class=how,
                )
            )
        session.add(
            AgentStateInterval(
                agent_id=agent, state="pause", pause_reason="lunch", started_at=now - timedelta(minutes=5)
            )
        )
    supervisor = desk("supervisor")
    told = supervisor.get("/api/v1/telephony/live").json()
    assert told["is_known"] is False
    assert {name for name, value in told.items() if value is not None} == {"at", "is_known", "queues"}
    assert "电话系统没有应答" in supervisor.get("/app/supervisor", headers={"Accept": "text/html"}).text
    assert supervisor.get("/api/v1/telephony/agents").json() == []

    _sign(engine)
    told = supervisor.get("/api/v1/telephony/live").json()
    assert (told["is_known"], told["waiting"], told["offered_today"], told["answered_today"]) == (True, 1, 4, 2)
    assert (told["abandoned_today"], told["service_level_today"]) == (1, 0.25)
    assert 25 <= told["longest_wait_seconds"] <= 35
    assert told["agents_by_state"] == {"pause": 1}
    assert told["queues"][0]["waiting"] == 1
    assert supervisor.get("/api/v1/telephony/agents").json()[0]["pause_reason"] == "lunch"
    page = supervisor.get("/app/supervisor", headers={"Accept": "text/html"}).text
    assert "25.0%" in page
    assert "用餐" in page
    with session_scope(engine) as session:
        assert live.figures(session, now=utc_now() + phones.THERE_FOR).is_known is False


def test_a_branch_does_not_see_the_provinces_queues(desk: Client) -> None:
    assert desk("baoji_analyst").get("/api/v1/telephony/live").status_code == 403


def test_a_supervisors_acts_are_ordered_and_audited_together(desk: Client, populated: Populated) -> None:
    engine, _ = populated
    _give(engine, "agent", "supervisor")
    supervisor = desk("supervisor")
    with session_scope(engine) as session:
        code = phones.own_phone(
            session, session.scalars(select(User.id).where(User.username == "agent")).one()
        ).agent.code
    path = f"/api/v1/telephony/agents/{code}"
    assert supervisor.post(f"{path}/listen", json={"mode": "whisper"}).status_code == 503
    with session_scope(engine) as session:
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "call.supervised")).all() == []
    _sign(engine)
    assert supervisor.post(f"{path}/listen", json={"mode": "whisper"}).status_code == 202
    assert supervisor.post(f"{path}/pause", json={"reason": "临时班会"}).status_code == 202
    assert supervisor.post("/api/v1/telephony/agents/none/listen", json={}).status_code == 404
    assert [order["action"] for order in _orders(engine)] == ["whisper", "state"]
    with session_scope(engine) as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.in_(("call.supervised", "agent.paused"))).order_by(AuditEntry.id)
        ).all()
        assert [(one.action, one.username, one.object_type, one.reason) for one in entries] == [
            ("call.supervised", "supervisor", "agent", None),
            ("agent.paused", "supervisor", "agent", "临时班会"),
        ]
        assert json.loads(entries[0].details or "{}") == {"mode": "whisper"}


def test_the_pop_says_queue_priority_and_way_and_leads_to_the_calls_contact(desk: Client, populated: Populated) -> None:
    engine, _ = populated
    _give(engine, "agent")
    with session_scope(engine) as session:
        queue = session.scalars(select(Queue)).first()
        assert queue is not None
        contact = Contact(channel_code="voice", external_id="crm-1.0", started_at=utc_now(), outcome="unknown")
        session.add(contact)
        session.flush()
        contact_id, code, name = contact.id, queue.code, queue.name_zh
    form = {
        "number": "13891234567",
        "rang": "1",
        "call": "crm-1.0",
        "queue": code,
        "priority": "20",
        "path": "language 2 > main 3 > complaint complaint",
    }
    agent = desk("agent")
    pop = agent.post("/app/pop", data=form, headers={"HX-Request": "true"}).text
    for expected in (name, "优先 20", "英语 › 投诉", f"contact_id={contact_id}"):
        assert expected in pop
    later = agent.post("/app/pop", data=form | {"call": "crm-2.0"}, headers={"HX-Request": "true"}).text
    assert "call=crm-2.0" in later, "the call is stored a moment later: the link asks for it again"
    assert (
        f'name="contact_id" value="{contact_id}"'
        in agent.get("/app/capture?call=crm-1.0", headers={"HX-Request": "true"}).text
    )


def test_a_way_through_the_menus_is_told_in_words() -> None:
    path = "priority big_customer,long_distance > language 1 > main 1 > fee_menu 0 > own_node x"
    assert way_text(path, texts("crm_api.routing", "en")) == "key customer+long distance › Chinese › own_node"
    assert way_text(None, texts("crm_api.routing", "en")) == ""


def test_a_user_gets_one_phone_and_nobody_elses(populated: Populated) -> None:
    with session_scope(populated[0]) as session:
        first = phones.assign(session, username="agent")
        again = phones.assign(session, username="agent", kind="sip")
        assert (first.agent.id, first.endpoint.secret) == (again.agent.id, again.endpoint.secret)
        assert again.queues
        with pytest.raises(ConflictError):
            phones.assign(session, username="agent2", agent_code=first.agent.code)
        with pytest.raises(NotFoundError):
            phones.assign(session, username="nobody")
        with pytest.raises(NotFoundError):
            phones.assign(session, username="agent2", queues=["no-such-queue"])


def _sound(seconds: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000 * seconds))
    return target.getvalue()


def test_recordings_are_heard_in_parts_by_those_allowed_and_audited_once(
    desk: Client, populated: Populated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_HOME", str(tmp_path))
    get_settings.cache_clear()
    engine, _ = populated
    content = _sound(2)
    with session_scope(engine) as session:
        contact_id = session.scalars(select(Contact.id).where(Contact.external_id == "world-own")).one()
        row = recordings.add(session, external_id="world-own", content=content, now=utc_now())
        assert row is not None
        recording_id = row.id
    path = f"/api/v1/recordings/{recording_id}"
    reviewer = desk("reviewer")
    assert desk("agent").get(path).status_code == 403
    assert (
        f'src="{path}"' in reviewer.get(f"/app/contacts/{contact_id}/recordings", headers={"HX-Request": "true"}).text
    )
    whole = reviewer.get(path)
    assert (whole.status_code, whole.content) == (200, content)
    for wanted, expected in (
        ("bytes=0-99", content[:100]),
        ("bytes=100-", content[100:]),
        ("bytes=-10", content[-10:]),
    ):
        part = reviewer.get(path, headers={"Range": wanted})
        assert (part.status_code, part.content) == (206, expected)
    assert reviewer.get(path, headers={"Range": "bytes=99999999-"}).status_code == 416
    with session_scope(engine) as session:
        heard = session.scalars(select(AuditEntry).where(AuditEntry.action == "recording.heard")).all()
        assert [(one.username, one.object_id) for one in heard] == [("reviewer", str(recording_id))]
    get_settings.cache_clear()


def test_a_socket_of_another_form_is_refused() -> None:
    for wrong in ("http://127.0.0.1:8088/ws", "ws://a b/", "ws://x;script-src *"):
        with pytest.raises(ValueError, match="phone_socket"):
            WebSettings(phone_socket=wrong)


def test_jssip_is_one_script_that_evaluates_nothing() -> None:
    script = phone_library(Path(__file__).parents[2] / "node_modules")
    assert "window.JsSIP" in script
    assert "eval(" not in script
    assert "new Function" not in script
