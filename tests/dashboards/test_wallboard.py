"""The wallboard never shows as true now what nobody knows or what is old."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.i18n import LANGUAGES, Language, texts
from dashboards.crm import CrmRefusedError, CrmUnreachableError
from dashboards.wallboard import GONE, NOTHING, Board, board_html, look

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
QUEUE = {
    "code": "fault", "name_zh": "故障<报修>", "name_en": "Faults <b>", "is_priority": True, "waiting": 3,
    "longest_wait_seconds": 75, "offered_today": 40, "answered_today": 36, "abandoned_today": 2,
    "service_level_today": 0.75, "agents_available": 0,
}  # fmt: skip
KNOWN: dict[str, Any] = {
    "at": "2026-11-23T04:00:00Z", "is_known": True, "waiting": 3, "longest_wait_seconds": 75, "offered_today": 1040,
    "answered_today": 36, "abandoned_today": 2, "service_level_today": 0.75,
    "agents_by_state": {"talk": 4, "pause": 1}, "queues": [QUEUE],
}  # fmt: skip
UNKNOWN: dict[str, Any] = dict.fromkeys(KNOWN) | {
    "is_known": False,
    "queues": [dict.fromkeys(QUEUE) | {"name_zh": "故障", "name_en": "Faults", "is_priority": False}],
}


def _answering(told: Mapping[str, Any]) -> Any:
    return lambda path: told


def _raising(error: Exception) -> Any:
    def ask(path: str) -> Mapping[str, Any]:
        raise error

    return ask


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_known_is_large_and_judged_in_words_too(language: Language) -> None:
    text = texts("dashboards", language)
    shown = board_html(look(_answering(KNOWN), NOTHING, now=NOW), text, now=NOW)
    for part in ("75%", "1:15", "1,040", text("wallboard.bad"), text("wallboard.live"), text("wallboard.state_talk")):
        assert part in shown
    assert "<b>" not in shown.split("<table>")[1] and "&lt;" in shown, "names are shown, not run"


def test_nothing_is_guessed_while_telephony_is_away() -> None:
    board = look(_answering(UNKNOWN), Board("live", KNOWN, NOW), now=NOW)
    shown = board_html(board, texts("dashboards", "en"), now=NOW)
    assert board.state == "unknown"
    assert "nobody knows" in shown
    assert "75%" not in shown and shown.count("–") >= 10


def test_old_figures_say_from_when_they_are_and_go_after_a_minute() -> None:
    away = _raising(CrmUnreachableError("The CRM does not answer.", "Start it."))
    live = look(_answering(KNOWN), NOTHING, now=NOW)
    soon, later = NOW + timedelta(seconds=4), NOW + timedelta(seconds=GONE + 1)
    board = look(away, live, now=soon)
    shown = board_html(board, texts("dashboards", "en"), now=soon)
    assert "the last figures are of 12:00:00" in shown and 'class="board old"' in shown and "75%" in shown
    board = look(away, board, now=later)
    shown = board_html(board, texts("dashboards", "en"), now=later)
    assert "75%" not in shown and "12:00:00" in shown
    assert look(_answering(KNOWN), board, now=later).state == "live"


def test_a_refusal_shows_no_figures() -> None:
    board = look(_raising(CrmRefusedError("The queues are the province's.", "")), Board("live", KNOWN, NOW), now=NOW)
    shown = board_html(board, texts("dashboards", "en"), now=NOW)
    assert "queues are the province&#x27;s" in shown and "75%" not in shown
