"""Tiles and cards: a figure or chart with its definition and its table to download; words where there are no data."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.display import DASH, change, is_null, meets_target, show, show_target
from core.errors import CrmError
from core.kpi import Kpi
from dashboards.behind import PICK, Behind, pickable, picked_row, rows_behind
from dashboards.columns import heading, on_screen, unit_of, with_headings
from dashboards.downloads import file_name, to_csv, to_png, to_xlsx
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
    across = 4 if len(codes) % 4 == 0 or len(codes) % 3 else 3
    with st.grid(across, min_column_width=150, key="tiles"):
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
    if since := frame.view.uncovered(frame.view.comparison):
        parts.append(text("tile.before", value=text("tile.no_before", dash=DASH, since=since)))
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
    behind: Behind | None = None,
) -> list[str]:
    """A chart with its title, definition and downloads; words instead where the table is empty.

    Args:
        frame: the page's frame.
        name: the card's texts are card.<name>.title and .note; its files are named after it.
        table: the rows behind the chart; only columns with a text column.<name> are downloaded.
        build: makes the chart; not called for an empty table.
        kpis: KPIs whose definitions belong to it.
        on_select: name of the chart's point selection whose `code` is wanted.
        title: instead of card.<name>.title.
        control: draws what the chart is chosen with, under its title.
        behind: which rows a click on a mark shows below the chart; not together with `on_select`.

    Returns:
        The codes picked in the chart.
    """
    text = frame.texts
    with st.container(border=True, height="stretch", key=f"card_{name}"):
        label = title or text(f"card.{name}.title")
        chart = None if table.empty else build()
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{label}**", width="stretch")
            _about(frame, name, table, kpis, chart, label, is_pickable=behind is not None)
        if control is not None:
            control()
        if chart is None:
            st.info(text("empty.period"), icon=":material/search_off:")
            return []
        if on_select is not None:
            key = f"chart_{name}_{frame.source.publication.run_id}_{len(table)}_{table.iloc[0].get('code')}"
            event = st.altair_chart(chart, theme=None, alt=label, key=key, on_select="rerun", selection_mode=on_select)
            return [str(point["code"]) for point in event["selection"].get(on_select, [])]
        if behind is None:
            st.altair_chart(chart, theme=None, alt=label)
            return []
        shown, key = pickable(chart, behind), selection_key(name)
        event = st.altair_chart(shown, theme=None, alt=label, key=key, on_select="rerun", selection_mode=PICK)
        row = picked_row(table, behind, list(event["selection"].get(PICK, [])))
        if row is not None:
            show_behind(frame, name, behind, row)
        return []


def selection_key(name: str) -> str:
    """The key of the card's chart or table; another one, with nothing picked, once its rows are closed."""
    return f"chart_{name}_{st.session_state.get(f'closed_{name}', 0)}"


def _close(name: str) -> None:
    closed = f"closed_{name}"
    st.session_state[closed] = st.session_state.get(closed, 0) + 1


def show_behind(frame: Frame, name: str, behind: Behind, row: pd.Series) -> None:
    """The rows behind the mark that is `row` of the card `name`, with a button that closes them."""
    said = " · ".join(_said(row[column]) for column in behind.pick)
    try:
        total, rows = rows_behind(frame, behind, row)
    except CrmError as error:
        st.warning(frame.texts("behind.away", said=said, why=str(error)), icon=":material/cloud_off:")
    else:
        rows_table(frame, f"{name}_rows", rows, total, said)
    close = frame.texts("behind.close")
    st.button(close, icon=":material/close:", type="tertiary", key=f"close_{name}", on_click=_close, args=(name,))


def rows_table(frame: Frame, name: str, rows: pd.DataFrame, total: int, said: str) -> None:
    """The newest rows behind a mark, how many there are in all, and their downloads.

    Args:
        frame: the page's frame.
        name: the files are named after it.
        rows: at most the newest 500.
        total: how many there are.
        said: what was picked, in words.
    """
    text = frame.texts
    with st.container(key=f"behind_{name}", gap="small"):
        key = "behind.title" if total == len(rows) else "behind.newest"
        st.markdown(f"**{text(key, said=said, total=f'{total:,}', shown=len(rows))}**")
        if rows.empty:
            st.caption(text("behind.none"))
            return
        shown, looks = on_screen(frame, rows)
        alt = text("behind.alt", said=said)
        st.dataframe(shown, hide_index=True, height=280, column_config=looks, placeholder=DASH, alt=alt)
        download(frame, name, rows, title=said)


def _said(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else str(value)


def _about(
    frame: Frame, name: str, table: pd.DataFrame, kpis: Sequence[str], chart: Any, title: str, *, is_pickable: bool
) -> None:
    text = frame.texts
    with st.popover("", icon=":material/info:", type="tertiary", help=text("card.about"), key=f"about_{name}"):
        st.markdown(text(f"card.{name}.note"))
        if is_pickable:
            st.markdown(text("behind.hint"))
        if "is_unusual" in table:
            st.markdown(text("anomaly.note"))
        define(frame, kpis)
        if not table.empty:
            download(frame, name, table, chart=chart, title=title, kpis=kpis)


def download(
    frame: Frame,
    name: str,
    table: pd.DataFrame,
    *,
    chart: Any = None,
    title: str | None = None,
    kpis: Sequence[str] = (),
) -> None:
    """Buttons that download what is shown: the table as CSV and XLSX, and the chart as PNG where there is one.

    Args:
        frame: the page's frame; its language names the columns, its period and city stand in the files.
        name: the files are named after it.
        table: as it is shown.
        chart: the chart as it is shown.
        title: of the picture and the workbook; card.<name>.title if None.
        kpis: the first one's unit is that of the columns value and before.
    """
    text, view = frame.texts, frame.view
    label = title or text(f"card.{name}.title")
    about = [(text("download.what"), label), *_about_file(frame)]
    units = {column: unit_of(str(column)) for column in table.columns}
    if kpis:
        units |= {column: frame.kpi(kpis[0]).unit for column in ("value", "before") if column in table}
    headings = {column: heading(frame, str(column)) for column in table.columns}
    made: dict[str, tuple[str, Callable[[], bytes]]] = {
        "csv": ("text/csv", lambda: to_csv(with_headings(frame, table))),
        "xlsx": (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            lambda: to_xlsx(
                with_headings(frame, table),
                units={headings[column]: unit for column, unit in units.items()},
                about=about,
                sheet=label,
            ),
        ),
    }
    if chart is not None:
        below = " · ".join(f"{value}" for _, value in _about_file(frame))
        made["png"] = ("image/png", lambda: to_png(chart, title=label, below=below))
    days = f"{view.period.first:%Y%m%d}-{view.period.last:%Y%m%d}"
    with st.container(horizontal=True, gap="small"):
        for suffix, (kind, content) in made.items():
            st.download_button(
                suffix.upper(),
                data=content,
                file_name=file_name(name, frame.city or "", days, suffix=suffix),
                mime=kind,
                icon=":material/download:",
                on_click="ignore",
                help=text(f"download.{suffix}"),
                key=f"download_{name}_{suffix}",
            )


def _about_file(frame: Frame) -> list[tuple[str, str]]:
    """What a file is of: period, place, comparison, data."""
    text, view = frame.texts, frame.view
    place = frame.city or frame.source.scope.city_code
    named = frame.unit_names().get(place, place) if place else text("filter.all")
    said = [
        (text("filter.period"), f"{view.period.first} – {view.period.last}"),
        (text("filter.city"), named),
    ]
    if view.before:
        said.append((text("filter.compare"), f"{view.before.first} – {view.before.last}"))
    return [*said, (text("download.run"), frame.source.publication.run_id)]
