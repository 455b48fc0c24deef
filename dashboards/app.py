"""The pages' entry point: what is published, in which language, and which page."""

from pathlib import Path

import streamlit as st

from core.errors import NotPublishedError
from core.i18n import texts
from dashboards.data import current_source, known
from dashboards.frame import default_language, open_frame, url_params, watch
from dashboards.scope import viewer_scope
from dashboards.url_state import read_language, read_view

FOLDER = Path(__file__).parent
PAGES = {
    "overview": ":material/space_dashboard:",
    "access_channel": ":material/call_split:",
    "complaint_type": ":material/report:",
    "seat_utilisation": ":material/headset_mic:",
    "customer_patterns": ":material/groups:",
    "staffing": ":material/event_available:",
    "models": ":material/psychology:",
    "campaigns": ":material/campaign:",
}

st.set_page_config(layout="wide", page_icon=str(FOLDER / "icon.svg"), initial_sidebar_state="collapsed")
params = url_params()
language, _ = read_language(params, default_language())
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
try:
    source = current_source(viewer_scope())
except NotPublishedError:
    st.title(page.title, anchor=False)
    st.info(text("empty.not_published"), icon=":material/hourglass_empty:")
    watch(None)
else:
    held = known(source)
    if held is None:
        st.title(page.title, anchor=False)
        st.info(text("empty.no_figures", run=source.publication.run_id), icon=":material/hourglass_empty:")
        watch(source.publication.run_id)
    else:
        view, notices = read_view(params, default_language=language, known=held)
        open_frame(source, view, held, notices, page.title)
        page.run()
