"""Resource use: trunks and IVR ports in use, the busy hour and the lines it needs, recordings."""

import streamlit as st

from dashboards.answers.lines import (
    RESOURCES,
    USUAL,
    busy,
    by_day,
    half_hours,
    lines_needed,
    needed,
    recordings_kept,
    through_day,
    trunks,
)
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.lines import in_use, peaks
from dashboards.frame import current_frame
from dashboards.plain_table import plain_table

frame = current_frame()
text = frame.texts
if not frame.source.scope.is_province:
    st.info(text("lines.province_only"), icon=":material/info:")
    st.stop()
if frame.city:
    st.caption(text("lines.city_note"))
rows = half_hours(frame)
found = {resource: busy(rows, resource) for resource in RESOURCES}
calls = rows[rows["resource"] == "trunk"]

with st.grid(5, min_column_width=150, key="line_tiles"):
    for resource in RESOURCES:
        hour = found[resource]
        with st.container(border=True, height="stretch", gap=None, key=f"tile_{resource}"):
            st.metric(
                text(f"lines.peak_{resource}"),
                f"{hour.peak:,}" if hour.peak else "–",
                help=text("card.lines_trunk.note"),
            )
            st.caption(text("lines.at", at=hour.peak_at) if hour.peak else text("empty.period"))
        with st.container(border=True, height="stretch", gap=None, key=f"tile_busy_{resource}"):
            st.metric(
                text(f"lines.busy_{resource}"),
                f"{hour.erlangs:,.1f} Erl" if hour.peak else "–",
                help=text("card.lines_needed.note"),
            )
            wanted = lines_needed(hour.erlangs, USUAL)
            st.caption(text("lines.busy_note", day=hour.day, at=hour.begins, lines=wanted) if hour.peak else "")
    with st.container(border=True, height="stretch", gap=None, key="tile_recordings"):
        recorded, total = int(calls["recordings"].sum()), int(calls["calls"].sum())
        st.metric(text("lines.recordings"), f"{recorded:,}" if total else "–")
        st.caption(text("lines.recorded_share", share=f"{recorded / total:.0%}") if total else "")

left, right = st.columns(2)
for column, resource in ((left, "trunk"), (right, "ivr")):
    with column:
        table = through_day(frame, rows, resource)
        wanted = lines_needed(found[resource].erlangs, USUAL)
        card(
            frame,
            f"lines_{resource}",
            table,
            lambda table=table, wanted=wanted: in_use(  # type: ignore[misc]  # bound as defaults
                table, texts=text, needed=wanted
            ),
            behind=Behind("lines", ("half_hour",), {"half_hour": "half_hour"}, {"resource": resource}),
        )
left, right = st.columns([3, 2])
with left:
    days = by_day(frame, rows)
    card(frame, "lines_days", days, lambda: peaks(days, texts=text),
         behind=Behind("lines", ("day", "name"), {"day": "day", "resource": "code"}))  # fmt: skip
with right:
    plain_table(frame, "lines_needed", needed(frame, found))
stored = recordings_kept(frame)
card(frame, "lines_stored", stored, lambda: peaks(stored, texts=text, measure=text("lines.gigabytes"), form=",.2~f"),
     behind=Behind("recordings", ("day", "name"), {"day": "day", "rule": "rule"}))  # fmt: skip
plain_table(frame, "lines_trunks", trunks(frame),
            behind=Behind("lines", ("name",), {"line": "line"}, {"resource": "trunk"}))  # fmt: skip
