"""The capture frontend without a browser: what each page refuses, keeps, masks and tells, and to whom."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from sqlalchemy import Engine, func, select

from core.actor import Actor
from core.database import session_scope
from core.i18n import LANGUAGES, differences, texts
from core.time import to_local, utc_now
from crm_api.audit.models import AuditEntry
from crm_api.bus.models import OutboxMessage
from crm_api.capture.drafts import load
from crm_api.capture.live import event_for
from crm_api.capture.models import Callback
from crm_api.capture.pages import span_text, yuan
from crm_api.capture.scripts import script_of
from crm_api.contacts.models import Contact, ServiceType
from crm_api.tickets.models import Ticket
from tests.crm_api.conftest import Client
from tests.crm_api.world import PEOPLE, World

PAGE = {"Accept": "text/html"}
SWAP = {"HX-Request": "true"}


def _count(engine: Engine, model: type) -> int:
    with session_scope(engine) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def _form(**fields: str) -> dict[str, str]:
    return {"key": "k-1", "service_type_code": "consultation", "text": "咨询营业时间", "after": "answered"} | fields


def test_both_languages_have_the_same_texts() -> None:
    assert differences("crm_api.capture") == []


def test_a_stranger_is_sent_to_the_sign_in_and_back(web: Client) -> None:
    answer = web().get("/app/tickets", headers=PAGE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/app/tickets")
    swapped = web().get("/app/tickets", headers=SWAP)
    assert (swapped.status_code, swapped.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/app", "//evil.example", "/app\\@evil.example", "/application"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(web: Client, elsewhere: str) -> None:
    fields = {"username": "agent", "password": "demo-96766-agent", "next": elsewhere}
    answer = web().post("/sign-in", data=fields, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")


@pytest.mark.parametrize(
    ("pages", "back", "is_ours"),
    [
        ("http://127.0.0.1:8501", "http://127.0.0.1:8501/queues?lang=en&city=xian", True),
        ("http://127.0.0.1:8501", "http://testserver:8501/?lang=en", True),
        ("http://127.0.0.1:8501", "http://127.0.0.1:8502/", False),
        ("http://127.0.0.1:8501", "http://127.0.0.1:8501@evil.example/", False),
        ("http://127.0.0.1:8501", "//evil.example:8501/", False),
        ("/pages", "http://testserver/pages/queues", True),
        ("/pages", "http://evil.example/pages/queues", False),
        ("/pages", "/pagesque", False),
        ("", "http://127.0.0.1:8501/", False),
    ],
)
def test_a_sign_in_leads_back_to_the_analysts_pages_alone(web: Client, pages: str, back: str, is_ours: bool) -> None:
    client = web()
    client.app.state.settings = client.app.state.settings.model_copy(update={"pages_url": pages})
    fields = {"username": "agent", "password": "demo-96766-agent", "next": back}
    answer = client.post("/sign-in", data=fields, follow_redirects=False)
    assert ("crm_session" in answer.cookies) and (answer.status_code == (200 if is_ours else 303))
    if is_ours:
        assert f'content="0; url={back.replace("&", "&amp;")}"' in answer.text
    else:
        assert answer.headers["location"] == "/app"


def test_a_wrong_password_shows_the_form_again(web: Client) -> None:
    answer = web().post("/sign-in", data={"username": "agent", "password": "wrong"}, headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert "The user name or the password is wrong." in answer.text
    assert 'value="agent"' in answer.text
    assert "wrong" not in answer.text.split("<form")[1]


def test_a_post_without_the_token_is_refused(web: Client) -> None:
    agent = web("agent")
    agent.headers.pop("X-CSRF-Token")
    assert agent.post("/app/drafts", data={"text": "x"}).status_code == 403


def test_pages_run_no_inline_script_and_are_kept_by_no_cache(web: Client, world: World) -> None:
    agent = web("agent")
    for path in (
        "/app",
        "/app/capture",
        f"/app/customers/{world['customer', 'own']}",
        f"/app/tickets/{world['ticket', 'own']}",
    ):
        answer = agent.get(path, headers=PAGE)
        assert answer.status_code == 200
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text


def test_the_shell_comes_once_and_then_only_what_changes(web: Client) -> None:
    agent = web("agent")
    assert 'id="shell"' in agent.get("/app/tickets", headers=PAGE).text
    assert 'id="shell"' not in agent.get("/app/tickets", headers=SWAP).text
    assert 'id="shell"' in agent.get("/app/tickets", headers=SWAP | {"HX-Target": "shell"}).text


def test_numbers_are_masked_until_somebody_says_why(
    client: Client, populated: tuple[Engine, World], world: World
) -> None:
    agent, page = client("agent"), f"/app/customers/{world['customer', 'own']}"
    whole = PEOPLE["own"]["mobile"]
    shown = agent.get(page, headers=PAGE).text
    assert "138****4567" in shown
    assert whole not in shown
    assert PEOPLE["own"]["identity"] not in shown
    assert agent.post(f"{page}/reveal", data={"reason": ""}, headers=SWAP).status_code == 422
    assert whole in agent.post(f"{page}/reveal", data={"reason": "需要回电"}, headers=SWAP).text
    with session_scope(populated[0]) as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.reason, entry.username) == ("customer.revealed", "需要回电", "agent")


def test_a_form_sent_twice_is_captured_once(client: Client, populated: tuple[Engine, World], world: World) -> None:
    engine, agent = populated[0], client("agent")
    before = _count(engine, Contact), _count(engine, Ticket)
    form = _form(
        service_type_code="complaint",
        complaint_type_code="signal.digital_tv.no_picture",
        customer_id=str(world["customer", "own"]),
        after="ticket",
    )
    for _ in range(2):
        assert agent.post("/app/capture", data=form, headers=SWAP).status_code == 200
    assert (_count(engine, Contact), _count(engine, Ticket)) == (before[0] + 1, before[1] + 1)


def test_a_complaint_answered_at_once_is_a_closed_ticket_and_a_consultation_is_none(
    client: Client, populated: tuple[Engine, World]
) -> None:
    engine, agent = populated[0], client("agent")
    before = _count(engine, Ticket)
    assert agent.post("/app/capture", data=_form(), headers=SWAP).status_code == 200
    assert _count(engine, Ticket) == before
    agent.post("/app/capture", data=_form(key="k-2", service_type_code="complaint"), headers=SWAP)
    with session_scope(engine) as session:
        ticket = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
    assert (ticket.state, ticket.title) == ("closed", "咨询营业时间")


def test_what_is_missing_is_named_in_the_readers_language(web: Client) -> None:
    agent = web("agent")
    form = _form(service_type_code="complaint", after="ticket", text="")
    for language, label in (("zh-CN", "投诉分类"), ("en", "Complaint type")):
        agent.cookies.set("crm_language", language)
        answer = agent.post("/app/capture", data=form, headers=SWAP)
        assert answer.status_code == 422
        assert answer.headers["hx-retarget"] == "#notice"
        assert label in answer.text
        assert texts("crm_api.capture", language)("refused.missing") in answer.text  # type: ignore[arg-type]  # the languages are those of the texts


def test_a_refused_capture_leaves_nothing_behind(client: Client, populated: tuple[Engine, World]) -> None:
    engine, agent = populated[0], client("agent")
    before = _count(engine, Contact)
    form = _form(service_type_code="complaint", complaint_type_code="nothing.like.this", after="ticket")
    assert agent.post("/app/capture", data=form, headers=SWAP).status_code == 422
    assert _count(engine, Contact) == before


def test_fields_left_alone_do_not_overwrite_a_colleagues(client: Client, populated: tuple[Engine, World]) -> None:
    engine, agent = populated[0], client("agent")
    agent.post("/app/capture", data=_form(service_type_code="suggestion", after="ticket"), headers=SWAP)
    with session_scope(engine) as session:
        ticket = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
    path, seen = f"/app/tickets/{ticket.id}/edit", {"version": "1", "was_title": ticket.title, "was_priority": "normal"}
    client("supervisor").post(path, data=seen | {"title": ticket.title, "priority": "urgent"})
    assert agent.post(path, data=seen | {"title": "新标题", "priority": "normal"}, headers=SWAP).status_code == 200
    clash = agent.post(path, data=seen | {"title": ticket.title, "priority": "low"}, headers=SWAP)
    assert clash.status_code == 409
    assert "urgent" in clash.text
    with session_scope(engine) as session:
        ticket = session.get_one(Ticket, ticket.id)
    assert (ticket.title, ticket.priority) == ("新标题", "urgent")


def test_a_draft_is_kept_by_person_and_forgotten_when_sent(client: Client, populated: tuple[Engine, World]) -> None:
    engine, agent = populated[0], client("agent")
    agent.post("/app/drafts", data={"place": "capture", "text": "说到一半", "key": "x"})
    assert "说到一半" in agent.get("/app/capture", headers=SWAP).text
    assert "说到一半" not in client("agent2").get("/app/capture", headers=SWAP).text
    agent.post("/app/capture", data=_form(), headers=SWAP)
    assert "说到一半" not in agent.get("/app/capture", headers=SWAP).text
    with session_scope(engine) as session:
        assert load(session, 1, "capture") == {}


def test_a_draft_without_a_word_gives_the_next_call_to_nobody(web: Client, world: World) -> None:
    agent = web("agent")
    agent.post("/app/drafts", data={"place": "capture", "text": "", "customer_id": str(world["customer", "own"])})
    assert PEOPLE["own"]["name"] not in agent.get("/app/capture", headers=SWAP).text


def test_callbacks_are_promised_masked_and_settled_by_who_promised(
    client: Client, populated: tuple[Engine, World]
) -> None:
    agent = client("agent")
    soon = f"{to_local(utc_now() + timedelta(hours=2)):%Y-%m-%dT%H:%M}"
    page = agent.post("/app/callbacks", data={"number": "13891234567", "due_at": soon, "note": "查账单"}, headers=SWAP)
    assert "138****4567" in page.text
    assert "13891234567" not in page.text
    assert agent.post("/app/callbacks", data={"number": "1", "due_at": "2020-01-01T09:00"}).status_code == 422
    with session_scope(populated[0]) as session:
        made = session.scalars(select(Callback)).one()
    path = f"/app/callbacks/{made.id}/settle"
    assert client("agent2").post(path, data={"outcome": "reached"}).status_code == 404
    assert agent.post(path, data={"outcome": "reached"}).status_code == 200
    assert agent.post(path, data={"outcome": "reached"}).status_code == 409


def test_a_person_announces_calls_at_their_own_desk_only(client: Client, populated: tuple[Engine, World]) -> None:
    agent = client("agent")
    call = {"number": "0917-326 0000"}
    assert agent.post("/api/v1/screen-pops", json=call | {"username": "agent2"}).status_code == 403
    assert agent.post("/api/v1/screen-pops", json=call | {"username": "agent"}).status_code == 202
    with session_scope(populated[0]) as session:
        told = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(1)).one()
    assert (told.topic, told.payload["username"]) == ("screen_pop", "agent")


BAOJI = Actor("handler", "branch_handler", 4, "city", 4)
COUNTY = Actor("county", "branch_handler", 40, "county", 4)
PROVINCE = Actor("reviewer", "reviewer", 1, "province")


@pytest.mark.parametrize(
    ("actor", "units", "unit_id", "expected"),
    [
        (PROVINCE, {1, 4, 5, 40}, 5, ("ticket", {"ticket_id": 7, "event_number": 2})),
        (BAOJI, {4, 40}, 4, ("ticket", {"ticket_id": 7, "event_number": 2})),
        (BAOJI, {4, 40}, 5, None),
        (COUNTY, {40}, 4, ("ticket", {})),
        (COUNTY, {40}, 5, None),
    ],
)
def test_the_live_line_tells_nobody_of_foreign_tickets(
    actor: Actor, units: set[int], unit_id: int, expected: object
) -> None:
    message = (1, "ticket", {"ticket_id": 7, "event_number": 2, "unit_id": unit_id, "state": "new"})
    assert event_for(actor, frozenset(units), message) == expected


def test_calls_ring_at_one_desk() -> None:
    message = (1, "screen_pop", {"username": "reviewer", "number": "1"})
    assert event_for(PROVINCE, frozenset(), message) == ("screen_pop", message[2])
    assert event_for(BAOJI, frozenset(), message) is None


def test_escalations_reach_whom_they_name() -> None:
    to = [{"username": None, "role": "reviewer", "unit_id": None}, {"username": "handler", "role": None, "unit_id": 4}]
    message = (1, "escalation", {"ticket_id": 7, "code": "W-7", "clock": "resolution", "percent": 75, "to": to})
    told = ("escalation", {"ticket_id": 7, "code": "W-7", "percent": 75})
    assert event_for(PROVINCE, frozenset(), message) == told
    assert event_for(BAOJI, frozenset(), message) == told
    assert event_for(COUNTY, frozenset(), message) is None


def test_the_monitor_counts_what_its_reader_sees(web: Client) -> None:
    for username, number in (("supervisor", 2), ("baoji_manager", 1), ("weibin_handler", 0)):
        page = web(username).get("/app/monitor", headers=SWAP).text
        assert f'data-node="dispatched" data-number="{number}"' in page


def test_every_service_type_has_its_script(sqlite_world: tuple[Engine, World]) -> None:
    with session_scope(sqlite_world[0]) as session:
        codes = session.scalars(select(ServiceType.code)).all()
        for code in codes:
            for language in LANGUAGES:
                script = script_of(session, code, language)
                assert script.steps, code
                assert {"ok", "cb", "id"} <= {module.code for module in script.modules}
                assert all(module.text for module in script.modules)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=125), "2 h 5 min"),
        (timedelta(days=1, hours=3, minutes=9), "1 d 3 h"),
        (timedelta(hours=-2), "2 h"),
        (timedelta(), "0 s"),
    ],
)
def test_lengths_of_time_are_told_in_two_units(amount: timedelta, expected: str) -> None:
    assert span_text(amount, texts("crm_api.capture", "en")) == expected


def test_money_is_told_in_yuan() -> None:
    assert [yuan(fen) for fen in (0, 5, 12_50, -3_07, 1_234_567_00)] == [
        "¥0.00",
        "¥0.05",
        "¥12.50",
        "-¥3.07",
        "¥1,234,567.00",
    ]


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("look", [":root {", ":root[data-look=dark] {", ":root[data-look=auto] {"])
def test_texts_stand_out_from_their_ground(look: str) -> None:
    """WCAG 2 AA: 4.5 for text, 3 for the edges of controls and the mark of the focus."""
    style = (files("crm_api.capture") / "static" / "app.css").read_text(encoding="utf-8")
    block = style[style.index(look) :].split("}")[0]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block))
    grounds = ("bg", "surface", "sunken")
    pairs = {(name, ground): 4.5 for name in ("text", "muted", "accent") for ground in grounds}
    pairs |= {(name, f"{name}-soft"): 4.5 for name in ("accent", "late", "risk", "fine", "rest", "gold")}
    pairs |= {("accent-text", "accent"): 4.5, ("surface", "risk"): 4.5, ("late", "surface"): 4.5}
    pairs |= {(name, ground): 3.0 for name in ("focus", "line-strong") for ground in ("bg", "surface")}
    for (front, back), least in pairs.items():
        dark, light = sorted((_luminance(colours[front]), _luminance(colours[back])))
        assert (light + 0.05) / (dark + 0.05) >= least, (look, front, back)


def test_an_old_draft_is_not_brought_back(sqlite_world: tuple[Engine, World]) -> None:
    from crm_api.capture.models import Draft

    with session_scope(sqlite_world[0]) as session:
        old = datetime(2026, 1, 1, tzinfo=UTC)
        session.add(Draft(user_id=1, place="capture", fields={"text": "旧"}, saved_at=old))
        session.flush()
        assert load(session, 1, "capture") == {}
