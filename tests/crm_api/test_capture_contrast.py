"""WCAG AA: what is read on the pages stands out from what it stands on, in each look (4.5:1 words, 3:1 edges)."""

import re
from pathlib import Path

import pytest

import crm_api.capture

_CSS = (Path(crm_api.capture.__file__).parent / "static" / "app.css").read_text(encoding="utf-8")
_LIGHT, _DARK = ":root {", ":root[data-look=dark] {"
_GROUNDS = ("surface", "sunken", "bg")
_KINDS = ("late", "risk", "fine", "rest", "gold", "accent")
WORDS = [
    *((word, ground) for word in ("text", "muted", *_KINDS) for ground in _GROUNDS),
    *((word, f"{kind}-soft") for kind in _KINDS for word in (kind, "text")),
    ("accent-text", "accent"),
]
EDGES = [(edge, ground) for edge in ("line-strong", "focus") for ground in _GROUNDS]


def _colours(start: str) -> dict[str, str]:
    block = _CSS[_CSS.index(start) :].partition("}")[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours (#rgb or #rrggbb), 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [_LIGHT, _DARK])
def test_words_and_edges_stand_out(look: str) -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    colours = _colours(look)
    wanted = [(pair, 4.5) for pair in WORDS] + [(pair, 3.0) for pair in EDGES]
    poor = {
        pair: round(found, 2)
        for pair, least in wanted
        if (found := contrast(colours[pair[0]], colours[pair[1]])) < least
    }
    assert not poor


def test_the_look_that_follows_the_system_is_the_dark_one() -> None:
    assert _colours(":root[data-look=auto] {") == _colours(_DARK)


def test_no_colour_is_used_beside_the_checked_ones() -> None:
    rules = _CSS[_CSS.index("* { box-sizing") :]
    beside = set(re.findall(r"(?:color|background|background-color|fill): (#[0-9a-f]{3,6})", rules))
    assert beside <= set(), "name it as a variable, so that it is checked"
