"""The closed loop as data: read by whoever works in it, checked, edited and published by administrators."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Role
from crm_api.audit.service import record
from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import process_service
from crm_api.tickets.process import Guard, Requirement, Side
from crm_api.tickets.process_models import Process, ProcessVersion
from crm_api.tickets.schemas import TicketState
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import Code, In, Line, Name, Out

router = APIRouter(prefix="/api/v1/processes", tags=["processes"])
Reader = Annotated[Identity, requires(Permission.PROCESS_READ)]
Manager = Annotated[Identity, requires(Permission.PROCESS_MANAGE)]


class StateIn(In):
    """A node of the loop."""

    code: TicketState
    name_zh: Name = Field(examples=["处理中"])
    name_en: Name = Field(examples=["In progress"])
    side: Side
    target_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = Field(
        default=None, description="How long a ticket should stay there; NULL: no target"
    )


class StepIn(In):
    """A step that the roles may take."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    code: Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[a-z][a-z0-9_]*$")]
    kind: str = Field(max_length=16, description="Kind of the event that it writes", examples=["resolved"])
    sources: list[TicketState] = Field(alias="from", max_length=11)
    target: TicketState = Field(alias="to")
    roles: list[Role] = Field(max_length=12)
    requires: list[Requirement] = Field(default_factory=list, max_length=10)
    guards: list[Guard] = Field(default_factory=list, max_length=10)
    name_zh: Name
    name_en: Name


class DefinitionIn(In):
    """A whole process."""

    start: TicketState = Field(examples=["new"])
    states: list[StateIn] = Field(max_length=11)
    transitions: list[StepIn] = Field(max_length=100)


class PublishIn(In):
    """Why the version comes into force."""

    note: Line | None = Field(default=None, examples=["县分公司可退回省公司"])


class ProblemOut(Out):
    """Why the checker refuses a process; place is the code of the state or step."""

    code: str = Field(examples=["branch_closes"])
    place: str
    text_zh: str
    text_en: str


class VersionSummary(Out):
    """One version of a process."""

    id: int
    number: int
    status: Literal["draft", "active", "retired"]
    created_by: str
    created_at: datetime
    activated_at: datetime | None
    note: str | None


class VersionOut(VersionSummary):
    """A version with its definition, and what the checker says about it."""

    definition: dict[str, Any]
    problems: list[ProblemOut]


class ProcessOut(Out):
    """A process and its versions, newest first."""

    code: str
    name_zh: str
    name_en: str
    service_type_codes: list[str] = Field(description="Empty: every service type")
    versions: list[VersionSummary]


def _process(session: Session, process: Process) -> ProcessOut:
    rows = session.scalars(
        select(ProcessVersion)
        .where(ProcessVersion.process_code == process.code)
        .order_by(ProcessVersion.number.desc())
        .limit(200)
    )
    plain = {name: getattr(process, name) for name in ("code", "name_zh", "name_en", "service_type_codes")}
    return ProcessOut(**plain, versions=[VersionSummary.model_validate(row) for row in rows])


def _version(version: ProcessVersion) -> VersionOut:
    plain = {name: getattr(version, name) for name in VersionSummary.model_fields}
    found = process_service.problems_of(version.definition)
    return VersionOut(
        **plain, definition=version.definition, problems=[ProblemOut.model_validate(each) for each in found]
    )


@router.get("", responses=problems())
def list_processes(_identity: Reader, session: DbSession) -> list[ProcessOut]:
    """Every process: the first whose service types match takes a new ticket."""
    rows = session.scalars(select(Process).order_by(Process.sort_order, Process.code))
    return [_process(session, row) for row in rows]


@router.get("/versions/{version_id}", responses=problems(404))
def get_version(version_id: RowId, _identity: Reader, session: DbSession) -> VersionOut:
    """One version: its states and steps, as the monitor draws them."""
    version = session.get(ProcessVersion, version_id)
    if version is None:
        raise NotFoundError(f"There is no process version {version_id}.")
    return _version(version)


@router.post("/check", responses=problems())
def check_definition(body: DefinitionIn, _identity: Manager) -> list[ProblemOut]:
    """What the checker says about an edited process; nothing: it may be published."""
    found = process_service.problems_of(body.model_dump(by_alias=True))
    return [ProblemOut.model_validate(each) for each in found]


@router.put("/{process_code}/draft", responses=problems(404, 409))
def save_draft(
    process_code: Code, body: DefinitionIn, identity: Manager, session: DbSession, origin: From
) -> VersionOut:
    """Keep an edited process as its draft, sound or not; nothing follows it until it is published."""
    draft = process_service.save_draft(
        session, actor=identity.actor, process_code=process_code, document=body.model_dump(by_alias=True)
    )
    record(session, "process.drafted", actor=identity.actor, subject=("process_version", draft.id), origin=origin)
    return _version(draft)


@router.post("/versions/{version_id}/publish", responses=problems(404, 409))
def publish(version_id: RowId, body: PublishIn, identity: Manager, session: DbSession, origin: From) -> VersionOut:
    """Let new tickets follow this version. 422 unsound-process lists in extra.problems what the checker refuses."""
    version = process_service.activate(session, actor=identity.actor, version_id=version_id, note=body.note)
    record(
        session,
        "process.published",
        actor=identity.actor,
        subject=("process_version", version.id),
        reason=body.note,
        origin=origin,
    )
    return _version(version)
