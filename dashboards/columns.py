"""How a table's columns read: their names with units, shares in per cent with the tiles' digits, thousands apart."""

from collections.abc import Collection
from typing import Any, Literal

import pandas as pd
import streamlit as st

from core.kpi import dictionary
from dashboards.frame import Frame

_UNITS = ("seconds", "hours")
#: Longer tables scroll.
MOST_ROWS, SCROLLED = 16, 480


def heading(frame: Frame, column: str) -> str:
    """A column's name in the page's language, with its unit; empty for columns that only the chart needs."""
    key = f"column.{column}"
    if key in frame.texts:
        return frame.texts(key)
    if column not in dictionary():
        return ""
    name, unit = frame.kpi_name(column), frame.kpi(column).unit
    return frame.texts(f"column_in.{unit}", name=name) if unit in _UNITS else name


def with_headings(frame: Frame, table: pd.DataFrame) -> pd.DataFrame:
    """The columns that people read, under their names."""
    headings = {column: heading(frame, str(column)) for column in table.columns}
    return table[[column for column in table.columns if headings[column]]].rename(columns=headings)


def on_screen(frame: Frame, table: pd.DataFrame, *, bars: Collection[str] = ()) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table as `st.dataframe` shows it, and how it shows each column.

    Args:
        frame: the page's frame.
        table: codes of KPIs and keys of texts as columns.
        bars: KPIs that are drawn as bars.
    """
    known = [str(column) for column in table.columns if heading(frame, str(column))]
    shown = table[known].copy()
    looks = {}
    for column in known:
        if unit_of(column) == "ratio":
            shown[column] = pd.to_numeric(shown[column]) * 100
        looks[column] = _look(frame, column, shown[column], is_bar=column in bars)
    return shown, looks


def height_of(table: pd.DataFrame) -> Literal["content"] | int:
    """As high as the table is, up to MOST_ROWS rows."""
    return "content" if len(table) <= MOST_ROWS else SCROLLED


def unit_of(column: str) -> str:
    """The unit of a column's numbers (core.kpi); empty where they have none."""
    if column in dictionary():
        return dictionary()[column].unit
    return "ratio" if "share" in column or column == "cumulative" else ""


def _look(frame: Frame, column: str, values: pd.Series, *, is_bar: bool) -> Any:
    name, kpi = heading(frame, column), dictionary().get(column)
    if is_bar:
        top = float(values.max()) if values.notna().any() else 1.0
        number = "localized" if kpi is None or kpi.unit == "count" else f"%.{kpi.decimals}f"
        return st.column_config.ProgressColumn(name, format=number, min_value=0, max_value=top or 1.0, color="primary")
    if unit_of(column) == "ratio":
        return st.column_config.NumberColumn(name, format=f"%.{max(kpi.decimals - 2, 0) if kpi else 1}f%%")
    if kpi is not None:
        return st.column_config.NumberColumn(name, format=f"%,.{kpi.decimals}f")
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return st.column_config.NumberColumn(name, format="%d" if column.endswith("_key") else "localized")
    return st.column_config.Column(name, pinned=column == "name")
