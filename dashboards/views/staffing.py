"""Forecast and staffing: calls of the next five weeks, agents needed against the roster, and what if."""

import streamlit as st

from core.settings import get_settings
from dashboards.answers.staffing import WhatIf, by_day, coming_days, days_of, errors, plan, staffed
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.staffing import calls_by_queue, needed_and_rostered
from dashboards.frame import current_frame
from dashboards.plain_table import plain_table

frame = current_frame()
text = frame.texts
planned = plan(frame)
if planned.empty:
    st.info(text("staffing.none"), icon=":material/hourglass_empty:")
    st.stop()
st.caption(text("staffing.note"))

coming = coming_days(frame)
history = {"history": "true" if frame.source.scope.is_province else None}
card(frame, "forecast_days", coming, lambda: calls_by_queue(coming, texts=text),
     behind=Behind("forecast", ("day", "name"), {"day": "day", "queue": "code"}, history))  # fmt: skip

with st.container(border=True, key="what_if"):
    st.markdown(f"**{text('staffing.what_if')}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.selectbox(text("chart.day"), days_of(planned), key="staffing_day", width=170)
        volume = st.slider(text("staffing.volume"), 50, 200, 100, 5, format="%d%%", key="staffing_volume")
        handle = st.slider(text("staffing.handle"), 50, 150, 100, 5, format="%d%%", key="staffing_handle")
        target = st.slider(text("staffing.target"), 50, 98, 80, 1, format="%d%%", key="staffing_target")
        shrinkage = st.slider(text("staffing.shrinkage"), 0, 50, 15, 1, format="%d%%", key="staffing_shrinkage")
given = WhatIf(volume / 100, handle / 100, target / 100, shrinkage / 100, float(get_settings().service_level_seconds))
result = staffed(planned, given)
today = result[result["day"] == day]

with st.grid(4, min_column_width=150, key="staffing_tiles"):
    level = (today["level"] * today["calls"]).sum() / max(today["calls"].sum(), 1e-9)
    st.metric(text("column.calls"), f"{today['calls'].sum():,.0f}", border=True)
    st.metric(text("column.agent_hours"), f"{today['needed'].sum() / 2:,.1f}", border=True)
    st.metric(text("column.gap_hours"), f"{today['gap'].sum() / 2:+,.1f}", border=True)
    st.metric(text("column.level"), f"{level:.0%}", border=True)

card(frame, "staffing_day", today, lambda: needed_and_rostered(today, texts=text),
     behind=Behind("forecast", ("half_hour",), {"day": "day", "half_hour": "half_hour"}, history))  # fmt: skip
left, right = st.columns([3, 2])
with left:
    plain_table(frame, "staffing_days", by_day(result), behind=Behind("forecast", ("day",), {"day": "day"}, history))
with right:
    plain_table(frame, "forecast_errors", errors(frame))
