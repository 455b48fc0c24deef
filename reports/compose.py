"""Compose a report's document from a publication, a scope, a period and a language."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from core.display import Change, change, instant_text, meets_target
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

#: From this share of running clocks on a rate within target is said to be unfinished, and is no longer judged.
WORTH_SAYING, PROVISIONAL = 0.005, 0.1
#: A time of which no figures are.
NO_DAYS = Period(date(2000, 1, 1), date(2000, 1, 1))
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
    now, before = period.period, _past(source, period.before)
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
        quality=_quality(source, text, period, trend, lines),
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
    past = (_past(source, days) for days in (period.before, period.year_before))
    now, before, year = (source.totals(days, HEADLINES) for days in (period.period, *past))
    course = source.kpis(period.trend, HEADLINES, by=("day",))
    course = course[course["day"].notna()].sort_values("day")
    unfinished = source.unfinished(period.period)
    running = {"first_response_met": unfinished.unanswered, "resolution_met": unfinished.unresolved}
    shares = {code: unfinished.share(count) for code, count in running.items()}
    is_provisional = {code: shares.get(code, 0) >= PROVISIONAL for code in HEADLINES}
    text = texts("reports", language)

    def changed(code: str, past: Mapping[str, float | None]) -> Change:
        # The clocks that ended first are the quick ones: such a rate says nothing yet of the period.
        return Change("", "off") if is_provisional[code] else change(known[code], now[code], past[code], language)

    return tuple(
        Headline(
            code=code,
            name=known[code].name(language),
            formula=known[code].formula(language),
            figure=known[code],
            value=now[code],
            before=before[code],
            year_before=year[code],
            change=changed(code, before),
            year_change=changed(code, year),
            meets=None if is_provisional[code] else meets_target(known[code], now[code]),
            note=text("provisional", share=f"{shares[code]:.0%}") if is_provisional[code] else "",
            course=tuple(number(value) for value in course[code]),
        )
        for code in HEADLINES
    )


def _past(source: Source, period: Period) -> Period:
    """The period compared with; without any day where the data hold it only in part, or not at all."""
    return period if source.covers(period) else NO_DAYS


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


def _quality(
    source: Source, text: Texts, period: ReportPeriod, trend: Section, lines: tuple[Headline, ...]
) -> tuple[str, ...]:
    publication, now = source.publication, period.period
    through = instant_text(publication.data_through) if publication.data_through else text("none")
    said = [
        text(
            "quality.through", through=through, run=publication.run_id, published=instant_text(publication.published_at)
        )
    ]
    warned = sum(1 for gate in publication.gates if not gate.get("holds", True))
    said.append(text("quality.held", count=warned) if warned else text("quality.gates", count=len(publication.gates)))
    running = source.unfinished(now)
    if (share := running.share(running.unresolved)) >= WORTH_SAYING:
        numbers = {"count": f"{running.unresolved:,}", "share": f"{share:.1%}", "late": f"{running.late:,}"}
        said.append(text("quality.unresolved", **numbers))
    if any(line.code == "fcr" and line.value is None for line in lines):
        said.append(text("quality.fcr"))
    totals = source.totals(now, ["contacts", "rejected"])
    if totals["rejected"]:
        said.append(text("quality.rejected", count=f"{totals['rejected']:,.0f}"))
    unknown = source.kpis(now, ["contacts"], by=("city",))
    lost = float(unknown.loc[unknown["city"] == "unknown", "contacts"].sum())
    if lost and totals["contacts"]:
        said.append(text("quality.unknown_city", count=f"{lost:,.0f}", share=f"{lost / totals['contacts']:.1%}"))
    if not source.covers(period.before):
        said.append(text("quality.first_period"))
    if len(sections.day_cells(trend.rows)) < period.trend.days:
        said.append(text("quality.partial"))
    return tuple(said)
