"""A list as a card: title, note, rows, download; words where there are none."""

import pandas as pd
import streamlit as st

from core.display import DASH
from dashboards.cards import download
from dashboards.columns import height_of, on_screen
from dashboards.frame import Frame


def plain_table(frame: Frame, name: str, table: pd.DataFrame) -> None:
    """The table as it is, its columns named in the page's language."""
    text = frame.texts
    with st.container(border=True, key=f"card_{name}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{text(f'card.{name}.title')}**", width="stretch")
            with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key=f"about_{name}"):
                st.markdown(text(f"card.{name}.note"))
                if not table.empty:
                    download(frame, name, table)
        if table.empty:
            st.info(text(f"card.{name}.empty"), icon=":material/check:")
            return
        shown, looks = on_screen(frame, table)
        st.dataframe(
            shown,
            hide_index=True,
            height=height_of(shown),
            placeholder=DASH,
            column_config=looks,
            alt=text(f"card.{name}.title"),
        )
