"""Whether a build adds the new loads to what stands, or makes everything anew; and what dbt is told of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from core.errors import CrmError
from core.files import write_atomically
from core.lake import Load, current_loads
from core.settings import Settings
from core.time import utc_now
from warehouse.dbt_run import building_file, project_digest
from warehouse.quarantine import tables_set_aside

Mode = Literal["full", "increment"]


@dataclass(frozen=True)
class Built:
    """What the build before left: enough to add to it."""

    build: str
    loads: Sequence[str]
    fingerprint: str
    through: str | None = None
    publication: str | None = None


@dataclass(frozen=True)
class Plan:
    """What one build does. `loads` are those that it reads: all of the newest epoch, or only the new ones.

    `set_aside` names tables (and their keys) with rows that it does not read.
    """

    mode: Mode
    build: str
    loads: list[str]
    snapshot_at: str
    since_build: str | None
    since_through: str | None
    publication: str | None
    reason: str
    all_loads: list[str]
    fingerprint: str
    set_aside: list[str] = field(default_factory=list)


def fingerprint(settings: Settings) -> str:
    """Changes with everything but the lake that decides what the marts hold: the project, T and S."""
    return f"{project_digest(only_rows=True)} {settings.service_level_seconds} {settings.short_abandon_seconds}"


def make_plan(settings: Settings, before: Built | None, *, full: bool) -> Plan:
    """Decide how to build.

    An increment needs a whole build before it, of the same project and settings, whose loads are the oldest of the
    newest epoch's. Otherwise everything is made anew; `reason` says why.

    Raises:
        CrmError: nothing has been ingested yet.
    """
    loads = current_loads(settings.lake)
    if not loads:
        raise CrmError(f"The lake at {settings.lake} holds no completed load.", "Fill it with: crm ingest")
    made = fingerprint(settings)
    reason = "asked for" if full else _why_full(before, loads, made)
    known = set() if reason or before is None else set(before.loads)
    return Plan(
        mode="full" if reason else "increment",
        build=utc_now().strftime("%Y%m%dT%H%M%S%f"),
        loads=[load.load_id for load in loads if load.load_id not in known],
        snapshot_at=max(load.snapshot_at for load in loads),
        since_build=before.build if before else None,
        since_through=before.through if before else None,
        publication=before.publication if before else None,
        reason=reason,
        all_loads=[load.load_id for load in loads],
        fingerprint=made,
        set_aside=tables_set_aside(settings, (load.load_id for load in loads)),
    )


def _why_full(before: Built | None, loads: Sequence[Load], made: str) -> str:
    if before is None:
        return "there is no whole build to add to"
    if before.fingerprint != made:
        return "the models or the settings changed"
    ids = [load.load_id for load in loads]
    # A load of lower rank that completed late would be outranked row by row: too rare to be worth telling apart.
    if ids[: len(before.loads)] != list(before.loads):
        return "the store was restored, or an older load came late"
    return ""


def tell_dbt(settings: Settings, plan: Plan) -> None:
    """Write down what the macros read (dbt/macros/increments.sql)."""
    write_atomically(building_file(settings), json.dumps(asdict(plan)))
