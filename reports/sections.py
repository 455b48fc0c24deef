"""The tables of a report: channels, complaint types, seats, the loop, the units; each a Section."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from core.display import Figure
from core.i18n import Texts
from core.kpi import dictionary
from core.periods import Period
from reports.document import Cell, Chart, Column, Section
from reports.source import Source, number

#: Most complaint types shown.
TYPES_SHOWN = 12
LEAGUE = (
    "contacts", "sl_negative", "complaints", "complaint_rate", "first_response_met", "resolution_met",
    "mean_hours_to_resolve", "return_rate", "rejection_rate",
)  # fmt: skip
LOOP = (
    "tickets", "first_response_met", "resolution_met", "mean_hours_to_resolve", "backlog", "reopen_rate",
    "rejection_rate", "return_rate",
)  # fmt: skip
TREND = ("contacts", "sl_negative", "complaints", "seat_utilisation")
SEATS = ("seat_utilisation", "occupancy", "seat_fill", "sl_negative")


class _Share:
    """A share of a whole, for display."""

    unit, good, decimals, target = "ratio", "none", 3, None


SHARE: Figure = _Share()


def kpi_columns(codes: Sequence[str], text: Texts) -> tuple[Column, ...]:
    """A column for each KPI."""
    known = dictionary()
    return tuple(Column(known[code].name(text.language), known[code]) for code in codes)


def _section(
    text: Texts,
    code: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[Cell, ...]],
    *charts: Chart,
    note: str = "",
    title: str = "",
) -> Section:
    return Section(
        code, title or text(f"section.{code}"), note or text(f"note.{code}"), tuple(columns), tuple(rows),
        charts if rows else (), empty="" if rows else text("empty"),
    )  # fmt: skip


def trend(source: Source, text: Texts, days: Period) -> Section:
    """Figures day by day, drawn: volume, and service level against its target."""
    table = source.kpis(days, TREND, by=("day",))
    table = table[table["day"].notna()].sort_values("day")
    rows = [
        (pd.Timestamp(row["day"]).date(), *(number(row[code]) for code in TREND)) for row in table.to_dict("records")
    ]
    columns = (Column(text("column.day")), *kpi_columns(TREND, text))
    service = Chart("line", 0, (2,), dictionary()["sl_negative"].target)
    return _section(text, "trend", columns, rows, Chart("line", 0, (1,)), service)


def channels(source: Source, text: Texts, now: Period, before: Period) -> Section:
    """Contacts by access channel with their share, and the period before."""
    names = source.names("channels")
    found, past = (source.kpis(days, ["contacts", "sl_negative"], by=("channel",)) for days in (now, before))
    earlier = {str(row["channel"]): float(row["contacts"]) for row in past.to_dict("records")}
    found = found[found["contacts"] > 0].sort_values("contacts", ascending=False)
    whole = float(found["contacts"].sum())
    rows: list[tuple[Cell, ...]] = []
    for row in found.to_dict("records"):
        code, count = str(row["channel"]), float(row["contacts"])
        share, was = count / whole, earlier.get(code, 0.0) if earlier else None
        rows.append((names.get(code, code), count, share, was, _relative(count, was), number(row["sl_negative"])))
    (contacts,) = kpi_columns(["contacts"], text)
    columns = (
        Column(text("column.channel")), contacts, Column(text("column.share"), SHARE, is_share=True),
        Column(text("column.before"), contacts.figure), Column(text("column.change"), SHARE),
        *kpi_columns(["sl_negative"], text),
    )  # fmt: skip
    return _section(text, "channels", columns, rows, Chart("bar", 0, (1,)))


def complaints(source: Source, text: Texts, now: Period, before: Period) -> Section:
    """Complaints by type, the most frequent first, and the period before."""
    found, past = source.complaints(now), source.complaints(before)
    counts = found.groupby(["code", "name"])["complaints"].sum().reset_index()
    earlier = past.groupby("code")["complaints"].sum().to_dict()
    whole = float(counts["complaints"].sum())
    rows: list[tuple[Cell, ...]] = []
    for row in counts.sort_values(["complaints", "code"], ascending=[False, True]).head(TYPES_SHOWN).to_dict("records"):
        count = float(row["complaints"])
        was = float(earlier.get(row["code"], 0)) if earlier else None
        rows.append((str(row["name"]), count, count / whole, was, _relative(count, was)))
    (figure,) = kpi_columns(["complaints"], text)
    columns = (
        Column(text("column.type")), figure, Column(text("column.share"), SHARE, is_share=True),
        Column(text("column.before"), figure.figure), Column(text("column.change"), SHARE),
    )  # fmt: skip
    return _section(text, "complaints", columns, rows, Chart("bar", 0, (1,)))


def seats(source: Source, text: Texts, now: Period) -> Section:
    """Seats and service level by half-hour of the day."""
    table = source.kpis(now, [*SEATS, "offered"], by=("half_hour",)).sort_values("half_hour")
    rows = [
        (str(row["half_hour"]), *(number(row[code]) for code in SEATS))
        for row in table.to_dict("records")
        if number(row["seat_utilisation"]) is not None
    ]
    columns = (Column(text("column.half_hour")), *kpi_columns(SEATS, text))
    return _section(text, "seats", columns, rows, Chart("line", 0, (1, 2, 4)))


def loop(source: Source, text: Texts, now: Period, before: Period) -> Section:
    """The closed loop's figures beside their targets and the period before."""
    found, past = source.totals(now, LOOP), source.totals(before, LOOP)
    known = dictionary()
    rows = tuple((known[code].name(text.language), found[code], known[code].target, past[code]) for code in LOOP)
    columns = tuple(Column(text(f"column.{name}")) for name in ("figure", "value", "target", "before"))
    return Section(
        "loop",
        text("section.loop"),
        text("note.loop"),
        columns,
        rows,
        row_figures=tuple(known[code] for code in LOOP),
    )


def league(source: Source, text: Texts, now: Period) -> Section:
    """The province's cities, or a city's counties, by complaints resolved in time."""
    is_province = source.scope.is_province
    by = "city" if is_province else "branch"
    names = source.names("units")
    table = source.kpis(now, LEAGUE, by=(by,))
    table = table[~table[by].isin(["province", "unknown", "not_arrived"])]
    table = table.sort_values(["resolution_met", by], ascending=[False, True], na_position="last")
    rows = [
        (names.get(str(row[by]), str(row[by])), *(number(row[code]) for code in LEAGUE))
        for row in table.to_dict("records")
    ]
    columns = (Column(text("column.unit")), *kpi_columns(LEAGUE, text))
    code = "league_cities" if is_province else "league_counties"
    target = dictionary()["resolution_met"].target
    # A single bar compares nothing.
    charts = (Chart("bar", 0, (LEAGUE.index("resolution_met") + 1,), target),) if len(rows) > 1 else ()
    return _section(text, code, columns, rows, *charts, note=text("note.league"))


def _relative(now: float, before: float | None) -> float | None:
    return now / before - 1 if before else None


def day_cells(rows: Sequence[tuple[Cell, ...]]) -> list[date]:
    """The days of a trend's rows."""
    return [row[0] for row in rows if isinstance(row[0], date)]


def units_of(names: Mapping[str, str], code: str | None) -> str:
    """The name of a scope's unit."""
    return names.get(code or "province", code or "province")
