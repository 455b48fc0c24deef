"""What `crm doctor` looks at, one module an area."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing looked at: its level, what was found, and what to do about it if it is not well."""

    name: str
    level: Level
    detail: str
    mend: str = ""


def ago(age: timedelta) -> str:
    """An age in the largest two units that say something."""
    minutes = max(0, int(age.total_seconds() // 60))
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def size(count: float) -> str:
    """Bytes in a unit that keeps the number short."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
