"""The small menus of every page: notes on its days, and the viewer's saved views."""

from typing import Any

import pandas as pd
import streamlit as st

from core.periods import Period
from dashboards.annotations import annotate, annotations, forget_view, remove, save_view, saved_views
from dashboards.frame import Frame

_SAID = "keeping_said"


def menus(frame: Frame, page: str) -> None:
    """Notes and saved views of the page that the app calls `page`."""
    text = frame.texts
    said = st.session_state.pop(_SAID, None)
    with st.container(horizontal=True, key="keeping", gap="small"):
        notes = annotations(frame)
        count = f" ({len(notes)})" if notes is not None and len(notes) else ""
        with st.popover(f"{text('notes.open')}{count}", icon=":material/flag:", type="tertiary", key="notes"):
            st.markdown(f"**{text('notes.title')}**")
            _notes(frame, notes)
        with st.popover(text("views.open"), icon=":material/bookmark:", type="tertiary", key="views"):
            st.markdown(f"**{text('views.title')}**")
            _views(frame, page)
    if said:
        st.warning(said, icon=":material/info:")


def _notes(frame: Frame, notes: pd.DataFrame | None) -> None:
    text = frame.texts
    if not frame.viewer.username:
        st.caption(text("notes.sign_in"))
        return
    if notes is None:
        st.warning(text("notes.away"), icon=":material/cloud_off:")
        return
    if notes.empty:
        st.caption(text("notes.none"))
    names = frame.unit_names()
    for note in notes.to_dict("records"):
        _note(frame, note, names)
    _new_note(frame, names)


def _note(frame: Frame, note: dict[Any, Any], names: dict[str, str]) -> None:
    first, last = note["first_day"], note["last_day"]
    days = f"{first}" if first == last else f"{first} – {last}"
    by = frame.texts("notes.by", who=note["created_by"], unit=names.get(note["unit"], note["unit"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap=None):
            # As text: what somebody wrote is no Markdown of ours.
            st.text(f"{days}  {note['text']}")
            st.caption(by)
        if note["unit"] in _own_units(frame):
            st.button(
                "", icon=":material/delete:", type="tertiary", help=frame.texts("notes.remove"),
                key=f"note_{note['id']}", on_click=_remove, args=(frame, int(note["id"])),
            )  # fmt: skip


def _own_units(frame: Frame) -> list[str]:
    """The units that the viewer may write of; the CRM holds it, whatever is drawn."""
    scope = frame.source.scope
    return ["province", *frame.known.cities] if scope.is_province else [scope.city_code or ""]


def _new_note(frame: Frame, names: dict[str, str]) -> None:
    text, units = frame.texts, _own_units(frame)
    with st.form("new_note", border=False, clear_on_submit=True):
        days = st.date_input(
            text("notes.days"), (frame.view.period.last, frame.view.period.last), format="YYYY-MM-DD", key="note_days"
        )
        unit = st.selectbox(
            text("notes.unit"), units, index=units.index(frame.city) if frame.city in units else 0,
            format_func=lambda code: names.get(code, code), key="note_unit",
        )  # fmt: skip
        words = st.text_input(text("notes.text"), max_chars=200, key="note_text")
        sent = st.form_submit_button(text("notes.add"), icon=":material/add:", key="note_send")
    if sent and words.strip() and isinstance(days, tuple) and days:
        _tell(annotate(frame, unit=str(unit), days=Period(days[0], days[-1]), text=words.strip()))
        st.rerun()


def _views(frame: Frame, page: str) -> None:
    text = frame.texts
    if not frame.viewer.username:
        st.caption(text("notes.sign_in"))
        return
    kept = saved_views(frame)
    if kept is None:
        st.warning(text("notes.away"), icon=":material/cloud_off:")
        return
    if not kept:
        st.caption(text("views.none"))
    for view in kept:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(view["name"], icon=":material/arrow_forward:", type="tertiary", key=f"view_{view['id']}"):
                st.switch_page(f"views/{view['page']}.py", query_params=view["params"])
            st.button(
                "", icon=":material/delete:", type="tertiary", help=text("notes.remove"),
                key=f"forget_{view['id']}", on_click=_forget, args=(frame, int(view["id"])),
            )  # fmt: skip
    with st.form("new_view", border=False, clear_on_submit=True):
        name = st.text_input(text("views.name"), max_chars=60, key="view_name")
        sent = st.form_submit_button(text("views.save"), icon=":material/bookmark_add:", key="view_send")
    if sent and name.strip():
        params = {key: value for key, value in st.query_params.to_dict().items() if value} | frame.view.to_params()
        _tell(save_view(frame, name=name.strip(), page=page, params=params))
        st.rerun()


def _remove(frame: Frame, note: int) -> None:
    _tell(remove(frame, note))


def _forget(frame: Frame, view: int) -> None:
    _tell(forget_view(frame, view))


def _tell(said: str | None) -> None:
    """What the CRM said against a change is shown on the next run."""
    if said:
        st.session_state[_SAID] = said
