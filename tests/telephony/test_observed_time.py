"""A log corrects agents' time: what it cannot know stays as it was seen, what it contradicts goes."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.workforce.models import AgentStateInterval
from telephony.agent_time import PRECEDENCE, agent_states, resolve
from telephony.ami_events import device_event
from telephony.call_model import build_calls
from telephony.device_time import PHONE_KINDS
from telephony.listener import StoreWriter
from telephony.live import LiveModel
from telephony.observed_time import OPEN, corrected_states
from telephony.queue_log import HOLD, UNHOLD, QueueEvent
from telephony.reconcile import reconcile
from telephony.state_interval import StateInterval

QUEUE, WRAP_UP = "crm-general", {"crm-general": 10}
FREE, BUSY, RINGING = "1", "3", "6"
DAY = 1772380800


def presence(at: int, kind: str = "ADDMEMBER", reason: str = "") -> QueueEvent:
    return QueueEvent(at, kind, "NONE", QUEUE, "7001", (reason,) if reason else ())


def phone(at: float, status: str) -> QueueEvent:
    return device_event(int(at), f"{at:.6f}", "7001", status)


def hold(at: float, kind: str = HOLD) -> QueueEvent:
    return QueueEvent(int(at), kind, "NONE", "NONE", "7001", (f"{at:.6f}", "PJSIP/7001-00000001"))


def call(entered: int, answered: int, ended: int | None, key: str = "a") -> list[QueueEvent]:
    """A queue's call, rung three seconds."""
    waited = str(answered - entered)

    def event(at: int, kind: str, *data: str) -> QueueEvent:
        return QueueEvent(at, kind, key, QUEUE, "NONE" if kind == "ENTERQUEUE" else "7001", data)

    told = [event(entered, "ENTERQUEUE", "", "139", "1"), event(answered, "CONNECT", waited, "b", "3")]
    return told + ([event(ended, "COMPLETECALLER", waited, str(ended - answered), "1")] if ended else [])


#: What the log has, what only the live stream had.
SHIFT = [presence(100), *call(110, 114, 150), presence(230, "PAUSE", "rest"), presence(260, "UNPAUSE")]
PHONE = [
    *(phone(111.2, RINGING), phone(114.1, BUSY), hold(120.1), hold(125.4, UNHOLD), phone(150.3, FREE)),
    *(phone(180.0, RINGING), phone(184.0, BUSY), hold(190.0), hold(195.0, UNHOLD), phone(200.0, FREE)),
    *(phone(240.0, BUSY), phone(250.0, FREE)),
]
SEEN = (
    "available 100-111, alerting 111-114, talk 114-120, hold 120-125, talk 125-150, wrap_up 150-160, "
    "available 160-180, alerting 180-184, talk 184-190, hold 190-195, talk 195-200, available 200-230, "
    "pause 230-240, talk 240-250, pause 250-260, available 260-"
)


def told(states: list[StateInterval]) -> str:
    ends = (f"{one.state} {one.started_at}-{'' if one.ended_at >= OPEN else one.ended_at}" for one in states)
    return ", ".join(ends)


def states(text: str) -> list[StateInterval]:
    found = []
    for part in filter(None, text.split(", ")):
        state, _, span = part.partition(" ")
        start, _, end = span.partition("-")
        reason = "rest" if state == "pause" else None
        found.append(StateInterval("7001", state, int(start), int(end) if end else OPEN, reason))
    return found


def corrected(log: list[QueueEvent], seen: str, last: int | None = None) -> str:
    visits = build_calls(log).visits
    window = min(one.at for one in log), last or max(one.at for one in log)
    found = corrected_states("7001", log, visits, states(seen), window=window, wrap_up_seconds=WRAP_UP)
    again = corrected_states("7001", log, visits, found, window=window, wrap_up_seconds=WRAP_UP)
    # What begins after the log stands already, and is left alone.
    assert again == found[: len(again)], "the second time changes nothing"
    assert all(one.started_at > window[1] for one in found[len(again) :])
    return told(found)


@pytest.mark.parametrize(
    ("what", "log", "seen", "expected"),
    [
        ("what was seen live stays", SHIFT, SEEN, SEEN),
        (
            "nothing was seen: wrap-up as it is set up, and what is open stays open",
            SHIFT,
            "",
            "available 100-111, alerting 111-114, talk 114-150, wrap_up 150-160, available 160-230, pause 230-260, "
            "available 260-",
        ),
        (
            "the listener died in a hold, its states are open: the conversation's end ends them",
            SHIFT,
            "available 100-111, alerting 111-114, talk 114-120, hold 120-",
            "available 100-111, alerting 111-114, talk 114-120, hold 120-150, wrap_up 150-160, available 160-230, "
            "pause 230-260, available 260-",
        ),
        (
            "a talk told too long is cut, and its false wrap-up goes",
            [presence(100), *call(110, 114, 150), presence(400, "REMOVEMEMBER")],
            "available 100-111, alerting 111-114, talk 114-300, wrap_up 300-310, available 310-400",
            "available 100-111, alerting 111-114, talk 114-150, wrap_up 150-160, available 160-300, wrap_up 300-310, "
            "available 310-400",
        ),
        (
            "a call beside the queues ends with the queue's next call, whatever was thought",
            [presence(100), *call(190, 200, 210), presence(400, "REMOVEMEMBER")],
            "available 100-150, talk 150-",
            "available 100-150, talk 150-197, alerting 197-200, talk 200-210, wrap_up 210-220, available 220-400",
        ),
        (
            "who signed out was not there, though it was missed",
            [presence(100), presence(150, "REMOVEMEMBER"), presence(300)],
            "available 100-180, talk 180-200, available 200-",
            "available 100-150, available 300-",
        ),
        (
            "how it stood before the log's first word is as it was seen",
            [*call(500, 510, 520), presence(600, "REMOVEMEMBER")],
            "available 400-480, pause 480-505, alerting 507-510, talk 510-520, wrap_up 520-528, available 528-600",
            "available 400-480, pause 480-505, alerting 507-510, talk 510-520, wrap_up 520-528, available 528-600",
        ),
        (
            "a conversation that the log does not end goes on, and its hold too",
            [presence(100), *call(110, 114, None), presence(130, "PAUSE", "rest")],
            "available 100-111, alerting 111-114, talk 114-120, hold 120-",
            "available 100-111, alerting 111-114, talk 114-120, hold 120-",
        ),
        (
            "the end that the log lost and the live stream saw",
            [presence(100), *call(110, 114, None), presence(400, "REMOVEMEMBER")],
            "available 100-111, alerting 111-114, talk 114-150, wrap_up 150-160, available 160-400",
            "available 100-111, alerting 111-114, talk 114-150, wrap_up 150-160, available 160-400",
        ),
        (
            "clocks a second apart leave no splinters",
            SHIFT,
            "available 100-112, alerting 112-115, talk 115-151, wrap_up 151-161, available 161-230, pause 230-260, "
            "available 260-",
            "available 100-111, alerting 111-114, talk 114-150, wrap_up 150-161, available 161-230, pause 230-260, "
            "available 260-",
        ),
        (
            "what began after the log is not its matter",
            [presence(100), presence(150, "PAUSE", "rest")],
            "available 100-150, pause 150-200, available 200-",
            "available 100-150, pause 150-200",
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) and "100-" not in value else "",
)
def test_the_log_corrects_what_it_knows(what: str, log: list[QueueEvent], seen: str, expected: str) -> None:
    assert corrected(log, seen) == expected, what


_seen = st.lists(
    st.builds(
        lambda state, start, length: StateInterval("7001", state, start, start + length, None),
        st.sampled_from([state for state in PRECEDENCE if state != "pause"]),
        st.integers(50, 300),
        st.integers(1, 120),
    ),
    max_size=8,
).map(resolve)


@settings(deadline=None)
@given(_seen, st.permutations(SHIFT), st.integers(0, 10))
def test_whatever_was_seen_an_agent_is_in_one_state_and_twice_is_once(
    seen: list[StateInterval], log: list[QueueEvent], missed: int
) -> None:
    log = log[: max(1, len(log) - missed)]
    found = corrected(log, told(seen))
    spans = [(one.started_at, one.ended_at) for one in states(found)]
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_the_stores_states_survive_reconciling(store: Engine, tmp_path: Path) -> None:
    """As the listener wrote them: with wrap-up, holds, calls beside the queues and what the pauses are paid."""

    def later(one: QueueEvent) -> QueueEvent:
        exact = (f"{DAY + float(one.data[0]):.6f}", one.data[1]) if one.kind in PHONE_KINDS else one.data
        return replace(one, at=DAY + one.at, data=exact)

    model = LiveModel()
    model.set_wrap_up(QUEUE, 10)
    model.feed(later(one) for one in [*SHIFT, *PHONE])
    StoreWriter(store, model, Lock()).write(DAY + 270)

    def stored() -> list[tuple[object, ...]]:
        with session_scope(store) as session:
            rows = session.scalars(
                select(AgentStateInterval)
                .where(AgentStateInterval.deleted_at.is_(None))
                .order_by(AgentStateInterval.started_at)
            )
            return [(one.state, one.started_at, one.ended_at, one.pause_reason, one.pause_paid) for one in rows]

    before = stored()
    assert [str(one[0]) for one in before] == [part.split()[0] for part in SEEN.split(", ")]
    assert before[-1][2] is None
    log = tmp_path / "queue_log"
    fields = ([str(one.at), one.call, one.queue, one.agent, one.kind, *one.data] for one in map(later, SHIFT))
    log.write_text("".join("|".join(line) + "\n" for line in fields))
    _, summary = reconcile(store, [log], rejected=tmp_path)
    assert stored() == before
    assert summary.agent_states == 0


def test_a_listener_sees_of_the_shift_what_is_told_above() -> None:
    events = [*SHIFT, *PHONE]
    found = agent_states(
        events, build_calls(events).visits, window=(100, 270), still_talking=True, wrap_up_seconds=WRAP_UP
    )
    assert told(found) == SEEN + "270"
