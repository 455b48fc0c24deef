"""Role x route x own/foreign unit, generated from the application's routes: nobody gets what is not theirs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import make_engine, session_scope
from crm_api.app import create_app
from crm_api.identity import sessions
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.service import create_user, unit_by_code
from crm_api.web.dependencies import permissions_declared
from tests.crm_api.conftest import SETTINGS, sign_in
from tests.crm_api.route_table import PUBLIC, TABLE, Row
from tests.crm_api.world import PEOPLE, Side, World

#: One user of each role; those of branches work in 宝鸡.
USERS = {
    "agent": "agent",
    "dispatcher": "dispatcher",
    "reviewer": "reviewer",
    "supervisor": "supervisor",
    "analyst": "baoji_analyst",
    "manager": "manager",
    "marketing": "marketing",
    "administrator": "boss",
    "branch_handler": "baoji_handler",
    "branch_lead": "baoji_lead",
    "branch_manager": "baoji_manager",
}
SIDES: tuple[Side, ...] = ("own", "foreign")
#: What belongs to one person: a colleague's is foreign whatever the unit.
PERSONAL = {"token"}
#: Found by value, not by id: a foreign one gives an empty list, not a 404.
LISTED = {"number"}


def _routes() -> dict[tuple[str, str], APIRoute]:
    app = create_app(make_engine(url="sqlite:///:memory:"), SETTINGS)
    return {
        (method, route.path): route for route in app.routes if isinstance(route, APIRoute) for method in route.methods
    }


ROUTES = _routes()


@dataclass(frozen=True)
class Stage:
    """The application and its world, shared by the whole matrix."""

    engine: Engine
    world: World
    client: TestClient
    system_user: int


@pytest.fixture(scope="module")
def stage(populated_sqlite: tuple[object, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path, world = populated_sqlite
    copy = tmp_path_factory.mktemp("matrix") / "crm.sqlite"
    copy.write_bytes(path.read_bytes())  # type: ignore[attr-defined]  # a fixture's path
    engine = make_engine(url=f"sqlite:///{copy}")
    with session_scope(engine) as session:
        unit = unit_by_code(session, "province")
        machine = create_user(
            session, username="intake", display_name="intake", role="system", unit=unit, password=None, by=None
        )
    # Entered, a client keeps one event loop for all its calls.
    with TestClient(create_app(engine, SETTINGS)) as client:
        yield Stage(engine, world, client, machine.id)
    engine.dispose()


def _target(stage: Stage, row: Row, side: Side, username: str) -> str:
    if row.target == "number":
        return PEOPLE[side]["mobile"]
    if row.target == "system":
        return str(stage.system_user)
    with session_scope(stage.engine) as session:
        if row.target == "user":
            name = "agent2" if side == "own" else "weibin_handler"
            return str(session.scalars(select(User.id).where(User.username == name)).one())
        if row.target == "token":
            owner = username if side == "own" else "agent2"
            user = session.scalars(select(User).where(User.username == owner)).one()
            scopes = frozenset({Permission.SELF})
            return str(sessions.create_token(session, user, name="t", scopes=scopes, expires_at=None)[1].id)
    return str(stage.world[(row.target or "", side)])


def _call(stage: Stage, key: tuple[str, str], row: Row, side: Side, username: str | None) -> tuple[int, str]:
    method, path = key
    if row.target:
        path = re.sub(r"\{\w+\}", _target(stage, row, side, username or "agent"), path, count=1)
    path = path.format(**row.also)
    client = stage.client
    client.cookies.clear()
    client.headers.pop("X-CSRF-Token", None)
    if username:
        sign_in(client, stage.engine, username)
    body = row.body() if row.body else None
    form = row.form() if row.form else None
    file = {"file": row.file()} if row.file else None
    answer = client.request(method, path + row.query, json=body, data=form, files=file, headers=row.headers)
    return answer.status_code, answer.text


def _expected(row: Row, role: str, side: Side) -> int:
    if role not in row.roles:
        return 403
    if side == "own" or row.target in {None, "system", *LISTED}:
        return row.status
    if row.target in PERSONAL:
        return 404
    return 404 if USERS[role].startswith("baoji_") else row.status


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert set(ROUTES) == set(TABLE)


def test_every_route_declares_exactly_one_permission() -> None:
    for key, route in ROUTES.items():
        declared = permissions_declared(route)
        assert len(declared) == 1, (key, declared)
        assert (declared == ["public"]) == (TABLE[key].roles == PUBLIC), key


GUARDED = [key for key, row in TABLE.items() if row.roles != PUBLIC]


@pytest.mark.parametrize("key", GUARDED, ids=lambda key: " ".join(key))
def test_matrix(stage: Stage, key: tuple[str, str]) -> None:
    row = TABLE[key]
    assert _call(stage, key, row, "own", None)[0] == 401, "a stranger"
    # Where no row is named, both sides are the same request.
    sides = SIDES if row.target else SIDES[:1]
    for role, username in USERS.items():
        for side in sides:
            status, text = _call(stage, key, row, side, username)
            assert status == _expected(row, role, side), (role, side, text)


def test_a_search_finds_nothing_foreign(stage: Stage) -> None:
    for username, expected in (("baoji_handler", []), ("agent", ["李娜"])):
        for path in (f"search?q={PEOPLE['foreign']['mobile'][3:]}", f"by-number/{PEOPLE['foreign']['mobile']}"):
            stage.client.cookies.clear()
            answer = sign_in(stage.client, stage.engine, username).get(f"/api/v1/customers/{path}")
            assert [match["customer"]["name"] for match in answer.json()] == expected


def test_lists_hold_nothing_foreign(stage: Stage) -> None:
    stage.client.cookies.clear()
    client = sign_in(stage.client, stage.engine, "baoji_handler")
    names = [item["name"] for item in client.get("/api/v1/customers").json()["items"]]
    assert names == ["张伟"]
    foreign = stage.world[("customer", "foreign")]
    assert all(item["customer_id"] != foreign for item in client.get("/api/v1/contacts").json()["items"])
    assert client.get(f"/api/v1/contacts?customer_id={foreign}").json()["items"] == []
