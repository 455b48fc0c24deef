"""What the closed-loop page asks: how far tickets came, time in each step, clocks, cities, the backlog's age."""

import pandas as pd

from core.i18n import name_field
from dashboards.answers import cities_compared
from dashboards.frame import Frame
from dashboards.tables import with_share

#: The way through the loop; each milestone's tickets are some of those of the one before.
MILESTONES = ("dispatched", "accepted", "started", "resolved", "reviewed", "approved", "closed")
#: What leads back or out.
DETOURS = ("answered_at_once", "returned", "rejected", "reopened", "cancelled")
AGES = ("1_day", "3_days", "7_days", "30_days", "older")
STANDINGS = ("met", "running", "paused", "missed", "void")
CITY_KPIS = ("tickets", "resolution_met", "first_response_met", "mean_hours_to_resolve", "return_rate",
             "rejection_rate", "reopen_rate", "backlog")  # fmt: skip


def milestones(frame: Frame) -> pd.DataFrame:
    """Tickets created in the period by how far they came: `code`, `name`, `order`, `value`, `share` (of those sent)."""
    return _counts(frame, MILESTONES, "dispatched")


def detours(frame: Frame) -> pd.DataFrame:
    """Tickets that did not go straight through: `code`, `name`, `order`, `value`, `share` of those created."""
    return _counts(frame, DETOURS, "created")


def _counts(frame: Frame, codes: tuple[str, ...], whole: str) -> pd.DataFrame:
    row = frame.source.rows_of("loop_milestones", frame.view.period, city=frame.city).iloc[0]
    table = pd.DataFrame(
        {
            "code": list(codes),
            "name": [frame.texts(f"loop.{code}") for code in codes],
            "order": range(len(codes)),
            "value": [int(row[code]) for code in codes],
        }
    )
    total = int(row[whole])
    table = table.assign(share=table["value"] / total if total else 0.0)
    return table if int(row["created"]) else table.iloc[0:0]


def steps(frame: Frame) -> pd.DataFrame:
    """Each state's stays: `code`, `name`, `side`, `stays`, `hours` (mean), `target_hours`, `within` (share)."""
    rows = frame.source.rows_of("loop_steps", frame.view.period, city=frame.city)
    timed = rows["target_seconds"].notna()
    return pd.DataFrame(
        {
            "code": rows["state"],
            "name": rows[name_field(frame.texts.language)],
            "side": [frame.texts(f"loop.side_{side}") for side in rows["side"]],
            "stays": rows["stays"].astype(int),
            "hours": rows["seconds"].astype(float) / rows["stays"].astype(float) / 3600,
            "target_hours": rows["target_seconds"].astype(float) / 3600,
            "within": (rows["within_target"].astype(float) / rows["stays"].astype(float)).where(timed),
        }
    )


def clocks(frame: Frame, clock: str) -> pd.DataFrame:
    """A clock by policy: `row` (policy), `part` (standing), their keys, `order`, `value`, `share`."""
    rows = frame.source.rows_of("clocks_by_policy", frame.view.period, city=frame.city)
    rows = rows[rows["clock"] == clock].sort_values(["sort_order", "code"])
    table = pd.DataFrame(
        {
            "row": frame.named(rows),
            "policy_key": rows["code"],
            "standing_key": rows["standing"],
            "part": [frame.texts(f"clock.{standing}") for standing in rows["standing"]],
            "order": [STANDINGS.index(standing) for standing in rows["standing"]],
            "value": rows["tickets"].astype(int),
        }
    )
    return with_share(table, within=["row"])


def ages(frame: Frame) -> pd.DataFrame:
    """Open tickets at each day's end by age: `day`, `code`, `name`, `order`, `value`."""
    rows = frame.source.rows_of("backlog_ages", frame.view.period, city=frame.city)
    return pd.DataFrame(
        {
            "day": pd.to_datetime(rows["day"]),
            "code": rows["age_band"],
            "name": [frame.texts(f"age.{band}") for band in rows["age_band"]],
            "order": [AGES.index(band) for band in rows["age_band"]],
            "value": rows["tickets"].astype(int),
        }
    )


def cities(frame: Frame) -> pd.DataFrame:
    """Every city's loop: `name` and the KPIs; cities without tickets are left out."""
    rows = cities_compared(frame, list(CITY_KPIS))
    return rows[rows["tickets"].fillna(0) > 0].sort_values("resolution_met", ascending=False)
