"""The API against its own description (schemathesis): no 5xx, no ignored sign-in, no answer that was not described."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from core.database import make_engine, session_scope
from crm_api.app import create_app
from crm_api.identity.models import User
from crm_api.identity.permissions import ROLE_PERMISSIONS, Permission
from crm_api.identity.sessions import create_token
from tests.crm_api.conftest import SETTINGS
from tests.crm_api.world import World

EXAMPLES = 150 if os.environ.get("CRM_TEST_FULL") else 4
CHECKS = [
    not_a_server_error,
    ignored_auth,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
#: Streams have no end and are tested on their own; reading the process's numbers is not JSON.
LEFT_OUT = {"/metrics"}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    document = create_app(make_engine(url="sqlite:///:memory:"), SETTINGS).openapi()
    return [
        (method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if path not in LEFT_OUT and "text/event-stream" not in str(described.get("responses"))
    ]


def _calls() -> list[Any]:
    """Every operation called well, and badly where there is a parameter or a body to be wrong about."""
    return [
        pytest.param(method, path, mode, id=f"{method}-{path}-{mode.value}")
        for method, path, described in OPERATIONS
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or _can_be_wrong(described)
    ]


def _can_be_wrong(described: dict[str, Any]) -> bool:
    places = {parameter["in"] for parameter in described.get("parameters", ())}
    return "requestBody" in described or bool(places & {"query", "path"})


OPERATIONS = _operations()
#: Operations that ask who calls.
GUARDED = [(method, path) for method, path, described in OPERATIONS if described.get("x-permission") is not None]


class Described:
    """The application, its description, and a token for whoever may most."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url=url)
        self.app = create_app(self.engine, SETTINGS)
        self.schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", self.app)

    def headers(self, operation: Any) -> dict[str, str]:
        """A fresh token of the administrator where they may call it, of the supervisor else."""
        needed = operation.definition.raw.get("x-permission")
        if needed is None:
            return {}
        username = "boss" if needed in ROLE_PERMISSIONS["administrator"] and needed != "self" else "supervisor"
        with session_scope(self.engine) as session:
            user = session.scalars(select(User).where(User.username == username)).one()
            text, _ = create_token(session, user, name="schema", scopes=frozenset(Permission), expires_at=None)
        return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def described(populated_sqlite: tuple[Any, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    copy = tmp_path_factory.mktemp("schema") / "crm.sqlite"
    copy.write_bytes(populated_sqlite[0].read_bytes())
    found = Described(f"sqlite:///{copy}")
    yield found
    found.engine.dispose()


@pytest.mark.parametrize(("method", "path", "mode"), _calls())
def test_signed_in(described: Described, method: str, path: str, mode: GenerationMode) -> None:
    operation = described.schema[path][method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def run(case: Any) -> None:
        # Either way of signing in suffices: a generated cookie beside a good token is no bad sign-in.
        case.cookies.clear()
        case.call_and_validate(headers=described.headers(operation), checks=CHECKS)

    run()


@pytest.mark.parametrize(("method", "path"), GUARDED, ids=lambda part: part)
def test_strangers(described: Described, method: str, path: str) -> None:
    operation = described.schema[path][method]

    @settings(
        max_examples=max(2, EXAMPLES // 3),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(GenerationMode.POSITIVE))
    def run(case: Any) -> None:
        answer = case.call()
        # A body that cannot be read is refused before anybody is asked who they are.
        assert answer.status_code in (401, 400, 413, 422), answer.text

    run()
