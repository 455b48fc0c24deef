"""What the seat page asks: seat time through the day, against the service level, and by centre or seat."""

import pandas as pd

from core.periods import Period
from dashboards.answers import SERVICE, kpis
from dashboards.answers.queues import HALF_HOUR, queue_names
from dashboards.frame import Frame
from dashboards.tables import compared

#: Seat time that adds up to the installed time: what people at the seats do, and nobody there.
SEAT_STATES = ("on_contact", "available", "paid_pause", "unpaid_pause", "empty")
#: What one agent does with the time.
AGENT_KPIS = ("occupancy", "working_time_utilisation", "shrinkage", "adherence", "answered", "aht_seconds")
#: Of many seats, so many of the most and of the least used are shown.
EXTREMES = 15


def centres(frame: Frame) -> dict[str, str]:
    """The codes of the centres with seats in the period, each under itself."""
    rows = frame.source.rows_of("seats", frame.view.period, city=frame.city)
    return {code: code for code in sorted(rows["centre"].unique())}


def seat_states(frame: Frame, centre: str | None = None) -> pd.DataFrame:
    """Mean seats (of one centre) in each state by half-hour: `half_hour`, `state`, `name`, `order`, `seats`."""
    rows = frame.source.rows_of("seat_half_hours", frame.view.period, city=frame.city, centre=centre)
    rows = rows[(rows["installed"] > 0) | (rows["occupied"] > 0)]
    rows = rows.assign(
        unpaid_pause=rows["pause"] - rows["paid_pause"], empty=(rows["installed"] - rows["occupied"]).clip(lower=0)
    )
    parts = [
        pd.DataFrame(
            {
                "half_hour": rows["half_hour"],
                "state": state,
                "name": frame.texts(f"state.{state}"),
                "order": number,
                "seats": rows[state] / (rows["days"] * HALF_HOUR),
            }
        )
        for number, state in enumerate(SEAT_STATES)
    ]
    return pd.concat(parts, ignore_index=True)


def occupancy_and_service(frame: Frame) -> pd.DataFrame:
    """Occupancy and service level of half-hours: `half_hour`, `occupancy`, `sl_negative`, `offered`, `is_extreme`."""
    rows = kpis(frame, ("half_hour",), ["occupancy", *SERVICE])
    rows = rows[rows["occupancy"].notna() & rows["sl_negative"].notna() & (rows["offered"] > 0)]
    table = rows[["half_hour", "occupancy", "sl_negative", "offered"]].astype(
        {"sl_negative": float, "occupancy": float}
    )
    extreme = set(table.nsmallest(2, "sl_negative").index) | set(table.nlargest(1, "occupancy").index)
    return table.assign(is_extreme=[row in extreme for row in table.index])


def queues_worked(frame: Frame) -> pd.DataFrame:
    """Mean agents that each queue's callers keep busy: `half_hour`, `queue`, `name`, `seats`; priority queues first.

    The time spent on a caller counts in the half-hour in which the caller came.
    """
    rows, names = kpis(frame, ("half_hour", "queue"), ["handled", "aht_seconds"]), queue_names(frame)
    days = max(kpis(frame, ("day",), ["handled"])["day"].nunique(), 1)
    rows = rows[rows["queue"].isin(list(names)) & rows["aht_seconds"].notna()]
    order = {code: number for number, code in enumerate(names)}
    table = pd.DataFrame(
        {
            "half_hour": rows["half_hour"],
            "queue": rows["queue"],
            "name": rows["queue"].map(names),
            "order": rows["queue"].map(order),
            "seats": rows["handled"].astype(float) * rows["aht_seconds"].astype(float) / (days * HALF_HOUR),
        }
    )
    return table.sort_values(["order", "half_hour"])


def seat_shares(frame: Frame, centre: str | None = None) -> pd.DataFrame:
    """Utilisation and fill by half-hour: `half_hour`, `measure`, `order`, `value`."""
    rows = frame.source.rows_of("seat_half_hours", frame.view.period, city=frame.city, centre=centre)
    rows = rows[rows["installed"] > 0]
    parts = [
        pd.DataFrame(
            {
                "half_hour": rows["half_hour"],
                "measure": frame.kpi_name(code),
                "order": order,
                "value": rows[column] / rows["installed"],
            }
        )
        for order, (code, column) in enumerate((("seat_fill", "occupied"), ("seat_utilisation", "on_contact")))
    ]
    return pd.concat(parts, ignore_index=True)


def seats_used(frame: Frame, by: str) -> pd.DataFrame:
    """Utilisation by `centre` or `seat`: `name`, `value`, `before`; of many, the most and the least used."""

    def used(period: Period) -> pd.DataFrame:
        rows = frame.source.rows_of("seats", period, city=frame.city)
        sums = rows.groupby(by, as_index=False)[["installed", "on_contact"]].sum()
        sums = sums[sums["installed"] > 0]
        return sums.assign(used=sums["on_contact"] / sums["installed"])

    before = used(frame.view.before) if frame.view.before else None
    table = compared(used(frame.view.period), before, by, "used").rename(columns={by: "name"})
    table = table.sort_values("value", ascending=False)
    return table if len(table) <= 2 * EXTREMES else pd.concat([table.head(EXTREMES), table.tail(EXTREMES)])
