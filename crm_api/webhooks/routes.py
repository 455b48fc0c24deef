"""Webhooks, for administrators: who is told, and what became of it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints
from sqlalchemy import select

from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, Web, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import In, Out, Page
from crm_api.webhooks import service
from crm_api.webhooks.models import WebhookDelivery, WebhookEndpoint

router = APIRouter(prefix="/api/v1/webhooks", tags=["administration"])
Administrator = Annotated[Identity, requires(Permission.WEBHOOK_MANAGE)]
Event = Literal["contact.received", "contact.changed", "customer.changed", "customer.merged", "customer.merge_undone"]


class WebhookIn(In):
    """A new webhook."""

    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=9, max_length=500)] = Field(
        examples=["https://hooks.example.com/crm"]
    )
    events: list[Event] = Field(min_length=1, max_length=20, examples=[["contact.received"]])


class WebhookOut(Out):
    """A webhook, without its secret."""

    id: int
    url: str
    events: list[str]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class WebhookCreated(Out):
    """A new webhook with the secret that signs its events, shown this once."""

    webhook: WebhookOut
    secret: str


class DeliveryOut(Out):
    """One event on its way to one webhook."""

    id: int
    event_id: str
    event_type: str
    state: Literal["waiting", "delivered", "given_up"]
    attempts: int
    due_at: datetime
    delivered_at: datetime | None
    last_error: str | None


def _out(row: WebhookEndpoint) -> WebhookOut:
    plain = {name: getattr(row, name) for name in WebhookOut.model_fields if name != "events"}
    return WebhookOut(**plain, events=row.events.split())


@router.get("", responses=problems())
def list_webhooks(identity: Administrator, session: DbSession) -> list[WebhookOut]:
    """All webhooks, newest first."""
    rows = session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id.desc()).limit(200))
    return [_out(row) for row in rows]


@router.post("", status_code=201, response_model=WebhookCreated, responses=problems(409))
def create_webhook(
    body: WebhookIn, identity: Administrator, session: DbSession, settings: Web, origin: From, once: Idempotent
) -> Response:
    """Tell a URL of events from now on; its host must stand in CRM_WEBHOOK_HOSTS."""

    def produce() -> WebhookCreated:
        row = service.create_endpoint(
            session,
            url=body.url,
            events=list(body.events),
            actor=identity.actor,
            allowed_hosts=settings.webhook_host_names,
            origin=origin,
        )
        return WebhookCreated(webhook=_out(row), secret=row.secret)

    return once.run(produce, secret=True)


@router.delete("/{webhook_id}", status_code=204, responses=problems(404))
def disable_webhook(webhook_id: RowId, identity: Administrator, session: DbSession, origin: From) -> None:
    """Tell it no more; repeating it changes nothing."""
    service.disable_endpoint(session, webhook_id, actor=identity.actor, origin=origin)


@router.get("/{webhook_id}/deliveries", responses=problems(404))
def list_deliveries(webhook_id: RowId, identity: Administrator, session: DbSession, page: Paging) -> Page[DeliveryOut]:
    """What became of its events, newest first."""
    if session.get(WebhookEndpoint, webhook_id) is None:
        raise NotFoundError(f"There is no webhook {webhook_id}.")
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == webhook_id)
    rows, cursor = fetch_page(session, statement, keys=[WebhookDelivery.id], page=page, descending=True)
    return Page(items=[DeliveryOut.model_validate(row) for row in rows], next_cursor=cursor)
