"""The web application: every package's routes behind one set of guards.

A package joins by offering `routes.py` with a `router` and a line in `ROUTERS`.
"""

from functools import cache
from importlib import import_module

from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine
from starlette.routing import BaseRoute

from core.database import make_engine
from crm_api import models
from crm_api.capture import failures
from crm_api.web import errors, middleware, openapi
from crm_api.web.metrics import Metrics
from crm_api.web.settings import WebSettings, get_web_settings

#: module:object of every router, in the order of the documentation.
ROUTERS: tuple[str, ...] = (
    "crm_api.identity.routes:router",
    "crm_api.identity.oidc_routes:router",
    "crm_api.customers.routes:router",
    "crm_api.customers.merge_routes:router",
    "crm_api.customers.group_routes:router",
    "crm_api.customers.tmf629:router",
    "crm_api.contacts.routes:router",
    "crm_api.contacts.wrap_up_routes:router",
    "crm_api.tickets.routes:router",
    "crm_api.routing.routes:router",
    "crm_api.routing.recording_routes:router",
    "crm_api.routing.dialler_routes:router",
    "crm_api.attachments.routes:router",
    "crm_api.sla.routes:router",
    "crm_api.suggestions.routes:router",
    "crm_api.suggestions.topic_routes:router",
    "crm_api.knowledge.routes:router",
    "crm_api.identity.admin_routes:router",
    "crm_api.audit.routes:router",
    "crm_api.webhooks.routes:router",
    "crm_api.subscriptions.routes:router",
    "crm_api.analysis.routes:router",
    "crm_api.scores.routes:router",
    "crm_api.campaigns.routes:router",
    "crm_api.capture.routes:router",
    "crm_api.web.health:router",
)

_DESCRIPTION = """The operational core of the customer platform.

Sign in at `POST /api/v1/session` (cookie, with `X-CSRF-Token` on changes) or send an API token as a bearer.
Failures are problem documents (RFC 9457). Lists page by cursor. Creating calls take an `Idempotency-Key`;
changes that could overwrite another's take `If-Match`. 429 and 503 say in `Retry-After` when to come back."""


def _router(name: str) -> APIRouter:
    module, _, attribute = name.partition(":")
    router: APIRouter = getattr(import_module(module), attribute)
    return router


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every route, made once a process: they hold nothing of an application, and making them is most of its start."""
    together = APIRouter()
    for name in ROUTERS:
        together.include_router(_router(name))
    return tuple(together.routes)


def create_app(engine: Engine | None = None, settings: WebSettings | None = None) -> FastAPI:
    """The application over `engine` (default: the configured store)."""
    configured = settings or get_web_settings()
    app = FastAPI(
        title="Broadcast CRM",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        routes=list(_routes()),
    )
    # Each request at work holds one connection while it waits for a thread: fewer connections would be a deadlock.
    app.state.engine = engine or make_engine(connections=configured.requests_at_once + 8)
    app.state.settings = configured
    app.state.metrics = Metrics()
    app.state.tables = models.Base.metadata
    errors.install(app)
    failures.install(app)
    openapi.install(app)
    metrics = app.state.metrics
    # The last added is the outermost. Bodies are read before a place is taken: a slow sender holds none.
    app.add_middleware(middleware.Shedding, settings=configured, metrics=metrics)
    app.add_middleware(middleware.Guarding, settings=configured)
    app.add_middleware(middleware.Limiting, settings=configured, metrics=metrics)
    app.add_middleware(middleware.Telling, metrics=metrics, phone_socket=configured.phone_socket)
    return app
