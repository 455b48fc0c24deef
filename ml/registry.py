"""The registry of models: files under CRM_HOME/models, one folder a version; nothing is ever unpickled.

models/<model>/<version>/entry.json · model.skops · card.zh-CN.md · card.en.md
models/<model>/CHAMPION.json         which version scores, who made it so and why
models/<model>/promotions.jsonl      every promotion, oldest first
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import BadInputError, CrmError
from core.files import write_atomically
from core.settings import Settings
from core.time import utc_now

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
#: Modules whose types a model file may hold; anything else is refused on reading.
_TRUSTED = ("ml.", "sklearn.", "numpy.", "scipy.", "pandas.", "builtins.", "collections.", "core.")


class NoModelError(CrmError):
    """No such model or version was trained."""


@dataclass(frozen=True)
class Entry:
    """One trained version.

    Attributes:
        model, version: its name; versions sort by time.
        as_of: the last day up to whose beginning it learnt (ISO).
        data_hash: of the rows that it learnt from; code_version: of this package's sources.
        data: rows, dates, horizon: what it learnt from.
        metrics: figures by name, baselines and champion among them.
        beats_baseline: whether it is worth using at all.
        words: texts of the scores: code -> [zh, en].
    """

    model: str
    version: str
    trained_at: str
    as_of: str
    data_hash: str
    code_version: str
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    beats_baseline: bool = True
    words: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Champion:
    """The version that scores, since when, made so by whom and why; `reason_en` where a program gave the reason."""

    version: str
    by: str
    reason: str
    at: str
    reason_en: str | None = None


def rounded(value: Any) -> Any:
    """Figures as people need them: six digits after the point, at any depth."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value


def new_version(now: datetime | None = None) -> str:
    """A version's name: the moment in UTC; later ones sort after."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S%f")[:-3]


def folder(settings: Settings, model: str) -> Path:
    """Where a model's versions lie."""
    if not _NAME.match(model):
        raise BadInputError(f"{model!r} is not a model's name.", "See: crm models list")
    return settings.home / "models" / model


def save(settings: Settings, entry: Entry, fitted: Any, cards: Mapping[str, str]) -> Path:
    """Write a version; its entry comes last, so that a version without it does not exist."""
    import skops.io

    place = folder(settings, entry.model) / entry.version
    place.mkdir(parents=True, exist_ok=True)
    skops.io.dump(fitted, place / "model.skops")
    for language, text in cards.items():
        write_atomically(place / f"card.{language}.md", text)
    write_atomically(place / "entry.json", json.dumps(asdict(entry), ensure_ascii=False, indent=1))
    return place


def models(settings: Settings) -> list[str]:
    """Names of the models that have a version."""
    found = (settings.home / "models").glob("*/*/entry.json")
    return sorted({path.parent.parent.name for path in found})


def versions(settings: Settings, model: str) -> list[Entry]:
    """Every version of a model, oldest first."""
    paths = sorted(folder(settings, model).glob("*/entry.json"))
    return [Entry(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def entry(settings: Settings, model: str, version: str | None = None) -> Entry:
    """One version; without a name the champion.

    Raises:
        NoModelError: there is none.
    """
    wanted = version or require_champion(settings, model).version
    for found in versions(settings, model):
        if found.version == wanted:
            return found
    raise NoModelError(f"Model {model} has no version {wanted}.", "See: crm models list")


def load(settings: Settings, model: str, version: str | None = None) -> Any:
    """The fitted object of a version (default: the champion).

    Raises:
        NoModelError: there is none, or its file holds a type that is not ours, scikit-learn's or numpy's.
    """
    import skops.io

    found = entry(settings, model, version)
    path = folder(settings, model) / found.version / "model.skops"
    named = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in named if not name.startswith(_TRUSTED)]
    if foreign:
        raise NoModelError(f"{path} holds {foreign[0]}, which no model of ours does.", "Train it again: crm train")
    return skops.io.load(path, trusted=named)


def champion(settings: Settings, model: str) -> Champion | None:
    """The version that scores; None if none was promoted."""
    path = folder(settings, model) / "CHAMPION.json"
    if not path.exists():
        return None
    return Champion(**json.loads(path.read_text(encoding="utf-8")))


def require_champion(settings: Settings, model: str) -> Champion:
    """The version that scores; NoModelError if none was promoted."""
    found = champion(settings, model)
    if found is None:
        raise NoModelError(f"No version of model {model} is in use.", f"Train it with: crm train {model}")
    return found


def promote(
    settings: Settings, model: str, version: str, *, by: str, reason: str, reason_en: str | None = None
) -> Champion:
    """Let a version score from now on; who and why is kept, in a person's own words or in both languages.

    Raises:
        NoModelError: there is no such version.
        BadInputError: no reason.
    """
    if not reason.strip():
        raise BadInputError("A promotion needs its reason.", "Say why with --reason.")
    entry(settings, model, version)
    made = Champion(version, by, reason.strip(), utc_now().isoformat(timespec="seconds"), reason_en)
    place = folder(settings, model)
    with (place / "promotions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(made), ensure_ascii=False) + "\n")
    write_atomically(place / "CHAMPION.json", json.dumps(asdict(made), ensure_ascii=False, indent=1))
    return made


def card(settings: Settings, model: str, version: str | None, language: str) -> str:
    """A version's card as Markdown."""
    found = entry(settings, model, version)
    return (folder(settings, model) / found.version / f"card.{language}.md").read_text(encoding="utf-8")
