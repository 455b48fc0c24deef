"""Catalogues of texts: both languages say the same things."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from core.i18n import LANGUAGES, Texts, _flat, as_language, differences, placeholders, texts

ROOT = Path(__file__).parents[2]
#: Every package that has texts.
PACKAGES = sorted(folder.parent.name for folder in ROOT.glob("*/texts") if find_spec(folder.parent.name))


def test_there_are_catalogues() -> None:
    assert "dashboards" in PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_both_languages_have_the_same_keys_and_placeholders(package: str) -> None:
    assert differences(package) == []


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_part_says_what_another_part_says(package: str, language: str) -> None:
    said: dict[str, str] = {}
    for part in sorted((ROOT / package / "texts").glob(f"*{language}.yml")):
        for key, text in _flat(yaml.safe_load(part.read_text(encoding="utf-8")) or {}):
            assert said.setdefault(key, text) == text, f"{part.name} says {key} otherwise"


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogues = {"zh-CN": {"a": "{name} 你好", "b": "只有中文"}, "en": {"a": "hello {nam}"}}
    monkeypatch.setattr("core.i18n.texts", lambda _package, language: Texts(language, catalogues[language]))
    assert differences("any") == [
        "a: placeholders differ ({'zh-CN': {'name'}, 'en': {'nam'}})",
        "b: missing in en",
    ]


def test_a_text_is_filled_in() -> None:
    assert texts("dashboards", "en")("definition.target", value="80%") == "Target 80%"
    assert texts("dashboards", "zh-CN")("definition.target", value="80%") == "目标 80%"


def test_words_that_yaml_takes_for_truth_values_stay_words() -> None:
    assert [texts("reports", "en")(f"meets.{met}") for met in (True, False)] == ["yes", "no"]


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts("dashboards", "en")("no.such.key")


@pytest.mark.parametrize(("said", "meant"), [("zh", "zh-CN"), ("ZH-cn", "zh-CN"), ("en_US", "en"), ("fr", None)])
def test_languages_are_recognised(said: str, meant: str | None) -> None:
    assert as_language(said) == meant


def test_placeholders_are_the_names_in_braces() -> None:
    assert placeholders("{first} to {last} ({days} days)") == {"first", "last", "days"}
