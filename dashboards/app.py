"""The pages' entry point: who looks, what is published, in which language, and which page."""

from pathlib import Path

import streamlit as st

from core.errors import NotPublishedError
from core.i18n import Language, Texts, texts
from dashboards.crm import CrmUnreachableError
from dashboards.data import current_source, known
from dashboards.frame import current_frame, default_language, open_frame, url_params, watch
from dashboards.keeping import menus
from dashboards.scope import Viewer
from dashboards.sign_in import refuse, signed_in, unreachable
from dashboards.url_state import read_language, read_view

FOLDER = Path(__file__).parent
PAGES = {
    "overview": ":material/space_dashboard:",
    "access_channel": ":material/call_split:",
    "queue_performance": ":material/timer:",
    "wallboard": ":material/monitor:",
    "complaint_type": ":material/report:",
    "closed_loop": ":material/sync:",
    "service_quality": ":material/thumb_up:",
    "seat_utilisation": ":material/headset_mic:",
    "resource_use": ":material/cable:",
    "customer_patterns": ":material/groups:",
    "staffing": ":material/event_available:",
    "data_quality": ":material/verified:",
    "models": ":material/psychology:",
    "campaigns": ":material/campaign:",
}


def show(viewer: Viewer, text: Texts, language: Language, title: str) -> bool:
    """Draw the frame for `viewer`; whether there are figures for a page."""
    try:
        source = current_source(viewer.scope)
    except NotPublishedError:
        st.title(title, anchor=False)
        st.info(text("empty.not_published"), icon=":material/hourglass_empty:")
        watch(None, viewer)
        return False
    held = known(source)
    if held is None:
        st.title(title, anchor=False)
        st.info(text("empty.no_figures", run=source.publication.run_id), icon=":material/hourglass_empty:")
        watch(source.publication.run_id, viewer)
        return False
    view, notices = read_view(params, default_language=language, known=held)
    open_frame(source, view, held, notices, title, viewer)
    menus(current_frame(), page.url_path.replace("-", "_") or "overview")
    return True


st.set_page_config(layout="wide", page_icon=str(FOLDER / "icon.svg"), initial_sidebar_state="collapsed")
params = url_params()
viewer: Viewer | None = None
is_known = True
try:
    viewer = signed_in()
except CrmUnreachableError:
    is_known = False
language, _ = read_language(params, (viewer and viewer.language) or default_language())
text = texts("dashboards", language)
page = st.navigation(
    [
        st.Page(
            FOLDER / "views" / f"{name}.py",
            title=text(f"page.{name}"),
            icon=icon,
            url_path=name.replace("_", "-"),
            default=name == "overview",
        )
        for name, icon in PAGES.items()
    ],
    position="top",
)
if page.url_path == "wallboard" and (viewer is not None or not is_known):
    # It shows the CRM's live figures (which decides who sees them), and tries on while the CRM is away.
    page.run()
elif not is_known:
    unreachable(text, page.title)
elif viewer is None or not viewer.may_see_pages:
    refuse(text, viewer, page.title)
elif show(viewer, text, language, page.title):
    page.run()
