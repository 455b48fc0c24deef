"""What the complaint page asks beyond counts: clusters, outages, products, townships and who complains again."""

from datetime import timedelta

import pandas as pd

from core.periods import Period
from dashboards.answers.complaints import complaints, type_names
from dashboards.clusters import WEEKS, clusters
from dashboards.frame import Frame
from dashboards.tables import child_under, compared, starts

#: Clusters are looked for in at most so many days at the period's end.
CLUSTER_DAYS = 28
MOST_CLUSTERS = 12


def _end_of(period: Period, days: int) -> Period:
    return Period(max(period.first, period.last - timedelta(days=days - 1)), period.last)


def emerging_clusters(frame: Frame, above: str | None) -> pd.DataFrame:
    """Days on which a type came more often than chance: `day`, `city`, `type`, `complaints`, `expected`, `outage`.

    `city_key` and `type_key` are the codes of city and type.
    """
    looked_at = _end_of(frame.view.period, CLUSTER_DAYS)
    history = Period(looked_at.first - timedelta(weeks=WEEKS), looked_at.last)
    counts = frame.source.rows_of("complaints_by_place", history, city=frame.city, type=above)
    found = clusters(counts, looked_at.first, looked_at.last).head(MOST_CLUSTERS)
    cities, types = frame.unit_names(), type_names(frame)
    known = outages(frame)
    told = {(row["day"], row["city"]): row["ticket"] for row in known.to_dict("records")}
    days, places = found["day"].dt.strftime("%Y-%m-%d"), [cities.get(code, code) for code in found["city_code"]]
    return pd.DataFrame(
        {
            "day": days,
            "city": places,
            "type": [types.get(code, code) for code in found["code"]],
            "complaints": found["complaints"].astype(int),
            "expected": found["expected"].round(1),
            "outage": [told.get(place, "") for place in zip(days, places, strict=True)],
            "city_key": found["city_code"],
            "type_key": found["code"],
        }
    )


def outages(frame: Frame) -> pd.DataFrame:
    """Outages that began in the period: `day`, `city`, `township`, `ticket`, `state`, `complaints` below its ticket.

    `through` is the last day that the marts hold: complaints come below a ticket later too.
    """
    rows = frame.source.rows_of("outages", frame.view.period, city=frame.city)
    zh = frame.texts.language == "zh-CN"
    return pd.DataFrame(
        {
            "day": pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d"),
            "city": rows["city_zh" if zh else "city_en"],
            "township": rows["township_zh" if zh else "township_en"],
            "ticket": rows["ticket"],
            "state": rows["state_zh" if zh else "state_en"],
            "complaints": rows["complaints"],
            "through": frame.known.days.last,
        }
    )


def outage_flags(frame: Frame) -> pd.DataFrame:
    """The outages as flags of a timeline: `day`, `start` (its bar), `text`."""
    table = outages(frame)
    days = pd.Series(pd.to_datetime(table["day"]))
    said = [
        frame.texts("complaint.outage_flag", place=row["city"], township=row["township"], count=row["complaints"])
        for row in table.to_dict("records")
    ]
    start = starts(frame.view.period, days) if len(table) else pd.Series(dtype=str)
    return pd.DataFrame({"day": days, "start": start, "text": said})


def complaints_by_product(frame: Frame, above: str | None) -> pd.DataFrame:
    """Complaints below a type by product: `name`, `product`, `value`, `before`."""

    def counted(period: Period) -> pd.DataFrame:
        rows = complaints(frame, period, above)
        return rows.groupby("product")["complaints"].sum().reset_index()

    before = counted(frame.view.before) if frame.view.before else None
    table = compared(counted(frame.view.period), before, "product", "complaints")
    products = frame.source.rows("products")
    names = dict(zip(products["code"], frame.named(products), strict=True))
    return table.assign(name=[names.get(code, code) for code in table["product"]])


def complaints_by_township(frame: Frame, above: str | None) -> pd.DataFrame:
    """Complaints below a type by township of the chosen city, most first: `name`, `township_key`, `value`, `before`."""
    place = frame.city or frame.source.scope.city_code
    if place is None:
        return pd.DataFrame({"name": [], "township_key": [], "value": [], "before": []})
    rows = frame.source.rows_of("complaints_by_township", frame.view.period, city=place, type=above)
    names = list(frame.named(rows))
    return pd.DataFrame(
        {"name": names, "township_key": rows["code"], "value": rows["complaints"], "before": float("nan")}
    )


def repeated(frame: Frame, above: str | None) -> pd.DataFrame:
    """Which kinds come again: `code`, `name`, `complaints`, `repeats`, `value` (share), `before` (NULL), largest first.

    A complaint is a repeat if its customer had complained of the same kind (two levels) within 30 days before.
    """
    rows = frame.source.rows_of("repeat_complainers", frame.view.period, city=frame.city, type=above)
    codes = rows["code"].map(lambda code: child_under(code, above))
    sums = rows.groupby(codes)[["complaints", "repeats"]].sum().reset_index()
    names = type_names(frame)
    table = sums.assign(
        name=[names.get(code, code) for code in sums["code"]],
        value=sums["repeats"] / sums["complaints"],
        before=float("nan"),
    )
    return table.sort_values(["value", "complaints"], ascending=False)
