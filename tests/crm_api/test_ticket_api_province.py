"""The province's side of tickets over HTTP: many at once, the process as data, the monitor, and TMF621."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import session_scope
from crm_api.audit.models import AuditEntry
from tests.crm_api.test_ticket_api import TICKETS, in_progress, opened, step, unit
from tests.crm_api.world import World

Client = Callable[..., TestClient]
BULK, PROCESSES, MONITOR = "/api/v1/bulk-actions", "/api/v1/processes", "/api/v1/monitor"
TROUBLE = "/tmf-api/troubleTicket/v5/troubleTicket"


def number(path: str) -> int:
    return int(path.rsplit("/", 1)[1])


def test_a_bulk_action_is_looked_at_done_and_taken_back(client: Client, populated: tuple[Engine, World]) -> None:
    dispatcher, baoji = client("dispatcher"), unit(populated[0], "baoji")
    paths = [opened(client("agent")) for _ in range(3)]
    step(client("agent"), paths[2], "close_at_once", resolution="已告知")
    body = {"action": "dispatch", "ticket_ids": [number(path) for path in paths], "parameters": {"unit_id": baoji}}
    outlook = dispatcher.post(f"{BULK}/preview", json=body).json()
    assert [each["to_state"] for each in outlook] == ["dispatched", "dispatched", "closed"]
    assert "closed" in outlook[2]["refusal"]
    assert dispatcher.get(paths[0]).json()["ticket"]["state"] == "new"
    key = {"Idempotency-Key": "bulk-0001"}
    done = [dispatcher.post(BULK, json=body, headers=key) for _ in range(2)]
    assert done[0].status_code == 201
    assert done[0].json() == done[1].json()
    assert dispatcher.get(paths[0]).json()["ticket"]["state"] == "dispatched"
    step(client("baoji_handler"), paths[1], "accept")
    undo = f"{BULK}/{done[0].json()['id']}/undo"
    assert client("supervisor").post(undo).status_code == 403
    assert client("baoji_lead").post(undo).status_code == 404
    undone = dispatcher.post(undo).json()
    assert undone["status"] == "undone"
    assert [each["to_state"] for each in undone["tickets"]] == ["new", "accepted"]
    assert undone["tickets"][1]["refusal"]
    assert dispatcher.post(undo).status_code == 409


def test_a_branch_changes_only_its_own_in_bulk(client: Client, populated: tuple[Engine, World]) -> None:
    mine = opened(client("agent"))
    step(client("dispatcher"), mine, "dispatch", unit_id=unit(populated[0], "baoji"))
    other = opened(client("agent"))
    body = {"action": "accept", "ticket_ids": [number(mine), number(other)]}
    done = client("baoji_lead").post(BULK, json=body).json()
    assert [each["to_state"] for each in done["tickets"]] == ["accepted", ""]
    assert done["tickets"][1]["code"] == str(number(other))
    twice = client("baoji_lead").post(BULK, json=body | {"ticket_ids": [1, 1]})
    assert twice.status_code == 422


def test_an_ended_outage_proposes_its_children_for_review(client: Client, populated: tuple[Engine, World]) -> None:
    engine, reviewer = populated[0], client("reviewer")
    outage = in_progress(client, engine, kind="outage")
    child = in_progress(client, engine)
    assert client("dispatcher").put(f"{child}/parent", json={"parent_id": number(outage)}).status_code == 200
    for path in (child, outage):
        step(client("baoji_handler"), path, "resolve", resolution="光缆已修复")
    step(reviewer, outage, "begin_review")
    step(reviewer, outage, "approve")
    step(reviewer, outage, "close")
    (proposal,) = reviewer.get(f"{BULK}/proposals").json()
    assert (proposal["parent_id"], proposal["ticket_ids"]) == (number(outage), [number(child)])
    assert client("baoji_lead").get(f"{BULK}/proposals").json() == []
    assert client("baoji_lead").post(f"{BULK}/{proposal['id']}/apply").status_code == 403
    applied = reviewer.post(f"{BULK}/{proposal['id']}/apply").json()
    assert [each["to_state"] for each in applied["tickets"]] == ["in_review"]


def test_an_unsound_process_is_told_why_and_not_published(client: Client, populated: tuple[Engine, World]) -> None:
    boss = client("boss")
    (process,) = boss.get(PROCESSES).json()
    active = boss.get(f"{PROCESSES}/versions/{process['versions'][0]['id']}").json()
    assert (active["status"], active["problems"]) == ("active", [])
    definition = active["definition"]
    assert boss.post(f"{PROCESSES}/check", json=definition).json() == []
    closing = next(each for each in definition["transitions"] if each["code"] == "close")
    closing["roles"].append("branch_handler")
    (problem,) = boss.post(f"{PROCESSES}/check", json=definition).json()
    assert (problem["code"], problem["place"]) == ("branch_closes", "close")
    assert "省公司" in problem["text_zh"]
    draft = boss.put(f"{PROCESSES}/closed_loop/draft", json=definition).json()
    assert (draft["status"], len(draft["problems"])) == ("draft", 1)
    refused = boss.post(f"{PROCESSES}/versions/{draft['id']}/publish", json={})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:crm:problem:unsound-process")
    assert refused.json()["extra"]["problems"][0]["place"] == "close"
    closing["roles"].remove("branch_handler")
    closing["name_zh"] = "结案"
    mended = boss.put(f"{PROCESSES}/closed_loop/draft", json=definition).json()
    assert mended["id"] == draft["id"]
    published = boss.post(f"{PROCESSES}/versions/{draft['id']}/publish", json={"note": "改名"}).json()
    assert (published["status"], published["note"]) == ("active", "改名")
    assert boss.put(f"{PROCESSES}/nothing/draft", json=definition).status_code == 404
    assert client("supervisor").put(f"{PROCESSES}/closed_loop/draft", json=definition).status_code == 403
    with session_scope(populated[0]) as session:
        actions = list(session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("process."))))
    assert actions == ["process.drafted", "process.drafted", "process.published"]


def test_the_monitor_s_figures_lead_to_their_tickets(client: Client, populated: tuple[Engine, World]) -> None:
    engine, supervisor = populated[0], client("supervisor")
    baoji = unit(engine, "baoji")
    paths = [in_progress(client, engine) for _ in range(3)]
    step(client("baoji_handler"), paths[2], "resolve", resolution="已修复")
    step(client("reviewer"), paths[2], "begin_review")
    step(client("reviewer"), paths[2], "reject", reason="未回电")
    nodes = supervisor.get(f"{MONITOR}/nodes").json()
    (node,) = [each for each in nodes if (each["state"], each["city_unit_id"]) == ("in_progress", baoji)]
    assert (node["tickets"], node["late"], node["slow"]) == (3, 0, 0)
    assert node["oldest_seconds"] >= 0
    assert {each["city_unit_id"] for each in client("baoji_lead").get(f"{MONITOR}/nodes").json()} == {baoji}
    query = f"{MONITOR}/tickets?state=in_progress&unit_id={baoji}&limit=2"
    first = supervisor.get(query).json()
    rest = supervisor.get(f"{query}&cursor={first['next_cursor']}").json()
    assert [each["id"] for each in first["items"] + rest["items"]] == [number(path) for path in paths]
    assert rest["next_cursor"] is None
    (branch,) = [each for each in supervisor.get(f"{MONITOR}/branches").json() if each["unit_id"] == baoji]
    assert (branch["dispatched"], branch["resolved"], branch["rejected"]) == (3, 1, 1)
    assert branch["rejection_rate"] == 1.0
    times = {each["state"]: each for each in supervisor.get(f"{MONITOR}/step-times?unit_id={baoji}").json()}
    assert (times["dispatched"]["stays"], times["dispatched"]["target_seconds"]) == (3, 7200)
    assert supervisor.get(f"{MONITOR}/nodes?by_county=true").status_code == 200
    assert all(each["unit_id"] != baoji for each in supervisor.get(f"{MONITOR}/late").json())
    empty = supervisor.get(f"{MONITOR}/branches?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z")
    assert empty.status_code == 422


def trouble(**values: Any) -> dict[str, Any]:
    body = {"@type": "TroubleTicket", "description": "全部频道无图像", "severity": "Major", "ticketType": "complaint"}
    return body | values


def test_tmf621_creates_lists_and_changes_the_same_tickets(
    client: Client, populated: tuple[Engine, World], world: World
) -> None:
    engine, agent = populated[0], client("agent")
    party = {"role": "customer", "partyOrPartyRole": {"id": str(world[("customer", "own")])}}
    made = agent.post(TROUBLE, json=trouble(name="无图像", relatedParty=[party]))
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["@type"], told["status"], told["severity"], told["priority"]) == (
        "TroubleTicket",
        "acknowledged",
        "Major",
        "high",
    )
    assert told["relatedParty"][0]["partyOrPartyRole"]["id"] == str(world[("customer", "own")])
    path, ours = told["href"], f"{TICKETS}/{told['id']}"
    assert agent.get(ours).json()["ticket"]["title"] == "无图像"
    step(client("dispatcher"), ours, "dispatch", unit_id=unit(engine, "baoji"))
    branch = client("baoji_handler")
    assert branch.patch(path, json={"status": "inProgress"}).json()["status"] == "inProgress"
    step(branch, ours, "start")
    lacking = branch.patch(path, json={"status": "resolved"})
    assert (lacking.status_code, lacking.json()["extra"]) == (422, {"fields": ["resolution"]})
    resolved = branch.patch(path, json={"status": "resolved", "statusChangeReason": "更换机顶盒"}).json()
    assert (resolved["status"], resolved["statusChangeReason"]) == ("resolved", "更换机顶盒")
    assert [each["status"] for each in resolved["statusChangeHistory"]] == ["acknowledged", "inProgress", "resolved"]
    refused = branch.patch(path, json={"status": "closed"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:crm:problem:not-allowed")
    early = client("reviewer").patch(path, json={"status": "closed"})
    assert early.status_code == 409
    listed = agent.get(f"{TROUBLE}?status=resolved&severity=Major&ticketType=complaint")
    assert [each["id"] for each in listed.json()] == [told["id"]]
    assert (listed.headers["x-total-count"], listed.headers["x-result-count"]) == ("1", "1")
    changed = client("supervisor").patch(path, json={"severity": "Critical"}, headers={"If-Match": "*"})
    assert (changed.json()["priority"], changed.json()["status"]) == ("urgent", "resolved")
    events = client("supervisor").get(f"{ours}/history").json()
    assert [event["kind"] for event in events] == [
        "created",
        "dispatched",
        "accepted",
        "started",
        "resolved",
        "updated",
    ]


def test_tmf621_refuses_what_is_not_there_or_not_the_caller_s(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    world = sqlite_world[1]
    party = {"role": "customer", "partyOrPartyRole": {"id": str(world[("customer", "foreign")])}}
    assert web("baoji_handler").post(TROUBLE, json=trouble(relatedParty=[party])).status_code == 422
    assert web("agent").post(TROUBLE, json=trouble(severity="Awful")).status_code == 422
    foreign = f"{TROUBLE}/{world[('work', 'foreign')]}"
    assert web("baoji_handler").get(foreign).status_code == 404
    assert web("baoji_handler").patch(foreign, json={"status": "cancelled"}).status_code == 404
    mine = web("baoji_handler").get(TROUBLE).json()
    assert {each["id"] for each in mine} >= {str(world[("work", "own")])}
    assert str(world[("work", "foreign")]) not in {each["id"] for each in mine}
    assert web("manager").get(TROUBLE).status_code == 403
