"""Telling other systems: events are written with the change itself and sent afterwards, until they arrive."""

import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import create_connection
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import session_scope
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.errors import InvalidError, NotFoundError
from crm_api.identity.secrets import new_token
from crm_api.webhooks.models import WebhookDelivery, WebhookEndpoint
from crm_api.webhooks.targets import Target, check_url, resolve

#: What other systems may be told of.
EVENTS = (
    "contact.received",
    "contact.changed",
    "customer.changed",
    "customer.merged",
    "customer.merge_undone",
    "ticket.created",
    "ticket.changed",
    "ticket.state_changed",
    "complaint.created",
    "complaint.closed",
    "ticket.escalated",
)
_WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25), timedelta(hours=2), timedelta(hours=10))
_LEASE = timedelta(minutes=2)
_PATIENCE_SECONDS = 10
_AT_ONCE = 20

Send = Callable[[Target, bytes, dict[str, str]], int]


def create_endpoint(
    session: Session, *, url: str, events: list[str], actor: Actor, allowed_hosts: frozenset[str], origin: Origin | None
) -> WebhookEndpoint:
    """Tell `url` of `events` from now on; the row's secret signs them.

    Raises:
        InvalidError: an unknown event, or a URL that may not be called.
    """
    unknown = [name for name in events if name not in EVENTS]
    if unknown:
        raise InvalidError(f"There is no event {unknown[0]!r}.", f"Take some of {', '.join(EVENTS)}.")
    host, _, _ = check_url(url, allowed_hosts)
    row = WebhookEndpoint(
        url=url, events=" ".join(events), secret=new_token(), created_at=utc_now(), created_by=actor.username
    )
    session.add(row)
    session.flush()
    record(
        session, "webhook.created", actor=actor, subject=("webhook", row.id), origin=origin, host=host, events=events
    )
    return row


def disable_endpoint(session: Session, endpoint_id: int, *, actor: Actor, origin: Origin | None) -> None:
    """Tell it no more; what waits is given up. NotFoundError if there is none."""
    row = session.get(WebhookEndpoint, endpoint_id)
    if row is None:
        raise NotFoundError(f"There is no webhook {endpoint_id}.")
    if row.disabled_at is None:
        row.disabled_at = utc_now()
        waiting = update(WebhookDelivery).where(
            WebhookDelivery.endpoint_id == row.id, WebhookDelivery.state == "waiting"
        )
        session.execute(waiting.values(state="given_up", last_error="switched off"))
        record(session, "webhook.disabled", actor=actor, subject=("webhook", row.id), origin=origin)


def publish(session: Session, event: str, data: dict[str, Any]) -> int:
    """Queue an event for whoever wants it, in the caller's transaction; how many deliveries.

    `data` holds ids and codes, never personal data: receivers fetch the rest with a token.
    """
    endpoints = session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.disabled_at.is_(None))).all()
    wanting = [endpoint for endpoint in endpoints if event in endpoint.events.split()]
    if not wanting:
        return 0
    now, event_id = utc_now(), str(uuid4())
    cloud_event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "crm",
        "type": event,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    body = json.dumps(cloud_event, ensure_ascii=False)
    session.add_all(
        WebhookDelivery(endpoint_id=endpoint.id, event_id=event_id, event_type=event, body=body, due_at=now)
        for endpoint in wanting
    )
    return len(wanting)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The header CRM-Signature: HMAC-SHA256 over "timestamp.body"."""
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={mac}"


class _Pinned(HTTPSConnection):
    """TLS for the host's name, over a connection to the address that was checked."""

    def __init__(self, target: Target) -> None:
        self._trust = ssl.create_default_context()
        super().__init__(target.host, target.port, timeout=_PATIENCE_SECONDS, context=self._trust)
        self._address = target.address

    def connect(self) -> None:
        """Connect to the checked address, whatever the name leads to by now."""
        plain = create_connection((self._address, self.port), timeout=_PATIENCE_SECONDS)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


def send(target: Target, body: bytes, headers: dict[str, str]) -> int:
    """POST once; the answer's status. Redirects are answers like others."""
    connection: HTTPConnection = _Pinned(target)
    try:
        connection.request("POST", target.path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def deliver_due(engine: Engine, allowed_hosts: frozenset[str], *, through: Send = send) -> int:
    """Send what is due, at most 20; how many arrived. Safe to run twice at once: what is being sent is leased."""
    now, arrived = utc_now(), 0
    with session_scope(engine) as session:
        due = select(WebhookDelivery.id).where(WebhookDelivery.state == "waiting", WebhookDelivery.due_at <= now)
        waiting = session.scalars(due.order_by(WebhookDelivery.due_at, WebhookDelivery.id).limit(_AT_ONCE)).all()
    for delivery_id in waiting:
        arrived += _deliver(engine, delivery_id, allowed_hosts, through)
    return arrived


def _deliver(engine: Engine, delivery_id: int, allowed_hosts: frozenset[str], through: Send) -> bool:
    now = utc_now()
    with session_scope(engine) as session:
        lease = update(WebhookDelivery).where(
            WebhookDelivery.id == delivery_id, WebhookDelivery.state == "waiting", WebhookDelivery.due_at <= now
        )
        taken = session.execute(lease.values(due_at=now + _LEASE).returning(WebhookDelivery.id)).first()
        if taken is None:
            return False
        row = session.get_one(WebhookDelivery, delivery_id)
        endpoint = session.get_one(WebhookEndpoint, row.endpoint_id)
        body, url, secret = row.body.encode(), endpoint.url, endpoint.secret
    error = _attempt(url, body, secret, allowed_hosts, through)
    with session_scope(engine) as session:
        row = session.get_one(WebhookDelivery, delivery_id)
        row.attempts += 1
        if error is None:
            row.state, row.delivered_at, row.last_error = "delivered", utc_now(), None
        else:
            row.last_error = error[:300]
            if row.attempts > len(_WAITS):
                row.state = "given_up"
            else:
                row.due_at = utc_now() + _WAITS[row.attempts - 1]
    return error is None


def _attempt(url: str, body: bytes, secret: str, allowed_hosts: frozenset[str], through: Send) -> str | None:
    headers = {
        "Content-Type": "application/cloudevents+json",
        "CRM-Signature": signature(secret, int(utc_now().timestamp()), body),
        "User-Agent": "broadcast-crm",
    }
    try:
        status = through(resolve(url, allowed_hosts), body, headers)
    except InvalidError as error:
        return error.message
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    return None if 200 <= status < 300 else f"answered {status}"
