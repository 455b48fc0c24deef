"""Data quality: how fresh the data are, whether rows got lost, what the gates said, which figures were restated."""

import streamlit as st

from core.display import instant_text
from dashboards.answers.trust import (
    along_the_way,
    freshness,
    gate_runs,
    gates,
    hours_since_load,
    loads,
    refused,
    residuals,
    restated,
    rows_by_day,
)
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.lines import peaks
from dashboards.frame import current_frame
from dashboards.plain_table import plain_table

#: Every row of the province counts, whatever city the page is narrowed to, and questions that nobody answered too.
WHOLE = {"city": None, "unanswered": "true"}

frame = current_frame()
text, publication = frame.texts, frame.source.publication
changed, rejected = restated(frame), refused(frame)
held, checked = gates(frame)
age = hours_since_load(frame)

with st.grid(4, min_column_width=150, key="trust_tiles"):
    with st.container(border=True, height="stretch", gap=None, key="tile_age"):
        st.metric(text("trust.age"), "–" if age is None else text("trust.hours", hours=f"{age:,.1f}"))
        st.caption(text("trust.loaded", at=instant_text(publication.loaded_at)) if publication.loaded_at else "–")
    with st.container(border=True, height="stretch", gap=None, key="tile_gates"):
        st.metric(text("trust.gates"), f"{held:,} / {checked:,}" if checked else "–")
        st.caption(text("trust.published", at=instant_text(publication.published_at), run=publication.run_id))
    with st.container(border=True, height="stretch", gap=None, key="tile_restated"):
        st.metric(text("trust.restated"), f"{changed['day'].nunique():,}")
        st.caption(text("trust.restated_note"))
    with st.container(border=True, height="stretch", gap=None, key="tile_refused"):
        st.metric(text("trust.refused"), f"{rejected['rows_refused'].sum():,}")
        st.caption(text("trust.refused_note"))

if frame.source.scope.is_province:
    left, right = st.columns(2)
    with left:
        plain_table(frame, "trust_freshness", freshness(frame))
    with right:
        plain_table(frame, "trust_way", along_the_way(frame),
                    behind=Behind("contacts", ("table",), {}, WHOLE, dataset_of="rows_key"))  # fmt: skip
    daily = rows_by_day(frame)
    card(frame, "trust_rows", daily, lambda: peaks(daily, texts=text, measure=text("column.rows")),
         behind=Behind("contacts", ("day", "name"), {"day": "day"}, WHOLE, dataset_of="rows_key"))  # fmt: skip
    plain_table(frame, "trust_gates", gate_runs(frame))
    plain_table(frame, "trust_residuals", residuals(frame))
else:
    st.caption(text("trust.province_only"))
plain_table(frame, "trust_restated", changed)
plain_table(frame, "trust_refused", rejected,
            behind=Behind("rejects", ("source", "kind", "reason"),
                          {"source": "source", "kind": "kind", "reason": "reason"}, {"dateless": "true"}))  # fmt: skip
if frame.source.scope.is_province:
    plain_table(frame, "trust_loads", loads(frame))
