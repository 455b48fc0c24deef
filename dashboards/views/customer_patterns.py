"""Customers: patterns of behaviour, who may leave and what may help, next offers, key levels."""

import streamlit as st

from dashboards.answers.customers import (
    customer_groups,
    has_leaving_model,
    key_changes,
    key_customers,
    next_offers,
    remedies,
    retention,
    segment_moves,
    segments,
)
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.bars import ranked
from dashboards.figures.segments import moves
from dashboards.frame import current_frame
from dashboards.plain_table import plain_table

frame = current_frame()
text = frame.texts
plain_table(frame, "key_customers", key_customers(frame),
            behind=Behind("customers", ("level_name",), {"key_level": "level_key"}))  # fmt: skip
plain_table(frame, "customer_groups", customer_groups(frame),
            behind=Behind("customers", ("group_name",), {"group": "group_code"}))  # fmt: skip
known = segments(frame)
if known.empty:
    st.info(text("customers.none"), icon=":material/hourglass_empty:")
    st.stop()

with st.grid(3, min_column_width=260, key="segments"):
    for each in known.to_dict("records"):
        with st.container(border=True, height="stretch", key=f"segment_{each['segment']}"):
            st.markdown(f"**{each['name']}**")
            st.metric(text("column.customers"), f"{each['customers']:,}", f"{each['share']:.0%}", delta_color="off",
                      delta_arrow="off")  # fmt: skip
            st.markdown(each["differs"])
            st.markdown(f":material/arrow_forward: {each['action']}")
            st.caption(text(f"verdict.{each['verdict'].replace(' ', '_')}", value=f"{each['jaccard']:.0%}"))

moved = segment_moves(frame, known)
card(
    frame,
    "segment_moves",
    moved,
    lambda: moves(moved, texts=text),
    behind=Behind("segment_moves", ("before", "after"), {"from_segment": "from_segment", "to_segment": "to_segment"}),
)

left, right = st.columns(2)
with left:
    plain_table(frame, "next_offers", next_offers(frame),
                behind=Behind("offers", ("product",), {"product": "product_key"}))  # fmt: skip
with right:
    plain_table(frame, "key_changes", key_changes(frame),
                behind=Behind("key_changes", ("from_level", "to_level"),
                              {"from_level": "from_key", "to_level": "to_key"}))  # fmt: skip
if has_leaving_model(frame):
    helps = remedies(frame)
    card(frame, "remedies", helps, lambda: ranked(helps, texts=text, unit="count", name=text("column.yuan_at_risk")),
         behind=Behind("retention", ("name",), {"remedy": "remedy_key"}))  # fmt: skip
    plain_table(frame, "retention", retention(frame))
else:
    st.info(text("customers.no_leaving_model"), icon=":material/hourglass_empty:")
