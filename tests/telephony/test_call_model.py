"""Raw queue_log lines beside the visits that they must become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call_model import Visit, build_calls
from telephony.queue_log import BadLine, QueueEvent, parse

#: name -> (lines, [(queue, agent, wait, talk, exit class, transferred)], callers)
CASES: dict[str, tuple[str, list[tuple[str, str | None, int | None, int | None, str | None, bool]], int]] = {
    "answered and ended by the caller": (
        """
        100|a|general|NONE|ENTERQUEUE||13800000001|1
        112|a|general|7009|CONNECT|12|x.1|3
        232|a|general|7009|COMPLETECALLER|12|120|1
        """,
        [("general", "7009", 12, 120, "answered", False)],
        1,
    ),
    "abandoned after agents did not pick up": (
        """
        100|a|general|NONE|ENTERQUEUE||1|1
        105|a|general|7001|RINGNOANSWER|5000
        110|a|general|7002|RINGNOANSWER|5000
        114|a|general|NONE|ABANDON|1|1|14
        """,
        [("general", None, 14, None, "abandoned", False)],
        1,
    ),
    "the same queue entered twice by one call: two visits, two exits": (
        """
        100|a|general|NONE|ENTERQUEUE||1|1
        130|a|general|NONE|EXITWITHTIMEOUT|1|1|30
        130|a|general|NONE|ENTERQUEUE||1|1
        137|a|general|7001|CONNECT|7|x.1|2
        150|a|general|7001|COMPLETEAGENT|7|13|1
        """,
        [("general", None, 30, None, "timeout", False), ("general", "7001", 7, 13, "answered", False)],
        1,
    ),
    "entered twice in one second": (
        """
        100|a|general|NONE|ENTERQUEUE||1|1
        100|a|general|NONE|EXITWITHKEY|2|1|1|0
        100|a|general|NONE|ENTERQUEUE||1|1
        100|a|general|NONE|ABANDON|1|1|0
        """,
        [("general", None, 0, None, "abandoned", False), ("general", None, 0, None, "key_exit", False)],
        1,
    ),
    "attended transfer into a second queue (Asterisk issue 759)": (
        """
        1000|orig|1501|NONE|ENTERQUEUE||1|1
        1012|orig|1501|7009|CONNECT|12|x.1|4
        1100|consult|1509|NONE|ENTERQUEUE||7009|1
        1107|orig|1509|7051|CONNECT|7|x.2|3
        1132|consult|1501|7009|ATTENDEDTRANSFER|BRIDGE|b-1|12|120|1
        1280|orig|1509|7051|COMPLETEAGENT|7|173|1
        """,
        [("1501", "7009", 12, 120, "answered", True), ("1509", "7051", 7, 173, "answered", False)],
        1,
    ),
    "blind transfer, then the next queue": (
        """
        100|a|general|NONE|ENTERQUEUE||1|1
        104|a|general|7001|CONNECT|4|x.1|2
        164|a|general|7001|BLINDTRANSFER|8002|queues|4|60|1
        165|a|fault|NONE|ENTERQUEUE||1|1
        185|a|fault|7002|CONNECT|20|x.2|2
        305|a|fault|7002|COMPLETECALLER|20|120|1
        """,
        [("general", "7001", 4, 60, "answered", True), ("fault", "7002", 20, 120, "answered", False)],
        1,
    ),
    "a missing ENTERQUEUE is inferred from the seconds waited": (
        "112|a|general|7009|CONNECT|12|x.1|3\n132|a|general|7009|COMPLETEAGENT|12|20|1",
        [("general", "7009", 12, 20, "answered", False)],
        1,
    ),
    "nor does one that is known from another queue, unless an agent asked there for it": (
        """
        90|b|general|NONE|ENTERQUEUE||13800000002|1
        92|b|general|7001|CONNECT|2|x.1|1
        101|a|fault|NONE|ENTERQUEUE||13800000001|1
        103|b|fault|7002|CONNECT|2|x.2|1
        """,
        [
            ("general", "7001", 2, None, "answered", False),
            ("fault", None, None, None, None, False),
            ("fault", "7002", 2, None, "answered", False),
        ],
        2,
    ),
    "a call whose entry was missed does not take another's place in the queue": (
        """
        101|a|general|NONE|ENTERQUEUE||1|1
        103|b|general|7001|CONNECT|2|x.1|1
        113|b|general|7001|COMPLETECALLER|2|10|1
        """,
        [("general", None, None, None, None, False), ("general", "7001", 2, 10, "answered", False)],
        2,
    ),
    "only the end was seen": (
        "132|a|general|7009|COMPLETEAGENT|12|20|1",
        [("general", "7009", 12, 20, "answered", False)],
        1,
    ),
    "still waiting, still talking": (
        """
        100|a|general|NONE|ENTERQUEUE||1|1
        100|b|general|NONE|ENTERQUEUE||2|1
        103|b|general|7001|CONNECT|3|x.1|2
        """,
        [("general", None, None, None, None, False), ("general", "7001", 3, None, "answered", False)],
        2,
    ),
    "over midnight": (
        """
        86390|a|general|NONE|ENTERQUEUE||1|1
        86395|a|general|7001|CONNECT|5|x.1|2
        86700|a|general|7001|COMPLETEAGENT|5|305|1
        """,
        [("general", "7001", 5, 305, "answered", False)],
        1,
    ),
}


def _lines(text: str) -> list[str]:
    return [line.strip() + "\n" for line in text.strip().splitlines()]


def _events(text: str) -> list[QueueEvent]:
    bad: list[BadLine] = []
    events = list(parse(_lines(text), bad))
    assert bad == []
    return events


def _row(visit: Visit) -> tuple[str, str | None, int | None, int | None, str | None, bool]:
    seconds = visit.wait_seconds, visit.talk_seconds
    return visit.queue, visit.agent, *seconds, visit.exit_class, visit.is_transferred


@pytest.mark.parametrize(("text", "expected", "callers"), CASES.values(), ids=CASES.keys())
def test_lines_become_visits(
    text: str, expected: list[tuple[str, str | None, int | None, int | None, str | None, bool]], callers: int
) -> None:
    calls = build_calls(_events(text))
    assert sorted(map(_row, calls.visits), key=repr) == sorted(expected, key=repr)
    assert len(calls.by_caller()) == callers


@given(st.sampled_from(sorted(CASES)), st.data())
def test_order_and_repetition_change_nothing(name: str, data: st.DataObject) -> None:
    events = _events(CASES[name][0])
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=6))))
    assert build_calls(shuffled) == build_calls(events)


def test_many_calls_at_once_keep_apart() -> None:
    text = "\n".join(
        f"{100 + n}|call{n}|general|NONE|ENTERQUEUE||1|1\n{100 + 2 * n}|call{n}|general|70{n:02}|CONNECT|{n}|x|1\n"
        f"{150 + 2 * n}|call{n}|general|70{n:02}|COMPLETEAGENT|{n}|50|1"
        for n in range(40)
    )
    visits = build_calls(_events(text)).visits
    assert [(v.call, v.agent, v.wait_seconds, v.talk_seconds) for v in visits] == [
        (f"call{n}", f"70{n:02}", n, 50) for n in range(40)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1700000000|a|gen\n", "fields"),
        ("abc|a|general|NONE|ABANDON|1|1|4\n", "not seconds"),
        ("1700000000|a|general|NONE|ABANDON|1|1|\n", "truncated"),
        ("1700000000|a|general|7001|COMPLETEAGENT|1|x|1\n", "truncated"),
        ("1700000000|a|general|7001|CONNECT\n", "truncated"),
        ("1700000000|a|general|7001|CONNECT|1", "no end"),
        ("1700000000|a|general|NONE|\x00\x01garbage\n", "not the name"),
    ],
)
def test_a_line_that_cannot_be_read_is_kept_aside(line: str, reason: str) -> None:
    good = "1700000000|a|general|NONE|ENTERQUEUE||1|1\n"
    bad: list[BadLine] = []
    assert len(list(parse([good, line], bad))) == 1
    assert [one.number for one in bad] == [2]
    assert reason in bad[0].reason


@given(st.lists(st.text(max_size=40)))
def test_no_input_crashes_the_reader(lines: list[str]) -> None:
    bad: list[BadLine] = []
    build_calls(parse((line + "\n" for line in lines), bad))


@given(
    st.lists(st.sampled_from(["ENTERQUEUE", "CONNECT|3", "ABANDON|1|1|3", "COMPLETEAGENT|3|4|1", "EXITEMPTY|1|1|9"]))
)
def test_every_visit_has_at_most_one_exit_and_every_exit_its_visit(kinds: list[str]) -> None:
    text = "\n".join(f"{100 + n}|a|general|7001|{kind}" for n, kind in enumerate(kinds))
    events = _events(text) if kinds else []
    visits = build_calls(events).visits
    exits = sum(event.kind in ("CONNECT", "ABANDON", "EXITEMPTY") for event in events)
    assert sum(visit.exit_class is not None for visit in visits) >= exits
    assert all((visit.exited_at is None) == (visit.exit_class is None) for visit in visits)
    assert all((visit.wait_seconds or 0) >= 0 and (visit.talk_seconds or 0) >= 0 for visit in visits)
