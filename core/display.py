"""Figures as people read them: a dash for NULL, shares in percent, changes with their sign and their colour."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from core.i18n import Language, texts
from core.time import to_local

DASH = "–"
Colour = Literal["normal", "inverse", "off"]


class Figure(Protocol):
    """What of a KPI's definition its display needs."""

    @property
    def unit(self) -> str: ...
    @property
    def good(self) -> str: ...
    @property
    def decimals(self) -> int: ...
    @property
    def target(self) -> float | None: ...


@dataclass(frozen=True)
class Change:
    """How a figure moved: words with a sign (empty: not comparable), and the colour rule for a rise."""

    text: str
    colour: Colour
    is_zero: bool = False


def is_null(value: float | None) -> bool:
    """Whether there is no number."""
    return value is None or math.isnan(value)


def _with_unit(figure: Figure, number: str, language: Language) -> str:
    if figure.unit not in ("seconds", "hours"):
        return number
    return texts("core", language)(f"unit.{figure.unit}", value=number)


def show(figure: Figure, value: float | None, language: Language) -> str:
    """The value with its unit; NULL is a dash."""
    if value is None or math.isnan(value):
        return DASH
    if figure.unit == "ratio":
        # The dictionary counts the decimals of the fraction.
        return f"{value:.{max(figure.decimals - 2, 0)}%}"
    number = f"{value:,.{figure.decimals}f}"
    return _with_unit(figure, number, language)


def show_target(figure: Figure, language: Language) -> str:
    """The target without the zeros that say nothing: 80 %, 4.2; a dash if there is none."""
    if figure.target is None:
        return DASH
    if figure.unit == "ratio":
        return f"{figure.target * 100:g}%"
    number = f"{figure.target:,g}"
    return _with_unit(figure, number, language)


def change(figure: Figure, value: float | None, before: float | None, language: Language) -> Change:
    """The change since the compared period: points for a share, percent for everything else."""
    colour: Colour = {"up": "normal", "down": "inverse"}.get(figure.good, "off")  # type: ignore[assignment]  # a literal looked up in a dict
    if value is None or before is None or math.isnan(value) or math.isnan(before):
        return Change("", "off")
    if figure.unit == "ratio":
        points = round((value - before) * 100, 1)
        return Change(texts("core", language)("unit.points", value=f"{points:+.1f}"), colour, points == 0)
    if before == 0:
        return Change("", "off")
    percent = round((value / before - 1) * 100, 1)
    return Change(f"{percent:+,.1f} %", colour, percent == 0)


def meets_target(figure: Figure, value: float | None) -> bool | None:
    """Whether the value is on the good side of the target; None: no target, no value, or no side is better."""
    target = figure.target
    if target is None or value is None or math.isnan(value) or figure.good not in ("up", "down"):
        return None
    return bool(value >= target if figure.good == "up" else value <= target)


def day_text(day: date) -> str:
    """A day, the same in both languages."""
    return day.isoformat()


def instant_text(instant: datetime) -> str:
    """An instant as a local time to the minute."""
    return to_local(instant).strftime("%Y-%m-%d %H:%M")
