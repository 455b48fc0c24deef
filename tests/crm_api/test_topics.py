"""Emerging topics: proposed by a scoring, named or waved off by a person, never shown twice; the page that asks."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.actor import Actor
from core.database import session_scope
from core.i18n import differences
from crm_api.audit.models import AuditEntry
from crm_api.errors import ConflictError, InvalidError
from crm_api.suggestions import topics
from crm_api.suggestions.models import EmergingTopic
from crm_api.suggestions.topics import Found, NewType
from crm_api.tickets.models import ComplaintType, Ticket
from tests.crm_api.world import World

Client = Callable[..., TestClient]
DAY = date(2026, 3, 3)
BOSS = Actor(username="boss", role="supervisor", unit_id=1, unit_kind="province")
REMOTE = Found(("语音遥控器", "失灵"), (1, 2, 3, 4, 5), DAY, DAY)
PARKING = Found(("停车收费",), (11, 12, 13, 14, 15, 16), DAY, DAY)


def waiting(session: Session) -> list[str]:
    return [row.terms[0] for row in topics.open_topics(session)]


def test_a_topic_is_named_once_enters_the_catalogue_and_is_audited(store: Engine) -> None:
    with session_scope(store) as session:
        assert topics.propose(session, [REMOTE, PARKING]) == 2
        parking, remote = topics.open_topics(session)
        assert remote.terms == ["语音遥控器", "失灵"]
        parent = session.scalars(select(ComplaintType.code).where(ComplaintType.level == 2).limit(1)).one()
        new = NewType("voice_remote", "语音遥控器失灵", "Voice remote fails", parent)
        named = topics.name(session, remote.id, actor=BOSS, new=new)
        made = session.get_one(ComplaintType, f"{parent}.voice_remote")
        assert (made.level, named.complaint_type_code) == (3, made.code)
        assert topics.named_tickets(session) == dict.fromkeys(REMOTE.tickets, made.code)
        with pytest.raises(ConflictError):
            topics.dismiss(session, remote.id, actor=BOSS)
        topics.dismiss(session, parking.id, actor=BOSS, note="节日")
        told = session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "topic")).all()
        assert sorted(told) == ["topic.dismissed", "topic.named"]


def test_what_was_decided_is_not_shown_again_and_what_was_not_is_replaced(store: Engine) -> None:
    with session_scope(store) as session:
        topics.propose(session, [REMOTE, PARKING])
        topics.dismiss(session, topics.open_topics(session)[0].id, actor=BOSS)
        grown = Found(("语音遥控器", "没反应"), (*REMOTE.tickets, 6, 7), DAY, DAY)
        again = Found(("路边停车",), (*PARKING.tickets, 17), DAY, DAY)
        assert topics.propose(session, [grown, again]) == 1
        assert waiting(session) == ["语音遥控器"]
        assert {row.state for row in session.scalars(select(EmergingTopic))} == {"open", "dismissed", "superseded"}


@pytest.mark.parametrize(
    ("code", "new"),
    [
        (None, None),
        ("nothing", None),
        (None, NewType("Ärger", "一", "one")),
        (None, NewType("x", " ", "one")),
        (None, NewType("x", "一", "one", "nothing")),
    ],
)
def test_a_name_that_cannot_be_is_refused(store: Engine, code: str | None, new: NewType | None) -> None:
    with session_scope(store) as session:
        topics.propose(session, [REMOTE])
        (topic,) = topics.open_topics(session)
        with pytest.raises(InvalidError):
            topics.name(session, topic.id, actor=BOSS, complaint_type_code=code, new=new)
        assert waiting(session) == ["语音遥控器"]


def test_the_page_names_a_topic_and_confirms_a_key_customer(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    engine, world = sqlite_world
    with session_scope(engine) as session:
        ticket = session.get_one(Ticket, world[("ticket", "own")])
        ticket.description = "遥控器说话没有反应，请打 138 9123 4567"
        topics.propose(session, [Found(("遥控器说话",), (ticket.id,), DAY, DAY)])
        (topic,) = topics.open_topics(session)
    boss, manager = web("supervisor"), web("baoji_manager")
    for browser in (boss, manager):
        browser.headers["HX-Request"] = "true"
        browser.cookies.set("crm_language", "zh-CN")
    shown = boss.get("/app/proposals").text
    assert "遥控器说话没有反应" in shown and "9123" not in shown
    assert "得分构成" in shown
    assert "遥控器说话" not in manager.get("/app/proposals").text
    path = f"/app/proposals/topics/{topic.id}"
    form = {"decision": "new", "slug": "voice_remote", "name_zh": "语音遥控", "name_en": "Voice remote"}
    assert manager.post(path, data=form).status_code == 403
    assert "已命名" in boss.post(path, data=form).text
    assert boss.get("/api/v1/emerging-topics").json() == []
    told = manager.post(f"/app/proposals/levels/{world[('proposal', 'own')]}", data={"decision": "accept"})
    assert "已确认" in told.text, told.text
    assert "gold" in boss.get(f"/app/customers/{world[('customer', 'own')]}").text


def test_both_languages_say_the_same() -> None:
    assert differences("crm_api.suggestions") == []
