"""A gate that stays held is told when it begins, once a day while it lasts, and when it ends; not at every cycle."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from core.files import write_atomically
from core.settings import Settings, get_settings
from core.time import utc_now
from dags.alerts import delivered, tell

if TYPE_CHECKING:
    from warehouse.gate_history import GateRun

_LOG = logging.getLogger("crm.alerts")
_AGAIN = timedelta(days=1)
_PAGE = "publicationheld"


class Told(BaseModel):
    """What was told of a stage that is held: since which run and instant, for which checks, and when last."""

    run: str
    since: str
    checks: str
    told_at: AwareDatetime


_RECORD = TypeAdapter(dict[str, Told])


def tell_of_hold(error: str, settings: Settings | None = None, now: datetime | None = None) -> bool:
    """Tell of the held run that `error` names, if that is news: a new hold, other checks, or a day since the last word.

    Returns:
        whether the error is a held gate's; of any other nothing is told here.
    """
    from warehouse.gate_history import history, told_of

    settings, now = settings or get_settings(), now or utc_now()
    run = next((each for each in history(settings) if each.is_held and each.run_id in error), None)
    if run is None:
        return False
    tell_of_ends(settings)
    ledger = _ledger(settings)
    before, checks = ledger.get(run.stage), _checks(run)
    goes_on = before is not None and before.checks == checks
    if before and goes_on and now - before.told_at < _AGAIN:
        return True
    since = before.since if before and goes_on else run.at
    subject = f"the gate of the {run.stage} {'is still held' if goes_on else 'is held'}"
    body = f"Run {run.run_id}, held since {since}; readers keep the last good marts:\n\n  {told_of(run)}\n\n{error}"
    if delivered(subject, body, page=_PAGE):
        first = before.run if before and goes_on else run.run_id
        ledger[run.stage] = Told(run=first, since=since, checks=checks, told_at=now)
        _write(settings, ledger)
    return True


def tell_of_ends(settings: Settings | None = None) -> None:
    """Tell of each hold that was told and is over: a person released it, or what failed holds again."""
    from warehouse.gate_history import history

    settings = settings or get_settings()
    ledger = _ledger(settings)
    for stage, before in list(ledger.items()):
        later = (run for run in history(settings) if run.stage == stage and run.run_id >= before.run)
        over = next((run for run in later if not run.is_held), None)
        if over is None:
            continue
        how = f"released by {over.released_by}: {over.reason}" if over.released_by else "what failed holds again"
        body = f"Run {over.run_id}: {how}. It was held since {before.since}."
        if delivered(f"the gate of the {stage} is no longer held", body, page=_PAGE):
            del ledger[stage]
            _write(settings, ledger)


def _checks(run: "GateRun") -> str:
    return "; ".join(sorted(f"{each['suite']} {each['expectation']} {each['columns']}" for each in run.stopping))


def _path(settings: Settings) -> Path:
    return settings.home / "alerts" / "held.json"


def _ledger(settings: Settings) -> dict[str, Told]:
    """What was told; a record that cannot be read is set aside and said, since nobody must miss a hold for its sake."""
    path = _path(settings)
    if not path.exists():
        return {}
    try:
        return _RECORD.validate_json(path.read_bytes())
    except ValueError as error:
        aside = path.replace(path.with_name("held.damaged.json"))
        _LOG.error("%s cannot be read: %s", path, error)
        body = (
            f"{path} cannot be read and lies now at {aside}. It begins anew: a gate that is held is told again; "
            f"of one that was held and is not any more, nothing may have been told.\n\n{error}"
        )
        tell("the record of held gates is damaged", body, page=_PAGE)
        return {}


def _write(settings: Settings, ledger: dict[str, Told]) -> None:
    write_atomically(_path(settings), _RECORD.dump_json(ledger, indent=1))
