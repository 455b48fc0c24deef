"""What every route does alike: problem documents, paging, ETags, idempotency, limits, hostile input, health."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient

from core.database import make_engine, session_scope
from crm_api.app import create_app
from crm_api.contacts.models import Contact
from crm_api.web.metrics import Metrics
from crm_api.web.middleware import Limiting, Shedding
from crm_api.web.settings import WebSettings
from tests.crm_api.conftest import SETTINGS, sign_in
from tests.crm_api.world import START, World

Client = Callable[..., TestClient]


def _contact(external_id: str = "f-1", **values: Any) -> dict[str, Any]:
    return {"channel": "web_form", "external_id": external_id, "started_at": "2026-03-02T09:00:00+08:00"} | values


def _count(engine: Engine) -> int:
    with session_scope(engine) as session:
        return session.scalar(select(func.count()).select_from(Contact)) or 0


def _app_with(engine: Engine, **changes: Any) -> TestClient:
    return TestClient(create_app(engine, SETTINGS.model_copy(update=changes)))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/customers/999999", None, 404),
        ("GET", "/api/v1/nowhere", None, 404),
        ("PUT", "/api/v1/customers", None, 405),
        ("GET", "/api/v1/customers?limit=0", None, 422),
        ("GET", "/api/v1/customers/99999999999999999999", None, 422),
        ("POST", "/api/v1/contacts", {"channel": "pigeon"}, 422),
        ("POST", "/api/v1/contacts", _contact(channel="pigeon"), 422),
        ("POST", "/api/v1/contacts", _contact(surprise=1), 422),
        ("POST", "/api/v1/contacts", _contact(started_at="2026-03-02T09:00:00"), 422),
        ("POST", "/api/v1/contacts", _contact(ended_at="2026-03-01T09:00:00Z"), 422),
        ("POST", "/api/v1/contacts", _contact(outcome="blocked"), 422),
        ("POST", "/api/v1/contacts", _contact(customer_id=999999), 422),
        ("PATCH", "/api/v1/customers/1", {"key_level": "gold"}, 428),
    ],
)
def test_every_failure_is_a_problem_document(
    web: Client, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    answer = web("agent").request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:crm:problem:")
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_validation_problem_never_echoes_the_value(web: Client) -> None:
    answer = web().post("/api/v1/session", json={"username": ["x"], "password": {"secret-word": "hunter2-hunter2"}})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


def test_pages_hold_every_row_once_while_rows_arrive(client: Client, populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    with session_scope(engine) as session:
        session.add_all(
            Contact(
                channel_code="sms", external_id=str(n), started_at=START + timedelta(minutes=n % 5), outcome="other"
            )
            for n in range(25)
        )
    browser, seen, cursor = client("agent"), [], ""
    for page in range(20):
        answer = browser.get(f"/api/v1/contacts?channel=sms&limit=7{cursor}").json()
        seen += [item["external_id"] for item in answer["items"]]
        with session_scope(engine) as session:
            late = START + timedelta(days=1)
            session.add(Contact(channel_code="sms", external_id=f"new{page}", started_at=late, outcome="other"))
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert sorted(seen) == sorted(str(n) for n in range(25))


@pytest.mark.parametrize(
    "cursor", ["x", "e30", "W10", "WzEsMl0", "WyJhIiwiYiJd", "W3sidCI6MX0sMV0", "%F0%9F%98%80", "A" * 400]
)
def test_a_cursor_of_one_s_own_making_is_refused(web: Client, cursor: str) -> None:
    assert web("agent").get(f"/api/v1/contacts?cursor={cursor}").status_code == 422


def test_the_second_of_two_edits_is_refused(client: Client, world: World) -> None:
    path = f"/api/v1/customers/{world[('customer', 'own')]}"
    one, other = client("agent"), client("agent2")
    version = one.get(path).headers["etag"]
    assert other.get(path, headers={"If-None-Match": version}).status_code == 304
    assert one.patch(path, json={"key_level": "gold"}, headers={"If-Match": version}).status_code == 200
    second = other.patch(path, json={"key_level": "silver"}, headers={"If-Match": version})
    assert second.status_code == 412
    assert second.json()["type"].endswith("outdated")
    assert one.get(path).json()["key_level"] == "gold"


def test_of_many_edits_at_once_one_wins(client: Client, world: World) -> None:
    path = f"/api/v1/customers/{world[('customer', 'own')]}"
    version = client("agent").get(path).headers["etag"]
    statuses: list[int] = []

    def edit(browser: TestClient, name: str) -> None:
        statuses.append(browser.patch(path, json={"name": name}, headers={"If-Match": version}).status_code)

    threads = [threading.Thread(target=edit, args=(client("agent"), f"张伟{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 5


def test_a_repeated_request_with_one_key_creates_once(client: Client, populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    browser, before = client("agent"), _count(engine)
    key = {"Idempotency-Key": "capture-0001"}
    answers = [browser.post("/api/v1/contacts", json=_contact(), headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replay") for answer in answers] == [None, "true", "true"]
    assert browser.post("/api/v1/contacts", json=_contact("f-2"), headers=key).status_code == 409
    assert _count(engine) == before + 1
    # A failed call is not remembered: mended, it goes through under the same key.
    key = {"Idempotency-Key": "capture-0002"}
    assert browser.post("/api/v1/contacts", json=_contact("f-3", product_code="x"), headers=key).status_code == 422
    assert browser.post("/api/v1/contacts", json=_contact("f-3"), headers=key).status_code == 201


def test_keys_of_two_people_do_not_meet(web: Client) -> None:
    key = {"Idempotency-Key": "capture-0001"}
    for name, external_id in (("agent", "a-1"), ("agent2", "a-2")):
        answer = web(name).post("/api/v1/contacts", json=_contact(external_id), headers=key)
        assert answer.json()["contact"]["external_id"] == external_id


def test_twins_sent_at_once_create_once(client: Client, populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    before, statuses = _count(engine), list[int]()

    def send(browser: TestClient, key: str) -> None:
        headers = {"Idempotency-Key": key}
        statuses.append(browser.post("/api/v1/contacts", json=_contact(), headers=headers).status_code)

    # Some share the idempotency key, all share (channel, external id).
    threads = [threading.Thread(target=send, args=(client("agent"), f"twin-key-{n // 3}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409}
    assert _count(engine) == before + 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"username": "a\\u0000", "password": "x"}', "application/json"),
        (b'{"username": "a\\\\\\u0000", "password": "x"}', "application/json"),
        (b'{"username": "a\x00", "password": "x"}', "application/json"),
        (b"username=a%00", "application/x-www-form-urlencoded"),
        (b"\x00", "text/plain"),
    ],
)
def test_null_bytes_are_refused_in_bodies(web: Client, content: bytes, kind: str) -> None:
    assert web().post("/api/v1/session", content=content, headers={"Content-Type": kind}).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/customers/search?q=a%00b", "/api/v1/customers/by-number/1%00"])
def test_null_bytes_are_refused_in_addresses(web: Client, path: str) -> None:
    assert web("agent").get(path).status_code == 400


def test_the_escaped_text_of_a_null_byte_is_only_text(web: Client) -> None:
    content = b'{"username": "a\\\\u0000", "password": "x"}'
    answer = web().post("/api/v1/session", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_too_large_is_refused(web: Client, announced: bool) -> None:
    piece = b"x" * 65536
    content: Any = piece * 20 if announced else (piece for _ in range(20))
    answer = web().post("/api/v1/session", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\ud7ff", "🙂" * 100, "'; DROP TABLE contacts; --"]
)
def test_hostile_text_is_kept_as_text(client: Client, text: str) -> None:
    browser = client("agent")
    created = browser.post("/api/v1/contacts", json=_contact(text=text, subject=text[:100])).json()
    texts = browser.get(f"/api/v1/contacts/{created['contact']['id']}").json()["texts"]
    assert [(item["body"], item["author"]) for item in texts] == [(text, None)]


def test_lone_surrogates_are_refused(web: Client) -> None:
    content = b'{"channel": "sms", "external_id": "\\ud800", "started_at": "2026-03-02T09:00:00Z"}'
    answer = web("agent").post("/api/v1/contacts", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_answers_carry_the_security_headers(web: Client) -> None:
    for path in ("/healthz", "/api/v1/nowhere", "/api/v1/session"):
        headers = web().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert web().get("/api/v1/session").headers["cache-control"] == "no-store"


def test_too_many_requests_are_told_when_to_come_back(sqlite_world: tuple[Engine, World]) -> None:
    engine, _ = sqlite_world
    browser = sign_in(_app_with(engine, requests_per_second=0.5, requests_burst=3), engine, "agent")
    answers = [browser.get("/api/v1/session") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3
    # Somebody else is not held up, nor is the supervisor of the process.
    browser.cookies.clear()
    assert sign_in(browser, engine, "agent2").get("/api/v1/session").status_code == 200
    assert [browser.get("/healthz").status_code for _ in range(10)] == [200] * 10


async def _nothing(*_: object) -> None:
    return None


class Door:
    """A server of one route that answers when it is told to, behind the shedding."""

    def __init__(self, **settings: Any) -> None:
        self.release = asyncio.Semaphore(0)
        self.began: list[str] = []
        self._shedding = Shedding(self._app, WebSettings(**settings), Metrics())

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.began.append(scope["method"])
        await self.release.acquire()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def call(self, method: str) -> int:
        """The status that a request gets."""
        statuses: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        # What a caller says it would read earns nobody a place.
        headers = [(b"accept", b"text/event-stream")]
        scope = {"type": "http", "path": "/api/v1/contacts", "method": method, "headers": headers}
        await self._shedding(scope, _nothing, send)  # type: ignore[arg-type]  # nothing is received
        return statuses[0]

    async def start(self, *methods: str) -> list[asyncio.Task[int]]:
        """Requests that are now at work or waiting."""
        tasks = [asyncio.create_task(self.call(method)) for method in methods]
        for _ in range(3):
            await asyncio.sleep(0)
        return tasks


def test_when_full_reading_is_shed_and_capture_goes_on() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        door = Door(requests_at_once=1, requests_in_flight=2, reserved_in_flight=1, longest_wait_seconds=60)
        waiting = await door.start("GET", "GET")
        refused = [await door.call("GET")]
        waiting += await door.start("POST")
        refused.append(await door.call("POST"))
        for _ in waiting:
            door.release.release()
        return refused, [await task for task in waiting]

    refused, served = asyncio.run(scenario())
    assert refused == [503, 503]
    assert served == [200, 200, 200]


def test_who_waits_too_long_is_shed_and_leaves_the_place_to_others() -> None:
    async def scenario() -> tuple[list[int], int]:
        door = Door(requests_at_once=1, requests_in_flight=9, longest_wait_seconds=0.05)
        (first,) = await door.start("GET")
        late = [await task for task in await door.start("GET", "POST")]
        (follower,) = await door.start("GET")
        door.release.release()
        door.release.release()
        assert await first == 200
        return late, await follower

    assert asyncio.run(scenario()) == ([503, 503], 200)


def test_capture_comes_first_but_reading_goes_on() -> None:
    async def scenario() -> list[str]:
        door = Door(requests_at_once=1, requests_in_flight=20, longest_wait_seconds=60)
        tasks = await door.start("GET", *["GET"] * 3, *["POST"] * 8)
        for _ in tasks:
            door.release.release()
        await asyncio.gather(*tasks)
        return door.began

    assert asyncio.run(scenario()) == ["GET", *["POST", "POST", "POST", "GET"] * 2, "POST", "POST", "GET"]


def test_a_caller_who_goes_away_while_waiting_leaves_no_place_taken() -> None:
    async def scenario() -> int:
        door = Door(requests_at_once=1, requests_in_flight=9, longest_wait_seconds=60)
        first, gone = await door.start("GET", "POST")
        gone.cancel()
        (follower,) = await door.start("GET")
        door.release.release()
        door.release.release()
        await first
        return await follower

    assert asyncio.run(scenario()) == 200


def test_callers_who_come_and_go_are_forgotten() -> None:
    limiting = Limiting(_nothing, WebSettings(), Metrics())  # type: ignore[arg-type]  # nothing is received
    for number in range(25_000):
        limiting._take(str(number))
    assert len(limiting._buckets) == 20_000


def test_health_tells_the_process_from_its_store(web: Client) -> None:
    assert web().get("/healthz").json() == {"status": "ok"}
    assert web().get("/readyz").status_code == 200
    away = TestClient(create_app(make_engine(url="postgresql://nobody@127.0.0.1:9/none"), SETTINGS))
    assert away.get("/healthz").status_code == 200
    answer = away.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    answer = away.post("/api/v1/session", json={"username": "a", "password": "b"})
    assert answer.status_code == 503
    assert "postgresql" not in answer.text


def test_metrics_count_by_route_not_by_path(web: Client) -> None:
    browser = web("agent")
    for number in (1, 2, 99):
        browser.get(f"/api/v1/customers/{number}")
    browser.get("/api/v1/made-up-by-a-scanner")
    told = web("boss").get("/metrics").text
    assert 'route="/api/v1/customers/{customer_id}"' in told
    assert "made-up" not in told
    assert "/api/v1/customers/99" not in told


def test_the_description_says_who_may(web: Client) -> None:
    document = web().get("/api/v1/openapi.json").json()
    operation = document["paths"]["/api/v1/customers/{customer_id}/reveal"]["post"]
    assert operation["x-permission"] == "customer:reveal"
    assert operation["security"] == [{"session": []}, {"token": []}]
    assert document["paths"]["/api/v1/session"]["post"]["security"] == []
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            assert described.get("summary"), (path, method)
            assert described.get("description"), f"{method} {path} has no docstring"


def test_instants_are_told_in_utc_with_their_zone(web: Client) -> None:
    created = web("agent").post("/api/v1/contacts", json=_contact()).json()["contact"]
    assert datetime.fromisoformat(created["started_at"]) == datetime(2026, 3, 2, 1, tzinfo=UTC)
