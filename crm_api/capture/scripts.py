"""What helps while talking: the script, text modules and knowledge of a service type, in both languages."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.i18n import Language

_FILE = Path(__file__).parent / "scripts.yml"


@dataclass(frozen=True)
class Module:
    """A piece of text that a short code stands for: `;reset` becomes the sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Script:
    """What to ask and say for a service type."""

    steps: tuple[str, ...]
    modules: tuple[Module, ...]
    knowledge: tuple[Module, ...]


@lru_cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return content


def script_of(service_type_code: str, language: Language) -> Script:
    """The script of a service type (or of the type above it), with the modules that every type shares."""
    content = _content()
    top = service_type_code.split(".")[0]
    own = content["service_types"].get(service_type_code) or content["service_types"].get(top) or {}
    key = "zh" if language == "zh-CN" else "en"

    def pieces(name: str) -> tuple[Module, ...]:
        rows = [*own.get(name, []), *content["shared"].get(name, [])]
        # What is typed is the same in every language; what is read as a title is not.
        return tuple(Module(row.get("title_en", row["code"]) if key == "en" else row["code"], row[key]) for row in rows)

    return Script(tuple(step[key] for step in own.get("steps", [])), pieces("modules"), pieces("knowledge"))
