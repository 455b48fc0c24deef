"""Tickets over HTTP: the whole loop, who is refused what and in which words, editing together, counties, deadlines."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import session_scope
from crm_api.identity.service import create_user, unit_by_code
from crm_api.organisation.models import OrgUnit
from crm_api.tickets import schemas
from crm_api.tickets.models import TICKET_STATES
from tests.crm_api.world import World

Client = Callable[..., TestClient]
TICKETS = "/api/v1/tickets"
NEW = {"channel_code": "voice", "service_type_code": "complaint", "title": "机顶盒无信号"}


def unit(engine: Engine, code: str) -> int:
    with session_scope(engine) as session:
        return session.scalars(select(OrgUnit.id).where(OrgUnit.code == code)).one()


def opened(browser: TestClient, **values: Any) -> str:
    """The path of a new ticket."""
    answer = browser.post(TICKETS, json=NEW | values)
    assert answer.status_code == 201, answer.text
    return f"{TICKETS}/{answer.json()['ticket']['id']}"


def step(browser: TestClient, path: str, code: str, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    answer = browser.post(f"{path}/transitions", json={"step": code, "reason": reason, "fields": fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def in_progress(client: Client, engine: Engine, **values: Any) -> str:
    """The path of a ticket that 宝鸡 works."""
    path = opened(client("agent"), **values)
    step(client("dispatcher"), path, "dispatch", unit_id=unit(engine, "baoji"))
    step(client("baoji_handler"), path, "accept")
    step(client("baoji_handler"), path, "start")
    return path


def test_a_complaint_goes_through_the_whole_loop(client: Client, populated: tuple[Engine, World], world: World) -> None:
    engine, branch, reviewer = populated[0], client("baoji_handler"), client("reviewer")
    path = in_progress(client, engine, customer_id=world[("customer", "own")])
    step(branch, path, "resolve", resolution="更换机顶盒")
    step(reviewer, path, "begin_review")
    step(reviewer, path, "reject", reason="未回电客户")
    step(branch, path, "resolve", resolution="已回电，客户满意")
    step(reviewer, path, "begin_review")
    step(reviewer, path, "approve")
    early = reviewer.post(f"{path}/transitions", json={"step": "close"})
    assert (early.status_code, early.json()["extra"]) == (409, {"guard": "follow_up_done"})
    queue = reviewer.get("/api/v1/follow-up-calls/queue").json()
    assert [ticket["state"] for ticket in queue] == ["follow_up"]
    assert reviewer.post("/api/v1/follow-up-calls/claim").json()["ticket"]["id"] == queue[0]["id"]
    assert client("supervisor").get("/api/v1/follow-up-calls/queue").json() == []
    call = reviewer.post(f"{path}/follow-up-calls", json={"outcome": "satisfied", "score": 5})
    assert (call.status_code, call.json()["attempt_number"]) == (201, 1)
    closed = step(reviewer, path, "close")
    assert closed["ticket"]["state"] == "closed"
    events = reviewer.get(f"{path}/history").json()
    assert [event["kind"] for event in events] == [
        "created", "dispatched", "accepted", "started", "resolved", "review_started", "rejected", "resolved",
        "review_started", "approved", "closed",
    ]  # fmt: skip
    assert events[6]["reason"] == "未回电客户"
    assert events[7]["changes"]["resolution"] == ["更换机顶盒", "已回电，客户满意"]
    assert events[1]["clocks"]["resolution"]["policy"] == "complaint"
    details = reviewer.get(path).json()
    assert {clock["clock"]: clock["standing"] for clock in details["clocks"]} == {
        "first_response": "met",
        "resolution": "met",
    }
    assert [each["step"] for each in details["steps"]] == ["reopen"]


def test_a_branch_user_closing_is_refused_in_words(client: Client, populated: tuple[Engine, World]) -> None:
    path = in_progress(client, populated[0])
    step(client("baoji_handler"), path, "resolve", resolution="已修复")
    for name in ("baoji_handler", "baoji_lead", "baoji_manager"):
        refused = client(name).post(f"{path}/transitions", json={"step": "close"})
        problem = refused.json()
        assert (refused.status_code, problem["type"]) == (403, "urn:crm:problem:not-allowed")
        assert "may not “Close” ticket" in problem["detail"]
    assert client("agent").get(path).json()["ticket"]["state"] == "resolved"


def test_a_step_says_what_it_lacks_and_why_it_is_refused(client: Client, populated: tuple[Engine, World]) -> None:
    path, branch = in_progress(client, populated[0]), client("baoji_handler")
    lacking = branch.post(f"{path}/transitions", json={"step": "pend", "fields": {"pending_reason": "part"}})
    assert lacking.status_code == 422
    assert lacking.json()["type"] == "urn:crm:problem:missing-fields"
    assert lacking.json()["extra"] == {"fields": ["pending_until"]}
    again = branch.post(f"{path}/transitions", json={"step": "accept"})
    assert (again.status_code, again.json()["extra"]) == (409, {"guard": "state"})
    assert "in_progress" in again.json()["detail"]
    nowhere = {"step": "pend", "fields": {"pending_reason": "part", "pending_until": "2001-01-01T00:00:00Z"}}
    assert branch.post(f"{path}/transitions", json=nowhere).status_code == 422
    unknown = {"step": "resolve", "fields": {"resolution": "x", "complaint_type_code": "no.such"}}
    assert branch.post(f"{path}/transitions", json=unknown).status_code == 422


def test_of_two_dispatchers_the_second_learns_who_was_faster(client: Client, populated: tuple[Engine, World]) -> None:
    path, baoji = opened(client("agent")), unit(populated[0], "baoji")
    seen = client("supervisor").get(path).headers["etag"]
    step(client("dispatcher"), path, "dispatch", unit_id=baoji)
    body = {"step": "cancel", "reason": "重复"}
    late = client("supervisor").post(f"{path}/transitions", json=body, headers={"If-Match": seen})
    assert (late.status_code, late.json()["type"]) == (409, "urn:crm:problem:edited-meanwhile")
    assert late.json()["extra"]["differences"]["state"]["actor"] == "dispatcher"
    same = client("supervisor").post(f"{path}/transitions", json=body | {"version": int(seen.strip('"'))})
    assert same.status_code == 409
    never = client("supervisor").post(f"{path}/transitions", json=body, headers={"If-Match": '"99"'})
    assert never.status_code == 412


def test_edits_of_different_fields_both_stay_and_of_one_field_the_second_is_shown_the_first(client: Client) -> None:
    path = opened(client("agent"))
    seen = {"If-Match": client("agent").get(path).headers["etag"]}
    assert client("agent").patch(path, json={"title": "马赛克"}, headers=seen).status_code == 200
    other = client("supervisor").patch(path, json={"priority": "high"}, headers=seen)
    assert (other.json()["ticket"]["title"], other.json()["ticket"]["priority"]) == ("马赛克", "high")
    clash = client("dispatcher").patch(path, json={"title": "雪花"}, headers=seen)
    assert clash.status_code == 409
    told = clash.json()["extra"]["differences"]["title"]
    assert (told["theirs"], told["actor"]) == ("马赛克", "agent")
    fresh = {"If-Match": other.headers["etag"]}
    assert client("dispatcher").patch(path, json={"title": "雪花"}, headers=fresh).status_code == 200
    assert client("agent").patch(path, json={"title": "x"}).status_code == 428
    assert client("agent").patch(path, json={"title": "x"}, headers={"If-Match": '"abc"'}).status_code == 412


def test_one_key_opens_one_ticket_and_takes_one_step(client: Client, populated: tuple[Engine, World]) -> None:
    browser, key = client("agent"), {"Idempotency-Key": "call-0007-ticket"}
    answers = [browser.post(TICKETS, json=NEW, headers=key) for _ in range(3)]
    assert len({answer.json()["ticket"]["id"] for answer in answers}) == 1
    assert answers[1].headers["idempotent-replay"] == "true"
    assert browser.post(TICKETS, json=NEW | {"title": "别的"}, headers=key).status_code == 409
    path = f"{TICKETS}/{answers[0].json()['ticket']['id']}"
    body = {"step": "dispatch", "fields": {"unit_id": unit(populated[0], "baoji")}}
    taken = [
        client("dispatcher").post(f"{path}/transitions", json=body, headers={"Idempotency-Key": "dispatch-0007"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in taken] == [200, 200]
    assert taken[0].json()["version"] == taken[1].json()["version"] == 2


def test_a_foreign_branch_finds_nothing_of_a_ticket(client: Client, populated: tuple[Engine, World]) -> None:
    path, engine = in_progress(client, populated[0]), populated[0]
    with session_scope(engine) as session:
        there = unit_by_code(session, "xianyang")
        created = create_user(
            session,
            username="xianyang_handler",
            display_name="咸阳处理员",
            role="branch_handler",
            unit=there,
            password="quite-long-enough-1",
            by=None,
        )
        created.must_change_password = False
    stranger = client("xianyang_handler")
    code = client("agent").get(path).json()["ticket"]["code"]
    parts = ("", "/history", "/comments", "/links", "/children", "/assignments", "/clocks/resolution/explanation")
    statuses = {stranger.get(path + part).status_code for part in (*parts, "/checklist")}
    assert statuses == {404}
    assert stranger.get(f"{TICKETS}/by-code/{code}").status_code == 404
    assert client("baoji_lead").get(f"{TICKETS}/by-code/{code}").status_code == 200
    assert stranger.post(f"{path}/transitions", json={"step": "resolve"}).status_code == 404
    assert stranger.post(f"{path}/comments", json={"body": "x"}).status_code == 404
    number = int(path.rsplit("/", 1)[1])
    assert all(item["id"] != number for item in stranger.get(TICKETS).json()["items"])
    preview = stranger.get(f"/api/v1/monitor/tickets?unit_id={unit(engine, 'baoji')}").json()
    assert preview["items"] == []


def test_a_branch_does_not_open_a_ticket_for_a_customer_out_of_its_sight(web: Client, sqlite_world: Any) -> None:
    world: World = sqlite_world[1]
    for name, key in (("customer_id", "customer"), ("contact_id", "contact")):
        foreign = web("baoji_handler").post(TICKETS, json=NEW | {name: world[(key, "foreign")]})
        absent = web("baoji_handler").post(TICKETS, json=NEW | {name: 987654321})
        assert foreign.status_code == absent.status_code == 422
        assert foreign.json()["detail"].endswith("which does not exist.")
        assert web("agent").post(TICKETS, json=NEW | {name: world[(key, "foreign")]}).status_code == 201


def test_the_list_is_narrowed_and_paged(web: Client) -> None:
    browser = web("agent")
    paths = [opened(browser, service_type_code="consultation", priority="urgent") for _ in range(5)]
    opened(browser)
    seen: list[int] = []
    query = f"{TICKETS}?service_type=consultation&state=new&state=closed&priority=urgent&limit=2"
    cursor = ""
    while True:
        page = browser.get(query + cursor).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [f"{TICKETS}/{number}" for number in seen] == paths[::-1]
    assert browser.get(f"{TICKETS}?service_type=consultation&state=closed").json()["items"] == []
    assert browser.get(f"{TICKETS}?since=2001-01-01T00:00:00Z&until=2001-01-02T00:00:00Z").json()["items"] == []
    assert browser.get(f"{TICKETS}?state=moonlit").status_code == 422


def test_a_county_gets_its_part_and_returns_it(client: Client, populated: tuple[Engine, World]) -> None:
    path, engine = in_progress(client, populated[0]), populated[0]
    weibin, lead, county = unit(engine, "baoji.weibin"), client("baoji_lead"), client("weibin_handler")
    assert county.get(path).status_code == 404
    foreign = lead.post(f"{path}/assignments", json={"unit_id": unit(engine, "xianyang")})
    assert foreign.status_code == 422
    sent = lead.post(f"{path}/assignments", json={"unit_id": weibin, "reason": "就近处理"})
    assert (sent.status_code, sent.json()["returned_at"]) == (201, None)
    assert lead.post(f"{path}/assignments", json={"unit_id": weibin}).status_code == 409
    blocked = client("baoji_handler").post(
        f"{path}/transitions", json={"step": "resolve", "fields": {"resolution": "已修复"}}
    )
    assert blocked.json()["extra"] == {"guard": "no_open_assignments"}
    assert county.get(path).status_code == 200
    assert county.post(f"{path}/assignments/return", json={"unit_id": weibin}).status_code == 422
    back = county.post(f"{path}/assignments/return", json={"unit_id": weibin, "reason": "已更换分配器"})
    assert back.json()[0]["returned_by"] == "weibin_handler"
    step(client("baoji_handler"), path, "resolve", resolution="已修复")
    kinds = [event["kind"] for event in lead.get(f"{path}/history").json()]
    assert kinds[-3:] == ["sub_dispatched", "sub_returned", "resolved"]


def test_a_deadline_is_explained_without_a_gap(client: Client) -> None:
    path = opened(client("agent"))
    found = client("agent").get(f"{path}/clocks/resolution/explanation").json()
    assert found["clock"]["policy"] == "complaint"
    assert found["counted_seconds"] == found["clock"]["elapsed_seconds"]
    assert found["counted_seconds"] == sum(each["seconds"] for each in found["stretches"] if each["counted"])
    ends = [each["end"] for each in found["stretches"]][:-1]
    assert ends == [each["start"] for each in found["stretches"]][1:]
    assert client("agent").get(f"{path}/clocks/lunch/explanation").status_code == 422


def test_comments_checklist_children_and_links(client: Client) -> None:
    agent, supervisor = client("agent"), client("supervisor")
    template = next(each for each in agent.get("/api/v1/ticket-templates").json() if each["checklist"])
    made = agent.post(TICKETS, json={"channel_code": "voice", "template_code": template["code"]})
    path = f"{TICKETS}/{made.json()['ticket']['id']}"
    items = agent.get(f"{path}/checklist").json()
    assert [item["code"] for item in items] == [item["code"] for item in template["checklist"]]
    ticked = agent.put(f"{path}/checklist/{items[0]['code']}", json={"done": True}).json()
    assert ticked["done_by"] == "agent"
    assert agent.put(f"{path}/checklist/nothing", json={"done": True}).status_code == 404
    said = agent.post(f"{path}/comments", json={"body": "<script>alert(1)</script>", "audience": "customer"})
    assert (said.status_code, said.json()["author"]) == (201, "agent")
    assert [each["body"] for each in agent.get(f"{path}/comments").json()] == ["<script>alert(1)</script>"]
    assert agent.post(f"{path}/comments", json={"body": " "}).status_code == 422
    outage = opened(supervisor, kind="outage")
    parent = int(outage.rsplit("/", 1)[1])
    assert supervisor.put(f"{path}/parent", json={"parent_id": parent}).json()["parent_id"] == parent
    assert [each["id"] for each in supervisor.get(f"{outage}/children").json()["items"]] == [
        made.json()["ticket"]["id"]
    ]
    circle = supervisor.put(f"{outage}/parent", json={"parent_id": made.json()["ticket"]["id"]})
    assert (circle.status_code, circle.json()["extra"]) == (409, {"guard": "circle"})
    linked = supervisor.post(f"{path}/links", json={"other_id": parent, "kind": "caused_by"})
    assert linked.status_code == 201
    assert supervisor.post(f"{path}/links", json={"other_id": parent, "kind": "caused_by"}).status_code == 409
    assert [each["other_id"] for each in supervisor.get(f"{outage}/links").json()] == [parent]


def test_a_branch_is_not_told_of_children_and_links_out_of_its_sight(
    web: Client, sqlite_world: tuple[Engine, World]
) -> None:
    supervisor, engine = web("supervisor"), sqlite_world[0]
    outage = opened(supervisor, kind="outage", unit_id=unit(engine, "baoji"))
    hidden = opened(supervisor, unit_id=unit(engine, "xianyang"))
    shown = opened(supervisor, unit_id=unit(engine, "baoji"))
    number = int(outage.rsplit("/", 1)[1])
    for child in (hidden, shown):
        supervisor.put(f"{child}/parent", json={"parent_id": number})
        supervisor.post(f"{child}/links", json={"other_id": number})
    lead = web("baoji_lead")
    mine = int(shown.rsplit("/", 1)[1])
    assert [each["id"] for each in lead.get(f"{outage}/children").json()["items"]] == [mine]
    assert [each["ticket_id"] for each in lead.get(f"{outage}/links").json()] == [mine]
    assert len(supervisor.get(f"{outage}/links").json()) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"service_type_code": "moonlight"},
        {"priority": "whenever"},
        {"title": "x" * 301},
        {"state": "closed"},
        {"parent_id": 1},
        {"channel_code": None},
        {"unit_id": 987654321},
        {"template_code": "none"},
        {"pending": {"reason": "part", "until": "2001-01-01T00:00:00Z"}},
        {"pending": {"reason": "part", "until": "9999-12-31T23:59:59-12:00"}},
        {"customer_id": 2**63},
    ],
)
def test_a_ticket_of_nonsense_is_a_problem_document(web: Client, values: dict[str, Any]) -> None:
    answer = web("agent").post(TICKETS, json=NEW | values)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_described_states_are_the_store_s() -> None:
    assert get_args(schemas.TicketState) == TICKET_STATES
