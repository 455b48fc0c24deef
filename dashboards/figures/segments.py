"""Sizes of the segments, and who moved between them."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.bars import ROW
from dashboards.figures.theme import AMOUNT, INK, PAPER, themed

ROOM = 120


def moves(table: pd.DataFrame, *, texts: Texts) -> Any:
    """A grid: segment before down, segment now across; darker is a larger share of those before.

    Args:
        table: `before`, `after`, `customers`, `share`.
        texts: the page's texts.
    """
    order = list(dict.fromkeys([*table["before"], *table["after"]]))
    base = alt.Chart(table).encode(
        x=alt.X(
            "after:N",
            sort=order,
            axis=alt.Axis(title=texts("customers.now"), orient="top", labelAngle=0, labelLimit=280),
        ),
        y=alt.Y("before:N", sort=order, axis=alt.Axis(title=texts("customers.month_before"), labelLimit=280)),
    )
    tooltip = [
        alt.Tooltip("before:N", title=texts("customers.month_before")),
        alt.Tooltip("after:N", title=texts("customers.now")),
        alt.Tooltip("customers:Q", title=texts("column.customers"), format=",.0f"),
        alt.Tooltip("share:Q", title=texts("column.share"), format=".1%"),
    ]
    cells = base.mark_rect(stroke=PAPER).encode(
        color=alt.Color("share:Q", scale=alt.Scale(range=AMOUNT, domain=[0, 1]), legend=None), tooltip=tooltip
    )
    dark = alt.condition("datum.share > 0.5", alt.value(PAPER), alt.value(INK))
    labels = base.mark_text(fontSize=12).encode(text=alt.Text("customers:Q", format=",.0f"), color=dark)
    return themed(alt.layer(cells, labels), height=ROW * table["before"].nunique() + ROOM)
