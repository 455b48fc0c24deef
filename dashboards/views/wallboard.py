"""Wallboard: the centre now, every two seconds, for the screens on its walls (address: /wallboard?embed=true)."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.i18n import texts
from dashboards.crm import CrmUnreachableError, ask
from dashboards.frame import default_language, url_params
from dashboards.scope import Viewer
from dashboards.sign_in import signed_in
from dashboards.url_state import read_language
from dashboards.wallboard import EVERY, NOTHING, Board, board_html, look

#: Where this screen's last board is kept between two looks.
_BOARD = "wallboard"


def viewer_if_known() -> Viewer | None:
    """Who looks; None while the CRM, which knows, is away: a screen goes on trying by itself."""
    try:
        return signed_in()
    except CrmUnreachableError:
        return None


viewer = viewer_if_known()
language, _ = read_language(url_params(), (viewer and viewer.language) or default_language())
text = texts("dashboards", language)


def answer(path: str) -> Mapping[str, Any]:
    """What the CRM answers to this screen's session."""
    told: Mapping[str, Any] = ask(viewer, "GET", path)
    return told


def board() -> None:
    """One more look."""
    before: Board = st.session_state.get(_BOARD, NOTHING)
    shown = look(answer, before)
    st.session_state[_BOARD] = shown
    st.html(board_html(shown, text))


st.fragment(board, run_every=EVERY)()
