"""Lists out as CSV or XLSX and outcomes back in: masked by role, audited, harmless to spreadsheets, safe to repeat."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.spreadsheet import harmless
from core.time import LOCAL, require_aware, to_local
from crm_api.audit.service import Origin, record
from crm_api.campaigns.dialling import record_outcome
from crm_api.campaigns.models import CallListEntry, Campaign, Offer
from crm_api.campaigns.reading import get_campaign
from crm_api.customers.masking import mask_number
from crm_api.customers.models import Customer, CustomerPhone
from crm_api.errors import InvalidError, NotAllowedError, RefusedError
from crm_api.identity.scope import scoped
from crm_api.organisation.models import OrgUnit

Format = Literal["csv", "xlsx"]
COLUMNS = (
    "entry",
    "planned_on",
    "rank",
    "branch",
    "customer",
    "name",
    "number",
    "offer",
    "score",
    "value_yuan",
    "state",
    "attempts",
    "outcome",
)
#: Columns of a file of outcomes; note may be missing.
IMPORTED = ("entry", "outcome", "called_at", "note")
_LONGEST_FILE = 20_000_000


@dataclass
class Imported:
    """What a file of outcomes brought: taken, known before, and refused with line and reason."""

    taken: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def export(
    session: Session,
    campaign_id: int,
    *,
    actor: Actor,
    kind: Format,
    may_reveal: bool = False,
    reason: str | None = None,
    origin: Origin | None = None,
) -> bytes:
    """The calls of an approved list as a file; the holdout is never in it. The act is audited with the rows it took.

    Names and numbers are masked; somebody who may reveal them and says why gets them in clear.

    Raises:
        NotFoundError: no such campaign in the actor's scope.
        NotAllowedError: the list is not approved, or clear numbers were asked for without the right.
    """
    campaign = get_campaign(session, campaign_id, actor)
    if campaign.state not in ("approved", "running", "finished"):
        raise NotAllowedError("The list is not approved.", "Have it reviewed and approved first.")
    if reason and not may_reveal:
        raise NotAllowedError("Your role sees numbers masked only.", "Leave the reason away, or ask a supervisor.")
    rows = [_shown(row, in_clear=bool(reason)) for row in _rows(session, campaign, actor)]
    details: dict[str, Any] = {"rows": len(rows), "format": kind, "in_clear": bool(reason)}
    subject = ("campaign", campaign.id)
    record(session, "campaign.exported", actor=actor, subject=subject, reason=reason, origin=origin, **details)
    return _csv(rows) if kind == "csv" else _xlsx(rows, campaign)


def _rows(session: Session, campaign: Campaign, actor: Actor) -> Iterator[Any]:
    seen = scoped(select(CallListEntry.id).where(CallListEntry.campaign_id == campaign.id), actor)
    statement = (
        select(CallListEntry, Customer, CustomerPhone, Offer, OrgUnit)
        .join(Customer, Customer.id == CallListEntry.customer_id)
        .join(CustomerPhone, CustomerPhone.id == CallListEntry.phone_id)
        .join(Offer, Offer.code == CallListEntry.offer_code)
        .join(OrgUnit, OrgUnit.id == CallListEntry.unit_id)
        .where(CallListEntry.id.in_(seen), CallListEntry.arm == "call", CallListEntry.state != "removed")
        .order_by(CallListEntry.planned_on, OrgUnit.sort_order, CallListEntry.rank)
    )
    yield from session.execute(statement)


def _shown(row: Any, *, in_clear: bool) -> list[Any]:
    entry: CallListEntry = row.CallListEntry
    name = row.Customer.name or ""
    return [
        entry.id,
        entry.planned_on.isoformat(),
        entry.rank,
        row.OrgUnit.name_zh,
        row.Customer.code,
        name if in_clear else name[:1] + "*" * max(0, len(name) - 1),
        row.CustomerPhone.e164.removeprefix("+") if in_clear else mask_number(row.CustomerPhone.e164),
        row.Offer.name_zh,
        round(entry.score, 4),
        entry.value_fen / 100,
        entry.state,
        entry.attempts,
        entry.outcome or "",
    ]


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([[harmless(value) for value in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(rows: list[list[Any]], campaign: Campaign) -> bytes:
    import xlsxwriter

    made = io.BytesIO()
    # Texts stay texts: nothing that a customer's name may hold becomes a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(made, options) as book:
        sheet = book.add_worksheet("list")
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, [harmless(value) for value in row])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(COLUMNS) - 1)
        book.set_properties({"title": campaign.code})
    return made.getvalue()


def import_outcomes(
    session: Session, campaign_id: int, content: bytes, *, actor: Actor, origin: Origin | None = None
) -> Imported:
    """Take in what came of calls made elsewhere; a file read twice changes nothing.

    Args:
        session: the caller's transaction.
        campaign_id: the campaign whose list was exported.
        content: CSV (UTF-8) or XLSX with the columns of IMPORTED; called_at as 2026-03-02 14:05, local time.
        actor: who brings it.
        origin: where the request came from.

    Raises:
        NotFoundError: no such campaign in the actor's scope.
        InvalidError: the file is not readable, too large or lacks a column.
    """
    campaign = get_campaign(session, campaign_id, actor)
    if len(content) > _LONGEST_FILE:
        raise InvalidError("The file is larger than 20 MB.", "Send it in parts.")
    own = scoped(select(CallListEntry.id).where(CallListEntry.campaign_id == campaign.id), actor)
    entries = frozenset(session.scalars(own))
    found = Imported()
    for line, row in enumerate(_read(content), start=2):
        try:
            _take(session, row, entries, actor, origin, found)
        except (RefusedError, ValueError) as error:
            found.refused.append((line, error.message if isinstance(error, RefusedError) else str(error)))
    details: dict[str, Any] = {"taken": found.taken, "known": found.known, "refused": len(found.refused)}
    subject = ("campaign", campaign.id)
    record(session, "campaign.outcomes_imported", actor=actor, subject=subject, origin=origin, **details)
    return found


def _take(
    session: Session,
    row: Mapping[str, str],
    entries: frozenset[int],
    actor: Actor,
    origin: Origin | None,
    found: Imported,
) -> None:
    entry_id = int(row["entry"])
    if entry_id not in entries:
        raise ValueError(f"entry {entry_id} is not on this list")
    called_at = _instant(row["called_at"])
    key = f"import-{called_at.isoformat()}"
    before = session.get_one(CallListEntry, entry_id).attempts
    record_outcome(
        session,
        entry_id,
        row["outcome"].strip(),
        actor=actor,
        external_id=key,
        now=called_at,
        note=(row.get("note") or None),
        origin=origin,
    )
    if session.get_one(CallListEntry, entry_id).attempts > before:
        found.taken += 1
    else:
        found.known += 1


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text.strip())
    return require_aware(value if value.tzinfo else value.replace(tzinfo=LOCAL))


def _read(content: bytes) -> Iterator[dict[str, str]]:
    rows = _sheet(content) if content.startswith(b"PK") else _lines(content)
    header = [name.strip() for name in next(rows, [])]
    missing = [name for name in IMPORTED if name not in header and name != "note"]
    if missing:
        raise InvalidError(f"The file has no column {missing[0]}.", f"Its columns are: {', '.join(IMPORTED)}.")
    for row in rows:
        if any(row):
            yield dict(zip(header, row, strict=False))


def _lines(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError("The file is not UTF-8 text.", "Save it as CSV UTF-8 or as XLSX.") from error
    yield from csv.reader(io.StringIO(text))


def _sheet(content: bytes) -> Iterator[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    except CalamineError as error:
        raise InvalidError("The file is not a readable XLSX workbook.", "Save it again, or as CSV UTF-8.") from error
    for row in sheet.iter_rows():
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def file_name(campaign: Campaign, kind: Format, at: datetime) -> str:
    """Name of an exported file."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in campaign.code)
    return f"{plain}-{to_local(at):%Y%m%d-%H%M}.{kind}"
