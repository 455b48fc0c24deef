"""Report subscriptions and the archive of written reports."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse
from pydantic import Field, StringConstraints

from core.report_archive import FORMS, Archived
from core.settings import Settings, get_settings
from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.subscriptions import service
from crm_api.subscriptions.models import ReportSubscription
from crm_api.web.dependencies import DbSession, From, RowId, Web, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.schemas import In, Out

router = APIRouter(prefix="/api/v1", tags=["reports"])
Reader = Annotated[Identity, requires(Permission.REPORT_READ)]
Kind = Literal["daily", "weekly", "monthly"]
Form = Literal["html", "pdf", "xlsx"]
MEDIA = {
    "html": "text/html",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_MOST = 200


class SubscriptionIn(In):
    """A report for an address."""

    kind: Kind
    unit: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(examples=["province"])
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)] = Field(
        examples=["manager@example.com"]
    )
    language: Literal["zh-CN", "en"] = "zh-CN"
    forms: list[Literal["pdf", "xlsx"]] = Field(default=["pdf", "xlsx"], max_length=2)


class SubscriptionOut(Out):
    """A running subscription."""

    id: int
    kind: Kind
    unit: str
    email: str
    language: str
    forms: list[str]
    created_by: str
    created_at: datetime


class ReportOut(Out):
    """A written report."""

    name: str
    kind: Kind
    period: str
    unit: str
    language: str
    title: str
    run_id: str
    written_at: datetime


def _out(row: ReportSubscription) -> SubscriptionOut:
    plain = {name: getattr(row, name) for name in ("id", "kind", "email", "language", "created_by", "created_at")}
    return SubscriptionOut(**plain, unit=row.unit.code, forms=row.forms.split())


def _report(entry: Archived) -> ReportOut:
    plain = {name: getattr(entry, name) for name in ReportOut.model_fields if name != "unit"}
    return ReportOut(**plain, unit=entry.city_code or "province")


def report_file(entries: list[Archived], name: str, form: str) -> FileResponse:
    """The file of a report among those that its reader may see; NotFoundError otherwise."""
    for entry in entries:
        if entry.name == name and form in FORMS and entry.file(form).is_file():
            file = entry.file(form)
            headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
            return FileResponse(file, media_type=MEDIA[form], filename=file.name, headers=headers)
    raise NotFoundError(f"There is no report {name}.{form}.")


def settings_of_files() -> Settings:
    """Where the archive lies."""
    return get_settings()


@router.get("/report-subscriptions", responses=problems())
def list_subscriptions(identity: Reader, session: DbSession) -> list[SubscriptionOut]:
    """The running subscriptions of one's units."""
    return [_out(row) for row in service.subscriptions(session, identity.actor)]


@router.post("/report-subscriptions", status_code=201, response_model=SubscriptionOut, responses=problems(404, 409))
def subscribe(
    body: SubscriptionIn, identity: Reader, session: DbSession, settings: Web, origin: From, once: Idempotent
) -> Response:
    """Send a report of one's province or city to an address; the same again changes only its forms."""

    def produce() -> SubscriptionOut:
        row = service.subscribe(
            session,
            actor=identity.actor,
            kind=body.kind,
            unit_code=body.unit,
            email=body.email,
            language=body.language,
            forms=body.forms,
            allowed_domains=settings.report_domain_names,
            origin=origin,
        )
        session.refresh(row)
        return _out(row)

    return once.run(produce)


@router.delete("/report-subscriptions/{subscription_id}", status_code=204, responses=problems(404))
def end_subscription(subscription_id: RowId, identity: Reader, session: DbSession, origin: From) -> None:
    """Send no more of it; repeating it changes nothing."""
    service.end(session, subscription_id, actor=identity.actor, origin=origin)


@router.get("/reports", responses=problems())
def list_reports(
    identity: Reader,
    session: DbSession,
    kind: Kind | None = None,
    words: Annotated[str, Query(max_length=200, description="All of them must occur.")] = "",
) -> list[ReportOut]:
    """Written reports of one's unit, the newest period first, at most 200."""
    found = service.archived(session, identity.actor, settings_of_files(), words=words, kind=kind)
    return [_report(entry) for entry in found[:_MOST]]


@router.get("/reports/{name}/{form}", response_class=FileResponse, responses=problems(404))
def download_report(name: str, form: Form, identity: Reader, session: DbSession) -> FileResponse:
    """The file of a written report."""
    return report_file(service.archived(session, identity.actor, settings_of_files()), name, form)
