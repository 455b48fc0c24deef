"""The closed loop: how far tickets come, where they wait, which promises are kept, who is behind."""

import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers.loop import CITY_KPIS, STANDINGS, ages, cities, clocks, detours, milestones, steps
from dashboards.behind import Behind
from dashboards.cards import card, tiles
from dashboards.choices import pick_one, picked
from dashboards.figures.bars import stacked
from dashboards.figures.campaigns import counted
from dashboards.figures.loop import backlog_by_age, funnel, step_times
from dashboards.figures.theme import BAD, GOOD
from dashboards.frame import current_frame
from dashboards.league import league

TILES = ("tickets", "backlog", "resolution_met", "first_response_met", "mean_hours_to_resolve", "return_rate",
         "rejection_rate", "reopen_rate")  # fmt: skip
#: Kept, going on, standing still, broken, of no account.
STANDING_COLOURS = [GOOD, "#9CC0E2", "#D9A441", BAD, "#DADDE2"]

frame = current_frame()
text = frame.texts
tiles(frame, TILES)

left, right = st.columns([3, 2])
with left:
    way = milestones(frame)
    card(frame, "loop_funnel", way, lambda: funnel(way, texts=text), kpis=["tickets"],
         behind=Behind("tickets", ("name",), {"reached": "code"}))  # fmt: skip
with right:
    aside = detours(frame)
    card(
        frame,
        "loop_detours",
        aside,
        lambda: counted(aside, texts=text, with_share=True),
        kpis=["return_rate", "rejection_rate", "reopen_rate"],
        behind=Behind("tickets", ("name",), {"reached": "code"}),
    )
stays = steps(frame)
card(
    frame,
    "loop_steps",
    stays,
    lambda: step_times(stays, texts=text),
    behind=Behind("stays", ("name",), {"state": "code"}),
)

left, right = st.columns(2)
with left:
    names = {each: text(f"clock.{each}") for each in ("resolution", "first_response")}
    clock = picked("clock", names, "resolution")
    kept = clocks(frame, clock)
    present = [text(f"clock.{standing}") for standing in STANDINGS]
    card(
        frame,
        "loop_clocks",
        kept,
        lambda: stacked(
            kept, texts=text, colours=STANDING_COLOURS, rows=list(dict.fromkeys(kept["row"])), parts=present
        ),
        kpis=["resolution_met", "first_response_met"],
        control=lambda: pick_one(frame, "clock", names, "resolution"),
        behind=Behind(
            "clocks", ("row", "part"), {"policy": "policy_key", "standing": "standing_key"}, {"clock": clock}
        ),
    )
with right:
    old = ages(frame)
    card(frame, "loop_ages", old, lambda: backlog_by_age(old, texts=text, notes=notes_on(frame)), kpis=["backlog"],
         behind=Behind("backlog", ("day", "name"), {"day": "day", "age": "code"}))  # fmt: skip
league(frame, "loop_cities", cities(frame), CITY_KPIS, bars=["tickets"],
       behind=Behind("tickets", ("name",), {"city": "city_code"}))  # fmt: skip
