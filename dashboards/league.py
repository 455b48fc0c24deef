"""Members beside each other: a sortable table of KPIs, one row a city, queue, channel or agent."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.display import DASH
from core.kpi import Kpi
from dashboards.cards import define, download
from dashboards.frame import Frame


def league(frame: Frame, name: str, rows: pd.DataFrame, codes: Sequence[str], *, bar: str | None = None) -> None:
    """A card with a table of KPIs; words where there are none.

    Args:
        frame: the page's frame.
        name: its texts are card.<name>.title and .note.
        rows: `name` (of the member) and the KPIs.
        codes: the KPIs from the left.
        bar: the KPI that is drawn as a bar.
    """
    text = frame.texts
    known = [code for code in codes if code in rows]
    shown = rows[["name", *known]].dropna(subset=known, how="all") if known else rows.iloc[0:0]
    with st.container(border=True, key=f"card_{name}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{text(f'card.{name}.title')}**", width="stretch")
            with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key=f"about_{name}"):
                st.markdown(text(f"card.{name}.note"))
                define(frame, codes)
                if not shown.empty:
                    download(frame, name, shown)
        if shown.empty:
            st.info(text("empty.period"), icon=":material/search_off:")
            return
        head = {"name": st.column_config.TextColumn(text("column.name"), pinned=True)}
        st.dataframe(
            shown,
            hide_index=True,
            height="content" if len(shown) <= MOST_ROWS else 480,
            placeholder=DASH,
            column_config=head | {code: _column(frame, code, shown[code], is_bar=code == bar) for code in known},
            alt=text(f"card.{name}.title"),
        )


#: Longer tables scroll.
MOST_ROWS = 16


def _column(frame: Frame, code: str, values: pd.Series, *, is_bar: bool) -> object:
    kpi: Kpi = frame.kpi(code)
    name = frame.kpi_name(code)
    if is_bar:
        top = float(values.max()) if values.notna().any() else 1.0
        return st.column_config.ProgressColumn(
            name, format="localized", min_value=0, max_value=top or 1.0, color="primary"
        )
    if kpi.unit == "ratio":
        return st.column_config.NumberColumn(name, format="percent")
    return st.column_config.NumberColumn(name, format=f"%,.{kpi.decimals}f")
