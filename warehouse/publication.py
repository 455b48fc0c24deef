"""What is published: the current publication and the ones kept for rollback."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import NotPublishedError
from core.files import write_atomically
from core.settings import Settings, get_settings

POINTER = "CURRENT.json"
#: Makes and publishes marts from the lake that is there.
ANEW = "crm build && crm publish"


@dataclass(frozen=True)
class Publication:
    """One immutable file of marts.

    `data_through` is the latest recorded event in it; `row_counts` has one entry a mart; `gates` what was checked.
    """

    run_id: str
    file: Path
    published_at: datetime
    data_through: datetime | None
    row_counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    gates: list[dict[str, Any]] = field(default_factory=list, hash=False)
    loaded_at: datetime | None = None
    #: Readers were led away from it by a rollback.
    is_withdrawn: bool = False

    def to_json(self) -> str:
        """As it stands in CURRENT.json and beside its file."""
        return json.dumps(
            {
                "run_id": self.run_id,
                "file": self.file.name,
                "published_at": self.published_at.isoformat(),
                "data_through": self.data_through.isoformat() if self.data_through else None,
                "loaded_at": self.loaded_at.isoformat() if self.loaded_at else None,
                "row_counts": dict(self.row_counts),
                "gates": self.gates,
                "is_withdrawn": self.is_withdrawn,
            },
            ensure_ascii=False,
            indent=1,
        )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _read(path: Path) -> Publication:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Publication(
            run_id=content["run_id"],
            file=path.parent / content["file"],
            published_at=datetime.fromisoformat(content["published_at"]),
            data_through=_instant(content["data_through"]),
            loaded_at=_instant(content.get("loaded_at")),
            row_counts=content["row_counts"],
            gates=content["gates"],
            is_withdrawn=content.get("is_withdrawn", False),
        )
    except FileNotFoundError as error:
        raise NotPublishedError("Nothing has been published yet.", "Publish with: crm pipeline") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotPublishedError(
            f"{path} cannot be read: {error}.", "Point to the newest publication with: crm publish --restore"
        ) from error


def current(settings: Settings | None = None) -> Publication:
    """The publication that readers should open now; cheap (one small file).

    Raises:
        NotPublishedError: nothing has been published yet.
    """
    return _read((settings or get_settings()).published / POINTER)


def kept(settings: Settings) -> list[Publication]:
    """Every publication that still has its file and a readable description, oldest first."""
    found = []
    for path in settings.published.glob("marts_*.json"):
        with suppress(NotPublishedError):
            found.append(_read(path))
    return sorted((each for each in found if each.file.exists()), key=lambda each: each.run_id)


def marts_file(settings: Settings, run_id: str) -> Path:
    """Where the marts of a run lie; the name differs from every schema's."""
    return settings.published / f"marts_{run_id}.duckdb"


def point_to(settings: Settings, publication: Publication) -> None:
    """Make `publication` the current one, atomically."""
    write_atomically(settings.published / POINTER, publication.to_json())


def remember(publication: Publication) -> None:
    """Write the publication's own description beside its file, for rollback."""
    write_atomically(publication.file.with_suffix(".json"), publication.to_json())


def prune(settings: Settings, keep: int) -> None:
    """Delete all but `keep` publications, those rolled away from first, then the oldest; the current one always stays.

    A reader that has an old file open goes on reading it: the system frees it when the last one closes it.
    """
    pointed = current(settings).run_id
    others = [each for each in kept(settings) if each.run_id != pointed]
    others.sort(key=lambda each: (not each.is_withdrawn, each.run_id))
    for old in others[: max(len(others) - (keep - 1), 0)]:
        old.file.with_suffix(".json").unlink(missing_ok=True)
        old.file.unlink(missing_ok=True)


def roll_back(settings: Settings) -> Publication:
    """Point to the publication before the current one; a second call goes one further back.

    A publication that was rolled away from is never gone back to, also after a newer one was published.

    Raises:
        NotPublishedError: there is no earlier one.
    """
    pointed = current(settings)
    earlier = earlier_than(settings, pointed)
    if earlier is None:
        raise NotPublishedError(f"There is no publication to go back to before {pointed.run_id}.", f"Try: {ANEW}")
    point_to(settings, earlier)
    if pointed.file.exists():
        remember(replace(pointed, is_withdrawn=True))
    return earlier


def earlier_than(settings: Settings, publication: Publication) -> Publication | None:
    """Where a rollback from `publication` leads; None: nowhere."""
    earlier = [each for each in kept(settings) if each.run_id < publication.run_id and not each.is_withdrawn]
    return earlier[-1] if earlier else None


def mend_of_unreadable(settings: Settings, publication: Publication) -> str:
    """What to do when the publication's file is gone or damaged."""
    if earlier_than(settings, publication):
        return f"Go back to the one before with: crm publish --rollback; or publish anew with: {ANEW}"
    return f"Publish anew with: {ANEW}"


def restore(settings: Settings) -> Publication:
    """Undo rollbacks: point to the newest publication."""
    newest = kept(settings)
    if not newest:
        raise NotPublishedError("Nothing has been published yet.", "Publish with: crm pipeline")
    found = replace(newest[-1], is_withdrawn=False)
    remember(found)
    point_to(settings, found)
    return found
