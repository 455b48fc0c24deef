"""Every creating call takes an idempotency key: a call that is repeated creates once."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from sqlalchemy import Engine, func, select

from core.database import session_scope
from crm_api.attachments.models import Attachment
from crm_api.suggestions.models import ComplaintSuggestion
from crm_api.web.idempotency import key_dependency
from tests.crm_api.conftest import Client
from tests.crm_api.test_identity_matrix import ROUTES
from tests.crm_api.world import World

#: POST routes that create nothing that a repetition would double, and why not.
CREATES_NOTHING = {
    "/api/v1/session": "another session of the same person is what signing in again asks for",
    "/api/v1/customers/{customer_id}/reveal": "shows; each showing is audited",
    "/api/v1/merges/{merge_id}/undo": "a merge is undone once",
    "/api/v1/tickets/{ticket_id}/assignments/return": "an assignment returns once",
    "/api/v1/follow-up-calls/claim": "takes what waits; what one holds stays one's own",
    "/api/v1/bulk-actions/preview": "tries only",
    "/api/v1/bulk-actions/{bulk_id}/apply": "a proposal is carried out once",
    "/api/v1/bulk-actions/{bulk_id}/undo": "an action is taken back once",
    "/api/v1/processes/check": "checks only",
    "/api/v1/processes/versions/{version_id}/publish": "a version is published once",
    "/api/v1/phone/credentials": "shows what there is",
    "/api/v1/telephony/agents/{code}/listen": "joins the call there is",
    "/api/v1/telephony/agents/{code}/pause": "a state",
    "/api/v1/dialler/stop": "a state",
    "/api/v1/dialler/resume": "a state",
    "/api/v1/complaint-type-suggestions": "asks only",
    "/api/v1/users/{user_id}/password": "replaces the password",
    "/api/v1/key-level-proposals/{proposal_id}/decision": "a proposal is decided once",
    "/api/v1/emerging-topics/{topic_id}/dismissal": "a topic is settled once",
    "/api/v1/campaigns/{campaign_id}/steps": "a step leads from one state only",
    "/api/v1/campaigns/{campaign_id}/export": "reads",
    "/api/v1/campaigns/{campaign_id}/outcomes": "each outcome of the file has a key of its own",
    "/api/v1/campaigns/{campaign_id}/next": "takes what waits",
    "/api/v1/call-list-entries/{entry_id}/check": "asks only",
    "/api/v1/call-list-entries/{entry_id}/outcome": "external_id is its key",
    "/api/v1/call-list-entries/{entry_id}/release": "gives back",
    "/api/v1/screen-pops": "shows",
}


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)


def test_every_creating_route_takes_an_idempotency_key() -> None:
    posts = {
        path: route
        for (method, path), route in ROUTES.items()
        if method == "POST" and path.startswith(("/api/", "/tmf-api/"))
    }
    without = {path for path, route in posts.items() if key_dependency not in _calls(route.dependant)}
    assert without == set(CREATES_NOTHING), "a new POST takes `once: Idempotent`, or creates nothing and says why here"


@pytest.mark.parametrize("changed", [False, True])
def test_a_file_sent_again_with_its_key_is_answered_alike(
    web: Client, sqlite_world: tuple[Engine, World], changed: bool
) -> None:
    engine, world = sqlite_world
    path, key = f"/api/v1/tickets/{world[('work', 'own')]}/attachments", {"Idempotency-Key": "file-0001"}
    with session_scope(engine) as session:
        before = session.scalar(select(func.count(Attachment.id))) or 0
    first = web("agent").post(path, files={"file": ("现场.txt", "没有图像".encode())}, headers=key)
    assert first.status_code == 201, first.text
    # A form sent again has another boundary.
    content = "又有图像了" if changed else "没有图像"
    again = web("agent").post(path, files={"file": ("现场.txt", content.encode())}, headers=key)
    if changed:
        assert again.status_code == 409
    else:
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotent-replay"] == "true"
    with session_scope(engine) as session:
        assert session.scalar(select(func.count(Attachment.id))) == before + 1


def test_a_choice_told_twice_is_one_lesson(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    agent, key = web("agent"), {"Idempotency-Key": "choice-0001"}
    body = {"text": "没有图像", "chosen_code": "signal.digital_tv.no_picture"}
    path = "/api/v1/complaint-type-suggestions/choices"
    answers = [agent.post(path, json=body, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert [answer.headers.get("idempotent-replay") for answer in answers] == [None, "true", "true"]
    assert all(answer.content == b"" for answer in answers)
    with session_scope(sqlite_world[0]) as session:
        assert session.scalar(select(func.count(ComplaintSuggestion.id))) == 1
    assert agent.post(path, json=body | {"text": "杂音"}, headers=key).status_code == 409
