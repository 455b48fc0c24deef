"""Members beside each other: a sortable table of KPIs, one row a city, queue, channel or agent."""

from collections.abc import Collection, Sequence

import pandas as pd
import streamlit as st

from core.display import DASH
from core.kpi import dictionary
from dashboards.behind import Behind
from dashboards.cards import define, download, selection_key, show_behind
from dashboards.columns import height_of, on_screen
from dashboards.frame import Frame


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
        picked = _table(frame, name, table, bars, is_pickable=behind is not None)
        if behind is not None and picked is not None and picked < len(members):
            show_behind(frame, name, behind, members.iloc[picked])


def _table(frame: Frame, name: str, table: pd.DataFrame, bars: Collection[str], *, is_pickable: bool) -> int | None:
    """Draw the table; the row (as it stands in `table`) of which a cell was clicked."""
    shown, looks = on_screen(frame, table, bars=bars)
    event = st.dataframe(
        shown,
        hide_index=True,
        height=height_of(shown),
        placeholder=DASH,
        column_config=looks,
        alt=frame.texts(f"card.{name}.title"),
        key=selection_key(name),
        on_select="rerun" if is_pickable else "ignore",
        selection_mode="single-cell",
    )
    cells = event["selection"]["cells"] if is_pickable else []
    return int(cells[0][0]) if cells else None
