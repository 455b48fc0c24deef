"""The pages of the gates: one a run with every suite and what was observed, and the list of runs; both languages.

CRM_HOME/gates/<run>.<language>.html · index.<language>.html
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from core.files import write_atomically
from core.i18n import LANGUAGES, texts
from core.settings import Settings
from core.time import to_local
from warehouse.expectations import Found
from warehouse.gate_history import GateRun, history, pages_folder

#: Pages of runs that are kept; the list tells of more.
_PAGES = 100
_LISTED = 200


def write_page(settings: Settings, run: GateRun, found: Sequence[Found]) -> Path:
    """Write the page of a run and the list anew; where the list is, in the installation's language."""
    folder = pages_folder(settings)
    environment = _environment()
    suites: dict[str, list[Found]] = {}
    for each in found:
        suites.setdefault(each["suite"], []).append(each)
    for language in LANGUAGES:
        text = texts("warehouse", language)
        page = environment.get_template("gates_run.html")
        title = text("gates.run", run=run.run_id)
        content = page.render(text=text, title=title, run=run, suites=suites)
        write_atomically(folder / f"{run.run_id}.{language}.html", content)
        for old in sorted(folder.glob(f"2*.{language}.html"))[:-_PAGES]:
            old.unlink(missing_ok=True)
    return write_index(settings)


def write_index(settings: Settings) -> Path:
    """Write the list of runs anew, e.g. after a release."""
    folder = pages_folder(settings)
    environment = _environment()
    runs = history(settings, _LISTED)
    pages = {path.name.split(".")[0] for path in folder.glob("2*.html")}
    for language in LANGUAGES:
        text = texts("warehouse", language)
        page = environment.get_template("gates_index.html")
        content = page.render(text=text, title=text("gates.title"), runs=runs, pages=pages)
        write_atomically(folder / f"index.{language}.html", content)
    return folder / f"index.{settings.language}.html"


def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True)
    made.globals |= {"local": _local, "shown": _shown}
    return made


def _local(instant: str) -> str:
    return to_local(datetime.fromisoformat(instant)).strftime("%Y-%m-%d %H:%M:%S")


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
