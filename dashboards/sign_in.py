"""Before any page: who looks, or the way to the sign-in and back."""

from dataclasses import replace
from html import escape
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from core.i18n import Texts
from dashboards.crm import CrmUnreachableError, session_token, sign_out, viewer_of
from dashboards.scope import DashboardSettings, Viewer, viewer_without_sign_in


def signed_in() -> Viewer | None:
    """Who looks; None: nobody is signed in.

    Raises:
        CrmUnreachableError: the CRM, which knows, does not answer.
    """
    return viewer_without_sign_in() or viewer_of(session_token())


def is_another(viewer: Viewer) -> bool:
    """Whether `viewer` is signed in no longer, or with other rights; while the CRM is away nobody knows."""
    try:
        now = signed_in()
    except CrmUnreachableError:
        return False
    return now is None or replace(now, csrf_token=viewer.csrf_token) != viewer


def refuse(text: Texts, viewer: Viewer | None, title: str) -> None:
    """Instead of a page: sign in, or what is missing."""
    st.title(title, anchor=False)
    if viewer is None:
        st.info(text("sign_in.needed"), icon=":material/lock:")
        _lead_to(text("sign_in.go"), sign_in_address())
    elif viewer.must_change_password:
        st.warning(text("sign_in.change_password"), icon=":material/password:")
        _lead_to(text("sign_in.go_crm"), _crm("/app"))
    else:
        st.warning(text("sign_in.not_allowed", name=viewer.display_name), icon=":material/block:")
        _leave(text, viewer)


#: As Streamlit's own buttons look.
_BUTTON = (
    "display:inline-block;padding:.45rem 1rem;border-radius:8px;background:#1F5FA8;color:#fff;text-decoration:none"
)


def _lead_to(label: str, address: str) -> None:
    """A link in this tab: Streamlit's own opens another one, in which people then are twice."""
    with st.container(key="lead_to"):
        st.html(f'<a href="{escape(address)}" style="{_BUTTON}">{escape(label)}</a>')


def unreachable(text: Texts, title: str) -> None:
    """Instead of a page: nobody can say who looks."""
    st.title(title, anchor=False)
    st.error(text("sign_in.unreachable", url=DashboardSettings().crm_url), icon=":material/cloud_off:")
    st.button(text("sign_in.again"), icon=":material/refresh:")


def who(text: Texts, viewer: Viewer) -> None:
    """Who is signed in, and the way out; nothing where nobody signs in."""
    if not viewer.username:
        return
    with st.popover(viewer.display_name, icon=":material/account_circle:", type="tertiary", key="viewer"):
        st.markdown(f"**{viewer.display_name}**  \n{viewer.username}")
        st.link_button(text("sign_in.go_crm"), _crm("/app"), icon=":material/open_in_new:")
        _leave(text, viewer)


def _leave(text: Texts, viewer: Viewer) -> None:
    if st.button(text("sign_in.leave"), icon=":material/logout:", key="sign_out"):
        try:
            sign_out(viewer)
        except CrmUnreachableError:
            st.error(text("sign_in.unreachable", url=DashboardSettings().crm_url))
        else:
            st.rerun()


def sign_in_address() -> str:
    """The sign-in, which leads back to what is shown now."""
    here = str(st.context.url or "")
    asked = urlencode(st.query_params.to_dict())
    back = f"{here}?{asked}" if asked else here
    return f"{_crm('/sign-in')}?next={quote(back, safe='')}"


def _crm(path: str) -> str:
    """An address of the CRM as this browser reaches it: a cookie belongs to a host, whatever the port."""
    settings = DashboardSettings()
    here = urlsplit(str(st.context.url or ""))
    if settings.crm_browser_url:
        chosen = urlsplit(settings.crm_browser_url)
        return f"{chosen.scheme or here.scheme}://{chosen.netloc or here.netloc}{path}"
    asked = urlsplit(settings.crm_url)
    host = here.hostname if here.hostname and asked.hostname in ("127.0.0.1", "localhost") else asked.hostname
    return f"{asked.scheme}://{host}{f':{asked.port}' if asked.port else ''}{path}"
