"""How long features, training and scoring take on a simulated province, and how much memory training and scoring need.

Training and scoring run as processes of their own, as `crm train` and `crm score` do, so each has its own peak. With
CRM_BENCH_KEEP=folder the province that is simulated and built stays there, and another run begins with it.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

from core.database import make_engine, session_scope
from core.settings import Settings

Row = dict[str, object]

#: Customers and days by size.
SIZES = {"small": (60_000, 160), "province": (2_600_000, 160)}
_MODELS = ("churn", "offers", "segment", "key_customer")


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note."""
    with _folder() as folder:
        settings = Settings(home=Path(folder) / "home")
        if not settings.warehouse_file.exists():
            _prepare(settings, *SIZES[size])
        return [*_alone(settings, "training"), *_alone(settings, "scoring")]


def _folder() -> AbstractContextManager[str]:
    kept = os.environ.get("CRM_BENCH_KEEP")
    return nullcontext(kept) if kept else tempfile.TemporaryDirectory()


def _prepare(settings: Settings, customers: int, days: int) -> None:
    from crm_api.reference.service import load_reference
    from crm_api.store import migrate
    from simulator.province import Wish
    from simulator.run import simulate
    from warehouse.build import build

    engine = make_engine(settings)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    engine.dispose()
    wish = Wish(customers=customers, days=days, seed=1, until=date(2026, 9, 30))
    simulate(wish, target="lake", settings=settings)
    build(settings)


def _alone(settings: Settings, part: str) -> list[Row]:
    """The rows of one part, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scoring", part]
    environment = os.environ | {"CRM_HOME": str(settings.home)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    rows: list[Row] = json.loads(done.stdout)
    return rows


def training(settings: Settings) -> list[Row]:
    """`crm train` of the customer models."""
    from ml.training import train

    marks: list[tuple[str, float]] = [("start", perf_counter())]
    train(settings, _MODELS, tell=lambda step: _mark(marks, step))
    seconds = _between(marks)
    rows = [_row("training of all customer models", sum(seconds.values()), "s", note=_each(seconds))]
    return [*rows, _row("peak memory of training", _peak(), "GB", "< 6.4")]


def scoring(settings: Settings) -> list[Row]:
    """`crm score`."""
    from ml.scoring import score

    marks: list[tuple[str, float]] = []
    result = score(settings, tell=lambda step: _mark(marks, step))
    seconds = _between(marks)
    models = sum(seconds.get(step, 0.0) for step in _MODELS)
    total = sum(result.scores.values())
    rows = [
        _row("features of two dates", seconds["features"], "s"),
        _row("scores of all models", models, "s", "< 180 at 2.6 M", f"{total:,} scores, {total / models:,.0f} rows/s"),
    ]
    rows += [_row(f"  {step}", seconds[step], "s") for step in _MODELS if step in seconds]
    rows += [_row(f"scores into the {step}", seconds[step], "s") for step in ("lake", "store", "marts")]
    rows.append(_row("gates and publication", seconds["publish"], "s"))
    rows.append(_row("processor time of it all", process_time(), "s"))
    return [*rows, _row("peak memory of scoring", _peak(), "GB", "< 6.4", "features, marts and publication included")]


def _mark(marks: list[tuple[str, float]], step: str) -> None:
    """Note when a step began; what was spent so far goes to standard error, for a run that is broken off."""
    marks.append((step, perf_counter()))
    print(f"{step}: {process_time():.0f} s of processor time, peak {_peak():.2f} GB", file=sys.stderr, flush=True)


def _between(marks: list[tuple[str, float]]) -> dict[str, float]:
    ended = [*marks, ("end", perf_counter())]
    return {step: after - at for (step, at), (_, after) in pairwise(ended)}


def _each(seconds: dict[str, float]) -> str:
    return ", ".join(f"{step} {spent:.0f}" for step, spent in seconds.items() if step != "start")


def _peak() -> float:
    """GB at most resident in this process; getrusage would begin with what the starting process held."""
    (line,) = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e9


def _row(name: str, value: float, unit: str, aim: str = "", note: str = "") -> Row:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "note": note}


if __name__ == "__main__":
    parts = {"training": training, "scoring": scoring}
    print(json.dumps(parts[sys.argv[1]](Settings())))
