"""The process as its editors see it: drawn while they edit, with the checker's findings where they belong."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.audit.service import record
from crm_api.capture.drawing import PLACES, draw_loop
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import render
from crm_api.errors import InvalidError, NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import process_service
from crm_api.tickets.checker import Problem, check
from crm_api.tickets.models import EVENT_KINDS
from crm_api.tickets.process import GUARDS, REQUIREMENTS, ROLES, Definition, parse
from crm_api.tickets.process_models import Process, ProcessVersion
from crm_api.web.dependencies import DbSession, From, requires

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.PROCESS_READ)]
Editor = Annotated[Identity, requires(Permission.PROCESS_MANAGE)]

_CODE = re.compile(r"[a-z][a-z0-9_]{0,29}")
_MOST_STEPS = 100
#: Who can be given a step; foreign systems and machines of other kinds take none.
_TAKERS = tuple(role for role in ROLES if role not in ("analyst", "manager", "marketing", "administrator"))
_EMPTY_STEP = {"code": "", "kind": "updated", "from": [], "to": "closed", "roles": [], "requires": [], "guards": []}


@router.get("/app/process")
def process_page(
    identity: Reader,
    session: DbSession,
    request: Request,
    version: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """The process drawn, its steps and versions; who may, edits it here."""
    shown = _version(session, version)
    return _page(request, session, identity, shown, shown.definition)


@router.post("/app/process/look")
def look(identity: Editor, session: DbSession, request: Request, sent: Sent) -> Response:
    """The drawing and the findings for what is typed; nothing is saved."""
    return render(request, session, identity, "process_look.html", swapped=True, **_looked(_document(sent)))


@router.post("/app/process/steps")
def change_steps(identity: Editor, session: DbSession, request: Request, sent: Sent) -> Response:
    """The form with one step more (`add`) or less (`remove` names its row); nothing is saved."""
    shown, document = _version(session, sent.number("version")), _document(sent)
    removed = sent.number("remove")
    if removed is None:
        document["transitions"].append(_EMPTY_STEP | {"name_zh": "", "name_en": ""})
    else:
        document["transitions"] = [each for row, each in _steps(sent) if row != removed]
    return _page(request, session, identity, shown, document, opened=removed is None)


@router.post("/app/process/draft")
def save_draft(identity: Editor, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """Keep what is typed as the process' draft, sound or not."""
    shown = _version(session, sent.number("version"))
    draft = _save(session, identity, origin, shown, _document(sent))
    return _page(request, session, identity, draft, draft.definition, told="process.saved")


@router.post("/app/process/activate")
def activate(identity: Editor, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """Let new tickets follow what is typed, if the checker finds nothing; else it is the draft, and told why."""
    shown, document = _version(session, sent.number("version")), _document(sent)
    draft = _save(session, identity, origin, shown, document)
    if check(parse(draft.definition)):
        return _page(request, session, identity, draft, draft.definition, told="process.unsound", is_refused=True)
    note = sent.text("note", longest=300)
    live = process_service.activate(session, actor=identity.actor, version_id=draft.id, note=note)
    subject = ("process_version", live.id)
    record(session, "process.published", actor=identity.actor, subject=subject, reason=note, origin=origin)
    return _page(request, session, identity, live, live.definition, told="process.activated")


def _save(
    session: Session, identity: Identity, origin: From, shown: ProcessVersion, document: dict[str, Any]
) -> ProcessVersion:
    draft = process_service.save_draft(
        session, actor=identity.actor, process_code=shown.process_code, document=document
    )
    record(session, "process.drafted", actor=identity.actor, subject=("process_version", draft.id), origin=origin)
    return draft


def _version(session: Session, version_id: int | None) -> ProcessVersion:
    """The version named; else the first process' draft, else its active one."""
    if version_id is not None:
        found = session.get(ProcessVersion, version_id)
    else:
        found = session.scalars(
            select(ProcessVersion)
            .join(Process, Process.code == ProcessVersion.process_code)
            .where(ProcessVersion.status.in_(("draft", "active")))
            .order_by(Process.sort_order, Process.code, ProcessVersion.status.desc())
            .limit(1)
        ).first()
    if found is None:
        raise NotFoundError(f"There is no process version {version_id or ''}.", "Load the default process: crm init")
    return found


def _page(
    request: Request,
    session: Session,
    identity: Identity,
    shown: ProcessVersion,
    document: Mapping[str, Any],
    *,
    told: str = "",
    is_refused: bool = False,
    opened: bool = False,
) -> Response:
    versions = session.execute(
        select(Process, ProcessVersion)
        .join(ProcessVersion, ProcessVersion.process_code == Process.code)
        .order_by(Process.sort_order, Process.code, ProcessVersion.number.desc())
        .limit(50)
    ).all()
    return render(
        request,
        session,
        identity,
        "process.html",
        status=422 if is_refused else 200,
        shown=shown,
        process=session.get_one(Process, shown.process_code),
        versions=versions,
        document=document,
        states={each["code"]: each for each in document["states"]},
        all_states=tuple(PLACES),
        roles=_TAKERS,
        kinds=EVENT_KINDS,
        requirements=REQUIREMENTS,
        guards=GUARDS,
        may_edit=identity.may(Permission.PROCESS_MANAGE),
        told=told,
        is_refused=is_refused,
        opened=opened,
        swapped=False,
        **_looked(document),
    )


def _looked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The drawing and, by the code of its place, what is wrong; what cannot be read at all is told as such."""
    try:
        definition = parse(document)
    except InvalidError as error:
        return {"drawing": None, "problems": [], "by_place": {}, "unreadable": error.message, "steps": []}
    problems = check(definition)
    return {
        "drawing": draw_loop(definition, problem_places=[each.place for each in problems]),
        "problems": problems,
        "by_place": _by_place(problems),
        "unreadable": "",
        "steps": _step_codes(definition),
    }


def _step_codes(definition: Definition) -> list[str]:
    return [each.code for each in definition.transitions]


def _by_place(problems: list[Problem]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = defaultdict(list)
    for each in problems:
        found[each.place].append(each)
    return dict(found)


def _document(sent: Fields) -> dict[str, Any]:
    """The process that the form describes; `parse` judges it."""
    chosen = set(sent.listed("state"))
    return {
        "start": "new",
        "states": [_state(sent, code) for code in PLACES if code in chosen],
        "transitions": [each for _, each in _steps(sent)],
    }


def _state(sent: Fields, code: str) -> dict[str, Any]:
    minutes = sent.number(f"state.{code}.minutes")
    return {
        "code": code,
        "name_zh": sent.text(f"state.{code}.name_zh", longest=80),
        "name_en": sent.text(f"state.{code}.name_en", longest=80),
        "side": sent.text(f"state.{code}.side", longest=10),
        "target_seconds": minutes * 60 if minutes else None,
    }


def _steps(sent: Fields) -> list[tuple[int, dict[str, Any]]]:
    rows = sent.numbers("step")
    if len(rows) > _MOST_STEPS:
        raise InvalidError(f"The process has {len(rows)} steps.", f"Write at most {_MOST_STEPS}.")
    return [(row, _step(sent, f"step.{row}.")) for row in rows]


def _step(sent: Fields, prefix: str) -> dict[str, Any]:
    code = sent.text(f"{prefix}code", longest=30) or ""
    if code and not _CODE.fullmatch(code):
        raise InvalidError(f"A step's code is {code!r}.", "Write small letters, digits and _.")
    return {
        "code": code,
        "name_zh": sent.text(f"{prefix}name_zh", longest=80),
        "name_en": sent.text(f"{prefix}name_en", longest=80),
        "kind": sent.text(f"{prefix}kind", longest=16),
        "from": sent.listed(f"{prefix}from"),
        "to": sent.text(f"{prefix}to", longest=20),
        "roles": sent.listed(f"{prefix}roles"),
        "requires": sent.listed(f"{prefix}requires"),
        "guards": sent.listed(f"{prefix}guards"),
    }
