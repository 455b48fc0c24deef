"""Models: what each is for, how good it is, whether the customers have changed; topics that fit no complaint type."""

import streamlit as st

from dashboards.answers.customers import emerging_topics, models
from dashboards.frame import current_frame
from dashboards.plain_table import plain_table

#: Drift of the scores from which on a model should be trained anew (population stability index).
CHANGED = 0.25

frame = current_frame()
text = frame.texts
known = models(frame)
if known.empty:
    st.info(text("customers.none"), icon=":material/hourglass_empty:")
    st.stop()
used = known[known["is_champion"]]
titles = {row["model"]: row["card"].splitlines()[0].lstrip("# ") for row in used.to_dict("records")}
chosen = st.pills(
    text("models.choose"), list(titles), default=next(iter(titles), None), required=True, format_func=titles.get
)
for row in used[used["model"] == chosen].to_dict("records"):
    left, right = st.columns([3, 1])
    with left, st.container(border=True, key="model_card"):
        st.markdown("\n".join(row["card"].splitlines()[1:]))
    with right, st.container(border=True, key="model_state"):
        st.markdown(f"**{text('models.in_use')}**  \n{row['version']}")
        st.markdown(f"**{text('models.promoted_by')}**  \n{row['promoted_by']}  \n{row['promoted_because']}")
        if row["drift"] == row["drift"]:
            st.markdown(f"**{text('models.drift')}**  \n{row['drift']:.3f}")
            st.caption(text("models.drift_changed" if row["drift"] >= CHANGED else "models.drift_stable"))
        others = known[(known["model"] == chosen) & ~known["is_champion"]]
        st.markdown(f"**{text('models.others')}**  \n{len(others)}")
plain_table(frame, "emerging_topics", emerging_topics(frame))
