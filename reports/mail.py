"""A report as one e-mail over SMTP: HTML with its pictures, the plain words beside it, files attached."""

import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from html.parser import HTMLParser

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import CrmError
from core.i18n import texts
from core.time import utc_now
from reports.archive import Written

_MEDIA = {
    "pdf": ("application", "pdf"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
#: Seconds waited before each further try of a server that is away or asks to come back.
WAITS = (2.0, 10.0, 30.0)
_PATIENCE = 30.0


class MailSettings(BaseSettings):
    """The mail server; every field is the environment variable CRM_SMTP_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_SMTP_", extra="ignore")

    host: str = Field(default="", description="Mail server; empty: reports are written, not sent.")
    port: int = Field(default=25, ge=1, le=65535)
    security: str = Field(default="none", pattern="^(none|starttls|tls)$", description="none, starttls or tls.")
    username: str = ""
    password_file: str = Field(default="", description="File that holds the password.")
    sender: str = Field(default="crm@localhost", description="The address that reports come from.")


class MailRefusedError(CrmError):
    """The server refused the mail for good: another try would be refused as well."""


class MailUnavailableError(CrmError):
    """The server is away, or took nothing in several tries."""

    can_pass = True


@dataclass(frozen=True)
class Outgoing:
    """A mail and whom it goes to."""

    message: EmailMessage
    to: str


def compose_mail(written: Written, to: str, forms: Sequence[str], settings: MailSettings) -> Outgoing:
    """The e-mail of a report for one address; the same report for the same address has the same Message-ID."""
    entry = written.entry
    text = texts("reports", "en" if entry.language == "en" else "zh-CN")
    message = _envelope(entry.title, to, f"{entry.name}", settings)
    footer = text("mail.why_you", email=to)
    # Lines of any length pass every server only encoded.
    message.set_content(f"{_plain(written.mail)}\n\n{footer}\n", cte="base64")
    html = written.mail.replace(
        "</body>",
        f'<div style="font-size:11px;color:#6B7280;text-align:center;padding:10px">{_escaped(footer)}</div></body>',
    )
    message.add_alternative(html, subtype="html", cte="base64")
    parts = message.get_payload()
    page = parts[1] if isinstance(parts, list) else message
    for picture in written.pictures:
        page.add_related(picture.content, "image", "png", cid=f"<{picture.content_id}>")  # type: ignore[union-attr]  # a part of a mail is a message
    for form in forms:
        main, sub = _MEDIA[form]
        file = entry.file(form)
        message.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    return Outgoing(message, to)


def compose_notice(subject: str, body: str, to: str, settings: MailSettings) -> Outgoing:
    """A short plain mail, e.g. that a report waits for its data."""
    message = _envelope(subject, to, subject + body, settings)
    message.set_content(body + "\n", cte="base64")
    return Outgoing(message, to)


def send(
    mail: Outgoing, settings: MailSettings, *, handed: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:  # fmt: skip
    """Give a mail to the server; tries again where that can help.

    Args:
        mail: what to send.
        settings: of the server.
        handed: called just before the server gets the content; after it a crash leaves it unknown whether it arrived.
        sleep: waits between tries.

    Raises:
        MailRefusedError: the server refuses the sender, the recipient or the content for good (5xx).
        MailUnavailableError: it was away, or said "later" (4xx), in every try.
    """
    trouble: Exception | None = None
    for wait in (0.0, *WAITS):
        sleep(wait)
        try:
            _send_once(mail, settings, handed)
        except smtplib.SMTPResponseException as error:
            if error.smtp_code >= 500:
                raise MailRefusedError(
                    f"The mail server refuses {mail.to}: {error.smtp_code} {_said(error.smtp_error)}"
                ) from error
            trouble = error
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            trouble = error
        else:
            return
    raise MailUnavailableError(
        f"The mail server {settings.host}:{settings.port} took nothing: {trouble}.",
        "Check CRM_SMTP_*; the next run tries again.",
    ) from trouble


def _send_once(mail: Outgoing, settings: MailSettings, handed: Callable[[], None]) -> None:
    context = ssl.create_default_context()
    server: smtplib.SMTP = (
        smtplib.SMTP_SSL(settings.host, settings.port, timeout=_PATIENCE, context=context)
        if settings.security == "tls"
        else smtplib.SMTP(settings.host, settings.port, timeout=_PATIENCE)
    )
    with server:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.username:
            server.login(settings.username, _password(settings))
        server.ehlo_or_helo_if_needed()
        for code, said in (server.mail(settings.sender), server.rcpt(mail.to)):
            if code >= 400:
                raise smtplib.SMTPResponseException(code, said)
        handed()
        code, said = server.data(mail.message.as_bytes())
        if code >= 400:
            raise smtplib.SMTPDataError(code, said)


def _password(settings: MailSettings) -> str:
    from pathlib import Path

    return Path(settings.password_file).read_text(encoding="utf-8").strip() if settings.password_file else ""


def _said(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _envelope(subject: str, to: str, identity: str, settings: MailSettings) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    local, _, domain = to.rpartition("@")
    message["Subject"] = " ".join(subject.split())
    message["From"] = settings.sender
    message["To"] = str(Address(username=local, domain=domain))
    message["Date"] = format_datetime(utc_now())
    digest = sha256(f"{identity}\n{to}".encode()).hexdigest()[:40]
    message["Message-ID"] = f"<{digest}@{settings.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


class _Words(HTMLParser):
    """The words of the HTML, a line a block, for readers without HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._skipped = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipped = tag in ("style", "title")
        if tag == "tr":
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words and not self._skipped:
            self.lines[-1:] = [f"{self.lines[-1]}  {words}".strip()] if self.lines else [words]


def _plain(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    return "\n".join(line for line in parser.lines if line)


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
