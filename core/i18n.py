"""Texts that people read, in zh-CN and en: a small YAML catalogue per package and language.

    <package>/texts/zh-CN.yml · <package>/texts/en.yml · <package>/texts/<part>.zh-CN.yml …

Keys may nest; a text is asked for by its dotted key. Keys and values are words, whatever they look like (`no`, `1.10`).
Values in braces are filled in by name (`str.format`).
Both catalogues of a package have the same keys and the same placeholders: `differences` tells where they don't.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal, get_args

import yaml

from core.errors import ConfigurationError

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Texts:
    """The texts of one package in one language; call it with a key to get the text."""

    def __init__(self, language: Language, entries: Mapping[str, str]) -> None:
        self.language = language
        self._entries = entries

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of `key` with `values` filled in.

        Raises:
            KeyError: the catalogue has no such key, or a placeholder got no value.
        """
        return self._entries[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        """Every key of the catalogue."""
        return iter(self._entries)

    def raw(self, key: str) -> str:
        """The text of `key` with its placeholders unfilled; KeyError if there is none."""
        return self._entries[key]


def as_language(value: str) -> Language | None:
    """The language that `value` names (`zh-CN`, `en`; case and `zh`, `en-US` forgiven); None if none."""
    wanted = value.strip().lower().replace("_", "-")
    return next((name for name in LANGUAGES if wanted.split("-")[0] == name.lower().split("-")[0]), None)


def name_field(language: Language) -> Literal["name_zh", "name_en"]:
    """The column that holds a reference row's name in `language`."""
    return "name_zh" if language == "zh-CN" else "name_en"


def _flat(node: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


@lru_cache
def texts(package: str, language: Language) -> Texts:
    """The catalogue of `package` in `language`.

    Raises:
        ConfigurationError: the package has no catalogue in that language.
    """
    folder = files(package) / "texts"
    parts = (
        [each for each in folder.iterdir() if f".{each.name}".endswith(f".{language}.yml")] if folder.is_dir() else []
    )
    if not parts:
        raise ConfigurationError(f"Package {package} has no texts in {language}.", f"Write {package}/texts/.")
    entries: dict[str, str] = {}
    for part in sorted(parts, key=lambda each: each.name):
        written = yaml.load(part.read_text(encoding="utf-8"), yaml.BaseLoader) or {}  # noqa: S506 - makes nothing but strings
        entries |= dict(_flat(written))
    return Texts(language, entries)


def placeholders(text: str) -> set[str]:
    """The names in braces of a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def differences(package: str) -> list[str]:
    """Where the catalogues of `package` disagree: keys one lacks, placeholders that differ. Empty: nowhere."""
    catalogues = {language: texts(package, language) for language in LANGUAGES}
    every = sorted({key for catalogue in catalogues.values() for key in catalogue})
    found = []
    for key in every:
        lacking = [language for language, catalogue in catalogues.items() if key not in catalogue]
        if lacking:
            found.append(f"{key}: missing in {', '.join(lacking)}")
            continue
        names = {language: placeholders(catalogue.raw(key)) for language, catalogue in catalogues.items()}
        if len({frozenset(each) for each in names.values()}) > 1:
            found.append(f"{key}: placeholders differ ({names})")
    return found
