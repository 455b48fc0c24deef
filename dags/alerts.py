"""Tell people of failed and late runs, by mail and webhook, with the check that failed and its rows."""

import json
import logging
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import CrmError

if TYPE_CHECKING:
    from airflow.sdk import Context

_LOG = logging.getLogger("crm.alerts")
_PATIENCE_SECONDS = 10


class AlertSettings(BaseSettings):
    """Who is told; every field is the environment variable CRM_ALERT_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_ALERT_", extra="ignore")

    emails: str = Field(default="", description="Addresses, separated by blanks.")
    webhook: str = Field(default="", description="An http(s) address that gets the alert as JSON.")


def told_of_failure(context: "Context") -> None:
    """Airflow's callback for a task that failed for good; of a gate that stays held people do not hear each time."""
    from dags.held import tell_of_hold

    instance = context["task_instance"]
    error = context.get("exception")
    if tell_of_hold(f"{error}"):
        return
    page = "publicationheld" if "gate" in f"{error}".lower() else "schedulefailed"
    tell(f"{instance.dag_id}.{instance.task_id} failed", f"Run {context.get('run_id', '–')}:\n\n{error}", page=page)


def told_of_delay(context: "Context") -> None:
    """Airflow's callback for a run that failed: of one that took too long nobody was told by its tasks."""
    if "timed_out" in str(context.get("reason", "")):
        run = context.get("dag_run")
        tell(
            f"{getattr(run, 'dag_id', 'a schedule')} is late",
            f"Run {getattr(run, 'run_id', '–')} was not over in time.",
            page="schedulelate",
        )


def tell(subject: str, body: str, settings: AlertSettings | None = None, *, page: str = "") -> list[str]:
    """Send an alert to everybody configured; what went wrong with the telling is logged and returned, never raised.

    `page` is the section of docs/operations.md that says what to do.
    """
    settings = settings or AlertSettings()
    body = f"{body}\n\nWhat to do: docs/operations.md#{page}" if page else body
    troubles = [trouble for address in settings.emails.split() if (trouble := _mail(address, subject, body))]
    if settings.webhook and (trouble := _post(settings.webhook, subject, body)):
        troubles.append(trouble)
    for trouble in troubles:
        _LOG.error("an alert was not delivered: %s", trouble)
    return troubles


def delivered(subject: str, body: str, *, page: str) -> bool:
    """Send an alert; whether anybody got it (or nobody is configured), so that it need not be repeated."""
    settings = AlertSettings()
    asked = len(settings.emails.split()) + bool(settings.webhook)
    return len(tell(subject, body, settings, page=page)) < max(asked, 1)


def _mail(address: str, subject: str, body: str) -> str | None:
    from reports.mail import MailSettings, compose_notice, send

    settings = MailSettings()
    if not settings.host:
        return f"{address}: CRM_SMTP_HOST is empty"
    try:
        send(compose_notice(f"[CRM] {subject}", body, address, settings), settings)
    except CrmError as error:
        return f"{address}: {error.message}"
    return None


def _post(url: str, subject: str, body: str) -> str | None:
    if urlsplit(url).scheme not in ("http", "https"):
        return f"CRM_ALERT_WEBHOOK is {url!r}, not an http address"
    content = json.dumps({"subject": subject, "text": body}, ensure_ascii=False).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS):  # noqa: S310 - checked above
            return None
    except OSError as error:
        return f"{url}: {error}"
