"""Signing in: what keeps strangers, guessers, foreign pages and stale sessions out, and what the audit log keeps."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from core.database import session_scope
from core.time import utc_now
from crm_api.app import create_app
from crm_api.audit.models import AuditEntry
from crm_api.errors import InvalidError
from crm_api.identity import passwords
from crm_api.identity.models import ApiToken, LoginThrottle, User, UserSession
from crm_api.identity.permissions import ROLE_PERMISSIONS, Permission
from crm_api.identity.service import create_administrator, create_user, demo_password, unit_by_code
from crm_api.web.dependencies import SESSION_COOKIE
from tests.crm_api.conftest import SETTINGS
from tests.crm_api.world import World

Client = Callable[..., TestClient]


def _engine(client: TestClient) -> Engine:
    engine: Engine = client.app.state.engine  # type: ignore[attr-defined]  # a client's app is ours
    return engine


def _log_in(client: TestClient, username: str, password: str | None = None, **headers: str) -> int:
    body = {"username": username, "password": password or demo_password(username)}
    return client.post("/api/v1/session", json=body, headers=headers).status_code


def _actions(engine: Engine) -> list[str]:
    with session_scope(engine) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_who_signs_in_gets_a_session_and_its_end_is_the_end(client: Client) -> None:
    browser = client()
    answer = browser.post("/api/v1/session", json={"username": " Baoji_Lead ", "password": demo_password("baoji_lead")})
    assert answer.status_code == 200
    assert answer.json()["city_code"] == "baoji"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    token = browser.cookies[SESSION_COOKIE]
    assert browser.get("/api/v1/customers").status_code == 200
    assert browser.delete("/api/v1/session").status_code == 204
    # The old cookie is dead even for a thief who kept it.
    browser.cookies.set(SESSION_COOKIE, token)
    assert browser.get("/api/v1/session").status_code == 401
    assert {"session.opened", "session.closed"} <= set(_actions(_engine(browser)))


def test_over_https_the_cookie_is_secure(web: Client) -> None:
    browser = TestClient(web().app, base_url="https://crm.example")
    answer = browser.post("/api/v1/session", json={"username": "agent", "password": demo_password("agent")})
    assert "; Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


def test_nothing_stored_opens_a_session(web: Client) -> None:
    browser = web("agent")
    with session_scope(_engine(browser)) as session:
        stored = session.scalars(select(UserSession.token_hash)).all()
        digest = session.scalars(select(User.password_hash).where(User.username == "agent")).one()
    assert browser.cookies[SESSION_COOKIE] not in stored
    assert digest is not None
    assert digest.startswith("$argon2id$")
    for value in stored:
        thief = web()
        thief.cookies.set(SESSION_COOKIE, value)
        assert thief.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("column", ["seen_at", "expires_at"])
def test_a_session_ends_when_idle_and_at_its_limit(client: Client, column: str) -> None:
    browser = client("agent")
    assert browser.get("/api/v1/session").status_code == 200
    past = utc_now() - timedelta(minutes=SETTINGS.session_idle_minutes, seconds=1)
    with session_scope(_engine(browser)) as session:
        session.execute(update(UserSession).values({column: past}))
    assert browser.get("/api/v1/session").status_code == 401


def test_guessing_locks_the_account_and_says_when_to_come_back(client: Client) -> None:
    browser = client()
    guesses = [_log_in(browser, "agent", "wrong-guess-1") for _ in range(SETTINGS.login_failures)]
    assert set(guesses) == {401}
    answer = browser.post("/api/v1/session", json={"username": "agent", "password": demo_password("agent")})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= SETTINGS.login_window_minutes * 60
    assert _log_in(browser, "agent2") == 200, "others are not locked out"
    with session_scope(_engine(browser)) as session:
        session.execute(update(LoginThrottle).values(blocked_until=utc_now()))
    assert _log_in(browser, "agent") == 200
    actions = _actions(_engine(browser))
    assert actions.count("session.refused") == SETTINGS.login_failures
    assert "session.throttled" in actions


def test_a_name_that_does_not_exist_is_told_apart_by_nothing(web: Client) -> None:
    browser = web()
    known = [_log_in(browser, "agent", "wrong-guess-1") for _ in range(6)]
    unknown = [_log_in(browser, "nobody-here", "wrong-guess-1") for _ in range(6)]
    assert known == unknown == [401] * 5 + [429]


def test_one_address_that_tries_many_names_is_stopped(web: Client) -> None:
    settings = SETTINGS.model_copy(update={"login_failures_per_address": 3})
    browser = TestClient(create_app(_engine(web()), settings))
    assert [_log_in(browser, f"name{number}", "x") for number in range(4)] == [401, 401, 401, 429]


def test_a_user_who_is_switched_off_is_out_at_once(web: Client) -> None:
    browser, boss = web("agent"), web("boss")
    user_id = browser.get("/api/v1/session").json()["user_id"]
    assert boss.patch(f"/api/v1/users/{user_id}", json={"is_active": False}).status_code == 200
    assert browser.get("/api/v1/session").status_code == 401
    assert _log_in(web(), "agent") == 401


def test_the_last_administrator_stays(web: Client) -> None:
    boss = web("boss")
    user_id = boss.get("/api/v1/session").json()["user_id"]
    for change in ({"is_active": False}, {"role": "supervisor"}):
        assert boss.patch(f"/api/v1/users/{user_id}", json=change).status_code == 422


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": "http://testserver"}, 201),
        ({"X-CSRF-Token": "wrong"}, 403),
        ({"X-CSRF-Token": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "http://evil.example/page"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_foreign_page_cannot_use_the_cookie(web: Client, headers: dict[str, str], status: int) -> None:
    answer = web("agent").post("/api/v1/tokens", json={"name": "t", "scopes": ["self"]}, headers=headers)
    assert answer.status_code == status


def test_a_foreign_page_cannot_sign_somebody_in(web: Client) -> None:
    assert _log_in(web(), "agent", Origin="http://evil.example") == 403


def test_a_token_does_what_its_scopes_say_and_no_more(client: Client) -> None:
    browser = client("agent")
    created = browser.post("/api/v1/tokens", json={"name": "reader", "scopes": ["contact:read"]}).json()
    machine = client()
    machine.headers["Authorization"] = f"Bearer {created['token']}"
    assert machine.get("/api/v1/contacts").status_code == 200
    assert machine.get("/api/v1/customers").status_code == 403
    assert created["token"] not in browser.get("/api/v1/tokens").text
    assert browser.delete(f"/api/v1/tokens/{created['details']['id']}").status_code == 204
    assert machine.get("/api/v1/contacts").status_code == 401


def test_a_token_expires_and_never_outgrows_its_owner(client: Client) -> None:
    browser = client("agent")
    assert browser.post("/api/v1/tokens", json={"name": "t", "scopes": ["user:manage"]}).status_code == 403
    created = browser.post("/api/v1/tokens", json={"name": "t", "scopes": ["contact:read"]}).json()
    machine = client()
    machine.headers["Authorization"] = f"Bearer {created['token']}"
    with session_scope(_engine(browser)) as session:
        session.execute(update(User).where(User.username == "agent").values(role="marketing"))
    assert machine.get("/api/v1/contacts").status_code == 403, "the owner lost the right"
    with session_scope(_engine(browser)) as session:
        session.execute(update(ApiToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert machine.get("/api/v1/contacts").status_code == 401


def test_a_temporary_password_allows_nothing_but_its_replacement(web: Client) -> None:
    boss = web("boss")
    body = {"username": "wang.li", "display_name": "王丽", "role": "agent", "unit_code": "province"}
    password = boss.post("/api/v1/users", json=body).json()["generated_password"]
    browser = web()
    answer = browser.post("/api/v1/session", json={"username": "wang.li", "password": password})
    assert answer.json()["must_change_password"] is True
    browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    assert browser.get("/api/v1/customers").status_code == 403
    change = {"old_password": password, "new_password": "a-password-of-her-own"}
    assert browser.put("/api/v1/session/password", json=change).status_code == 204
    assert browser.get("/api/v1/customers").status_code == 200
    assert _log_in(web(), "wang.li", password) == 401


def test_a_hash_costs_a_guesser_64_mib(quick_hashes: PasswordHasher) -> None:
    assert quick_hashes.memory_cost >= 65536


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "my-name-is-agent-7", "x" * 201])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(InvalidError):
        passwords.check_policy(password, username="agent")


def test_init_makes_one_administrator_and_only_once(store: Engine) -> None:
    with session_scope(store) as session:
        password = create_administrator(session)
    assert password is not None
    with session_scope(store) as session:
        assert create_administrator(session) is None
        user = session.scalars(select(User)).one()
        assert passwords.verify_password(user.password_hash, password)
        assert password not in (user.password_hash or "")


def test_a_role_works_only_in_its_kind_of_unit(store: Engine) -> None:
    for role, unit in (("dispatcher", "baoji"), ("branch_handler", "province"), ("pilot", "baoji")):
        with pytest.raises(InvalidError), session_scope(store) as session:
            create_user(
                session,
                username="x1",
                display_name="x",
                role=role,
                unit=unit_by_code(session, unit),
                password="long-enough-password",
                by=None,
            )


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries"])
def test_the_audit_log_is_append_only(client: Client, statement: str) -> None:
    browser = client()
    _log_in(browser, "agent", "wrong-guess-1")
    with pytest.raises(DBAPIError, match="never changed or deleted"), _engine(browser).begin() as connection:
        connection.execute(text(statement))


def test_a_reveal_is_masked_before_and_audited_with_its_reason(client: Client, world: World) -> None:
    browser, customer = client("baoji_handler"), world[("customer", "own")]
    view = browser.get(f"/api/v1/customers/{customer}/view")
    for secret in ("13891234567", "610302198001010015", "zhang.wei@"):
        assert secret not in view.text
    assert view.json()["phones"][0]["number"] == "138****4567"
    body = {"fields": ["phones", "identity_number"], "reason": "回电核实地址"}
    shown = browser.post(f"/api/v1/customers/{customer}/reveal", json=body).json()
    assert shown["identity_number"] == "610302198001010015"
    assert "+8613891234567" in shown["phones"].values()
    assert browser.post(f"/api/v1/customers/{customer}/reveal", json={**body, "reason": " "}).status_code == 422
    entries = client("boss").get("/api/v1/audit?object_type=customer&action=customer.revealed").json()["items"]
    assert [(entry["username"], entry["reason"], entry["object_id"]) for entry in entries] == [
        ("baoji_handler", "回电核实地址", str(customer))
    ]
    assert entries[0]["details"] == {"fields": ["identity_number", "phones"]}


def test_a_failed_reveal_leaves_no_entry_and_shows_nothing(client: Client, world: World) -> None:
    body = {"fields": ["phones"], "reason": "回电核实"}
    foreign = world[("customer", "foreign")]
    assert client("baoji_handler").post(f"/api/v1/customers/{foreign}/reveal", json=body).status_code == 404
    assert "customer.revealed" not in _actions(_engine(client()))


def test_every_role_has_its_rights_spelt_out() -> None:
    assert all(Permission.SELF in granted for granted in ROLE_PERMISSIONS.values())
    branch = {
        permission for role in ROLE_PERMISSIONS if role.startswith("branch_") for permission in ROLE_PERMISSIONS[role]
    }
    assert not branch & {Permission.USER_MANAGE, Permission.AUDIT_READ, Permission.PROCESS_MANAGE}
    for role in ("analyst", "manager", "marketing"):
        assert Permission.CUSTOMER_READ not in ROLE_PERMISSIONS[role]  # type: ignore[index]  # a role of the list
