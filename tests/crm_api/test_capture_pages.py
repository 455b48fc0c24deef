"""What the frontend's newer pages do for their readers, without a browser: merging, editing together, many at once."""

import html
import re
from datetime import timedelta
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import session_scope
from core.time import utc_now
from crm_api.capture.drawing import PLACES, draw_loop
from crm_api.capture.models import Callback
from crm_api.contacts import wrap_up
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.customers.models import Customer
from crm_api.sla.models import SlaChange, SlaPolicy
from crm_api.suggestions.models import ComplaintSuggestion
from crm_api.suggestions.port import SOCKET
from crm_api.tickets import relations, service
from crm_api.tickets.comments import comment
from crm_api.tickets.follow_up import record_call
from crm_api.tickets.models import Ticket
from crm_api.tickets.process_models import ProcessVersion
from crm_api.tickets.process_service import active_version, definition_of
from crm_api.worker.reminders import remind
from crm_api.workforce.models import Queue
from tests.crm_api.conftest import Client, actor_named
from tests.crm_api.world import PEOPLE, World, add_customer

SWAP = {"HX-Request": "true"}
PAGE = {"Accept": "text/html"}


@pytest.fixture
def engine(sqlite_world: tuple[Engine, World]) -> Engine:
    """The store behind `web`."""
    return sqlite_world[0]


@pytest.fixture
def ids(sqlite_world: tuple[Engine, World]) -> World:
    """The rows of the small world."""
    return sqlite_world[1]


def _open(engine: Engine, username: str = "supervisor", **values: Any) -> int:
    plain = {"channel_code": "voice", "service_type_code": "complaint", "title": "无图像"}
    with session_scope(engine) as session:
        return service.create(session, actor=actor_named(engine, username), values=plain | values).id


def _step(engine: Engine, username: str, ticket_id: int, step: str, **fields: Any) -> None:
    with session_scope(engine) as session:
        actor = actor_named(engine, username)
        service.transition(session, actor=actor, ticket_id=ticket_id, step=step, fields=fields)


def _ticket(engine: Engine, ticket_id: int) -> Ticket:
    with session_scope(engine) as session:
        return session.get_one(Ticket, ticket_id)


# The process


def _form_of(page: str) -> dict[str, list[str]]:
    """What a browser would send of the process' form."""

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.sent: dict[str, list[str]] = {}
            self.box = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            name, value = given.get("name"), given.get("value") or ""
            if tag == "select":
                self.box = name or ""
            elif tag == "option" and "selected" in given and self.box:
                self.sent.setdefault(self.box, []).append(value)
            elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
                self.sent.setdefault(name, []).append(value)

    reader = Reader()
    reader.feed(page[page.index('<form id="process"') : page.index("</form>", page.index('<form id="process"'))])
    return reader.sent


def test_the_loop_is_drawn_with_every_state_and_way(engine: Engine) -> None:
    with session_scope(engine) as session:
        definition = definition_of(session, active_version(session, service_type_code="complaint").id)
    drawing = draw_loop(definition, problem_places=["approve"])
    assert {box.state.code for box in drawing.boxes} == set(PLACES)
    drawn = {(edge.source, edge.target) for edge in drawing.edges}
    expected = {(source, step.target) for step in definition.transitions for source in step.sources}
    assert drawn == {pair for pair in expected if pair[1] != "cancelled"}
    assert [edge.source for edge in drawing.edges if edge.has_problem] == ["in_review"]
    assert all(0 <= box.x < drawing.width and 0 <= box.y < drawing.height for box in drawing.boxes)


def test_a_process_is_checked_as_it_is_edited_and_no_unsound_one_comes_into_force(web: Client, engine: Engine) -> None:
    boss = web("boss")
    boss.cookies.set("crm_language", "en")
    sent = _form_of(boss.get("/app/process", headers=SWAP).text)
    rows = {sent[f"step.{row}.code"][0]: row for row in sent["step"]}
    branch = sent | {f"step.{rows['close']}.roles": ["branch_handler"]}
    found = boss.post("/app/process/look", data=branch, headers=SWAP)
    assert 'data-problem="branch_closes"' in found.text
    assert re.search(r'id="step-at-close"[^>]*>[^<]*Only the province', found.text), "told beside the step, too"
    stuck = sent | {f"step.{rows['approve']}.roles": [], f"step.{rows['reject']}.roles": []}
    assert 'data-problem="dead_end"' in boss.post("/app/process/look", data=stuck, headers=SWAP).text
    refused = boss.post("/app/process/activate", data=branch, headers=SWAP)
    assert refused.status_code == 422
    assert 'id="told-process"' in refused.text
    with session_scope(engine) as session:
        assert [row.status for row in session.scalars(select(ProcessVersion).order_by(ProcessVersion.id))] == [
            "active",
            "draft",
        ]
    named = sent | {"state.accepted.minutes": ["45"]}
    assert boss.post("/app/process/activate", data=named, headers=SWAP).status_code == 200
    with session_scope(engine) as session:
        live = active_version(session, service_type_code="complaint")
        assert definition_of(session, live.id).state("accepted").target_seconds == 45 * 60
        assert live.number == 2


def test_steps_are_added_and_removed_in_the_form(web: Client) -> None:
    boss = web("boss")
    sent = _form_of(boss.get("/app/process", headers=SWAP).text)
    longer = _form_of(boss.post("/app/process/steps", data=sent, headers=SWAP).text)
    assert len(longer["step"]) == len(sent["step"]) + 1
    shorter = _form_of(boss.post("/app/process/steps", data=sent | {"remove": "0"}, headers=SWAP).text)
    assert len(shorter["step"]) == len(sent["step"]) - 1
    assert "/app/process/draft" not in web("supervisor").get("/app/process", headers=SWAP).text


def test_service_levels_and_calendar_days_are_changed_by_the_administrator(web: Client, engine: Engine) -> None:
    boss = web("boss")
    page = "/app/service-levels"
    targets = {"calendar_code": "office", "first_response": "01:30", "resolution": "20:00", "is_active": "1"}
    assert boss.post(f"{page}/policies/complaint", data=targets, headers=SWAP).status_code == 200
    wrong = boss.post(f"{page}/policies/complaint", data=targets | {"resolution": "20:99"}, headers=SWAP)
    assert wrong.status_code == 422
    day = {"calendar_code": "office", "day": "2027-03-06", "follows_weekday": "1", "name_zh": "补班"}
    assert boss.post(f"{page}/days", data=day, headers=SWAP).status_code == 200
    with session_scope(engine) as session:
        policy = session.scalars(select(SlaPolicy).where(SlaPolicy.code == "complaint")).one()
        assert (policy.first_response_seconds, policy.resolution_seconds) == (5400, 72_000)
        assert sorted(session.scalars(select(SlaChange.kind))) == ["calendar", "policies"]


# Customers


def test_a_merge_is_previewed_in_both_directions_made_and_taken_back(web: Client, engine: Engine, ids: World) -> None:
    own = ids["customer", "own"]
    with session_scope(engine) as session:
        twin = add_customer(session, {**PEOPLE["own"], "code": "C0000009", "account": "6000000009", "card": "89"}).id
    lead = web("baoji_manager")
    listed = lead.get(f"/app/customers/{own}/duplicates", headers=SWAP).text
    assert f'data-duplicate="{twin}"' in listed
    assert "证件号相同" in listed
    page = f"/app/customers/{own}/merge"
    one = lead.post(f"{page}-preview", data={"other_id": str(twin)}, headers=SWAP).text
    other = lead.post(f"{page}-preview", data={"other_id": str(twin), "keep": str(twin)}, headers=SWAP).text
    assert one.index("C0000001") < one.index("C0000009")
    assert other.index("C0000009") < other.index("C0000001")
    with session_scope(engine) as session:
        assert session.get_one(Customer, twin).deleted_at is None, "a preview changes nothing"
    merged = lead.post(page, data={"other_id": str(twin), "keep": str(own), "reason": "同一人"}, headers=SWAP)
    assert merged.headers["hx-push-url"] == f"/app/customers/{own}"
    undo = re.search(r'hx-post="(/app/merges/\d+/undo)"', merged.text)
    with session_scope(engine) as session:
        assert session.get_one(Customer, twin).merged_into_id == own
    assert undo
    assert lead.post(undo[1], headers=SWAP).status_code == 200
    with session_scope(engine) as session:
        assert session.get_one(Customer, twin).merged_into_id is None
    foreign = lead.post(f"{page}-preview", data={"other_id": str(ids["customer", "foreign"])}, headers=SWAP)
    assert foreign.status_code == 404


# Tickets


def test_two_edits_of_one_field_are_shown_as_a_merge(web: Client, engine: Engine) -> None:
    ticket_id = _open(engine)
    path, seen = f"/app/tickets/{ticket_id}/edit", {"version": "1", "was_title": "无图像", "was_priority": "normal"}
    web("dispatcher").post(path, data=seen | {"title": "无图像", "priority": "urgent"}, headers=SWAP)
    mine = seen | {"title": "无声音", "priority": "low"}
    clash = web("supervisor").post(path, data=mine, headers=SWAP)
    assert clash.status_code == 409
    block = clash.text[clash.text.index('id="clash"') :].split("</section>")[0]
    assert {"紧急", "低"} <= set(re.findall(r"<ins>\s*(\S+?)\s*</ins>", block))
    assert "dispatcher" in block
    assert 'name="title" value="无声音"' in block, "what nobody else changed is kept for the next try"
    version = re.search(r'name="version" value="(\d+)"', block)
    assert version
    chosen = {"version": version[1], "was_priority": "urgent", "priority": "low", "title": "无声音"}
    assert web("supervisor").post(path, data=chosen, headers=SWAP).status_code == 200
    ticket = _ticket(engine, ticket_id)
    assert (ticket.title, ticket.priority) == ("无声音", "low")


def test_children_parents_and_links_are_made_by_number(web: Client, engine: Engine, ids: World) -> None:
    outage, other = _open(engine, title="光缆中断"), _open(engine)
    supervisor = web("supervisor")
    page = f"/app/tickets/{outage}"
    for _ in range(2):
        made = supervisor.post(f"{page}/children", data={"title": "抢修光缆", "key": "k1"}, headers=SWAP)
        assert made.status_code == 200
    code = _ticket(engine, outage).code
    assert supervisor.post(f"/app/tickets/{other}/parent", data={"code": code.lower()}, headers=SWAP).status_code == 200
    with session_scope(engine) as session:
        below = relations.children(session, actor=actor_named(engine, "supervisor"), ticket_id=outage)
        assert [row.title for row in below] == ["无图像", "抢修光缆"]
    assert supervisor.post(f"/app/tickets/{other}/parent", data={}, headers=SWAP).status_code == 200
    assert _ticket(engine, other).parent_id is None
    assert (
        supervisor.post(f"{page}/links", data={"code": "W-own", "kind": "duplicate"}, headers=SWAP).status_code == 200
    )
    assert "W-own" in supervisor.get(page, headers=SWAP).text
    own = web("baoji_handler")
    foreign = own.post(f"/app/tickets/{ids['work', 'own']}/links", data={"code": "W-foreign"}, headers=SWAP)
    assert foreign.status_code == 404, "a ticket of another branch is not there"


def test_files_are_attached_listed_fetched_and_removed(web: Client, ids: World) -> None:
    handler, page = web("baoji_handler"), f"/app/tickets/{ids['work', 'own']}"
    shown = handler.post(f"{page}/attachments", files={"file": ("记录.txt", "红灯常亮".encode())}, headers=SWAP)
    link = re.search(r'href="(/api/v1/attachments/(\d+))"[^>]*>记录\.txt', shown.text)
    assert link
    assert handler.get(link[1]).content.decode() == "红灯常亮"
    liar = handler.post(f"{page}/attachments", files={"file": ("照片.png", b"MZ\x90\x00")}, headers=SWAP)
    assert liar.status_code == 422
    gone = handler.post(f"{page}/attachments/{link[2]}/remove", headers=SWAP)
    assert "记录.txt" not in gone.text


def test_what_an_outages_end_proposes_is_accepted_or_declined(web: Client, engine: Engine, ids: World) -> None:
    parents = []
    for _ in range(2):
        child = _open(engine)
        made = web("supervisor").post(f"/app/tickets/{child}/outage", data={"title": "光缆中断"}, headers=SWAP)
        assert made.status_code == 200
        parent = _ticket(engine, child).parent_id or 0
        for ticket_id in (child, parent):
            _step(engine, "dispatcher", ticket_id, "dispatch", unit_id=ids["unit", "own"])
            _step(engine, "baoji_handler", ticket_id, "accept")
            _step(engine, "baoji_handler", ticket_id, "start")
            _step(engine, "baoji_handler", ticket_id, "resolve", resolution="已熔接")
        _step(engine, "reviewer", parent, "begin_review")
        _step(engine, "reviewer", parent, "approve")
        with session_scope(engine) as session:
            record_call(session, actor=actor_named(engine, "reviewer"), ticket_id=parent, outcome="satisfied", score=5)
        _step(engine, "reviewer", parent, "close")
        parents.append((parent, child))
    reviewer = web("reviewer")
    found = re.findall(r'data-proposal="(\d+)"', reviewer.get("/app/review", headers=SWAP).text)
    assert len(found) == 2
    accepted = reviewer.post(f"/app/proposals/{found[0]}/accept", headers=SWAP)
    declined = reviewer.post(f"/app/proposals/{found[1]}/decline", headers=SWAP)
    assert (accepted.status_code, declined.status_code) == (200, 200)
    assert "data-proposal" not in declined.text
    assert [_ticket(engine, child).state for _, child in parents] == ["in_review", "resolved"]
    assert reviewer.post(f"/app/proposals/{found[1]}/accept", headers=SWAP).status_code == 409


def test_many_tickets_are_tried_changed_and_taken_back(web: Client, engine: Engine, ids: World) -> None:
    waiting, gone = _open(engine), _open(engine)
    _step(engine, "dispatcher", gone, "dispatch", unit_id=ids["unit", "own"])
    supervisor = web("supervisor")
    form = {"ticket_id": [str(waiting), str(gone)], "action": "dispatch", "unit_id": str(ids["unit", "foreign"])}
    tried = supervisor.post("/app/tickets/bulk", data=form, headers=SWAP).text
    assert tried.count('data-refused="0"') == tried.count('data-refused="1"') == 1
    assert "当前状态不能" in tried or "状态" in tried, "the refusal is told in the reader's language"
    assert _ticket(engine, waiting).state == "new"
    done = supervisor.post("/app/tickets/bulk", data=form | {"sure": "1"}, headers=SWAP).text
    assert _ticket(engine, waiting).state == "dispatched"
    undo = re.search(r'hx-post="(/app/tickets/bulk/\d+/undo)"', done)
    assert undo
    assert supervisor.post(undo[1], headers=SWAP).status_code == 200
    assert (_ticket(engine, waiting).state, _ticket(engine, gone).state) == ("new", "dispatched")
    missing = supervisor.post("/app/tickets/bulk", data={"ticket_id": "1", "action": "cancel"}, headers=SWAP)
    assert (missing.status_code, "“原因”没有填写" in missing.text) == (422, True)


def test_a_figure_of_the_monitor_leads_to_its_tickets(web: Client, engine: Engine, ids: World) -> None:
    for _ in range(3):
        _step(engine, "dispatcher", _open(engine), "dispatch", unit_id=ids["unit", "own"])
    manager, city = web("supervisor"), ids["unit", "own"]
    page = manager.get(f"/app/monitor?city={city}", headers=SWAP).text
    node = re.search(r'href="([^"]+)"[^>]*data-node="dispatched" data-number="(\d+)"', page)
    assert node
    listed = manager.get(html.unescape(node[1]), headers=SWAP).text
    assert listed.count("<tr data-row>") == int(node[2]) == 4
    assert 'name="county"' in page
    assert manager.get("/app/monitor?city=999999", headers=SWAP).status_code == 404
    county = web("weibin_handler").get(f"/app/monitor?city={ids['unit', 'foreign']}", headers=SWAP).text
    assert 'data-node="dispatched" data-number="0"' in county, "somebody else's city is not shown, one's own is"


# Capturing


def _capture(agent: TestClient, **fields: Any) -> Any:
    plain = {"key": "k", "service_type_code": "complaint", "text": "机顶盒无信号", "after": "ticket"}
    return agent.post("/app/capture", data=plain | fields, headers=SWAP)


def test_a_queue_may_ask_for_a_wrap_up_code(web: Client, engine: Engine, ids: World) -> None:
    contact_id = ids["contact", "own"]
    with session_scope(engine) as session:
        contact = session.get_one(Contact, contact_id)
        queue = Queue(code="faults", name_zh="故障报修", name_en="Faults", calendar_code="always")
        session.add(queue)
        session.flush()
        wrap_up.demand(session, actor=actor_named(engine, "supervisor"), queue_id=queue.id, required=True)
        visit = {"entered_at": contact.started_at, "exited_at": contact.started_at, "exit_class": "answered"}
        session.add(QueueVisit(contact_id=contact_id, visit_number=1, queue_id=queue.id, **visit))
    agent = web("agent")
    assert "必填" in agent.get(f"/app/capture?contact_id={contact_id}", headers=SWAP).text
    form = {"service_type_code": "consultation", "contact_id": str(contact_id), "after": "answered"}
    refused = _capture(agent, **form)
    assert (refused.status_code, "受理结果" in refused.text) == (422, True)
    assert _capture(agent, **form, wrap_up_code="solved.explained").status_code == 200
    with session_scope(engine) as session:
        assert wrap_up.code_of(session, contact_id) == "solved.explained"


def test_complaint_types_are_suggested_and_what_was_chosen_is_kept(web: Client, engine: Engine) -> None:
    agent, text = web("agent"), {"service_type_code": "complaint", "text": "机顶盒无信号"}
    assert "data-suggest" not in agent.post("/app/capture/listen", data=text, headers=SWAP).text
    said = [("signal.digital_tv.no_picture", 0.83), ("gone.from.catalogue", 0.1)]
    SOCKET.plug(SimpleNamespace(suggest=lambda _text: said))
    try:
        heard = agent.post("/app/capture/listen", data=text, headers=SWAP).text
        other = agent.post("/app/capture/listen", data=text | {"service_type_code": "order"}, headers=SWAP).text
    finally:
        SOCKET.plug(None)
    assert re.findall(r'data-suggest="([^"]+)" data-number="(\d)"', heard) == [("signal.digital_tv.no_picture", "1")]
    assert "83%" in heard
    assert "data-suggest" not in other
    chosen = {"complaint_type_code": "signal.digital_tv.no_picture", "suggested": "signal.digital_tv.no_picture=0.83"}
    for _ in range(2):
        assert _capture(agent, **chosen).status_code == 200
    with session_scope(engine) as session:
        kept = session.scalars(select(ComplaintSuggestion)).one()
        assert kept.suggested == [{"code": "signal.digital_tv.no_picture", "confidence": 0.83}]


def test_a_promised_call_reminds_until_it_is_settled_or_put_off(web: Client, engine: Engine, ids: World) -> None:
    agent = web("agent")
    now = utc_now()
    with session_scope(engine) as session:
        promised = {"due_at": now + timedelta(minutes=2), "created_at": now, "note": "问费用"}
        session.add(Callback(customer_id=ids["customer", "own"], username="agent", unit_id=1, **promised))
    assert "问费用" not in agent.get("/app/callbacks/due", headers=SWAP).text
    with session_scope(engine) as session:
        assert remind(session) == 1
    due = agent.get("/app/callbacks/due", headers=SWAP).text
    path = re.search(r'hx-post="(/app/callbacks/\d+/postpone)"', due)
    assert path
    assert "问费用" in due
    assert "问费用" not in web("agent2").get("/app/callbacks/due", headers=SWAP).text
    assert "问费用" not in agent.post(path[1], data={"minutes": "10"}, headers=SWAP).text
    assert agent.post(path[1], data={"minutes": "0"}, headers=SWAP).status_code == 422
    assert (
        agent.post(path[1].replace("postpone", "settle"), data={"outcome": "reached"}, headers=SWAP).status_code == 200
    )


# Every page


class _Labels(HTMLParser):
    """Finds fields that no label names."""

    def __init__(self) -> None:
        super().__init__()
        self.within_label = 0
        self.bare: list[str] = []
        self.fields: list[tuple[str, str]] = []
        self.named: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "label":
            self.within_label += 1
            self.named.add(given.get("for") or "")
        is_field = tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "submit")
        if is_field and not (self.within_label or given.get("aria-label")):
            self.fields.append((given.get("id") or "", self.get_starttag_text() or tag))

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.within_label -= 1

    def unnamed(self) -> list[str]:
        """The fields that no label names."""
        return [text for place, text in self.fields if place not in self.named - {""}]


def _pages(ids: World) -> dict[str, list[str]]:
    customer, ticket, work = ids["customer", "own"], ids["ticket", "own"], ids["work", "own"]
    desk = [
        "/app",
        "/app/capture",
        "/app/customers?q=1",
        f"/app/customers/{customer}",
        "/app/tickets",
        "/app/callbacks",
        "/app/knowledge",
    ]
    desk += [f"/app/customers/{customer}/duplicates", f"/app/capture?customer_id={customer}", f"/app/tickets/{ticket}"]
    desk += [f"/app/tickets/{work}", "/app/callbacks/due"]
    return {
        "supervisor": [*desk, "/app/monitor", "/app/dispatch", "/app/review", "/app/follow-up", "/app/process"],
        "baoji_handler": [*desk, "/app/branch", "/app/monitor"],
        "boss": ["/app/process", "/app/service-levels"],
    }


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_field_of_every_page_has_a_label(web: Client, ids: World, language: str) -> None:
    for username, paths in _pages(ids).items():
        browser = web(username)
        browser.cookies.set("crm_language", language)
        for path in paths:
            answer = browser.get(path, headers=PAGE)
            assert answer.status_code == 200, path
            labels = _Labels()
            labels.feed(answer.text)
            assert labels.unnamed() == [], path


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"><svg onload=alert(1)> ' onfocus='alert(1)' {{ 7*7 }} "
    "\u202eمرحبا\u202c \u2066\u200f 👩‍👩‍👧‍👦🏳️‍🌈 𠮷𝕏",
    "长" * 10_000,
)


class _Executable(HTMLParser):
    """Finds what a page would run or load beyond its own files."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = tag in ("img", "iframe", "object") or (
            tag == "script" and not (given.get("src") or "").startswith("/")
        )
        if (
            foreign
            or any(name.startswith("on") for name in given)
            or (given.get("href") or "").startswith("javascript")
        ):
            self.found.append(self.get_starttag_text() or tag)


def test_hostile_text_in_every_field_is_only_ever_text(web: Client, engine: Engine, ids: World) -> None:
    supervisor, customer, ticket = web("supervisor"), ids["customer", "own"], ids["work", "own"]
    for number, text in enumerate(HOSTILE):
        short = text[:250]
        form = {"service_type_code": "consultation", "after": "answered", "customer_id": str(customer)}
        assert _capture(supervisor, **form, key=f"h{number}", text=text).status_code == 200
        supervisor.post("/app/drafts", data={"place": "capture", "text": text, "number": short[:30]})
        due = f"{utc_now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
        note = {"due_at": due, "note": short, "customer_id": str(customer)}
        assert supervisor.post("/app/callbacks", data=note, headers=SWAP).status_code == 200
        for page, sent in (
            ("comments", {"body": text}),
            ("children", {"title": short}),
            ("edit", {"version": "0", "title": short, "was_title": "", "description": text, "was_description": ""}),
        ):
            answer = supervisor.post(f"/app/tickets/{ticket}/{page}", data=sent, headers=SWAP)
            assert answer.status_code in (200, 409), (page, text[:20])
        supervisor.post(
            f"/app/tickets/{ticket}/attachments", files={"file": (f"{short[:60]}.txt", f"{number}".encode())}
        )
        with session_scope(engine) as session:
            row = session.get_one(Customer, customer)
            row.name = text[:60]
            comment(session, actor=actor_named(engine, "supervisor"), ticket_id=ticket, body=text, audience="customer")
        for username, paths in _pages(ids).items():
            browser = web(username)
            for path in (*paths, f"/app/customers?q={short[:40]}", f"/app/tickets?q={short[:40]}"):
                answer = browser.get(path, headers=PAGE)
                assert answer.status_code in (200, 403), (path, text[:20])
                found = _Executable()
                found.feed(answer.text)
                assert found.found == [], (path, text[:20])
                assert "<svg onload" not in answer.text
                assert "49" not in re.findall(r"onfocus='alert\(1\)' (\S+)", html.unescape(answer.text))
        assert html.escape(text[:40], quote=False)[:30] in supervisor.get(f"/app/tickets/{ticket}").text.replace(
            "&#34;", '"'
        ).replace("&#39;", "'")
