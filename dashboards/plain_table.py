"""A list as a card: title, note, rows, download; words where there are none."""

from collections.abc import Collection

import pandas as pd
import streamlit as st

from core.display import DASH
from dashboards.behind import Behind
from dashboards.cards import download, selection_key, show_behind
from dashboards.columns import height_of, on_screen
from dashboards.frame import Frame


def plain_table(frame: Frame, name: str, table: pd.DataFrame, *, behind: Behind | None = None, below: str = "") -> None:
    """The table as it is, its columns named in the page's language; a click on a cell shows the rows `behind` it.

    `below` is said under it.
    """
    text = frame.texts
    with st.container(border=True, key=f"card_{name}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{text(f'card.{name}.title')}**", width="stretch")
            with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key=f"about_{name}"):
                st.markdown(text(f"card.{name}.note"))
                if behind is not None:
                    st.markdown(text("behind.hint_table"))
                if not table.empty:
                    download(frame, name, table)
        if table.empty:
            st.info(text(f"card.{name}.empty"), icon=":material/check:")
            return
        table_with_rows(frame, name, table, table, behind)
        if below:
            st.caption(below)


def table_with_rows(
    frame: Frame,
    name: str,
    table: pd.DataFrame,
    rows: pd.DataFrame,
    behind: Behind | None,
    *,
    bars: Collection[str] = (),
) -> None:
    """Draw a table; below it the rows behind the row of which a cell was clicked.

    Args:
        frame: the page's frame.
        name: its card.
        table: what is drawn.
        rows: the same rows with the columns that `behind` needs.
        behind: which rows a click shows; None: a click shows nothing.
        bars: the KPIs that are drawn as bars.
    """
    shown, looks = on_screen(frame, table, bars=bars)
    event = st.dataframe(
        shown,
        hide_index=True,
        height=height_of(shown),
        placeholder=DASH,
        column_config=looks,
        alt=frame.texts(f"card.{name}.title"),
        key=selection_key(name),
        on_select="ignore" if behind is None else "rerun",
        selection_mode="single-cell",
    )
    cells = [] if behind is None else event["selection"]["cells"]
    if behind is not None and cells and cells[0][0] < len(rows):
        show_behind(frame, name, behind, rows.iloc[cells[0][0]])
