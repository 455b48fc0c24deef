"""Twelve reports (the province and each city), each as e-mail page, PDF and workbook, by one process from its start."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

Row = dict[str, object]

CUSTOMERS = {"small": 20_000, "province": 260_000}
REPORTS = 12
_KINDS = ("daily", "monthly")


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note: seconds of twelve reports per kind, process start included."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        home = Path(folder) / "home"
        _process(home, ["-m", "cli.main", "simulate", "--customers", str(CUSTOMERS[size]), "--days", "120",
                        "--calls-per-year", "3.85", "--seed", "1", "--to", "lake", "--json"])  # fmt: skip
        for step in ("build", "publish"):
            _process(home, ["-m", "cli.main", step])
        return [row for kind in _KINDS for row in _rows(home, kind)]


def _rows(home: Path, kind: str) -> list[Row]:
    started, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    output = _process(home, ["-m", "benchmarks.reports", kind, str(home / "out")])
    seconds, after = perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    inside = json.loads(output)
    slowest = f"slowest report {max(inside['seconds']):.1f} s"
    note = f"{inside['files']} files; {slowest}; {processor:.0f} s of processor time"
    return [{"name": f"{REPORTS} {kind} reports in three forms", "value": seconds, "unit": "s", "aim": "< 60",
             "note": note}]  # fmt: skip


def _process(home: Path, arguments: list[str]) -> str:
    environment = {**os.environ, "CRM_HOME": str(home)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def main(kind: str, into: Path) -> None:
    """Write the reports and print what they took."""
    from cli.report import write_report
    from core.scope import PROVINCE
    from core.settings import get_settings
    from reports.source import Source
    from warehouse.publication import current

    settings = get_settings()
    cities = Source(current(settings), PROVINCE, "zh-CN").cities()
    seconds = []
    for city in [None, *cities][:REPORTS]:
        began = perf_counter()
        write_report(kind, city, "zh-CN", settings=settings, into=into)
        seconds.append(perf_counter() - began)
    files = [path for path in into.rglob("*") if path.suffix in (".html", ".pdf", ".xlsx")]
    sys.stdout.write(json.dumps({"seconds": seconds, "files": len(files)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
