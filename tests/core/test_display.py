"""Figures as people read them."""

import math

import numpy as np
import pytest

from core.display import Change, change, meets_target, show, show_target
from core.i18n import Language
from core.kpi import dictionary

EN: Language = "en"
ZH: Language = "zh-CN"
KPIS = dictionary()


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("contacts", 12345.0, "12,345"),
        ("sl_negative", 0.80456, "80.46%"),
        ("asa_seconds", 12.345, "12.3 s"),
        ("mean_hours_to_resolve", 30.04, "30.0 h"),
        ("satisfaction", 4.126, "4.13"),
        ("sl_negative", None, "–"),
        ("sl_negative", math.nan, "–"),
    ],
)
def test_values(code: str, value: float | None, shown: str) -> None:
    assert show(KPIS[code], value, EN) == shown


def test_units_follow_the_language() -> None:
    assert show(KPIS["asa_seconds"], 3, ZH) == "3.0 秒"


@pytest.mark.parametrize(
    ("code", "value", "before", "expected"),
    [
        ("sl_negative", 0.82, 0.80, Change("+2.0 pp", "normal")),
        ("abandon_rate", 0.06, 0.05, Change("+1.0 pp", "inverse")),
        ("contacts", 110, 100, Change("+10.0 %", "off")),
        ("complaints", 90, 100, Change("-10.0 %", "inverse")),
        ("complaints", 100, 100, Change("+0.0 %", "inverse", is_zero=True)),
        ("complaints", 5, 0, Change("", "off")),
        ("complaints", 5, None, Change("", "off")),
        ("sl_negative", math.nan, 0.8, Change("", "off")),
    ],
)
def test_changes_have_the_colour_of_their_good_direction(
    code: str, value: float, before: float | None, expected: Change
) -> None:
    assert change(KPIS[code], value, before, EN) == expected


@pytest.mark.parametrize(
    ("code", "value", "met"),
    [
        ("sl_negative", 0.8, True),
        ("sl_negative", np.float64(0.79), False),
        ("abandon_rate", 0.05, True),
        ("abandon_rate", 0.051, False),
        ("contacts", 5, None),
        ("occupancy", 0.5, None),  # neither direction is good
        ("sl_negative", math.nan, None),
    ],
)
def test_targets(code: str, value: float, met: bool | None) -> None:
    assert meets_target(KPIS[code], value) is met


def test_a_target_is_shown_without_empty_zeros() -> None:
    assert show_target(KPIS["sl_negative"], EN) == "80%"
    assert show_target(KPIS["satisfaction"], EN) == "4.2"
    assert show_target(KPIS["contacts"], EN) == "–"
