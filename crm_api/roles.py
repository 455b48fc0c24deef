"""What roles are called where a sentence names them."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml

_FILE = Path(__file__).with_name("roles.yml")


@lru_cache
def role_names(language: Literal["zh", "en"]) -> dict[str, str]:
    """Role -> its name in a sentence."""
    content: dict[str, dict[str, str]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {role: names[language] for role, names in content.items()}
