"""The way down the complaint types, kept in the URL: `?type=signal.digital_tv`."""

from collections.abc import Mapping

import streamlit as st

from dashboards.frame import Frame, set_drill
from dashboards.url_state import DRILL

_KEY = "drill_type"


def read_drill(frame: Frame, names: Mapping[str, str]) -> str | None:
    """The type that the URL drills into; an unknown one is told and ignored."""
    wanted: str | None = st.query_params.get(DRILL) or None
    if wanted is None or wanted in names:
        return wanted
    shown = "".join(letter for letter in wanted[:60] if letter.isalnum() or letter in "._-")
    st.warning(frame.texts("notice.type", value=shown), icon=":material/info:")
    return None


def path_to(code: str, names: Mapping[str, str]) -> str:
    """The names from the first level down to a type."""
    parts = code.split(".")
    steps = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return " › ".join(names.get(step, step) for step in steps)


def drill_bar(frame: Frame, names: Mapping[str, str], above: str | None) -> None:
    """Where the page stands in the tree: search any type, one level up, or back to all."""
    text = frame.texts
    st.session_state[_KEY] = above or ""
    with st.container(horizontal=True, vertical_alignment="bottom", key="drill"):
        st.selectbox(
            text("drill.label"),
            ["", *names],
            format_func=lambda code: path_to(code, names) if code else text("drill.all"),
            key=_KEY,
            width=420,
            on_change=lambda: set_drill(st.session_state[_KEY]),
        )
        if above:
            parent = above.rpartition(".")[0]
            label = text("drill.up", type=names.get(parent, parent)) if parent else text("drill.top")
            st.button(label, icon=":material/arrow_upward:", on_click=set_drill, args=(parent,), key="drill_up")
