"""Subscribe, end, and hand each due report to one sender only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import session_scope
from core.i18n import LANGUAGES
from core.report_archive import Archived, find
from core.settings import Settings
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.errors import InvalidError, NotFoundError
from crm_api.identity.scope import scope_rule, scoped, visible_units
from crm_api.organisation.models import OrgUnit
from crm_api.subscriptions.models import KINDS, ReportDelivery, ReportSubscription

FORMS = ("pdf", "xlsx")
#: A sender that took a report and died before it spoke to the mail server has lost it after this long.
LEASE = timedelta(minutes=15)
_EMAIL = re.compile(r"[^@\s<>\",;:\\()\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


@scope_rule(ReportSubscription)
def _of_unit(actor: Actor) -> ColumnElement[bool]:
    return ReportSubscription.unit_id.in_(visible_units(actor))


@dataclass(frozen=True)
class Claim:
    """A report that this sender alone may send now."""

    delivery_id: int
    email: str
    forms: tuple[str, ...]


def subscriptions(session: Session, actor: Actor) -> list[ReportSubscription]:
    """The running subscriptions of the units that `actor` sees."""
    rows = scoped(select(ReportSubscription), actor).where(ReportSubscription.ended_at.is_(None))
    return list(
        session.scalars(rows.order_by(ReportSubscription.kind, ReportSubscription.email, ReportSubscription.id))
    )


def subscribe(
    session: Session, *, actor: Actor, kind: str, unit_code: str, email: str, language: str, forms: Sequence[str],
    allowed_domains: frozenset[str] = frozenset(), origin: Origin | None = None,
) -> ReportSubscription:  # fmt: skip
    """Send a unit's report to an address from now on; the same again changes only its forms.

    Raises:
        InvalidError: an unknown kind, language or form, no address, or a unit that has no report.
        NotFoundError: a unit that `actor` does not see.
    """
    address = email.strip().lower()
    _require("kind", kind, KINDS)
    _require("language", language, LANGUAGES)
    for form in forms:
        _require("forms", form, FORMS)
    if len(address) > 254 or not _EMAIL.fullmatch(address):
        raise InvalidError(f"email is {email!r}.", "Write one address, e.g. name@example.com.")
    domain = address.rpartition("@")[2]
    if allowed_domains and domain not in allowed_domains:
        raise InvalidError(f"email is at {domain}, where reports may not go.", "Allowed: CRM_REPORT_DOMAINS.")
    unit = session.scalar(select(OrgUnit).where(OrgUnit.code == unit_code, OrgUnit.id.in_(visible_units(actor))))
    if unit is None:
        raise NotFoundError(f"There is no unit {unit_code!r}.")
    if unit.kind == "county":
        raise InvalidError(f"unit is {unit_code!r}, a county.", "Reports are of the province or of a city.")
    row = session.scalar(
        select(ReportSubscription).where(
            ReportSubscription.kind == kind, ReportSubscription.unit_id == unit.id, ReportSubscription.email == address,
            ReportSubscription.language == language, ReportSubscription.ended_at.is_(None),
        )
    )  # fmt: skip
    chosen = " ".join(form for form in FORMS if form in forms)
    if row is None:
        row = ReportSubscription(
            kind=kind,
            unit_id=unit.id,
            email=address,
            language=language,
            created_by=actor.username,
            created_at=utc_now(),
        )
        session.add(row)
    row.forms = chosen
    session.flush()
    record(session, "report.subscribed", actor=actor, subject=("report_subscription", row.id), origin=origin,
           kind=kind, unit=unit_code, language=language)  # fmt: skip
    return row


def end(session: Session, subscription_id: int, *, actor: Actor, origin: Origin | None = None) -> None:
    """Send no more of it; repeating it changes nothing. NotFoundError if `actor` sees no such subscription."""
    row = session.scalar(scoped(select(ReportSubscription), actor).where(ReportSubscription.id == subscription_id))
    if row is None:
        raise NotFoundError(f"There is no subscription {subscription_id}.")
    if row.ended_at is None:
        row.ended_at = utc_now()
        record(session, "report.unsubscribed", actor=actor, subject=("report_subscription", row.id), origin=origin)


def _require(field: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InvalidError(f"{field} is {value!r}.", f"Take one of {', '.join(known)}.")


def wanted(session: Session, kind: str) -> list[tuple[int, str | None, str]]:
    """What is subscribed of a kind: (unit id, city code or None for the province, language), each once."""
    rows = session.scalars(
        select(ReportSubscription).where(ReportSubscription.kind == kind, ReportSubscription.ended_at.is_(None))
    )
    found = {(row.unit_id, None if row.unit.kind == "province" else row.unit.code, row.language) for row in rows}
    return sorted(found, key=lambda each: (each[1] or "", each[2]))


def claim(
    engine: Engine, *, kind: str, period: str, unit_id: int, language: str, now: datetime | None = None
) -> list[Claim]:
    """Take the sendings of a report that nobody has made or is making; a second caller gets none of them.

    A sender that died before it spoke to the mail server loses its claim after LEASE; one that died while the server
    was taking the mail does not: the report may have arrived, and a person is told instead (state `handed`).
    """
    now, claims = now or utc_now(), []
    with session_scope(engine) as session:
        rows = session.scalars(
            select(ReportSubscription).where(
                ReportSubscription.kind == kind, ReportSubscription.unit_id == unit_id,
                ReportSubscription.language == language, ReportSubscription.ended_at.is_(None),
            )
        ).all()  # fmt: skip
        found = [(row.id, row.email, tuple(row.forms.split())) for row in rows]
    for subscription_id, email, forms in found:
        key = {"kind": kind, "period": period, "unit_id": unit_id, "language": language, "email": email}
        delivery_id = _claim_one(engine, subscription_id, key, now)
        if delivery_id is not None:
            claims.append(Claim(delivery_id, email, forms))
    return claims


def _claim_one(engine: Engine, subscription_id: int, key: dict[str, object], now: datetime) -> int | None:
    try:
        with session_scope(engine) as session:
            row = ReportDelivery(subscription_id=subscription_id, claimed_at=now, attempts=1, state="claimed", **key)
            session.add(row)
            session.flush()
            return row.id
    except IntegrityError:
        pass
    with session_scope(engine) as session:
        again = (
            update(ReportDelivery)
            .where(*(getattr(ReportDelivery, name) == value for name, value in key.items()))
            .where(ReportDelivery.state == "claimed", ReportDelivery.claimed_at <= now - LEASE)
            .values(claimed_at=now, attempts=ReportDelivery.attempts + 1)
            .returning(ReportDelivery.id)
        )
        taken: int | None = session.scalar(again)
        return taken


def mark(engine: Engine, delivery_id: int, state: str, *, run_id: str | None = None, error: str | None = None) -> None:
    """Write down how far a sending got; a `claimed` with an error is given back, to be taken again at once."""
    now = utc_now()
    values: dict[str, object] = {"state": state, "error": error[:300] if error else None}
    if run_id:
        values["run_id"] = run_id
    if state == "sent":
        values["sent_at"] = now
    if state == "claimed":
        values["claimed_at"] = now - LEASE
    with session_scope(engine) as session:
        session.execute(update(ReportDelivery).where(ReportDelivery.id == delivery_id).values(**values))


def troubled(session: Session, actor: Actor) -> list[ReportDelivery]:
    """Sendings that failed, or of which it isn't known whether they arrived, newest first."""
    rows = select(ReportDelivery).where(
        or_(
            ReportDelivery.state == "failed",
            (ReportDelivery.state == "handed") & (ReportDelivery.claimed_at <= utc_now() - LEASE),
        ),
        ReportDelivery.unit_id.in_(visible_units(actor)),
    )
    return list(session.scalars(rows.order_by(ReportDelivery.id.desc()).limit(50)))


def archived(
    session: Session, actor: Actor, settings: Settings, *, words: str = "", kind: str | None = None
) -> list[Archived]:
    """Written reports that `actor` may read, newest first: the province all, others their city's."""
    if actor.is_province:
        return find(settings, kind=kind, words=words)
    codes = session.scalars(
        select(OrgUnit.code).where(OrgUnit.id.in_(visible_units(actor)), OrgUnit.kind == "city")
    ).all()
    return [entry for entry in find(settings, kind=kind, words=words) if entry.city_code in codes]
