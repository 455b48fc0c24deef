"""`crm report`: write the reports of a period, and send them to their subscribers, each once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import BadInputError, CrmError
from core.settings import Settings, get_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reports.archive import Written
    from reports.mail import MailSettings, Outgoing
    from reports.periods import ReportPeriod

_DAY = click.DateTime(formats=["%Y-%m-%d"])
Tell = Callable[[str], None]


class ReportsWaitError(CrmError):
    """Some reports were not sent yet: their data, or the mail server, are awaited."""

    can_pass = True


@dataclass
class Sent:
    """What became of a round of sendings: `failed` holds every trouble, `waiting` those that a later round mends."""

    written: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def write_report(
    kind: str, city: str | None, language: str, *, day: date | None = None, settings: Settings | None = None,
    into: Path | None = None,
) -> "Written":  # fmt: skip
    """Write one report into the archive (or `into`) in every form.

    Args:
        kind: daily, weekly or monthly.
        city: a city's code; None: the province.
        language: zh-CN or en.
        day: a day of the period; None: the last whole period that the data cover.
        settings: of the installation.
        into: another folder than the archive.

    Raises:
        StaleDataError: the data end before the period does.
        BadInputError: no such kind or city, or nothing to report on.
    """
    from core.i18n import as_language
    from core.scope import Scope
    from reports.archive import write
    from reports.compose import compose
    from reports.periods import as_kind, last_whole, period_with
    from reports.source import Source
    from warehouse.publication import current

    spoken = as_language(language)
    if spoken is None:
        raise BadInputError(f"--language is {language!r}.", "It is zh-CN or en.")
    publication = current(settings)
    source = Source(publication, Scope(city), spoken)
    if city is not None and city not in source.cities():
        raise BadInputError(f"There is no city {city!r}.", f"Known: {', '.join(source.cities())}.")
    last = source.last_complete_day()
    if day is None and last is None:
        raise BadInputError("The published marts hold no figures yet.", "Run crm pipeline once there are contacts.")
    chosen = as_kind(kind)
    period = period_with(chosen, day) if day else last_whole(chosen, last or date.min)
    return write(compose(publication, Scope(city), period, spoken), settings, into)


def send_reports(
    kind: str, *, day: date | None = None, settings: Settings | None = None, tell: Tell = lambda _line: None
) -> Sent:
    """Write what is subscribed and send it, each (report, recipient, period) once however often this runs.

    Without fresh data a report isn't sent: the round says so, and a later one sends it.

    Raises:
        BadInputError: no mail server is configured.
    """
    from core.database import make_engine, session_scope
    from crm_api.subscriptions.service import wanted
    from reports.mail import MailSettings

    mail = MailSettings()
    if not mail.host:
        raise BadInputError(
            "CRM_SMTP_HOST is empty: there is no mail server.", "Set CRM_SMTP_HOST and CRM_SMTP_SENDER."
        )
    settings = settings or get_settings()
    engine, done = make_engine(url=settings.store_url), Sent()
    with session_scope(engine) as session:
        reports = wanted(session, kind)
    for unit_id, city, language in reports:
        _send_one(engine, mail, settings, (kind, city, language, unit_id), day, done, tell)
    return done


def _send_one(
    engine: "Engine", mail: "MailSettings", settings: Settings, what: tuple[str, str | None, str, int],
    day: date | None, done: Sent, tell: Tell,
) -> None:  # fmt: skip
    from crm_api.subscriptions.service import claim
    from reports.mail import compose_mail

    kind, city, language, unit_id = what
    name = f"{kind} {city or 'province'} {language}"
    period = _period_of(kind, day, settings)
    if not _is_covered(period, city, settings):
        done.stale.append(f"{name} {period.key}")
        tell(f"{name} {period.key}: the data don't reach to the end of the period; not sent.")
        _say_stale(engine, mail, settings, what, period, done)
        return
    claims = claim(engine, kind=kind, period=period.key, unit_id=unit_id, language=language)
    if not claims:
        return
    written = write_report(kind, city, language, day=period.period.first, settings=settings)
    done.written.append(written.entry.name)
    for each in claims:
        outgoing = compose_mail(written, each.email, each.forms, mail)
        if _hand_over(engine, mail, each.delivery_id, outgoing, done, written.entry.run_id):
            done.sent.append(f"{each.email}: {written.entry.title}")
            tell(f"{written.entry.title} → {each.email}")


def _hand_over(
    engine: "Engine", mail: "MailSettings", delivery_id: int, outgoing: "Outgoing", done: Sent, run_id: str | None
) -> bool:
    """Send one mail and write down how far it got."""
    from crm_api.subscriptions.service import mark
    from reports.mail import MailRefusedError, send

    try:
        send(outgoing, mail, handed=lambda: mark(engine, delivery_id, "handed"))
    except MailRefusedError as error:
        mark(engine, delivery_id, "failed", error=error.message)
        done.failed.append(f"{outgoing.to}: {error.message}")
        return False
    except CrmError as error:
        mark(engine, delivery_id, "claimed", error=error.message)
        done.waiting.append(outgoing.to)
        done.failed.append(f"{outgoing.to}: {error.message}")
        return False
    mark(engine, delivery_id, "sent", run_id=run_id)
    return True


def _say_stale(
    engine: "Engine", mail: "MailSettings", settings: Settings, what: tuple[str, str | None, str, int],
    period: "ReportPeriod", done: Sent,
) -> None:  # fmt: skip
    """Tell the subscribers once that their report waits for its data."""
    from core.i18n import texts
    from crm_api.subscriptions.service import claim
    from reports.compose import period_text
    from reports.mail import compose_notice

    kind, city, language, unit_id = what
    text = texts("reports", "en" if language == "en" else "zh-CN")
    through = _covered_to(city, settings)
    title = f"{text(f'kind.{kind}')} · {period_text(period, text)}"
    body = text("stale.body", through=through or text("none"), last=period.period.last.isoformat())
    for each in claim(engine, kind=kind, period=f"{period.key}!", unit_id=unit_id, language=language):
        notice = compose_notice(text("stale.subject", title=title), body, each.email, mail)
        _hand_over(engine, mail, each.delivery_id, notice, done, None)


def _period_of(kind: str, day: date | None, settings: Settings) -> "ReportPeriod":
    """The period that a schedule means: with `day`, or the last one that is over today."""
    from datetime import timedelta

    from core.time import to_local, utc_now
    from reports.periods import as_kind, last_whole, period_with

    chosen = as_kind(kind)
    return period_with(chosen, day) if day else last_whole(chosen, to_local(utc_now()).date() - timedelta(days=1))


def _covered_to(city: str | None, settings: Settings) -> "date | None":
    from core.errors import NotPublishedError
    from core.scope import Scope
    from reports.source import Source
    from warehouse.publication import current

    try:
        return Source(current(settings), Scope(city), "en").last_complete_day()
    except NotPublishedError:
        return None


def _is_covered(period: "ReportPeriod", city: str | None, settings: Settings) -> bool:
    last = _covered_to(city, settings)
    return last is not None and last >= period.period.last


@click.command()
@click.argument("kind", type=click.Choice(["daily", "weekly", "monthly"]))
@click.option("--city", default=None, help="A city's code, e.g. baoji; without: the province.")
@click.option("--day", type=_DAY, help="A day of the period; without: the last whole one that the data cover.")
@click.option("--language", default=None, help="zh-CN or en; without: the installation's.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Another folder than the archive.")
@click.option("--send", "is_sent", is_flag=True, help="Write and send what is subscribed of this kind.")
def report(
    kind: str, city: str | None, day: datetime | None, language: str | None, out: Path | None, is_sent: bool
) -> None:
    """Write a KPI report (HTML, PDF, XLSX) from the published marts; --send: to its subscribers, each once."""
    settings = get_settings()
    if is_sent:
        if city or out or language:
            raise BadInputError("--send takes what is subscribed.", "Leave --city, --language and --out out.")
        done = send_reports(kind, day=day.date() if day else None, settings=settings, tell=click.echo)
        click.echo(f"{len(done.sent)} sent, {len(done.failed)} failed, {len(done.stale)} without fresh data.")
        for line in done.failed:
            click.echo(f"  {line}", err=True)
        if done.failed:
            raise SystemExit(1)
        return
    written = write_report(
        kind, city, language or settings.language, day=day.date() if day else None, settings=settings, into=out
    )
    for form in ("html", "pdf", "xlsx"):
        click.echo(written.entry.file(form))
