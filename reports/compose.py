"""Compose a report's document from a publication, a scope, a period and a language."""

import pandas as pd

from core.display import change, instant_text, meets_target
from core.errors import CrmError
from core.i18n import Language, Texts, texts
from core.kpi import dictionary
from core.periods import Period
from core.scope import Scope
from core.time import utc_now
from reports import sections
from reports.changes import Contribution, of_count, of_ratio
from reports.document import Document, Headline, Section
from reports.periods import ReportPeriod
from reports.sentences import count_changed, ratio_changed
from reports.source import Source, number
from warehouse.publication import Publication

HEADLINES = (
    "contacts", "sl_negative", "abandon_rate", "asa_seconds", "aht_seconds", "seat_utilisation", "tickets",
    "complaints", "first_response_met", "resolution_met", "fcr", "satisfaction",
)  # fmt: skip


class StaleDataError(CrmError):
    """The publication does not reach to the end of the report's period."""

    exit_code = 3
    can_pass = True


def require_fresh(source: Source, period: ReportPeriod) -> None:
    """Refuse a period that the publication does not cover to its end.

    Raises:
        StaleDataError: figures end before the period's last day.
    """
    text = texts("reports", source.language)
    last = source.last_complete_day()
    if last is None or last < period.period.last:
        through = last.isoformat() if last else text("none")
        raise StaleDataError(text("stale.body", through=through, last=period.period.last.isoformat()))


def compose(publication: Publication, scope: Scope, period: ReportPeriod, language: Language) -> Document:
    """The report of a period as a scope sees it.

    Raises:
        StaleDataError: the publication's figures end before the period does.
    """
    source, text = Source(publication, scope, language), texts("reports", language)
    require_fresh(source, period)
    names = source.names("units")
    scope_name = sections.units_of(names, scope.city_code)
    now, before = period.period, period.before
    trend = sections.trend(source, text, period.trend)
    lines = headlines(source, period)
    title = text("title", kind=text(f"kind.{period.kind}"), scope=scope_name, period=period_text(period, text))
    return Document(
        period=period,
        language=language,
        city_code=scope.city_code,
        scope_name=scope_name,
        title=title,
        summary=_summary(lines, text),
        headlines=lines,
        sections=(
            why(source, text, now, before, names),
            trend,
            sections.channels(source, text, now, before),
            sections.complaints(source, text, now, before),
            sections.seats(source, text, now),
            sections.loop(source, text, now, before),
            sections.league(source, text, now),
        ),
        run_id=publication.run_id,
        data_through=publication.data_through,
        written_at=utc_now(),
        quality=_quality(source, text, period, trend),
    )


def period_text(period: ReportPeriod, text: Texts) -> str:
    """The period in words."""
    first, last = period.period.first, period.period.last
    return (
        text(
            f"period.{period.kind}",
            first=first.isoformat(),
            last=last.isoformat(),
            weekday=text(f"weekday.{first.isoweekday()}"),
        )
        if period.kind == "daily"
        else text(f"period.{period.kind}", first=first.isoformat(), last=last.isoformat())
    )


def compared_text(period: ReportPeriod, text: Texts) -> str:
    """What the period is compared with, in words."""
    before = period.before
    values = {"first": before.first.isoformat()}
    if period.kind != "daily":
        values["last"] = before.last.isoformat()
    return text(f"compared.{period.kind}", **values)


def headlines(source: Source, period: ReportPeriod) -> tuple[Headline, ...]:
    """The headline KPIs with their comparisons and the course of the days drawn."""
    known, language = dictionary(), source.language
    now, before, year = (source.totals(days, HEADLINES) for days in (period.period, period.before, period.year_before))
    days = source.kpis(period.trend, HEADLINES, by=("day",))
    days = days[days["day"].notna()].sort_values("day")
    # A period without any contact lies outside the data: nothing to compare with.
    before, year = (past if past["contacts"] else dict.fromkeys(HEADLINES) for past in (before, year))
    return tuple(
        Headline(
            code=code,
            name=known[code].name(language),
            formula=known[code].formula(language),
            figure=known[code],
            value=now[code],
            before=before[code],
            year_before=year[code],
            change=change(known[code], now[code], before[code], language),
            year_change=change(known[code], now[code], year[code], language),
            meets=meets_target(known[code], now[code]),
            course=tuple(number(value) for value in days[code]),
        )
        for code in HEADLINES
    )


def _summary(lines: tuple[Headline, ...], text: Texts) -> tuple[str, ...]:
    judged = [line for line in lines if line.meets is not None]
    if not judged:
        return (text("summary.none"),)
    missed = [line.name for line in judged if not line.meets]
    if not missed:
        return (text("summary.all_met"),)
    met = text("summary.met", met=len(judged) - len(missed), all=len(judged))
    return met, text("summary.missed", names=text("change.and").join(missed))


def why(source: Source, text: Texts, now: Period, before: Period, units: dict[str, str]) -> Section:
    """The largest contributions to the changes of contacts, service level and complaints, in words."""
    found = [
        _contacts(source, text, now, before, units),
        _service(source, text, now, before),
        _complaints(source, text, now, before, units),
    ]
    said = tuple(sentence for sentence in found if sentence)
    return Section(
        "why", text("section.why"), text("note.why") if said else "", sentences=said or (text("change.nothing"),)
    )


def _counts(table: pd.DataFrame, key: str, value: str) -> dict[str, float]:
    sums = table.groupby(key)[value].sum()
    return {str(code): float(count) for code, count in sums.items()}


def _contacts(source: Source, text: Texts, now: Period, before: Period, units: dict[str, str]) -> str | None:
    kpi = dictionary()["contacts"]
    groups, totals = [], (0.0, 0.0)
    for by in ("channel", "city") if source.scope.is_province else ("channel",):
        parts = [_counts(source.kpis(days, ["contacts"], by=(by,)), by, "contacts") for days in (now, before)]
        totals = (sum(parts[0].values()), sum(parts[1].values()))
        groups.append((text(f"by.{by}"), of_count(*parts)))
    names = source.names("channels") | units
    return count_changed(text, kpi, kpi.name(text.language), *totals, groups, names)


def _complaints(source: Source, text: Texts, now: Period, before: Period, units: dict[str, str]) -> str | None:
    kpi = dictionary()["complaints"]
    found, past = source.complaints(now), source.complaints(before)
    keys = [("type", "code"), *([("city", "city_code")] if source.scope.is_province else [])]
    groups = [
        (text(f"by.{by}"), of_count(_counts(found, key, "complaints"), _counts(past, key, "complaints")))
        for by, key in keys
    ]
    names = units | {
        str(code): str(name) for table in (past, found) for code, name in zip(table["code"], table["name"], strict=True)
    }
    totals = float(found["complaints"].sum()), float(past["complaints"].sum())
    return count_changed(text, kpi, kpi.name(text.language), *totals, groups, names)


def _service(source: Source, text: Texts, now: Period, before: Period) -> str | None:
    kpi = dictionary()["sl_negative"]
    both = [_service_by_queue(source, days) for days in (now, before)]
    groups: list[tuple[str, list[Contribution]]] = [(text("by.queue"), of_ratio(*both))]
    ratios = [sum(n for n, _ in part.values()) / sum(d for _, d in part.values()) for part in both if part]
    if len(ratios) < 2:
        return None
    return ratio_changed(text, kpi, kpi.name(text.language), ratios[0], ratios[1], groups, source.names("queues"))


def _service_by_queue(source: Source, days: Period) -> dict[str, tuple[float, float]]:
    table = source.kpis(days, ["sl_negative", "offered"], by=("queue",))
    table = table[table["offered"].fillna(0) > 0]
    return {
        str(row["queue"]): (float(row["sl_negative"]) * float(row["offered"]), float(row["offered"]))
        for row in table.to_dict("records")
    }


def _quality(source: Source, text: Texts, period: ReportPeriod, trend: Section) -> tuple[str, ...]:
    publication, now = source.publication, period.period
    through = instant_text(publication.data_through) if publication.data_through else text("none")
    said = [
        text(
            "quality.through", through=through, run=publication.run_id, published=instant_text(publication.published_at)
        )
    ]
    warned = sum(1 for gate in publication.gates if not gate.get("holds", True))
    said.append(text("quality.held", count=warned) if warned else text("quality.gates", count=len(publication.gates)))
    totals = source.totals(now, ["contacts", "rejected"])
    if totals["rejected"]:
        said.append(text("quality.rejected", count=f"{totals['rejected']:,.0f}"))
    unknown = source.kpis(now, ["contacts"], by=("city",))
    lost = float(unknown.loc[unknown["city"] == "unknown", "contacts"].sum())
    if lost and totals["contacts"]:
        said.append(text("quality.unknown_city", count=f"{lost:,.0f}", share=f"{lost / totals['contacts']:.1%}"))
    if not source.totals(period.before, ["contacts"])["contacts"]:
        said.append(text("quality.first_period"))
    if len(sections.day_cells(trend.rows)) < period.trend.days:
        said.append(text("quality.partial"))
    return tuple(said)
