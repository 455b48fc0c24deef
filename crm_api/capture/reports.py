"""The page of reports: the archive with its search, who gets what, sendings that went wrong, what tells of the data."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.i18n import LANGUAGES
from core.settings import get_settings
from crm_api.capture.forms import Sent
from crm_api.capture.pages import render
from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.scope import visible_units
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.subscriptions import service
from crm_api.subscriptions.models import KINDS
from crm_api.subscriptions.routes import Form, report_file, settings_of_files
from crm_api.web.dependencies import DbSession, From, RowId, Web, requires

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.REPORT_READ)]
_SHOWN = 60


@router.get("/app/reports")
def reports(
    identity: Reader, session: DbSession, request: Request, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Written reports, subscriptions and the form to make one."""
    return _page(request, session, identity, q)


@router.post("/app/reports/subscriptions")
def subscribe(
    identity: Reader, session: DbSession, request: Request, settings: Web, origin: From, sent: Sent
) -> Response:
    """Send a report to an address from now on."""
    service.subscribe(
        session,
        actor=identity.actor,
        kind=sent.text("kind", longest=10) or "",
        unit_code=sent.text("unit", longest=40) or "",
        email=sent.text("email", longest=254) or "",
        language=sent.text("language", longest=8) or "",
        forms=sent.listed("forms"),
        allowed_domains=settings.report_domain_names,
        origin=origin,
    )
    return _page(request, session, identity)


@router.post("/app/reports/subscriptions/{subscription_id}/end")
def end(subscription_id: RowId, identity: Reader, session: DbSession, request: Request, origin: From) -> Response:
    """Send no more of it."""
    service.end(session, subscription_id, actor=identity.actor, origin=origin)
    return _page(request, session, identity)


@router.get("/app/reports/{name}/{form}", response_class=FileResponse)
def download(name: str, form: Form, identity: Reader, session: DbSession) -> FileResponse:
    """The file of a written report."""
    return report_file(service.archived(session, identity.actor, settings_of_files()), name, form)


@router.get("/app/checks/{page}", response_class=FileResponse)
def checks(
    page: Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,40}\.(zh-CN|en)\.html$")], identity: Reader
) -> FileResponse:
    """What the gates of the data said of a run (`index.<language>.html`: of all); rows of any city stand in it."""
    path = get_settings().home / "gates" / page
    if not identity.actor.is_province or not path.is_file():
        raise NotFoundError(f"There is no page of checks {page!r}.", "Open: /app/checks/index.zh-CN.html")
    # The page is ours and carries its styles; it runs nothing.
    policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-same-origin"
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": policy})


@router.get("/app/documents", response_class=FileResponse)
def documents(identity: Reader) -> FileResponse:
    """dbt's documents of the marts: every table with its description, tests and lineage; those written last."""
    pages = sorted(get_settings().published.glob("documents_*/index.html"))
    if not identity.actor.is_province or not pages:
        raise NotFoundError("There are no documents of the marts.", "The schedule writes them after each publication.")
    # dbt's page runs its own scripts: without this origin it has no session, and it may fetch and send nothing.
    policy = (
        "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "sandbox allow-scripts"
    )
    return FileResponse(pages[-1], media_type="text/html", headers={"Content-Security-Policy": policy})


def _page(request: Request, session: Session, identity: Identity, words: str = "") -> Response:
    units = select(OrgUnit).where(OrgUnit.id.in_(visible_units(identity.actor)), OrgUnit.kind.in_(("province", "city")))
    return render(
        request,
        session,
        identity,
        "reports.html",
        q=words,
        found=service.archived(session, identity.actor, settings_of_files(), words=words)[:_SHOWN],
        subscriptions=service.subscriptions(session, identity.actor),
        troubled=service.troubled(session, identity.actor),
        units=list(session.scalars(units.order_by(OrgUnit.sort_order, OrgUnit.id))),
        kinds=KINDS,
        languages=LANGUAGES,
        sees_checks=identity.actor.is_province,
        sees_documents=identity.actor.is_province and any(get_settings().published.glob("documents_*/index.html")),
    )
