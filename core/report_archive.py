"""Where written reports are kept, CRM_HOME/reports/<kind>/<period>/, and how they are found again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.files import write_atomically
from core.settings import Settings, get_settings

#: The forms of a report, by file ending.
FORMS = ("html", "pdf", "xlsx")
_ENTRY = ".json"


@dataclass(frozen=True)
class Archived:
    """A report on disk; `words` is what a search looks through."""

    name: str
    kind: str
    period: str
    city_code: str | None
    language: str
    title: str
    run_id: str
    written_at: datetime
    words: str
    folder: Path

    def file(self, form: str) -> Path:
        """The file of one form."""
        return self.folder / f"{self.name}.{form}"


def folder(settings: Settings | None = None) -> Path:
    """The archive."""
    return (settings or get_settings()).home / "reports"


def keep(entry: Archived) -> None:
    """Write the entry by which a report is found."""
    content = json.dumps(_plain(entry), ensure_ascii=False, indent=1)
    write_atomically(entry.folder / f"{entry.name}{_ENTRY}", content)


def find(
    settings: Settings | None = None, *, kind: str | None = None, city_code: str | None = "*", words: str = ""
) -> list[Archived]:
    """Archived reports, the newest period first.

    Args:
        settings: of the installation.
        kind: only these.
        city_code: only of this unit (None: the province); "*": of every unit.
        words: all of them must occur.
    """
    wanted = [word.casefold() for word in words.split()]
    found = [
        entry
        for entry in _entries(folder(settings))
        if (kind is None or entry.kind == kind)
        and city_code in ("*", entry.city_code)
        and all(word in entry.words.casefold() for word in wanted)
    ]
    return sorted(found, key=lambda entry: (entry.period, entry.name), reverse=True)


def _entries(place: Path) -> Iterator[Archived]:
    for path in place.glob(f"*/*/*{_ENTRY}"):
        content = json.loads(path.read_text(encoding="utf-8"))
        yield Archived(**content | {"written_at": datetime.fromisoformat(content["written_at"]), "folder": path.parent})


def _plain(entry: Archived) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in vars(entry).items()
        if name != "folder"
    }
