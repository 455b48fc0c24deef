"""Tiles and cards: a figure or chart with its definition and its table to download; words where there are no data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.display import change, is_null, meets_target, show, show_target
from core.kpi import Kpi, dictionary
from dashboards.downloads import file_name, to_csv
from dashboards.frame import Frame

#: Sparklines need two points to be a line.
FEWEST_POINTS = 2


def first_row(table: pd.DataFrame) -> Mapping[str, Any]:
    """The only row of a table of totals; empty if there is none."""
    return {} if table.empty else dict(table.iloc[0])


def define(frame: Frame, codes: Sequence[str]) -> None:
    """The definitions of KPIs: name, formula in words, target."""
    text = frame.texts
    for code in codes:
        kpi = frame.kpi(code)
        st.markdown(f"**{frame.kpi_name(code)}**  \n{kpi.formula(text.language)}")
        if kpi.target is not None:
            st.caption(text("definition.target", value=show_target(kpi, text.language)))


def tiles(frame: Frame, codes: Sequence[str]) -> None:
    """A tile for each KPI: value, change since the compared period, trend by day, definition a click away."""
    view, source = frame.view, frame.source
    now = first_row(source.kpis(view.period, only=codes, city=frame.city))
    before = first_row(source.kpis(view.before, only=codes, city=frame.city)) if view.before else {}
    daily = source.kpis(view.period, ("day",), only=codes, city=frame.city)
    with st.grid(4, min_column_width=150, key="tiles"):
        for code in codes:
            trend = list(daily[code].dropna().astype(float)) if code in daily else []
            _tile(frame, frame.kpi(code), now.get(code), before.get(code), trend)


def _tile(frame: Frame, kpi: Kpi, value: float | None, before: float | None, trend: list[float]) -> None:
    text, moved = frame.texts, change(kpi, value, before, frame.texts.language)
    with st.container(border=True, height="stretch", gap=None, key=f"tile_{kpi.code}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f":gray[{frame.kpi_name(kpi.code)}]", width="stretch")
            about = text("definition.open")
            with st.popover("", icon=":material/info:", type="tertiary", help=about, key=f"define_{kpi.code}"):
                define(frame, [kpi.code])
        st.metric(
            frame.kpi_name(kpi.code),
            show(kpi, value, text.language),
            0 if moved.is_zero else (moved.text or None),
            moved.colour,
            label_visibility="collapsed",
            chart_data=trend if len(trend) >= FEWEST_POINTS else None,
            chart_type="area",
        )
        beside = _beside(frame, kpi, value, before)
        if beside:
            st.caption(beside)


def _beside(frame: Frame, kpi: Kpi, value: float | None, before: float | None) -> str | None:
    """What stands below the change: how the target was met if there is one, and the value before."""
    text, met = frame.texts, meets_target(kpi, value)
    parts = []
    if met is not None:
        parts.append(text("tile.target_met" if met else "tile.target_missed", value=show_target(kpi, text.language)))
    # None of something countable is most often a period before the first data.
    if frame.view.before is not None and not is_null(before) and (before or kpi.unit != "count"):
        parts.append(text("tile.before", value=show(kpi, before, text.language)))
    return " · ".join(parts) or None


def card(
    frame: Frame,
    name: str,
    table: pd.DataFrame,
    build: Callable[[], Any],
    *,
    kpis: Sequence[str] = (),
    on_select: str | None = None,
    title: str | None = None,
    control: Callable[[], object] | None = None,
) -> list[str]:
    """A chart with its title, definition and download; words instead where the table is empty.

    Args:
        frame: the page's frame.
        name: the card's texts are card.<name>.title and .note; its table is downloaded under this name.
        table: the rows behind the chart; only columns with a text column.<name> are downloaded.
        build: makes the chart; not called for an empty table.
        kpis: KPIs whose definitions belong to it.
        on_select: name of the chart's point selection whose `code` is wanted.
        title: instead of card.<name>.title.
        control: draws what the chart is chosen with, under its title.

    Returns:
        The codes picked in the chart.
    """
    text = frame.texts
    with st.container(border=True, height="stretch", key=f"card_{name}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{title or text(f'card.{name}.title')}**", width="stretch")
            _about(frame, name, table, kpis)
        if control is not None:
            control()
        if table.empty:
            st.info(text("empty.period"), icon=":material/search_off:")
            return []
        chart = build()
        label = title or text(f"card.{name}.title")
        if on_select is None:
            st.altair_chart(chart, theme=None, alt=label)
            return []
        key = f"chart_{name}_{frame.source.publication.run_id}_{len(table)}_{table.iloc[0].get('code')}"
        event = st.altair_chart(chart, theme=None, alt=label, key=key, on_select="rerun", selection_mode=on_select)
        return [str(point["code"]) for point in event["selection"].get(on_select, [])]


def _about(frame: Frame, name: str, table: pd.DataFrame, kpis: Sequence[str]) -> None:
    text = frame.texts
    with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key=f"about_{name}"):
        st.markdown(text(f"card.{name}.note"))
        define(frame, kpis)
        if not table.empty:
            download(frame, name, table)


def download(frame: Frame, name: str, table: pd.DataFrame) -> None:
    """A button that downloads the table as CSV, its columns named in the page's language."""
    text, view = frame.texts, frame.view
    st.download_button(
        text("card.download"),
        data=lambda: to_csv(_with_headings(frame, table)),
        file_name=file_name(name, frame.city or "", f"{view.period.first:%Y%m%d}-{view.period.last:%Y%m%d}"),
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download_{name}",
    )


def _with_headings(frame: Frame, table: pd.DataFrame) -> pd.DataFrame:
    headings = {column: heading(frame, str(column)) for column in table.columns}
    return table[[column for column in table.columns if headings[column]]].rename(columns=headings)


def heading(frame: Frame, column: str) -> str:
    """A column's name in the page's language; empty for columns that only the chart needs."""
    key = f"column.{column}"
    if key in frame.texts:
        return frame.texts(key)
    return frame.kpi_name(column) if column in dictionary() else ""
