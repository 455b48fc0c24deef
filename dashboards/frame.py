"""What surrounds every page: its filters, what the data are, and the watch for a newer publication."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from core.display import instant_text
from core.errors import NotPublishedError
from core.i18n import LANGUAGES, Language, Texts, as_language, name_field, texts
from core.kpi import Kpi, dictionary
from core.periods import Period
from core.settings import get_settings
from dashboards.data import Source
from dashboards.periods import COMPARISONS, PRESETS
from dashboards.scope import DashboardSettings, Viewer
from dashboards.sign_in import is_another, who
from dashboards.url_state import DRILL, SHARED, Known, Notice, View, with_preset
from warehouse.publication import current

#: Where the page finds its frame, and the URL's parameters are kept while pages change.
_FRAME, _REMEMBERED, _SEEN_RUN = "frame", "remembered_params", "seen_run"


@dataclass(frozen=True)
class Frame:
    """What a page works with."""

    source: Source
    view: View
    known: Known
    texts: Texts
    viewer: Viewer

    @property
    def city(self) -> str | None:
        """The city filtered for; None: the whole scope."""
        return self.view.city

    def narrowed(self, **members: str | None) -> "Frame":
        """The same frame with its KPIs limited to members of dimensions, e.g. `queue="fault"`; None limits nothing."""
        return replace(self, source=self.source.narrowed(**members))

    def may(self, permission: str) -> bool:
        """Whether the CRM grants the viewer `permission`."""
        return self.viewer.may(permission)

    def kpi(self, code: str) -> Kpi:
        """A KPI's definition."""
        return dictionary()[code]

    def kpi_name(self, code: str) -> str:
        """A KPI's name in the page's language."""
        return self.kpi(code).name(self.texts.language)

    def named(self, table: pd.DataFrame) -> pd.Series:
        """The names of reference rows in the page's language."""
        return table[name_field(self.texts.language)]

    def unit_names(self) -> dict[str, str]:
        """City code → name, with the province and the unknown."""
        units = self.source.rows("units")
        return dict(zip(units["city_code"], self.named(units), strict=True))


def current_frame() -> Frame:
    """The frame that the page runs in."""
    frame: Frame = st.session_state[_FRAME]
    return frame


def default_language() -> Language:
    """The installation's language, for addresses that name none."""
    return as_language(get_settings().language) or "zh-CN"


def url_params() -> dict[str, str]:
    """The URL's parameters; after a change of page, which empties them, those of the page before."""
    params: dict[str, str] = st.query_params.to_dict()
    remembered: dict[str, str] = st.session_state.get(_REMEMBERED, {})
    if not any(name in params for name in SHARED) and remembered:
        params |= remembered
        st.query_params.from_dict(params)
    st.session_state[_REMEMBERED] = {name: params[name] for name in SHARED if name in params}
    return params


def write_url(view: View) -> None:
    """Put the view into the URL; what belongs to a page alone stays."""
    own = {name: value for name, value in st.query_params.to_dict().items() if name not in SHARED}
    st.query_params.from_dict(own | view.to_params())


def set_drill(code: str | None) -> None:
    """Put the complaint type that is drilled into into the URL."""
    if code:
        st.query_params[DRILL] = code
    else:
        st.query_params.pop(DRILL, None)


def open_frame(source: Source, view: View, known: Known, notices: list[Notice], title: str, viewer: Viewer) -> None:
    """Draw the title, the filters, what the data are and the notices; keep the frame for the page."""
    text = texts("dashboards", view.language)
    frame = Frame(source, view, known, text, viewer)
    st.session_state[_FRAME] = frame
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.title(title, anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            _language(frame)
            who(text, viewer)
    _filters(frame)
    st.caption(_status(frame))
    for notice in notices:
        st.warning(text(notice.key, value=_plain(notice.value)), icon=":material/info:")
    if st.session_state.get(_SEEN_RUN, source.publication.run_id) != source.publication.run_id:
        st.toast(text("frame.new_data", run=source.publication.run_id), icon=":material/refresh:")
    st.session_state[_SEEN_RUN] = source.publication.run_id
    watch(source.publication.run_id, viewer)


def _plain(value: str) -> str:
    """A value of the URL as text: short, and without what Markdown would read."""
    return "".join(letter for letter in value[:60] if letter.isalnum() or letter in " .–-_")


def _status(frame: Frame) -> str:
    publication, view, text = frame.source.publication, frame.view, frame.texts
    shown = text("frame.period", first=view.period.first, last=view.period.last, days=view.period.days)
    before = view.before
    compared = text("frame.compared", first=before.first, last=before.last) if before else text("frame.not_compared")
    if since := view.uncovered(view.comparison):
        compared = text("frame.not_covered", since=since)
    through = publication.data_through
    reached = instant_text(through) if through else text("frame.no_events")
    data = text("frame.data", through=reached, run=publication.run_id)
    return f"{shown} · {compared}  \n{data}"


def _language(frame: Frame) -> None:
    st.session_state["filter_language"] = frame.view.language
    st.segmented_control(
        frame.texts("filter.language"),
        LANGUAGES,
        format_func=lambda language: {"zh-CN": "中文", "en": "English"}[language],
        key="filter_language",
        label_visibility="collapsed",
        required=True,
        on_change=_language_changed,
        args=(frame.view,),
    )


def _language_changed(view: View) -> None:
    chosen: Language = st.session_state["filter_language"] or view.language
    write_url(replace(view, language=chosen))


def _filters(frame: Frame) -> None:
    text, view, names = frame.texts, frame.view, frame.unit_names()
    state, changed = st.session_state, {"on_change": _changed, "args": (view, frame.known)}
    state["filter_period"], state["filter_compare"] = view.preset, view.comparison
    state["filter_city"] = view.city or ""
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        st.selectbox(
            text("filter.period"), PRESETS, key="filter_period", width=170, filter_mode=None,
            format_func=lambda preset: text(f"preset.{preset}"), **changed,
        )  # fmt: skip
        if view.preset == "custom":
            state["filter_from"], state["filter_to"] = view.period.first, view.period.last
            _date(text("filter.from"), "filter_from", frame.known.days, changed)
            _date(text("filter.to"), "filter_to", frame.known.days, changed)
        whole = frame.source.scope.is_province
        own = names.get(frame.source.scope.city_code or "", "")
        st.selectbox(
            text("filter.city"), ["", *frame.known.cities], key="filter_city", width=170, disabled=not whole,
            format_func=lambda code: names.get(code, code) if code else text("filter.all") if whole else own,
            **changed,
        )  # fmt: skip
        st.selectbox(
            text("filter.compare"), COMPARISONS, key="filter_compare", width=210, filter_mode=None,
            format_func=lambda comparison: text(f"compare.{comparison}"), **changed,
        )  # fmt: skip


def _date(label: str, key: str, days: Period, changed: Mapping[str, Any]) -> None:
    shown = st.session_state[key]
    st.date_input(
        label,
        key=key,
        min_value=min(days.first, shown),
        max_value=max(days.last, shown),
        format="YYYY-MM-DD",
        width=150,
        **changed,
    )


def _changed(view: View, known: Known) -> None:
    """A filter was used: the URL follows, and the page after it."""
    state = st.session_state
    chosen = with_preset(view, state["filter_period"], known)
    if view.preset == chosen.preset == "custom":
        # A date that was emptied is the one that was shown: Streamlit would say "required" in English alone.
        first, last = state["filter_from"] or view.period.first, state["filter_to"] or view.period.last
        # The end that was moved wins; the other one follows it.
        last = first if first != view.period.first and last < first else last
        chosen = replace(chosen, period=Period(min(first, last), last))
    write_url(replace(chosen, city=state["filter_city"] or None, comparison=state["filter_compare"]))


def watch(run_id: str | None, viewer: Viewer) -> None:
    """Look every few seconds whether another publication than `run_id` is there, or `viewer` may see it no longer.

    Either is shown without a restart, and without anybody touching the page.
    """
    st.fragment(_look, run_every=DashboardSettings().poll_seconds)(run_id, viewer)


def _look(run_id: str | None, viewer: Viewer) -> None:
    try:
        found: str | None = current().run_id
    except NotPublishedError:
        found = None
    if found != run_id or is_another(viewer):
        st.rerun()
