"""What people decide about the models: ml/parameters.yml."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml


@lru_cache
def parameters() -> dict[str, Any]:
    """The parameters by area; read once."""
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("parameters.yml").read_text(encoding="utf-8"))
    return content
