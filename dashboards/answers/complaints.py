"""What the complaint page asks: counts down the three levels, over time, by city, and hot spots."""

import pandas as pd

from core.periods import Period
from dashboards.answers import cities_compared
from dashboards.frame import Frame
from dashboards.tables import bar_days, child_under, pareto, starts, with_share


def type_names(frame: Frame) -> dict[str, str]:
    """Complaint type code → its own name, parents before children."""
    types = frame.source.rows("complaint_types")
    return dict(zip(types["code"], frame.named(types), strict=True))


def complaints(frame: Frame, period: Period, above: str | None) -> pd.DataFrame:
    """Complaints by day and type below `above`: `day`, `week`, `code`, `complaints`."""
    return frame.source.rows_of("complaints_by_type", period, city=frame.city, type=above)


def complaint_pareto(frame: Frame, above: str | None, *, level: int | None = None) -> pd.DataFrame:
    """Complaints one level below `above` (or at `level`), largest first, with the columns of tables.pareto."""

    def counts(period: Period) -> dict[str, int]:
        rows = complaints(frame, period, above)
        codes = rows["code"].map(lambda code: ".".join(code.split(".")[:level]) if level else child_under(code, above))
        return {str(code): int(count) for code, count in rows.groupby(codes)["complaints"].sum().items()}

    before = counts(frame.view.before) if frame.view.before else None
    # A period before the first data compares with nothing.
    return pareto(counts(frame.view.period), before or None, type_names(frame))


def complaints_by_city(frame: Frame, above: str | None) -> pd.DataFrame:
    """Complaints below a type and customers by city: `city_code`, `name`, `complaints`, `customers`, `value` (rate)."""
    people = cities_compared(frame, ["customers"])[["city_code", "name", "customers"]]
    counts = frame.source.rows_of("complaints_by_city", frame.view.period, type=above)
    table = people.merge(counts, on="city_code", how="left").fillna({"complaints": 0})
    table = table[table["city_code"].isin(list(frame.known.cities)) & (table["customers"] > 0)]
    return table.assign(value=table["complaints"] / table["customers"] * 1000)


def hot_spots(frame: Frame, above: str | None) -> pd.DataFrame:
    """Townships with many complaints of one type on one day: `day`, `city`, `township`, `type`, `complaints`.

    `city_key`, `township_key` and `type_key` are their codes.
    """
    rows = frame.source.rows_of("complaint_hot_spots", frame.view.period, city=frame.city, type=above)
    zh = frame.texts.language == "zh-CN"
    names = type_names(frame)
    return pd.DataFrame(
        {
            "day": pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d"),
            "city": rows["city_zh" if zh else "city_en"],
            "township": rows["township_zh" if zh else "township_en"],
            "type": [names.get(code, code) for code in rows["code"]],
            "complaints": rows["complaints"],
            "city_key": rows["city_code"],
            "township_key": rows["township_code"],
            "type_key": rows["code"],
        }
    )


def complaint_trend(frame: Frame, above: str | None, most: int) -> pd.DataFrame:
    """Complaints over time by type; the `most` largest, then the rest.

    Columns: `start`, `first`, `last` (days), `code`, `name`, `order`, `value`, `share`; and which tickets a bar counts:
    those below `type_key`, of `exact_key` itself, or of none of `others_key`.
    """
    rows = complaints(frame, frame.view.period, above)
    codes = rows["code"].map(lambda code: child_under(code, above))
    largest = list(rows.groupby(codes)["complaints"].sum().sort_values(ascending=False).index[:most])
    names = type_names(frame) | {"": frame.texts("chart.others")}
    first, last = bar_days(frame.view.period, rows["day"])
    table = rows.assign(
        start=starts(frame.view.period, rows["day"]),
        first=first,
        last=last,
        code=codes.where(codes.isin(largest), ""),
        value=rows["complaints"],
    )
    sums = table.groupby(["start", "first", "last", "code"])["value"].sum().reset_index()
    table = sums.assign(
        type_key=pd.Series([code if code != above else None for code in sums["code"]], dtype=object).replace("", above),
        exact_key=pd.Series([code if code == above else None for code in sums["code"]], dtype=object),
        others_key=pd.Series([None if code else "|".join(largest) for code in sums["code"]], dtype=object),
        name=[names.get(code, code) for code in sums["code"]],
        order=[largest.index(code) if code in largest else most for code in sums["code"]],
    )
    return with_share(table, within=["start"])
