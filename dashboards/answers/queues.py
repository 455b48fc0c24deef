"""What the queue page asks: how each half-hour went, against the agents at work, by day and by queue."""

from dataclasses import replace
from datetime import date

import pandas as pd

from core.periods import Period
from dashboards.answers import kpis, kpis_before
from dashboards.frame import Frame

HALF_HOUR = 1800
#: Figures a half-hour is judged by, each with the sum that its mean over days is weighed with (None: a count).
MEASURES = {"sl_negative": "offered", "abandon_rate": "offered", "asa_seconds": "answered", "aht_seconds": "handled",
            "offered": None}  # fmt: skip
#: Of more days the heat map shows the latest.
MOST_DAYS = 35
QUEUE_KPIS = ("offered", "answered", "sl_negative", "sl_queue_target", "abandon_rate", "asa_seconds", "aht_seconds",
              "transfer_rate")  # fmt: skip


def queue_names(frame: Frame) -> dict[str, str]:
    """Queue code → name, priority queues first."""
    queues = frame.source.rows("queues")
    return dict(zip(queues["code"], frame.named(queues), strict=True))


def one_day(frame: Frame, day: str | None) -> Frame:
    """The frame over one day of its period, compared with the day before; None: over the whole period."""
    if day is None:
        return frame
    chosen = Period(date.fromisoformat(day), date.fromisoformat(day))
    return replace(frame, view=replace(frame.view, preset="custom", period=chosen))


def days_of(frame: Frame, weekdays: list[str]) -> dict[str, str]:
    """The days of the period that have figures, latest first: ISO day → how it reads."""
    rows = kpis(frame, ("day",), ["offered"])
    days = sorted(pd.to_datetime(rows.loc[rows["offered"] > 0, "day"]), reverse=True)
    return {f"{day:%Y-%m-%d}": f"{day:%Y-%m-%d} {weekdays[day.dayofweek]}" for day in days}


def load(frame: Frame) -> pd.DataFrame:
    """Callers of a mean day by half-hour: `half_hour`, `part`, `name`, `order`, `value`, and `agents` at work."""
    rows = kpis(frame, ("half_hour",), ["offered", "answered", "abandoned"])
    rows = rows[rows["offered"] > 0].astype({"offered": float, "answered": float, "abandoned": float})
    days = max(kpis(frame, ("day",), ["offered"])["day"].nunique(), 1)
    rows = rows.assign(other=rows["offered"] - rows["answered"] - rows["abandoned"])
    work = frame.source.rows_of("agents_at_work", frame.view.period, city=frame.city)
    agents = dict(zip(work["half_hour"], work["at_work"] / (work["days"] * HALF_HOUR), strict=True))
    parts = [
        pd.DataFrame(
            {
                "half_hour": rows["half_hour"],
                "part": part,
                "name": frame.texts(f"queues.{part}"),
                "order": order,
                "value": rows[part] / days,
                "agents": rows["half_hour"].map(agents).astype(float),
            }
        )
        for order, part in enumerate(("answered", "abandoned", "other"))
    ]
    return pd.concat(parts, ignore_index=True)


def by_half_hour(frame: Frame, code: str) -> pd.DataFrame:
    """A figure by half-hour of the day beside the compared period: `half_hour`, `value`, `before`."""
    now, before = kpis(frame, ("half_hour",), [code]), kpis_before(frame, ("half_hour",), [code])
    table = now[["half_hour", code]].rename(columns={code: "value"}).astype({"value": float})
    table = table[table["value"].notna()]
    if before is None or before.empty:
        return table.assign(before=float("nan"))
    other = before[["half_hour", code]].rename(columns={code: "before"}).astype({"before": float})
    return table.merge(other, on="half_hour", how="left")


def days_by_half_hour(frame: Frame, code: str, weekdays: list[str]) -> pd.DataFrame:
    """A figure of each day and half-hour: `half_hour`, `row` (the day), `value`; at most the latest 35 days."""
    rows = kpis(frame, ("day", "half_hour"), [code, "offered"])
    rows = rows[rows[code].notna() & (rows["offered"] > 0)]
    stamps = pd.to_datetime(rows["day"])
    shown = sorted(stamps.unique())[-MOST_DAYS:]
    rows, stamps = rows[stamps.isin(shown)], stamps[stamps.isin(shown)]
    return pd.DataFrame(
        {
            "half_hour": rows["half_hour"],
            "row": [f"{day:%m-%d} {weekdays[day.dayofweek]}" for day in stamps],
            "day": stamps.dt.date,
            "value": rows[code].astype(float),
        }
    ).sort_values(["day", "half_hour"])


def queues_compared(frame: Frame) -> pd.DataFrame:
    """Every queue's KPIs: `code`, `name` and the KPIs."""
    rows, names = kpis(frame, ("queue",), list(QUEUE_KPIS)), queue_names(frame)
    rows = rows[rows["queue"].isin(list(names)) & (rows["offered"] > 0)].rename(columns={"queue": "code"})
    rows = rows.assign(name=[names[code] for code in rows["code"]])
    return rows.sort_values("offered", ascending=False)
