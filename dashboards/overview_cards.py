"""The overview's own cards: what deserves a look, both comparisons side by side, and the map of the cities."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.display import DASH, change, show
from dashboards import attention
from dashboards.answers import COMPARED, cities_compared, comparisons
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.grids import tile_map
from dashboards.frame import Frame
from dashboards.plain_table import plain_table

#: What the map shows, and the rows that a click on a city brings.
ON_THE_MAP = {
    "complaint_rate": "tickets",
    "contacts": "contacts",
    "sl_negative": "visits",
    "abandon_rate": "visits",
    "resolution_met": "tickets",
    "satisfaction": "contacts",
}


def findings_card(frame: Frame, findings: Sequence[attention.Finding], *, has_data: bool) -> None:
    """The sentences of the attention list, or that there is nothing (in data, or at all)."""
    text = frame.texts
    with st.container(border=True, key="attention"):
        st.markdown(f"**{text('attention.title')}**")
        for finding in findings:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"- {text(finding.key, **finding.values)}", width="stretch")
                st.page_link(
                    f"views/{finding.page}.py", label=text(f"page.{finding.page}"), icon=":material/arrow_forward:"
                )
        if not findings and has_data:
            st.markdown(f":material/check: {text('attention.none')}")
        elif not findings:
            st.info(text("empty.period"), icon=":material/search_off:")


def comparison_table(frame: Frame, codes: Sequence[str]) -> None:
    """Each KPI of the period beside the period before and the same weeks a year before, with both changes."""
    language = frame.texts.language
    rows = []
    for row in comparisons(frame, codes).to_dict("records"):
        kpi = frame.kpi(row["code"])
        now, previous, year = (row[name] for name in ("now", "previous", "year"))
        rows.append(
            {
                "name": frame.kpi_name(row["code"]),
                "now": show(kpi, now, language),
                "previous": show(kpi, previous, language),
                "change_previous": change(kpi, now, previous, language).text or DASH,
                "year": show(kpi, year, language),
                "change_year": change(kpi, now, year, language).text or DASH,
            }
        )
    missing = [frame.texts(f"comparison.no_{each}", since=frame.view.uncovered(each)) for each in COMPARED
               if frame.view.uncovered(each)]  # fmt: skip
    plain_table(frame, "comparisons", pd.DataFrame(rows), below="  \n".join(missing))


def map_card(frame: Frame) -> None:
    """The cities where they lie, coloured by a chosen KPI."""
    text = frame.texts
    code = st.session_state.get("map_measure", "complaint_rate")
    kpi = frame.kpi(code)
    cities = cities_compared(frame, list(dict.fromkeys([code, "complaints", "customers"])))
    cities = cities[cities["city_code"].isin(list(frame.known.cities))]
    table = cities.assign(value=pd.to_numeric(cities[code], errors="coerce")).dropna(subset=["value"])
    only = {"is_complaint": "true"} if code == "complaint_rate" else {}
    card(
        frame, "map", table,
        lambda: tile_map(table, texts=text, name=frame.kpi_name(code), unit=kpi.unit, target=kpi.target, good=kpi.good),
        kpis=[code],
        behind=Behind(ON_THE_MAP[code], ("name",), {"city": "city_code"}, only),  # type: ignore[arg-type]  # the values are names of data sets
        control=lambda: st.selectbox(
            text("card.map.measure"), list(ON_THE_MAP), format_func=frame.kpi_name, key="map_measure",
            label_visibility="collapsed",
        ),
    )  # fmt: skip
