"""Refusals in their reader's language: the services speak English, whoever shows a refusal puts it into Chinese."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.i18n import Language, as_language
from crm_api.roles import role_names

_FILE = Path(__file__).with_name("wording.yml")
#: The same by area, without `words`.
_AREAS = Path(__file__).with_name("wordings")
_PLACE = re.compile(r"\\\{([a-z])\\\}")
_PROCESS = Path(__file__).parent / "tickets" / "process.yml"


def asked_language(header: str) -> Language:
    """The language that Accept-Language asks for: programs read English, who asks for Chinese first gets it."""
    return as_language(header.split(",")[0].split(";")[0]) or "en"


def in_language(message: str, language: Language) -> str:
    """`message` in `language`; as it is where nobody has put it into words yet."""
    if language == "en" or not message:
        return message
    for pattern, chinese in _messages():
        found = pattern.fullmatch(message)
        if found is not None:
            return chinese.format(**{name: _word(value) for name, value in found.groupdict().items()})
    return message


def of_validator(kind: str, message: str, values: Mapping[str, Any], language: Language) -> str:
    """What the validator says of a field, by the kind of its finding; as it is where nobody has put it into words."""
    chinese = None if language == "en" else _content()["validator"].get(kind)
    return message if chinese is None else str(chinese).format_map(defaultdict(str, values))


def wordings() -> dict[str, str]:
    """English -> Chinese of every message, with its places."""
    found: dict[str, str] = dict(_content()["messages"])
    for file in sorted(_AREAS.glob("*.yml")):
        found |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


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
    return _step_names(yaml.safe_load(_PROCESS.read_text(encoding="utf-8"))) | role_names("zh") | found


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
    listed = sorted(wordings().items(), key=lambda pair: -len(re.sub(r"\{[a-z]\}", "", pair[0])))
    return [
        (re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), chinese) for english, chinese in listed
    ]
