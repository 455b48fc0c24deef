"""Word lists and phrases of the simulator, read once."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent


def read_yaml(path: Path) -> Any:
    """The content of a YAML file in UTF-8, by the fast loader where there is one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe


@lru_cache
def phrases() -> dict[str, Any]:
    """What tickets are made of (texts.yml)."""
    content: dict[str, Any] = read_yaml(_FOLDER / "texts.yml")
    return content


@lru_cache
def _words() -> dict[str, str]:
    content: dict[str, str] = read_yaml(_FOLDER / "names.yml")
    return content


def vocabulary(part: str) -> list[str]:
    """The words of one list of names.yml."""
    return _words()[part].split()
