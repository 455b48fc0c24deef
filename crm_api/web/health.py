"""Health for the supervisor of the process, and metrics for Prometheus."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import text

from crm_api.identity.permissions import Permission
from crm_api.store import require_ready
from crm_api.web.dependencies import public, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import Out

router = APIRouter(tags=["operation"])


class Health(Out):
    """The process is up (healthz), or it and its store are (readyz)."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", dependencies=[public])
def healthz() -> Health:
    """Whether the process answers; says nothing about the store."""
    return Health()


@router.get("/readyz", dependencies=[public], responses=problems())
def readyz(request: Request) -> Health:
    """Whether the store answers and is at this program's revision; 503 otherwise."""
    engine = request.app.state.engine
    require_ready(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return Health()


@router.get("/metrics", response_class=PlainTextResponse, responses=problems())
def metrics(request: Request, _: Annotated[object, requires(Permission.METRICS_READ)]) -> Response:
    """Measurements in Prometheus' text format; an API token of scope metrics:read suits."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")
