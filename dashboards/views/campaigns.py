"""Campaigns: did calling make a difference, what did it bring, and how was the list worked?"""

import pandas as pd
import streamlit as st

from dashboards.answers.campaigns import arms, by_city, campaigns, evaluate, gates, steps, title_of
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.campaigns import counted, two_arms
from dashboards.frame import current_frame
from dashboards.plain_table import plain_table

_SIGNS = {"worked": st.success, "likely": st.info, "harmed": st.error}

frame = current_frame()
text = frame.texts
rows = campaigns(frame)
if rows.empty:
    st.info(text("campaign.none"), icon=":material/campaign:")
    st.stop()

titles = {int(row["campaign_key"]): title_of(frame, row) for _, row in rows.iterrows()}
wanted = st.query_params.get("campaign", "")
first = list(titles).index(int(wanted)) if wanted.isdigit() and int(wanted) in titles else 0
chosen = st.selectbox(text("campaign.choose"), list(titles), index=first, format_func=lambda key: titles[key])
st.query_params["campaign"] = str(chosen)
campaign = rows[rows["campaign_key"] == chosen].iloc[0]
found = evaluate(frame, chosen)
effect = found.effect

said = text(
    f"campaign.verdict_{found.verdict}",
    goal=text(f"campaign.goal_{campaign['goal']}"),
    more=f"{abs(effect.difference) * 100:.1f}",
    low=f"{effect.low * 100:.1f}",
    high=f"{effect.high * 100:.1f}",
    needed=f"{effect.needed or 0:,}",
)
st.caption(text("campaign.whole"))
_SIGNS.get(found.verdict, st.warning)(said, icon=":material/balance:")
if not campaign["is_window_over"]:
    until = campaign["approved_at"] + pd.Timedelta(days=int(campaign["window_days"]))
    st.caption(text("campaign.not_over", day=f"{until:%Y-%m-%d}"))

with st.container(horizontal=True, key="campaign_tiles"):
    st.metric(text("campaign.assigned"), f"{found.counts['assigned']:,}", border=True)
    st.metric(text("campaign.held"), f"{found.counts['held']:,}", border=True)
    st.metric(text("campaign.gained"), "—" if pd.isna(found.gained) else f"{found.gained:,.0f}", border=True)
    st.metric(text("campaign.cost"), f"¥{found.cost:,.0f}", border=True)
    st.metric(text("campaign.net"), "—" if pd.isna(found.net) else f"¥{found.net:,.0f}", border=True)

left, right = st.columns(2)
with left:
    pair = arms(frame, found)
    card(frame, "campaign_arms", pair, lambda: two_arms(pair, texts=text),
         behind=Behind("entries", ("name",), {"assigned": "assigned_key"}, {"campaign": chosen}))  # fmt: skip
with right:
    worked = steps(frame, found)
    card(frame, "campaign_steps", worked, lambda: counted(worked, texts=text, with_share=True),
         behind=Behind("entries", ("name",), {"step": "code"}, {"campaign": chosen, "assigned": "true"}))  # fmt: skip
if frame.source.scope.is_province:
    out = gates(frame, chosen)
    card(frame, "campaign_gates", out, lambda: counted(out, texts=text),
         behind=Behind("left_out", ("name",), {"gate": "code"}, {"campaign": chosen}))  # fmt: skip
plain_table(frame, "campaign_cities", by_city(frame, chosen),
            behind=Behind("entries", ("city",), {"city": "city_key"}, {"campaign": chosen}))  # fmt: skip
