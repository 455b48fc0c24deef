"""What must hold of the lake's batch and of the marts before they are published."""

from typing import Any

from core.settings import Settings


def check(settings: Settings) -> list[dict[str, Any]]:
    """placeholder"""
    return []
