"""What the seat page asks of shifts: what became of the scheduled time through the day, and by centre."""

import pandas as pd

from dashboards.answers.queues import HALF_HOUR
from dashboards.frame import Frame

#: What scheduled time goes to; together they are all of it.
PARTS = ("worked", "pause", "absent")
CENTRE_KPIS = ("shrinkage", "adherence")


def _rows(frame: Frame) -> pd.DataFrame:
    sums = ["scheduled", *PARTS]
    return frame.source.rows_of("shifts", frame.view.period, city=frame.city).astype(dict.fromkeys(sums, float))


def scheduled_time(frame: Frame, centre: str | None = None) -> pd.DataFrame:
    """Mean agents scheduled (for seats of one centre) by half-hour: `half_hour`, `state`, `name`, `order`, `seats`."""
    rows = _rows(frame)
    if centre is not None:
        rows = rows[rows["centre"] == centre]
    sums = rows.groupby("half_hour", as_index=False)[list(PARTS)].sum()
    parts = [
        pd.DataFrame(
            {
                "half_hour": sums["half_hour"],
                "state": part,
                "name": frame.texts(f"shift.{part}"),
                "order": number,
                "seats": sums[part] / (frame.view.period.days * HALF_HOUR),
            }
        )
        for number, part in enumerate(PARTS)
    ]
    return pd.concat(parts, ignore_index=True)


def centres_scheduled(frame: Frame) -> pd.DataFrame:
    """Every centre's scheduled time: `name`, `scheduled_hours`, `shrinkage`, `adherence`; as core/kpi.yml has them."""
    rows = _rows(frame)
    sums = rows.groupby("centre", as_index=False)[["scheduled", *PARTS]].sum()
    sums = sums[sums["scheduled"] > 0]
    return pd.DataFrame(
        {
            "name": sums["centre"],
            "scheduled_hours": (sums["scheduled"] / 3600).round(1),
            "shrinkage": (sums["pause"] + sums["absent"]) / sums["scheduled"],
            "adherence": (sums["scheduled"] - sums["absent"]) / sums["scheduled"],
        }
    ).sort_values("scheduled_hours", ascending=False)
