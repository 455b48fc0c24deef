"""Hostile input: odd bytes, oversized bodies, foreign ids in every parameter, lies about types, inner addresses."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.database import session_scope
from core.time import utc_now
from crm_api.app import create_app
from crm_api.sla.models import SlaChange, SlaPolicy
from crm_api.sla.upkeep import recompute_next
from crm_api.tickets import service as tickets
from tests.crm_api.conftest import SETTINGS, Client, actor_named
from tests.crm_api.route_table import TABLE
from tests.crm_api.world import World

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil.example/","x")'
#: Parameters of the query that name rows, and the kind of row.
ROW_PARAMETERS = {"customer_id": "customer", "contact_id": "contact", "unit_id": "unit", "parent_id": "work"}


def _listed(body: Any) -> list[Any]:
    found = body["items"] if isinstance(body, dict) and "items" in body else body
    return found if isinstance(found, list) else [found]


def test_a_foreign_id_in_any_query_parameter_shows_nothing(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    world, browser = sqlite_world[1], web("baoji_handler")
    paths = create_app(sqlite_world[0], SETTINGS).openapi()["paths"]
    tried = 0
    for path, methods in paths.items():
        for parameter in methods.get("get", {}).get("parameters", []):
            name = parameter["name"]
            if parameter["in"] != "query" or name not in ROW_PARAMETERS or "{" in path:
                continue
            answer = browser.get(path, params={name: world[(ROW_PARAMETERS[name], "foreign")]})  # type: ignore[index]  # the names are a world's
            if answer.status_code == 200:
                tried += 1
                assert not _names_foreign(answer.json(), world), (path, name, answer.text)
            else:
                assert answer.status_code in (403, 404, 422), (path, name)
    assert tried >= 5


def _names_foreign(body: Any, world: World) -> bool:
    foreign = {(kind, world[(kind, "foreign")]) for kind in ("customer", "contact", "work")}  # type: ignore[index]  # the names are a world's
    rows = [row for row in _listed(body) if isinstance(row, dict)]
    named = {("customer", row.get("customer_id")) for row in rows} | {
        ("contact", row.get("contact_id")) for row in rows
    }
    return bool(named & foreign)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/tickets", "customer_id"),
        ("/api/v1/tickets", "contact_id"),
        ("/api/v1/tickets", "unit_id"),
        ("/api/v1/contacts", "customer_id"),
        ("/api/v1/contacts", "unit_id"),
    ],
)
def test_a_foreign_id_in_a_body_is_refused(client: Client, world: World, field: str, path: str) -> None:
    body: dict[str, Any] = {"channel_code": "voice", "service_type_code": "complaint"}
    if path.endswith("contacts"):
        body = {"channel": "walk_in", "external_id": "h-1", "started_at": "2026-03-02T09:00:00+08:00"}
    foreign = world[(field.removesuffix("_id"), "foreign")]  # type: ignore[arg-type]  # the names are a world's
    answer = client("baoji_handler").post(path, json=body | {field: foreign})
    assert answer.status_code in (403, 404, 422), answer.text


def test_a_foreign_parent_or_link_is_not_found(client: Client, world: World) -> None:
    path, foreign = f"/api/v1/tickets/{world[('work', 'own')]}", world[("work", "foreign")]
    handler = client("baoji_handler")
    assert handler.put(f"{path}/parent", json={"parent_id": foreign}).status_code == 404
    assert handler.post(f"{path}/links", json={"other_id": foreign}).status_code == 404


GUARDED = [(method, path) for (method, path), row in TABLE.items() if row.body is not None and path.startswith("/api/")]


def test_null_bytes_and_oversized_bodies_never_reach_a_route(web: Client) -> None:
    browser, headers = web("boss"), {"Content-Type": "application/json"}
    for method, path in GUARDED:
        target = re.sub(r"\{\w+\}", "1", path)

        def sent(content: bytes, query: str = "", method: str = method, target: str = target) -> int:
            return browser.request(method, target + query, content=content, headers=headers).status_code

        assert sent(b'{"x": "a\\u0000b"}') == 400, path
        assert sent(b'{"x": "a\0b"}') == 400, path
        assert sent(b"{}", "?q=a%00b") == 400, path
        assert sent(b" " * 1_048_577) == 413, path


def test_an_upload_beyond_the_limit_is_refused_while_it_comes(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    path = f"/api/v1/tickets/{sqlite_world[1][('work', 'own')]}/attachments"
    answer = web("agent").post(path, files={"file": ("a.txt", b"a" * (SETTINGS.max_upload_bytes + 1))})
    assert answer.status_code == 413


def test_script_and_formulas_are_kept_as_the_words_they_are(client: Client, world: World) -> None:
    agent = client("agent")
    made = agent.post(
        "/api/v1/tickets",
        json={
            "channel_code": "voice",
            "service_type_code": "complaint",
            "title": SCRIPT,
            "description": FORMULA,
            "customer_id": world[("customer", "own")],
        },
    )
    assert made.status_code == 201
    number = made.json()["ticket"]["id"]
    assert agent.post(f"/api/v1/tickets/{number}/comments", json={"body": SCRIPT}).json()["body"] == SCRIPT
    answer = agent.get(f"/api/v1/tickets/{number}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = agent.get(f"/app/tickets/{number}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:8080/api/v1/users",
        "https://[::1]/",
        "http://localhost/",
        "https://10.0.0.1/",
        "file:///etc/passwd",
        "https://user:pass@hooks.example.com/",
    ],
)
def test_a_webhook_to_an_internal_address_is_refused(web: Client, url: str) -> None:
    answer = web("boss").post("/api/v1/webhooks", json={"url": url, "events": ["ticket.created"]})
    assert answer.status_code == 422, answer.text


def test_a_policy_and_a_day_are_changed_over_http_and_tickets_follow(
    client: Client, populated: tuple[Engine, World]
) -> None:
    engine, _ = populated
    with session_scope(engine) as session:
        values = {"channel_code": "voice", "service_type_code": "complaint"}
        ticket = tickets.create(session, actor=actor_named(engine, "agent"), values=values)
        number, before = ticket.id, ticket.resolution_due_at
    boss = client("boss")
    listed = boss.get("/api/v1/service-levels").json()
    assert listed["waiting_changes"] == 0
    for policy in listed["policies"]:
        targets = {name: policy[name] for name in ("calendar_code", "first_response_seconds", "is_active")}
        hours = {"resolution_seconds": (policy["resolution_seconds"] or 3600) + 7200}
        assert boss.put(f"/api/v1/service-levels/{policy['code']}", json=targets | hours).status_code == 200
    day = (utc_now() + timedelta(days=40)).date().isoformat()
    path = "/api/v1/calendars/office"
    fixed = boss.put(f"{path}/days/{day}", json={"follows_weekday": None, "name_zh": "停电", "name_en": "Power cut"})
    assert fixed.status_code == 200, fixed.text
    days = boss.get(path, params={"since": day, "until": day}).json()["days"]
    assert [(row["day"], row["is_correction"]) for row in days] == [(day, True)]
    assert boss.put(f"{path}/days/{day}", json={"follows_weekday": 8}).status_code == 422
    assert client("supervisor").get("/api/v1/service-levels").status_code == 403
    while True:
        with session_scope(engine) as session:
            if not recompute_next(session):
                break
    with session_scope(engine) as session:
        after = tickets.get(session, actor=actor_named(engine, "agent"), ticket_id=number).ticket.resolution_due_at
        assert before is not None
        assert after is not None
        assert after > before
        assert session.scalars(select(SlaChange).where(SlaChange.done_at.is_(None))).all() == []
        assert session.scalars(select(SlaPolicy)).first() is not None
