"""The centre now, for its screens: what the CRM's live endpoint says, as large as a wall needs it.

What nobody knows is a dash, and what is old says how old: a board that stands still must not look alive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, Literal

from core.display import DASH
from core.i18n import Texts, name_field
from core.kpi import dictionary
from core.settings import get_settings
from core.time import to_local, utc_now
from dashboards.crm import CrmRefusedError, CrmUnreachableError

#: Seconds between two looks; from this age on figures are old, and from that one no longer shown.
EVERY, OLD, GONE = 2, 8, 60
LIVE = "/api/v1/telephony/live"
State = Literal["live", "unknown", "away", "refused"]
#: Agent states from the most useful to the caller; others follow.
STATES = ("available", "talk", "hold", "alerting", "wrap_up", "pause")
#: A wait from here on is shown as bad, in times of the target.
LONG = 3


@dataclass(frozen=True)
class Board:
    """What the board shows.

    Attributes:
        state: whether the figures are those of now.
        figures: the endpoint's last answer (seconds, counts, shares); empty if there is none.
        told_at: when it answered; None: never.
        said: what the CRM said when it refused.
    """

    state: State
    figures: Mapping[str, Any]
    told_at: datetime | None = None
    said: str = ""

    def age(self, now: datetime) -> float:
        """Seconds since the last answer; infinite without one."""
        return (now - self.told_at).total_seconds() if self.told_at else float("inf")


NOTHING = Board("away", {})


def look(ask: Callable[[str], Mapping[str, Any]], before: Board, *, now: datetime | None = None) -> Board:
    """The board after one more look; `ask` gives the answer to a path, or raises as dashboards.crm does."""
    now = now or utc_now()
    try:
        told = ask(LIVE)
    except CrmRefusedError as error:
        return Board("refused", {}, said=str(error))
    except CrmUnreachableError:
        return replace(before, state="away", figures=before.figures if before.age(now) < GONE else {})
    return Board("live" if told["is_known"] else "unknown", told, now)


def board_html(board: Board, text: Texts, *, now: datetime | None = None) -> str:
    """The board as HTML with its style; nothing in it is unescaped."""
    now = now or utc_now()
    told = board.figures
    is_old = board.state == "away"
    parts = [
        f"<style>{_style()}</style>",
        f'<div class="board{" old" if is_old else ""}" lang="{text.language}">',
        _head(board, text, now),
        f'<div class="tiles">{"".join(_tiles(told, text))}</div>',
        f'<div class="small">{"".join(_smaller(told, text))}</div>',
        _queues(told.get("queues") or [], text),
        "</div>",
    ]
    return "".join(parts)


def _head(board: Board, text: Texts, now: datetime) -> str:
    clock = f"{to_local(now):%H:%M:%S}"
    at = f"{to_local(board.told_at):%H:%M:%S}" if board.told_at else DASH
    said = {
        "live": text("wallboard.live"),
        "unknown": text("wallboard.unknown"),
        "away": text("wallboard.away", at=at),
        "refused": text("wallboard.refused", said=board.said),
    }[board.state]
    return (
        f'<div class="head"><b>{escape(text("wallboard.title"))}</b>'
        f'<span class="state {board.state}" role="status">{escape(said)}</span>'
        f'<time class="clock">{clock}</time></div>'
    )


def _tiles(told: Mapping[str, Any], text: Texts) -> list[str]:
    level, wait = told.get("service_level_today"), told.get("longest_wait_seconds")
    target = dictionary()["sl_negative"].target or 0.0
    seconds = get_settings().service_level_seconds
    states = told.get("agents_by_state")
    free = None if states is None else states.get("available", 0)
    waiting = told.get("waiting")
    return [
        _tile(
            text("wallboard.service_level", seconds=seconds), _share(level), _judged(level, target, up=True), text,
            text("wallboard.target", value=f"{target:.0%}"),
        ),
        _tile(text("wallboard.waiting"), _count(waiting), _judged(waiting, free, up=False), text),
        _tile(
            text("wallboard.longest"), _minutes(wait) if waiting else ("0" if waiting == 0 else DASH),
            _judged(wait, LONG * seconds, up=False), text,
        ),
        _tile(text("wallboard.free"), _count(free), "bad" if free == 0 and waiting else "", text),
    ]  # fmt: skip


def _tile(label: str, value: str, how: str, text: Texts, below: str = "") -> str:
    """One large figure; good and bad are told by a word beside their colour."""
    judged = text(f"wallboard.{how}") if how else ""
    notes = " · ".join(part for part in (judged, below) if part)
    return (
        f'<div class="tile {how}"><span>{escape(label)}</span><strong>{escape(value)}</strong>'
        f"<em>{escape(notes) or '&nbsp;'}</em></div>"
    )


def _smaller(told: Mapping[str, Any], text: Texts) -> list[str]:
    counts = [(text(f"wallboard.{name}"), _count(told.get(f"{name}_today"))) for name in _TODAY]
    states: Mapping[str, int] = told.get("agents_by_state") or {}
    order = [*STATES, *sorted(set(states) - set(STATES))]
    known = [state for state in order if states.get(state) and state != "available"]
    counts += [(_state_name(state, text), _count(states[state])) for state in known]
    return [f"<div><span>{escape(label)}</span><b>{escape(value)}</b></div>" for label, value in counts]


_TODAY = ("offered", "answered", "abandoned")


def _state_name(state: str, text: Texts) -> str:
    key = f"wallboard.state_{state}"
    return text(key) if key in text else state


def _queues(queues: Sequence[Mapping[str, Any]], text: Texts) -> str:
    if not queues:
        return ""
    names = ("queue", "waiting", "longest", "level", "free", "offered", "abandoned")
    heads = "".join(f'<th scope="col">{escape(text(f"wallboard.column_{name}"))}</th>' for name in names)
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(_queue(each, text) for each in queues)}</tbody></table>"
    )


def _queue(queue: Mapping[str, Any], text: Texts) -> str:
    target = dictionary()["sl_negative"].target or 0.0
    level, waiting = queue["service_level_today"], queue["waiting"]
    cells = [
        (_count(waiting), _judged(waiting, queue["agents_available"], up=False) if waiting else ""),
        (_minutes(queue["longest_wait_seconds"]) if waiting else DASH, ""),
        (_share(level), _judged(level, target, up=True)),
        (_count(queue["agents_available"]), "bad" if queue["agents_available"] == 0 and waiting else ""),
        (_count(queue["offered_today"]), ""),
        (_count(queue["abandoned_today"]), ""),
    ]
    name = escape(str(queue[name_field(text.language)]))
    mark = "★ " if queue["is_priority"] else ""
    return f'<tr><th scope="row">{mark}{name}</th>' + "".join(
        f'<td class="{how}">{escape(value)}</td>' for value, how in cells
    ) + "</tr>"  # fmt: skip


def _judged(value: float | None, against: float | None, *, up: bool) -> str:
    """`good` or `bad` on which side of `against` the value is; empty where one of them is unknown."""
    if value is None or against is None:
        return ""
    return "good" if (value >= against if up else value <= against) else "bad"


def _count(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return DASH if value is None else f"{value:.0%}"


def _minutes(seconds: float | None) -> str:
    return DASH if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@lru_cache
def _style() -> str:
    return (files("dashboards") / "wallboard.css").read_text(encoding="utf-8")
