"""Service quality: what customers say of it, whether the first contact is enough, who has to come back."""

import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers import daily
from dashboards.answers.quality import (
    AGENT_KPIS,
    CHANNEL_KPIS,
    CITY_KPIS,
    agents,
    channels,
    cities,
    repeats,
    resolved_by,
    scores,
)
from dashboards.behind import OF_KNOWN, Behind
from dashboards.cards import card, tiles
from dashboards.choices import pick_one, picked
from dashboards.figures.bars import ranked, stacked
from dashboards.figures.theme import QUALITY
from dashboards.figures.trends import trend
from dashboards.frame import current_frame
from dashboards.league import league

TILES = ("satisfaction", "survey_response_rate", "fcr", "reopen_rate")

frame = current_frame()
text, kpi = frame.texts, frame.kpi("satisfaction")
tiles(frame, TILES)

left, right = st.columns(2)
with left:
    answers = scores(frame)
    card(
        frame,
        "quality_scores",
        answers,
        lambda: stacked(
            answers,
            texts=text,
            colours=QUALITY,
            rows=list(dict.fromkeys(answers["row"])),
            parts=[text(f"score.{score}") for score in range(1, 6)],
        ),
        kpis=["satisfaction", "survey_response_rate"],
        behind=Behind("answers", ("row", "part"), {"channel": "channel_key", "score": "order"}),
    )
with right:
    said = daily(frame, "satisfaction")
    card(
        frame,
        "quality_trend",
        said,
        lambda: trend(
            said,
            texts=text,
            unit=kpi.unit,
            name=frame.kpi_name("satisfaction"),
            target=kpi.target,
            notes=notes_on(frame),
        ),
        kpis=["satisfaction"],
        behind=Behind("answers", ("day",), {"day": "day"}),
    )

left, right = st.columns(2)
with left:
    names = {"channel": text("quality.by_channel"), "service_type": text("quality.by_service_type")}
    by = picked("by", names, "channel")
    first, fcr = resolved_by(frame, by), frame.kpi("fcr")
    card(
        frame,
        "quality_fcr",
        first,
        lambda: ranked(first, texts=text, unit=fcr.unit, name=frame.kpi_name("fcr"), target=fcr.target),
        kpis=["fcr"],
        control=lambda: pick_one(frame, "by", names, "channel"),
        behind=Behind("contacts", ("name",), {by: "code"}, {"is_first": "true"}),
    )
with right:
    again = repeats(frame)
    card(
        frame,
        "quality_repeats",
        again,
        lambda: ranked(again, texts=text, unit="ratio", name=text("quality.repeats")),
        kpis=["complaints"],
        behind=Behind("tickets", ("name",), {"type": "code"}, OF_KNOWN),
    )
league(frame, "quality_cities", cities(frame), CITY_KPIS, behind=Behind("answers", ("name",), {"city": "city_code"}))
league(frame, "quality_channels", channels(frame), CHANNEL_KPIS, bars=["contacts"],
       behind=Behind("answers", ("name",), {"channel": "channel"}))  # fmt: skip
if (people := agents(frame)) is None:
    st.caption(text("quality.no_agents"))
else:
    league(frame, "quality_agents", people, AGENT_KPIS, bars=["answered"],
           behind=Behind("visits", ("name",), {"agent": "name"}))  # fmt: skip
