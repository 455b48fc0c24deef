"""The CRM, asked over HTTP in the name of who looks: who that is, and whatever a page changes."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pandas as pd
import streamlit as st

from core.errors import CrmError
from core.i18n import as_language
from core.scope import PROVINCE, Scope
from dashboards.scope import DashboardSettings, Viewer

#: The cookie that signs a person in everywhere on this host.
SESSION_COOKIE = "crm_session"
#: Seconds that an answer about a session is believed, and that the CRM gets to give one.
BELIEVED, PATIENCE = 30, 5.0
_SIGNED_OUT = 401


class CrmUnreachableError(CrmError):
    """The CRM does not answer, so that nobody knows who looks."""

    can_pass = True


class CrmRefusedError(CrmError):
    """The CRM refused what a page asked it to do; the message is the CRM's."""


def session_token() -> str:
    """The session cookie of this browser, as it was when the page was opened; empty: it has none."""
    return str(st.context.cookies.get(SESSION_COOKIE, "") or "")


def viewer_of(token: str) -> Viewer | None:
    """Who holds this session, asked at most every 30 s; None: the session does not hold (any more).

    Raises:
        CrmUnreachableError: the CRM does not answer.
    """
    return _ask(DashboardSettings().crm_url, token) if token else None


def _asked(url: str, token: str) -> Viewer | None:
    answer = _send(url, "GET", "/api/v1/session", token)
    if answer.status_code == _SIGNED_OUT:
        return None
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        raise CrmUnreachableError(f"The CRM at {url} answers {answer.status_code}.", "Look at: crm doctor")
    said: Mapping[str, Any] = answer.json()
    city = said["city_code"]
    return Viewer(
        scope=Scope(city) if city else PROVINCE,
        username=said["username"],
        display_name=said["display_name"],
        role=said["role"],
        language=as_language(said["language"]),
        permissions=frozenset(said["permissions"]),
        csrf_token=said["csrf_token"] or "",
        must_change_password=said["must_change_password"],
    )


_ask = st.cache_data(ttl=BELIEVED, max_entries=2000, show_spinner=False)(_asked)


def ask(viewer: Viewer | None, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """What the CRM answers to a request of `viewer`, whose session this browser holds; None for an empty answer.

    A request that only reads needs no viewer: the session tells who asks.

    Raises:
        CrmUnreachableError: the CRM does not answer.
        CrmRefusedError: it refuses.
    """
    answer = _send(
        DashboardSettings().crm_url, method, path, session_token(), viewer.csrf_token if viewer else "", body
    )
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        said = problem.get("detail") or problem.get("title") or f"The CRM answers {answer.status_code}."
        raise CrmRefusedError(str(said), str(problem.get("mend") or ""))
    return answer.json() if answer.content else None


def left_out(viewer: Viewer, campaign: int | str | None, gate: int | str | None) -> tuple[int, pd.DataFrame]:
    """Whom a gate took out of a campaign's list: how many, and the 500 newest with `customer_key` and `city`.

    Raises:
        CrmUnreachableError: the CRM does not answer.
        CrmRefusedError: it refuses.
    """
    told = ask(viewer, "GET", f"/api/v1/campaigns/{campaign}/left-out?{urlencode({'gate': gate})}")
    rows = [(each["customer_id"], each["city_code"]) for each in told["customers"]]
    return int(told["total"]), pd.DataFrame(rows, columns=["customer_key", "city"])


def sign_out(viewer: Viewer) -> None:
    """End the session everywhere."""
    ask(viewer, "DELETE", "/api/v1/session")
    _ask.clear(DashboardSettings().crm_url, session_token())


def _send(
    url: str, method: str, path: str, token: str, csrf: str = "", body: Mapping[str, Any] | None = None
) -> httpx.Response:
    # Only what a cookie may hold: the rest of a header would be another one.
    clean = token if token.isascii() and token.isprintable() and not set(token) & set(' ;,"\\') else ""
    headers = {"Cookie": f"{SESSION_COOKIE}={clean}"} | ({"X-CSRF-Token": csrf} if csrf else {})
    try:
        return httpx.request(method, f"{url}{path}", headers=headers, json=body, timeout=PATIENCE, trust_env=False)
    except httpx.HTTPError as error:
        raise CrmUnreachableError(f"The CRM at {url} does not answer: {error}.", "Start it with: crm api") from error
