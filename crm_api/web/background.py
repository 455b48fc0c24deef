"""What the application does beside its requests: webhooks on their way, and forgetting what is over."""

from datetime import timedelta
from threading import Event
from time import monotonic

from sqlalchemy import Engine, delete
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import session_scope
from core.time import utc_now
from crm_api.exchange import service as exchange
from crm_api.identity.models import LoginThrottle, OidcAttempt, UserSession
from crm_api.web.idempotency import forget_old_keys
from crm_api.web.settings import WebSettings
from crm_api.webhooks.models import WebhookDelivery
from crm_api.webhooks.service import deliver_due
from crm_api.worker.patience import Patience
from crm_api.worker.reminders import remind

_KEPT = timedelta(days=30)
_TIDY_SECONDS = 3600.0


def tidy(session: Session) -> None:
    """Delete sessions and deliveries that ended a month ago, and throttles, attempts and keys that are over."""
    now = utc_now()
    forget_old_keys(session)
    session.execute(delete(UserSession).where(UserSession.expires_at < now - _KEPT))
    session.execute(delete(OidcAttempt).where(OidcAttempt.expires_at < now))
    session.execute(delete(LoginThrottle).where(LoginThrottle.window_started_at < now - timedelta(days=1)))
    ended = WebhookDelivery.state != "waiting"
    session.execute(delete(WebhookDelivery).where(ended, WebhookDelivery.due_at < now - _KEPT))


def work_round(engine: Engine, settings: WebSettings) -> int:
    """Send webhooks that are due, remind of callbacks, exchange with other systems; how many webhooks arrived."""
    with session_scope(engine) as session:
        remind(session)
    exchange.work_round(engine)
    return deliver_due(engine, settings.webhook_host_names)


def work(engine: Engine, settings: WebSettings, stop: Event, *, interval: float = 1.0) -> None:
    """Rounds until `stop`; beside the worker's own thread, so that a slow receiver delays no escalation."""
    tidied, patience = float("-inf"), Patience("webhooks and exchange", interval)
    while not patience.wait(stop):
        try:
            work_round(engine, settings)
            if monotonic() - tidied > _TIDY_SECONDS:
                with session_scope(engine) as session:
                    tidy(session)
                tidied = monotonic()
        except OperationalError as error:
            patience.failed(error.orig)
        else:
            patience.worked()
