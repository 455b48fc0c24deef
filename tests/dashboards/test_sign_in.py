"""Who looks, as the CRM says it; and nobody, where it says nothing."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
import streamlit as st

from core.scope import PROVINCE, Scope
from core.settings import Settings
from crm_api.identity.permissions import ROLE_PERMISSIONS, Permission
from crm_api.web.dependencies import SESSION_COOKIE as CRM_COOKIE
from dashboards import crm as asking
from dashboards.crm import BELIEVED, SESSION_COOKIE, CrmUnreachableError, sign_out, viewer_of
from dashboards.scope import SEE_PAGES, viewer_without_sign_in
from dashboards.sign_in import is_another
from tests.dashboards.test_pages import open_page
from tests.servers import free_port


class _Crm(BaseHTTPRequestHandler):
    """Answers GET /api/v1/session as the CRM does, for the sessions of `people`."""

    people: ClassVar[dict[str, dict[str, Any]]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        token = self.headers.get("Cookie", "").removeprefix(f"{SESSION_COOKIE}=")
        self.asked.append(token)
        person = self.people.get(token)
        self.send_response(200 if person else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(person or {"title": "Nobody"}).encode())

    def do_DELETE(self) -> None:
        """The session ends."""
        self.people.pop(self.headers.get("Cookie", "").removeprefix(f"{SESSION_COOKIE}="), None)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _person(role: str, city: str | None, **more: object) -> dict[str, object]:
    permissions = sorted(ROLE_PERMISSIONS[role])  # type: ignore[index]  # a role by its name
    return {"username": role, "display_name": role, "role": role, "language": "en", "city_code": city,
            "permissions": permissions, "csrf_token": "c", "must_change_password": False} | more  # fmt: skip


@pytest.fixture
def crm(published: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Crm]]:
    """A stand-in for the CRM's one route, and pages that ask it."""
    _Crm.people = {
        "province": _person("analyst", None),
        "city": _person("branch_manager", "yulin"),
        "agent": _person("agent", None),
        "new": _person("analyst", None, permissions=["self"], must_change_password=True),
    }
    _Crm.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Crm)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("CRM_DASHBOARD_SCOPE")
    monkeypatch.setenv("CRM_DASHBOARD_CRM_URL", f"http://127.0.0.1:{server.server_address[1]}")
    st.cache_data.clear()
    yield _Crm
    server.shutdown()
    server.server_close()


def _shown_to(token: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("dashboards.sign_in.session_token", lambda: token)
    return open_page("overview", lang="en")


def test_the_cookie_is_the_crm_s_and_the_right_one_of_its_own() -> None:
    assert SESSION_COOKIE == CRM_COOKIE
    assert SEE_PAGES == Permission.REPORT_READ


def test_the_scope_is_the_unit_of_the_session(crm: type[_Crm], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, city = viewer_of("province"), viewer_of("city")
    assert whole is not None and city is not None
    assert (whole.scope, city.scope) == (PROVINCE, Scope("yulin"))
    assert not _shown_to("province", monkeypatch).selectbox(key="filter_city").disabled
    shown = _shown_to("city", monkeypatch)
    assert shown.selectbox(key="filter_city").disabled and len(shown.metric) == 8


@pytest.mark.parametrize(
    ("token", "told"), [("", "Sign in"), ("stale", "Sign in"), ("agent", "role"), ("new", "temporary")]
)
def test_who_may_not_see_them_sees_no_figure(
    crm: type[_Crm], token: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _shown_to(token, monkeypatch)
    said = " ".join([*(each.value for each in app.info), *(each.value for each in app.warning)])
    assert told in said and not app.metric and not app.caption


def test_a_crm_that_does_not_answer_shows_nothing(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_DASHBOARD_SCOPE")
    monkeypatch.setenv("CRM_DASHBOARD_CRM_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CrmUnreachableError):
        viewer_of("any")
    app = _shown_to("any", monkeypatch)
    assert "does not answer" in app.error[0].value and not app.metric


def test_an_answer_is_believed_for_a_while_and_a_forged_cookie_is_no_header(crm: type[_Crm]) -> None:
    viewer_of("province")
    viewer_of("province")
    assert crm.asked == ["province"]
    assert viewer_of("province; crm_session=city") is None
    assert crm.asked[-1] == ""


@pytest.mark.usefixtures("crm")
def test_what_is_believed_of_one_session_serves_no_other() -> None:
    for _ in range(2):
        province, city = viewer_of("province"), viewer_of("city")
        assert province is not None and city is not None
        assert (province.username, province.scope) == ("analyst", PROVINCE)
        assert (city.username, city.scope) == ("branch_manager", Scope("yulin"))


def test_who_signs_out_sees_nothing_at_once(crm: type[_Crm], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "session_token", lambda: "province")
    viewer = viewer_of("province")
    assert viewer is not None
    sign_out(viewer)
    assert viewer_of("province") is None
    assert _shown_to("province", monkeypatch).metric == []


def test_an_open_page_is_closed_to_whom_the_crm_no_longer_knows(
    crm: type[_Crm], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.sign_in.session_token", lambda: "city")
    viewer = viewer_of("city")
    assert viewer is not None and not is_another(viewer)
    crm.people["city"] = _person("branch_manager", "baoji")
    # What was said before is believed for half a minute.
    assert BELIEVED <= 30 and not is_another(viewer)
    asking._ask.clear()
    assert is_another(viewer)
    del crm.people["city"]
    asking._ask.clear()
    assert is_another(viewer) and viewer_of("city") is None


def test_without_sign_in_the_setting_is_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    for unit, scope in (("province", PROVINCE), ("yulin", Scope("yulin"))):
        monkeypatch.setenv("CRM_DASHBOARD_SCOPE", unit)
        viewer = viewer_without_sign_in()
        assert viewer is not None and viewer.scope == scope and viewer.may_see_pages
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "")
    assert viewer_without_sign_in() is None
