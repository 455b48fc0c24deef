"""Refusals in their reader's language: the services speak English, whoever shows a refusal puts it into Chinese."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.i18n import Language

_FILE = Path(__file__).with_name("wording.yml")
_PLACE = re.compile(r"\\\{([a-z])\\\}")
_PROCESS = Path(__file__).parent / "tickets" / "process.yml"


def in_language(message: str, language: Language) -> str:
    """`message` in `language`; as it is where nobody has put it into words yet."""
    if language == "en" or not message:
        return message
    for pattern, chinese in _messages():
        found = pattern.fullmatch(message)
        if found is not None:
            return chinese.format(**{name: _word(value) for name, value in found.groupdict().items()})
    return message


def _word(value: str) -> str:
    words = _words()
    if value in words:
        return words[value]
    parts = value.split(", ")
    return "、".join(words[part] for part in parts) if all(part in words for part in parts) else value


@lru_cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return content


@lru_cache
def _words() -> dict[str, str]:
    """Values that stand in messages: roles, states, what holds a step back, and the names of the delivered steps."""
    found = {str(name): str(chinese) for name, chinese in _content()["words"].items()}
    return _step_names(yaml.safe_load(_PROCESS.read_text(encoding="utf-8"))) | found


def _step_names(content: Any) -> dict[str, str]:
    if isinstance(content, list):
        parts = content
    elif isinstance(content, dict):
        parts = list(content.values())
    else:
        return {}
    found = {}
    if isinstance(content, dict) and {"name_en", "name_zh"} <= content.keys():
        found[str(content["name_en"])] = str(content["name_zh"])
    for part in parts:
        found |= _step_names(part)
    return found


@lru_cache
def _messages() -> list[tuple[re.Pattern[str], str]]:
    """English patterns, those with most words of their own first, each with its Chinese."""
    listed = sorted(_content()["messages"].items(), key=lambda pair: -len(re.sub(r"\{[a-z]\}", "", pair[0])))
    return [
        (re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), chinese) for english, chinese in listed
    ]
