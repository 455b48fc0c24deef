"""What the gates said of each run: kept beside the publications, so that a held one is known and can be released."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from core.errors import BadInputError
from core.files import write_atomically
from core.settings import Settings
from core.time import utc_now
from warehouse.expectations import Found, told

Stage = Literal["lake", "marts"]
Verdict = Literal["passed", "warned", "held", "released"]
#: Runs that are remembered: five days of one each quarter of an hour.
_KEPT = 500


@dataclass(frozen=True)
class GateRun:
    """One run of the gates of the lake (its `loads`) or of the marts (`build`).

    `failed` are the expectations that did not hold, of `checked` in all; `set_aside` counts rows; a held run that a
    person let pass has `released_by`, `released_at` and `reason`; `publication` is the run that readers got of it.
    """

    run_id: str
    stage: Stage
    at: str
    verdict: Verdict
    checked: int
    failed: list[Found] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    build: str = ""
    set_aside: int = 0
    publication: str = ""
    released_by: str = ""
    released_at: str = ""
    reason: str = ""

    @property
    def is_held(self) -> bool:
        """Whether it still waits for a person."""
        return self.verdict == "held"

    @property
    def stopping(self) -> list[Found]:
        """The expectations for which it was held."""
        return [found for found in self.failed if found["severity"] == "stop"]

    @property
    def when(self) -> datetime:
        """The instant of the run."""
        return datetime.fromisoformat(self.at)


def new_run_id() -> str:
    """A name that sorts by time."""
    return utc_now().strftime("%Y%m%dT%H%M%S%f")


def judged(run_id: str, stage: Stage, found: Iterable[Found], **more: Any) -> GateRun:
    """The run's verdict: held if something that stops does not hold, warned if something else does not."""
    results = list(found)
    failed = [each for each in results if not each["holds"]]
    verdict: Verdict = "passed" if not failed and not more.get("set_aside") else "warned"
    if any(each["severity"] == "stop" for each in failed):
        verdict = "held"
    return GateRun(run_id, stage, utc_now().isoformat(), verdict, len(results), failed, **more)


def pages_folder(settings: Settings) -> Path:
    """Where the runs are written down, and their pages."""
    return settings.home / "gates"


def keep(settings: Settings, run: GateRun) -> None:
    """Write the run down (again), and forget the oldest beyond those that are kept."""
    folder = pages_folder(settings)
    write_atomically(folder / f"{run.run_id}.json", json.dumps(asdict(run), ensure_ascii=False, indent=1))
    for path in sorted(folder.glob("*.json"))[:-_KEPT]:
        path.unlink(missing_ok=True)


def history(settings: Settings, limit: int = 50) -> list[GateRun]:
    """The newest runs, newest first."""
    runs = []
    for path in sorted(pages_folder(settings).glob("*.json"), reverse=True)[:limit]:
        # A run that was pruned meanwhile, or one of another version.
        with suppress(OSError, ValueError, TypeError):
            runs.append(GateRun(**json.loads(path.read_text(encoding="utf-8"))))
    return runs


def held(settings: Settings) -> GateRun | None:
    """The run for which readers wait: the newest one of all, if it is held."""
    newest = history(settings, 1)
    return newest[0] if newest and newest[0].is_held else None


def find(settings: Settings, run_id: str) -> GateRun:
    """The run of that name.

    Raises:
        BadInputError: there is none; names those that are held.
    """
    known = {run.run_id: run for run in history(settings, _KEPT)}
    if run_id not in known:
        waiting = ", ".join(name for name, run in known.items() if run.is_held) or "none"
        raise BadInputError(f"The gates know no run {run_id!r}.", f"Held are: {waiting}. See: crm publish --history")
    return known[run_id]


def released(run: GateRun, by: str, reason: str) -> GateRun:
    """The held run, let pass by a person.

    Raises:
        BadInputError: it is not held, or no reason is given.
    """
    if not run.is_held:
        raise BadInputError(f"The run {run.run_id} is {run.verdict}, not held.", "See: crm publish --history")
    if not reason.strip():
        raise BadInputError("A release needs a reason.", 'Say why: --reason "…"')
    return replace(run, verdict="released", released_by=by, released_at=utc_now().isoformat(), reason=reason.strip())


def told_of(run: GateRun) -> str:
    """What held the run, in words: each expectation with rows that break it."""
    return "\n  ".join(told(found) for found in run.stopping)


def mend_of(run: GateRun) -> str:
    """What a person can do about a held run."""
    return (
        "Mend the rows at their source, then: crm pipeline. Or, if it is right as it is: "
        f'crm publish --release {run.run_id} --reason "…". Readers go on seeing the last publication.'
    )
