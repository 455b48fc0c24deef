"""The cities beside each other, with bars where the eye compares."""

import pandas as pd
import streamlit as st

from core.display import DASH
from dashboards.cards import define, download
from dashboards.frame import Frame

COLUMNS = (
    "contacts",
    "sl_negative",
    "abandon_rate",
    "tickets",
    "complaints",
    "complaint_rate",
    "resolution_met",
    "mean_hours_to_resolve",
)


def city_table(frame: Frame, cities: pd.DataFrame) -> None:
    """A sortable table of the cities' KPIs; words where there are none."""
    text = frame.texts
    shown = cities[["name", *COLUMNS]][cities["contacts"].fillna(0) + cities["tickets"].fillna(0) > 0]
    with st.container(border=True, key="card_cities"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{text('card.cities.title')}**", width="stretch")
            with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key="about_cities"):
                st.markdown(text("card.cities.note"))
                define(frame, COLUMNS)
                if not shown.empty:
                    download(frame, "cities", shown)
        if shown.empty:
            st.info(text("empty.period"), icon=":material/search_off:")
            return
        st.dataframe(
            shown,
            hide_index=True,
            height="content",
            placeholder=DASH,
            column_config={"name": st.column_config.TextColumn(text("column.name"), pinned=True)}
            | {code: _column(frame, code, shown[code]) for code in COLUMNS},
            alt=text("card.cities.title"),
        )


def _column(frame: Frame, code: str, values: pd.Series) -> object:
    kpi, name = frame.kpi(code), frame.kpi_name(code)
    if code in ("contacts", "complaint_rate"):
        top = float(values.max()) if values.notna().any() else 1.0
        number = "%.2f" if kpi.unit == "per_thousand" else "localized"
        return st.column_config.ProgressColumn(name, format=number, min_value=0, max_value=top or 1.0, color="primary")
    if kpi.unit == "ratio":
        return st.column_config.NumberColumn(name, format="percent")
    return st.column_config.NumberColumn(name, format=f"%,.{kpi.decimals}f")
