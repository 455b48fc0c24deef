"""Members beside each other: a sortable table of KPIs, one row a city, queue, channel or agent."""

from collections.abc import Collection, Sequence

import pandas as pd
import streamlit as st

from core.kpi import dictionary
from dashboards.behind import Behind
from dashboards.cards import define, download
from dashboards.frame import Frame
from dashboards.plain_table import table_with_rows


def league(
    frame: Frame,
    name: str,
    rows: pd.DataFrame,
    codes: Sequence[str],
    *,
    bars: Collection[str] = (),
    behind: Behind | None = None,
) -> None:
    """A card with a table of KPIs; words where there are none.

    Args:
        frame: the page's frame.
        name: its texts are card.<name>.title and .note.
        rows: `name` (of the member) and the KPIs.
        codes: the KPIs from the left.
        bars: the KPIs that are drawn as bars.
        behind: which rows a click on a member shows below the table.
    """
    text = frame.texts
    known = [code for code in codes if code in rows]
    members = rows.dropna(subset=known, how="all") if known else rows.iloc[0:0]
    table = members[["name", *known]]
    with st.container(border=True, key=f"card_{name}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{text(f'card.{name}.title')}**", width="stretch")
            with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key=f"about_{name}"):
                st.markdown(text(f"card.{name}.note"))
                if behind is not None:
                    st.markdown(text("behind.hint_table"))
                define(frame, [code for code in codes if code in dictionary()])
                if not table.empty:
                    download(frame, name, table)
        if table.empty:
            st.info(text("empty.period"), icon=":material/search_off:")
            return
        table_with_rows(frame, name, table, members, behind, bars=bars)
