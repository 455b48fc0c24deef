"""Each report reaches each subscriber once, over a real SMTP server."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from cli.report import send_reports
from core.actor import Actor
from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.organisation.models import OrgUnit
from crm_api.subscriptions.models import ReportDelivery
from crm_api.subscriptions.service import LEASE, claim, subscribe
from tests.dashboards.marts import LAST
from tests.servers import free_port


class Inbox:
    """Takes mail; refuses one address for good and another for now."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, Message]] = []
        self.is_busy = False

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == "gone@example.com":
            return "550 no such person"
        if self.is_busy:
            return "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails += [(to, message_from_bytes(envelope.content)) for to in envelope.rcpt_tos]
        return "250 OK"


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    handler, port = Inbox(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("CRM_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("CRM_SMTP_PORT", str(port))
    monkeypatch.setattr("reports.mail.WAITS", (0.0,))
    yield handler
    controller.stop()


@pytest.fixture
def subscribed(home: Settings, sqlite_url: str) -> Settings:
    """A home in whose store a manager's and a city's address have subscribed."""
    assert sqlite_url == home.store_url
    engine = make_engine(url=sqlite_url)
    with session_scope(engine) as session:
        province = session.scalars(select(OrgUnit).where(OrgUnit.kind == "province")).one()
        actor = Actor("manager", "manager", province.id, "province")
        for unit, email, language, forms in (
            ("province", "Boss@Example.com", "zh-CN", ("pdf", "xlsx")),
            ("baoji", "baoji@example.com", "en", ("pdf",)),
        ):
            subscribe(session, actor=actor, kind="weekly", unit_code=unit, email=email, language=language, forms=forms)
    return home


def _states(settings: Settings) -> dict[str, str]:
    with session_scope(make_engine(url=settings.store_url)) as session:
        return {row.email: row.state for row in session.scalars(select(ReportDelivery).order_by(ReportDelivery.id))}


def test_once_however_often(subscribed: Settings, inbox: Inbox) -> None:
    for _ in range(3):
        send_reports("weekly", day=LAST, settings=subscribed)
    assert sorted(to for to, _ in inbox.mails) == ["baoji@example.com", "boss@example.com"]
    mails = dict(inbox.mails)
    attached = {to: [part.get_filename() for part in mail.walk() if part.get_filename()] for to, mail in mails.items()}
    assert [name.rpartition(".")[2] for name in attached["boss@example.com"] if name] == ["pdf", "xlsx"]
    assert [name.rpartition(".")[2] for name in attached["baoji@example.com"] if name] == ["pdf"]
    html = next(part for part in mails["baoji@example.com"].walk() if part.get_content_type() == "text/html")
    body = html.get_payload(decode=True)
    assert isinstance(body, bytes) and "Baoji" in body.decode() and "Xi&#39;an" not in body.decode()
    assert _states(subscribed) == {"boss@example.com": "sent", "baoji@example.com": "sent"}


def test_a_server_that_is_busy_is_asked_again_later(subscribed: Settings, inbox: Inbox) -> None:
    inbox.is_busy = True
    assert len(send_reports("weekly", day=LAST, settings=subscribed).failed) == 2
    inbox.is_busy = False
    assert len(send_reports("weekly", day=LAST, settings=subscribed).sent) == 2
    assert len(inbox.mails) == 2


def test_a_refused_address_is_not_tried_again(subscribed: Settings, inbox: Inbox) -> None:
    with session_scope(make_engine(url=subscribed.store_url)) as session:
        province = session.scalars(select(OrgUnit).where(OrgUnit.kind == "province")).one()
        actor = Actor("manager", "manager", province.id, "province")
        gone = {"email": "gone@example.com", "language": "zh-CN", "forms": ()}
        subscribe(session, actor=actor, kind="weekly", unit_code="province", **gone)  # type: ignore[arg-type]  # as each case sets
    done = send_reports("weekly", day=LAST, settings=subscribed)
    assert len(done.failed) == 1, done.failed
    (failure,) = done.failed
    assert "550 no such person" in failure
    again = send_reports("weekly", day=LAST, settings=subscribed)
    assert (again.sent, again.failed) == ([], [])
    assert _states(subscribed)["gone@example.com"] == "failed"


def test_stale_data_are_said_once_and_the_report_follows(subscribed: Settings, inbox: Inbox) -> None:
    after = LAST + timedelta(days=7)
    for _ in range(2):
        done = send_reports("weekly", day=after, settings=subscribed)
        assert len(done.stale) == 2 and not done.sent
    assert len(inbox.mails) == 2
    subjects = {to: str(mail["Message-ID"]) for to, mail in inbox.mails}
    assert len(set(subjects.values())) == 2
    send_reports("weekly", day=LAST, settings=subscribed)
    assert len(inbox.mails) == 4


def test_two_senders_never_get_the_same_claim(subscribed: Settings) -> None:
    engine = make_engine(url=subscribed.store_url)
    with session_scope(engine) as session:
        unit_id = session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "province")).one()
    key = {"kind": "weekly", "period": "2026-W45", "unit_id": unit_id, "language": "zh-CN"}
    (first,) = claim(engine, **key)  # type: ignore[arg-type]  # as each case sets
    assert claim(engine, **key) == []  # type: ignore[arg-type]  # as each case sets
    # The first sender died before it spoke to the server: after the lease another may send.
    with session_scope(engine) as session:
        row = session.get_one(ReportDelivery, first.delivery_id)
        row.claimed_at -= LEASE
    assert [each.delivery_id for each in claim(engine, **key)] == [first.delivery_id]  # type: ignore[arg-type]  # as each case sets
