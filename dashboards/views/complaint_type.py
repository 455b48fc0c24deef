"""Complaint type: what customers complain about, three levels deep, where and when, and what deserves a look."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers.complaint_details import (
    complaints_by_product,
    complaints_by_township,
    emerging_clusters,
    outage_flags,
    outages,
    repeated,
)
from dashboards.answers.complaints import complaint_pareto, complaint_trend, complaints_by_city, hot_spots, type_names
from dashboards.behind import OF_KNOWN, Behind
from dashboards.cards import card, tiles
from dashboards.drill import drill_bar, read_drill
from dashboards.figures.bars import PICK, pareto, ranked
from dashboards.figures.grids import tile_map
from dashboards.figures.theme import PARTS
from dashboards.figures.trends import shares
from dashboards.frame import current_frame, set_drill
from dashboards.plain_table import plain_table

#: Types that have a colour of their own in the trend; the rest is one part.
SHOWN_TYPES = 6

frame = current_frame()
text = frame.texts
tiles(frame, ("complaints", "complaint_rate", "resolution_met", "reopen_rate"))

names = type_names(frame)
above = read_drill(frame, names)
drill_bar(frame, names, above)
ranked_types = complaint_pareto(frame, above)
heading = text("card.pareto.title") if above is None else text("card.pareto.below", type=names.get(above, above))
#: What every click on this page counts.
below = {"is_complaint": "true", "type": above}
is_lowest = set(ranked_types["code"]) == {above}
picked = card(frame, "pareto", ranked_types, lambda: pareto(ranked_types, texts=text), kpis=["complaints"],
              on_select=None if is_lowest else PICK, title=heading,
              behind=Behind("tickets", ("name",), {}, below) if is_lowest else None)  # fmt: skip
if picked and picked[0] != above:
    set_drill(picked[0])
    st.rerun()

left, right = st.columns([3, 2])
with left:
    over_time = complaint_trend(frame, above, SHOWN_TYPES)
    parts = dict(zip(over_time.sort_values("order")["code"].unique(), PARTS, strict=False))
    happened = pd.concat([outage_flags(frame), notes_on(frame)], ignore_index=True)
    card(
        frame, "complaint_trend", over_time,
        lambda: shares(
            over_time, texts=text, colours=parts | {"": "#DADDE2"}, stack="zero", height=340, notes=happened
        ),
        kpis=["complaints"],
        behind=Behind(
            "tickets", ("start", "name"),
            {"first": "first", "last": "last", "type": "type_key", "exact": "exact_key", "others": "others_key"},
            {"is_complaint": "true"},
        ),
    )  # fmt: skip
with right:
    cities = complaints_by_city(frame, above)
    card(frame, "complaint_cities", cities,
         lambda: tile_map(cities, texts=text, name=frame.kpi_name("complaint_rate"), unit="per_thousand"),
         kpis=["complaint_rate"], behind=Behind("tickets", ("name",), {"city": "city_code"}, below))  # fmt: skip

plain_table(frame, "clusters", emerging_clusters(frame, above),
            behind=Behind("tickets", ("day", "city", "type"), {"day": "day", "city": "city_key", "exact": "type_key"},
                          {"is_complaint": "true"}))  # fmt: skip
products, again = complaints_by_product(frame, above), repeated(frame, above)
counted = partial(ranked, texts=text, unit="count", name=frame.kpi_name("complaints"))
left, right = st.columns(2)
with left:
    card(frame, "complaint_products", products, lambda: counted(products), kpis=["complaints"],
         behind=Behind("tickets", ("name",), {"product": "product"}, below))  # fmt: skip
with right:
    card(frame, "complaint_repeats", again,
         lambda: ranked(again, texts=text, unit="ratio", name=text("column.repeat_share")),
         behind=Behind("tickets", ("name",), {"type": "code"}, OF_KNOWN))  # fmt: skip
if frame.city or not frame.source.scope.is_province:
    towns = complaints_by_township(frame, above)
    card(frame, "complaint_townships", towns, lambda: counted(towns), kpis=["complaints"],
         behind=Behind("tickets", ("name",), {"township": "township_key"}, below))  # fmt: skip
else:
    st.caption(text("complaint.choose_city"))
plain_table(frame, "hot_spots", hot_spots(frame, above),
            behind=Behind("tickets", ("day", "township", "type"),
                          {"day": "day", "city": "city_key", "township": "township_key", "exact": "type_key"},
                          {"is_complaint": "true"}))  # fmt: skip
plain_table(frame, "outages", outages(frame),
            behind=Behind("tickets", ("ticket",), {"parent": "ticket", "first": "day", "last": "through"}))  # fmt: skip
