"""Signing in at an OpenID provider, against a small one that runs here."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import session_scope
from crm_api.app import create_app
from crm_api.audit.models import AuditEntry
from crm_api.identity.models import User
from tests.crm_api.conftest import SETTINGS
from tests.crm_api.world import World

KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})


class Provider:
    """An OpenID provider: says `claims` of everybody, signed with `key`; `asked` is the last token request."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "s-1", "preferred_username": "Agent"}
        self.key = KEY
        self.asked: dict[str, list[str]] = {}
        self.nonce = ""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def _tell(self, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                issuer = provider.issuer
                if self.path == "/.well-known/openid-configuration":
                    ends = {name: f"{issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
                    self._tell({"issuer": issuer, "jwks_uri": f"{issuer}/jwks", **ends})
                else:
                    self._tell({"keys": [KEY.as_dict(private=False)]})

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                provider.asked = parse_qs(self.rfile.read(length).decode())
                self._tell({"access_token": "a", "token_type": "Bearer", "id_token": provider.id_token()})

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def id_token(self) -> str:
        """What it says of whoever came."""
        now = int(time.time())
        said = {"iss": self.issuer, "aud": "crm", "iat": now, "exp": now + 60, "nonce": self.nonce}
        return jwt.encode({"alg": "RS256", "kid": "1"}, said | self.claims, self.key)


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def browser(provider: Provider, sqlite_world: tuple[Engine, World]) -> TestClient:
    settings = SETTINGS.model_copy(
        update={"oidc_issuer": provider.issuer, "oidc_client_id": "crm", "oidc_client_secret": SecretStr("s")}
    )
    return TestClient(create_app(sqlite_world[0], settings), follow_redirects=False)


def _there(browser: TestClient, provider: Provider) -> dict[str, str]:
    """Begin a sign-in; what the provider would send the browser back with."""
    sent = browser.get("/api/v1/oidc/login")
    assert sent.status_code == 303
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    provider.nonce = asked["nonce"]
    return {"state": asked["state"], "code": "c-1"}


def _back(browser: TestClient, query: dict[str, str]) -> int:
    return browser.get("/api/v1/oidc/callback", params=query).status_code


def test_whom_the_provider_names_is_signed_in_and_linked(
    browser: TestClient, provider: Provider, sqlite_world: tuple[Engine, World]
) -> None:
    assert _back(browser, _there(browser, provider)) == 303
    assert browser.get("/api/v1/session").json()["username"] == "agent"
    assert provider.asked["code_verifier"]
    # From now on the subject counts, whatever name the provider tells.
    provider.claims = {"sub": "s-1", "preferred_username": "boss"}
    assert _back(browser, _there(browser, provider)) == 303
    assert browser.get("/api/v1/session").json()["username"] == "agent"
    provider.claims = {"sub": "s-2", "preferred_username": "agent"}
    assert _back(browser, _there(browser, provider)) == 401, "another subject cannot take the name over"
    with session_scope(sqlite_world[0]) as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert {"user.linked", "session.opened", "session.refused"} <= set(actions)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": ["crm", "other"]},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nonce": "another"},
        {"preferred_username": "nobody-here"},
        {"preferred_username": ""},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_what_does_not_prove_it_is_refused(browser: TestClient, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims |= claims
    assert _back(browser, _there(browser, provider)) == 401
    assert browser.get("/api/v1/session").status_code == 401


def test_another_s_signature_is_refused(browser: TestClient, provider: Provider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "1"})
    assert _back(browser, _there(browser, provider)) == 401


def test_an_answer_is_good_once_and_for_the_browser_that_began(
    browser: TestClient, provider: Provider, sqlite_world: tuple[Engine, World]
) -> None:
    query = _there(browser, provider)
    stranger = TestClient(browser.app, follow_redirects=False)
    assert _back(stranger, query) == 401
    assert _back(browser, query) == 303
    browser.cookies.set("crm_oidc", query["state"], path="/api/v1/oidc")
    assert _back(browser, query) == 401
    with session_scope(sqlite_world[0]) as session:
        session.scalars(select(User).where(User.username == "agent")).one().is_active = False
    assert _back(browser, _there(browser, provider)) == 401


def test_a_provider_that_is_away_is_said_so(browser: TestClient, provider: Provider) -> None:
    provider.server.shutdown()
    provider.server.server_close()
    assert browser.get("/api/v1/oidc/login").status_code == 503


def test_it_is_off_unless_configured(web: Callable[..., TestClient]) -> None:
    assert web().get("/api/v1/oidc/login").status_code == 404
    assert web().get("/api/v1/oidc/callback?state=x&code=y").status_code == 404
