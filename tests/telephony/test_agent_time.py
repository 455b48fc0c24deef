"""Queue events beside the agents' time that they must become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.agent_time import PRECEDENCE, agent_states, resolve
from telephony.call_model import build_calls
from telephony.queue_log import BadLine, QueueEvent, parse
from telephony.state_interval import StateInterval

CALL = """
120|a|general|NONE|ENTERQUEUE||1|1
130|a|general|7001|CONNECT|10|x|4
190|a|general|7001|COMPLETEAGENT|10|60|1
"""

#: name -> (lines, [(state, start, end)])
CASES = {
    "login, call, wrap-up, logout": (
        f"100|NONE|general|7001|ADDMEMBER\n{CALL}\n300|NONE|general|7001|REMOVEMEMBER",
        [
            ("available", 100, 126),
            ("alerting", 126, 130),
            ("talk", 130, 190),
            ("wrap_up", 190, 200),
            ("available", 200, 300),
        ],
    ),
    "a pause asked for during the call begins after wrap-up": (
        f"100|NONE|general|7001|ADDMEMBER\n{CALL}\n150|NONE|NONE|7001|PAUSEALL|lunch\n260|NONE|NONE|7001|UNPAUSEALL|\n"
        "300|NONE|general|7001|REMOVEMEMBER",
        [
            ("available", 100, 126),
            ("alerting", 126, 130),
            ("talk", 130, 190),
            ("wrap_up", 190, 200),
            ("pause", 200, 260),
            ("available", 260, 300),
        ],
    ),
    "two queues: logged in until the last is left": (
        "100|NONE|a|7001|ADDMEMBER\n110|NONE|b|7001|ADDMEMBER\n150|NONE|a|7001|REMOVEMEMBER\n200|NONE|b|7001|REMOVEMEMBER",
        [("available", 100, 200)],
    ),
    "logged in before the window: time counts from its start": (
        f"90|x|general|NONE|ENTERQUEUE||9|1\n{CALL}\n300|NONE|general|7001|REMOVEMEMBER",
        [
            ("available", 90, 126),
            ("alerting", 126, 130),
            ("talk", 130, 190),
            ("wrap_up", 190, 200),
            ("available", 200, 300),
        ],
    ),
    "a pause does not outlive the login": (
        "100|NONE|a|7001|ADDMEMBER\n150|NONE|a|7001|PAUSE|lunch\n200|NONE|a|7001|REMOVEMEMBER\n400|NONE|a|7002|ADDMEMBER",
        [("available", 100, 150), ("pause", 150, 200)],
    ),
    "ringing without an answer is alerting": (
        "100|NONE|a|7001|ADDMEMBER\n120|c|a|7001|RINGNOANSWER|15000\n130|NONE|a|7001|REMOVEMEMBER",
        [("available", 100, 105), ("alerting", 105, 120), ("available", 120, 130)],
    ),
}


def _events(text: str) -> list[QueueEvent]:
    bad: list[BadLine] = []
    events = list(parse([line.strip() + "\n" for line in text.strip().splitlines() if line.strip()], bad))
    assert bad == []
    return events


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_events_become_states(text: str, expected: list[tuple[str, int, int]]) -> None:
    events = _events(text)
    states = agent_states(events, build_calls(events).visits, wrap_up_seconds={"general": 10})
    assert [(one.state, one.started_at, one.ended_at) for one in states if one.agent == "7001"] == expected


_interval = st.builds(
    lambda state, start, length: StateInterval("1", state, start, start + length),
    st.sampled_from(PRECEDENCE),
    st.integers(0, 60),
    st.integers(0, 30),
)


@given(st.lists(_interval, max_size=12))
def test_one_state_at_a_time_and_the_strongest_one(intervals: list[StateInterval]) -> None:
    found = resolve(intervals)
    for second in range(100):
        covering = [one for one in intervals if one.started_at <= second < one.ended_at]
        now = [one for one in found if one.started_at <= second < one.ended_at]
        assert len(now) == bool(covering)
        if covering:
            assert now[0].state == min((one.state for one in covering), key=PRECEDENCE.index)
