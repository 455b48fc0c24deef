"""Annotations of days on the pages' timelines, and each person's saved views."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field, StringConstraints

from crm_api.analysis import service
from crm_api.analysis.models import Annotation
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.schemas import Code, In, Out

router = APIRouter(prefix="/api/v1", tags=["reports"])
Reader = Annotated[Identity, requires(Permission.REPORT_READ)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Param = Annotated[str, StringConstraints(max_length=200)]


class AnnotationIn(In):
    """What happened on which days, in the province or a city."""

    unit: Code = Field(examples=["province"])
    first_day: date
    last_day: date | None = Field(default=None, description="NULL: the first day alone")
    text: Text = Field(examples=["城区光缆中断"])


class AnnotationOut(Out):
    """An annotation."""

    id: int
    unit: str
    first_day: date
    last_day: date
    text: str
    created_by: str
    created_at: datetime


class ViewIn(In):
    """A page and its parameters under a name."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    page: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    params: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")], Param] = Field(max_length=20)


class ViewOut(Out):
    """A saved view."""

    id: int
    name: str
    page: str
    params: dict[str, str]
    saved_at: datetime


def _out(row: Annotation) -> AnnotationOut:
    plain = {name: getattr(row, name) for name in AnnotationOut.model_fields if name != "unit"}
    return AnnotationOut(**plain, unit=row.unit.code)


@router.get("/annotations", responses=problems())
def list_annotations(
    identity: Reader,
    session: DbSession,
    first: Annotated[date, Query(description="First day")],
    last: Annotated[date, Query(description="Last day")],
    unit: Annotated[Code | None, Query(description="NULL: of every unit that one sees")] = None,
) -> list[AnnotationOut]:
    """What was written about these days in one's units and for the province, the newest first, at most 500."""
    return [_out(row) for row in service.annotations(session, identity.actor, first=first, last=last, unit_code=unit)]


@router.post("/annotations", status_code=201, response_model=AnnotationOut, responses=problems(404, 409))
def annotate(body: AnnotationIn, identity: Reader, session: DbSession, origin: From, once: Idempotent) -> Response:
    """Write what happened; everybody of the unit sees it on the timelines, the province's everybody."""
    return once.run(
        lambda: _out(
            service.annotate(
                session,
                actor=identity.actor,
                unit_code=body.unit,
                first=body.first_day,
                last=body.last_day or body.first_day,
                text=body.text,
                origin=origin,
            )
        )
    )


@router.delete("/annotations/{annotation_id}", status_code=204, responses=problems(404))
def end_annotation(annotation_id: RowId, identity: Reader, session: DbSession, origin: From) -> None:
    """Show it no longer."""
    service.end(session, annotation_id, actor=identity.actor, origin=origin)


@router.get("/saved-views", responses=problems())
def list_views(identity: Reader, session: DbSession) -> list[ViewOut]:
    """One's own views by name."""
    return [ViewOut.model_validate(row) for row in service.saved_views(session, identity.user_id)]


@router.post("/saved-views", status_code=201, response_model=ViewOut, responses=problems(409))
def save_view(body: ViewIn, identity: Reader, session: DbSession, once: Idempotent) -> Response:
    """Keep a page with its parameters; the same name again replaces it."""

    def produce() -> ViewOut:
        row = service.save_view(session, user_id=identity.user_id, name=body.name, page=body.page, params=body.params)
        return ViewOut.model_validate(row)

    return once.run(produce)


@router.delete("/saved-views/{view_id}", status_code=204, responses=problems(404))
def forget_view(view_id: RowId, identity: Reader, session: DbSession) -> None:
    """Keep one's view no longer."""
    service.forget_view(session, view_id, user_id=identity.user_id)
