"""Processes in the store: which one a ticket follows, and editing one into a new version that the checker accepts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import yaml
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from crm_api.tickets.checker import Problem, check
from crm_api.tickets.process import Definition, parse
from crm_api.tickets.process_models import Process, ProcessVersion

_FILE = Path(__file__).parent / "process.yml"
#: A version that was active once never changes, so its definition is parsed once.
_DEFINITIONS: WeakKeyDictionary[Engine, dict[int, Definition]] = WeakKeyDictionary()


class UnsoundProcessError(InvalidError):
    """The checker refused a process; `problems` says why, in both languages."""

    slug = "unsound-process"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].text_en, f"{len(problems)} problem(s): mend the process, then check it again.")
        self.problems = list(problems)
        self.in_chinese = problems[0].text_zh, f"共有 {len(problems)} 个问题：请修正流程后重新检查。"

    @property
    def extra(self) -> dict[str, Any]:
        """What a program is told: every problem, with its place."""
        return {"problems": [asdict(problem) for problem in self.problems]}


def load_default_process(session: Session) -> int:
    """Put the delivered process into a store that has none of its code; the number of rows written."""
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    if session.get(Process, content["code"]) is not None:
        return 0
    definition = _sound(content.pop("definition"))
    session.add(Process(**content))
    session.flush()
    now = utc_now()
    session.add(
        ProcessVersion(
            process_code=content["code"],
            number=1,
            status="active",
            definition=definition.as_document(),
            created_by="system",
            created_at=now,
            activated_at=now,
        )
    )
    session.flush()
    return 2


def definition_of(session: Session, version_id: int) -> Definition:
    """The definition of a version, drafts included; NotFoundError if there is none."""
    known = _DEFINITIONS.setdefault(session.get_bind().engine, {})
    if version_id in known:
        return known[version_id]
    version = session.get(ProcessVersion, version_id)
    if version is None:
        raise NotFoundError(f"There is no process version {version_id}.")
    definition = parse(version.definition)
    if version.status != "draft":
        known[version_id] = definition
    return definition


def active_version(session: Session, *, service_type_code: str) -> ProcessVersion:
    """The version that a new ticket of that service type follows: the first process that names it, or names none.

    Raises:
        NotFoundError: no process is active for it.
    """
    rows = session.execute(
        select(Process, ProcessVersion)
        .join(ProcessVersion, ProcessVersion.process_code == Process.code)
        .where(ProcessVersion.status == "active")
        .order_by(Process.sort_order, Process.code)
    )
    top = service_type_code.split(".")[0]
    for process, version in rows:
        if not process.service_type_codes or {service_type_code, top} & set(process.service_type_codes):
            found: ProcessVersion = version
            return found
    raise NotFoundError(
        f"No active process takes tickets of service type {service_type_code!r}.", "Load the default one: crm init"
    )


def save_draft(session: Session, *, actor: Actor, process_code: str, document: Mapping[str, Any]) -> ProcessVersion:
    """Keep an edited process as its draft, sound or not; the draft that was there is replaced.

    Raises:
        InvalidError: the document names something unknown.
    """
    _require_administrator(actor)
    if session.get(Process, process_code) is None:
        raise NotFoundError(f"There is no process {process_code!r}.")
    definition = parse(document)
    ours = select(ProcessVersion).where(ProcessVersion.process_code == process_code)
    draft = session.scalars(ours.where(ProcessVersion.status == "draft")).first()
    if draft is None:
        newest = session.scalar(
            select(func.max(ProcessVersion.number)).where(ProcessVersion.process_code == process_code)
        )
        draft = ProcessVersion(process_code=process_code, number=(newest or 0) + 1, status="draft")
        session.add(draft)
    draft.definition = definition.as_document()
    draft.created_by, draft.created_at = actor.username, utc_now()
    session.flush()
    return draft


def problems_of(document: Mapping[str, Any]) -> list[Problem]:
    """What the checker says about an edited process, for drawing it as it is edited."""
    return check(parse(document))


def activate(session: Session, *, actor: Actor, version_id: int, note: str | None = None) -> ProcessVersion:
    """Let new tickets follow this version; those under way stay with theirs.

    Raises:
        UnsoundProcessError: the checker refuses it.
    """
    _require_administrator(actor)
    version = session.get(ProcessVersion, version_id, with_for_update=True)
    if version is None:
        raise NotFoundError(f"There is no process version {version_id}.")
    if version.status == "active":
        raise ConflictError(f"Version {version.number} of {version.process_code} is active already.")
    _sound(version.definition)
    for other in session.scalars(
        select(ProcessVersion).where(
            ProcessVersion.process_code == version.process_code, ProcessVersion.status == "active"
        )
    ):
        other.status = "retired"
    session.flush()
    version.status, version.activated_at, version.note = "active", utc_now(), note
    session.flush()
    return version


def _sound(document: Mapping[str, Any]) -> Definition:
    definition = parse(document)
    problems = check(definition)
    if problems:
        raise UnsoundProcessError(problems)
    return definition


def _require_administrator(actor: Actor) -> None:
    if actor.role != "administrator":
        raise NotAllowedError(f"{actor.role} may not edit processes.", "An administrator does.")
