"""What a page alone is filtered by, kept in the URL beside the common filters: `?queue=fault&day=2026-11-03`."""

from collections.abc import Collection, Mapping

import streamlit as st

from dashboards.frame import Frame


def choose(frame: Frame, name: str, label: str, options: Mapping[str, str], *, width: int = 220) -> str | None:
    """One of `options` (code → name) or all of them (None), as the URL's parameter `name` says; draws the choice.

    A code that the URL names and nobody knows is told and ignored.
    """
    text, key = frame.texts, f"choice_{name}"
    wanted = st.query_params.get(name) or ""
    if wanted and wanted not in options:
        shown = "".join(letter for letter in wanted[:60] if letter.isalnum() or letter in "._-")
        st.warning(text("notice.choice", label=label, value=shown), icon=":material/info:")
        wanted = ""
    st.session_state[key] = wanted
    chosen: str = st.selectbox(
        label,
        ["", *options],
        format_func=lambda code: options.get(code, code) if code else text("filter.every"),
        key=key,
        width=width,
        on_change=_changed,
        args=(name, key),
    )
    return chosen or None


def picked(name: str, options: Collection[str], default: str) -> str:
    """What the URL's parameter `name` picks of `options`; `default` if it names none of them."""
    wanted = st.query_params.get(name) or default
    return wanted if wanted in options else default


def pick_one(frame: Frame, name: str, options: Mapping[str, str], default: str) -> str:
    """One of `options`, always: a row of buttons, kept in the URL's parameter `name`."""
    key = f"choice_{name}"
    st.session_state[key] = picked(name, options, default)
    chosen = st.segmented_control(
        frame.texts("filter.figure"),
        list(options),
        format_func=lambda code: options[code],
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=_changed,
        args=(name, key),
    )
    return str(chosen or default)


def _changed(name: str, key: str) -> None:
    chosen = st.session_state[key]
    if chosen:
        st.query_params[name] = chosen
    else:
        st.query_params.pop(name, None)
