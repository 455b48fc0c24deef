"""How fast a province is simulated: into a SQLite store, and straight into the lake."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

#: A province of the size, straight into the lake: customers, days, seconds aimed at.
_LAKE = {"small": (260_000, 60, None), "province": (2_600_000, 365, 180)}
_DEMO = (20_000, 90, 15)


def run(size: str) -> list[dict[str, Any]]:
    """Rows for the report; `size` is small (a tenth of a province, two months) or province (a year of 10 M calls)."""
    customers, days, aim = _LAKE[size]
    # The first run compiles where nothing is on the disk yet; the second shows what every later one takes.
    first, later = (_simulate(*_DEMO[:2], "store") for _ in range(2))
    lake = _simulate(customers, days, "lake")
    rows = sum(lake["rows"].values())
    what = f"{customers:,} customers, {days} days, {lake['rows']['calls']:,} calls, {rows:,} rows"
    return [
        _row(
            "simulate store, first run", first["seconds"], "s", f"< {_DEMO[2]} s", "20,000 customers, 90 days, SQLite"
        ),
        _row("simulate store, later run", later["seconds"], "s", f"< {_DEMO[2]} s", "the same, code already compiled"),
        _row("simulate lake", lake["seconds"], "s", f"< {aim} s" if aim else "", what),
        _row("simulate lake rows", rows / lake["seconds"], "rows/s", "", ""),
        _row("simulate lake peak memory", lake["peak_mb"], "MB", "< 6,144 MB", "of the whole process"),
    ]


def _row(name: str, value: float, unit: str, aim: str, note: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "note": note}


def _simulate(customers: int, days: int, target: str) -> dict[str, Any]:
    """One run in a process and a CRM_HOME of its own; what `crm simulate --json` says, and `peak_mb`."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as home:
        environment = {**os.environ, "CRM_HOME": home, "CRM_DATABASE_URL": ""}
        crm = [sys.executable, "-m", "cli.main"]
        root = Path(__file__).parents[1]
        if target == "store":
            subprocess.run([*crm, "init"], env=environment, cwd=root, check=True, capture_output=True)
        arguments = ["--customers", str(customers), "--days", str(days), "--seed", "1", "--to", target, "--json"]
        arguments += ["--until", "2025-12-31"]
        done = subprocess.run(
            [*crm, "simulate", *arguments], env=environment, cwd=root, check=True, capture_output=True, text=True
        )
    result: dict[str, Any] = json.loads(done.stdout)
    # The largest child so far: the lake runs last and is the largest.
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return result
