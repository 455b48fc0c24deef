"""How long features, training and scoring take on a simulated province, and how much memory scoring needs."""

import resource
import tempfile
from datetime import date
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.reference.service import load_reference
from crm_api.store import migrate
from ml.scoring import score
from ml.training import train
from simulator.province import Wish
from simulator.run import simulate
from warehouse.build import build

Row = dict[str, object]

#: Customers and days by size.
SIZES = {"small": (60_000, 160), "province": (2_600_000, 160)}
_MODELS = ("churn", "offers", "segment", "key_customer")


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note."""
    customers, days = SIZES[size]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        engine = make_engine(settings)
        migrate(engine)
        with session_scope(engine) as session:
            load_reference(session)
        engine.dispose()
        wish = Wish(customers=customers, days=days, seed=1, until=date(2026, 9, 30))
        simulate(wish, target="lake", settings=settings)
        build(settings)
        started = perf_counter()
        train(settings, _MODELS, tell=lambda _: None)
        rows = [_row("training of all customer models", perf_counter() - started, "s")]
        return rows + _scoring(settings)


def _scoring(settings: Settings) -> list[Row]:
    marks: list[tuple[str, float]] = []
    result = score(settings, tell=lambda step: marks.append((step, perf_counter())))
    marks.append(("end", perf_counter()))
    seconds = {step: after - at for (step, at), (_, after) in pairwise(marks)}
    models = sum(seconds.get(step, 0.0) for step in _MODELS)
    total = sum(result.scores.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    rows = [
        _row("features of two dates", seconds["features"], "s"),
        _row("scores of all models", models, "s", "< 180 at 2.6 M", f"{total:,} scores, {total / models:,.0f} rows/s"),
    ]
    rows += [_row(f"  {step}", seconds[step], "s") for step in _MODELS if step in seconds]
    rows += [_row(f"scores into the {step}", seconds[step], "s") for step in ("lake", "store", "marts")]
    rows.append(_row("gates and publication", seconds["publish"], "s"))
    rows.append(_row("peak memory, training and warehouse included", peak, "GB", "< 6"))
    return rows


def _row(name: str, value: float, unit: str, aim: str = "", note: str = "") -> Row:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "note": note}
