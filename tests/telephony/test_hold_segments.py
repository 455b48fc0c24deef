"""What was on hold in a conversation is a segment of the call, and no talk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.contacts.call_records import Directory, store_calls
from crm_api.contacts.models import CallSegment
from telephony.call_model import build_calls
from telephony.live import KEEP_SECONDS, LiveModel
from telephony.queue_log import HOLD, UNHOLD, BadLine, QueueEvent, parse
from telephony.reconcile import reconcile
from telephony.to_store import call_records, caller_numbers

QUEUE = "crm-general"


def queue(at: int, kind: str, *data: str, call: str = "a") -> QueueEvent:
    return QueueEvent(at, kind, call, QUEUE, "NONE" if kind in ("ENTERQUEUE", "ABANDON") else "7001", data)


def hold(at: float, kind: str = HOLD, channel: str = "b", agent: str = "7001") -> QueueEvent:
    return QueueEvent(int(at), kind, "NONE", "NONE", agent, (f"{at:.6f}", f"PJSIP/{agent}-{channel}", channel))


ANSWER = [queue(110, "ENTERQUEUE", "", "139", "1"), queue(114, "CONNECT", "4", "b", "3")]
END = queue(150, "COMPLETECALLER", "4", "36", "1")
NEXT = [
    queue(160, "ENTERQUEUE", "", "138", "1", call="c"),
    queue(165, "CONNECT", "5", "d", "2", call="c"),
    queue(200, "COMPLETEAGENT", "5", "35", "1", call="c"),
]

#: name -> (events, segments)
CASES: dict[str, tuple[list[QueueEvent], str]] = {
    "no hold": ([*ANSWER, END], "talk 114-150"),
    "a hold parts the talk": (
        [*ANSWER, hold(120.1), hold(125.4, UNHOLD), END],
        "talk 114-120, hold 120-125, talk 125-150",
    ),
    "two holds": (
        [*ANSWER, hold(120), hold(125, UNHOLD), hold(130), hold(140, UNHOLD), END],
        "talk 114-120, hold 120-125, talk 125-130, hold 130-140, talk 140-150",
    ),
    "hung up on hold": ([*ANSWER, hold(140), END], "talk 114-140, hold 140-150"),
    "on hold now": ([*ANSWER, hold(140)], "talk 114-140, hold 140-"),
    "taken back, still talking": ([*ANSWER, hold(140), hold(145, UNHOLD)], "talk 114-140, hold 140-145, talk 145-"),
    "on hold at once": ([*ANSWER, hold(114.2), hold(120, UNHOLD), END], "hold 114-120, talk 120-150"),
    "on hold throughout": ([*ANSWER, hold(114.2), END], "hold 114-150"),
    "told twice": (
        [*ANSWER, hold(120), hold(122), hold(130, UNHOLD), END],
        "talk 114-120, hold 120-130, talk 130-150",
    ),
    "the consultation's hold is not the caller's": (
        [*ANSWER, hold(120), hold(130, channel="other"), hold(135, UNHOLD), hold(140, UNHOLD, channel="other"), END],
        "talk 114-120, hold 120-135, talk 135-150",
    ),
    "another agent's hold": ([*ANSWER, hold(120, agent="7002"), hold(125, UNHOLD, agent="7002"), END], "talk 114-150"),
    "each call its own": (
        [*ANSWER, hold(120), hold(125, UNHOLD), END, *NEXT, hold(170, channel="d"), hold(180, UNHOLD, channel="d")],
        "talk 114-120, hold 120-125, talk 125-150, talk 165-170, hold 170-180, talk 180-200",
    ),
    "a hold before the answer is another call's": ([hold(100), hold(105, UNHOLD), *ANSWER, END], "talk 114-150"),
    "given up": ([ANSWER[0], queue(130, "ABANDON", "1", "1", "20"), hold(115), hold(118, UNHOLD)], ""),
}


def _second(at: datetime | None) -> str:
    return "" if at is None else str(int(at.timestamp()))


def _segments(events: list[QueueEvent]) -> str:
    records = sorted(call_records(build_calls(events), caller_numbers(events)), key=lambda one: one.started_at)
    return ", ".join(
        f"{kind} {_second(start)}-{_second(end)}"
        for record in records
        for visit in record.visits
        for kind, start, end in visit.stretches
    )


@pytest.mark.parametrize(("events", "expected"), CASES.values(), ids=CASES.keys())
def test_events_become_segments(events: list[QueueEvent], expected: str) -> None:
    assert _segments(events) == expected


@settings(deadline=None)
@given(st.sampled_from(sorted(CASES)), st.data())
def test_in_whatever_order_and_pieces_they_come(name: str, data: st.DataObject) -> None:
    events, _ = CASES[name]
    lines = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    assert _segments(lines) == CASES[name][1]
    model, told = LiveModel(), {}
    while lines:
        size = data.draw(st.integers(1, len(lines)))
        model.feed(lines[:size])
        del lines[:size]
        told |= {one.external_id: one for one in model.changed_calls(0)}
    assert told == {one.external_id: one for one in call_records(build_calls(events), caller_numbers(events))}


def test_a_long_conversation_keeps_its_early_hold_and_what_is_over_is_forgotten() -> None:
    model = LiveModel()
    model.feed([*ANSWER, hold(120), hold(125, UNHOLD)])
    assert len(model.changed_calls(126)) == 1
    late = queue(9114, "COMPLETECALLER", "4", "9000", "1")
    assert model.changed_calls(9000) == []
    model.feed([late])
    (record,) = model.changed_calls(9115)
    assert [kind for kind, _, _ in record.visits[0].stretches] == ["talk", "hold", "talk"]
    for now in (9116, 9114 + KEEP_SECONDS, 9116 + KEEP_SECONDS, 9400):
        assert model.changed_calls(now) == []
    assert model._events == set()


def _stored(store: Engine) -> list[tuple[str, datetime, datetime | None]]:
    with session_scope(store) as session:
        rows = session.scalars(
            select(CallSegment).where(CallSegment.deleted_at.is_(None)).order_by(CallSegment.started_at)
        )
        return [(one.kind, one.started_at, one.ended_at) for one in rows]


def test_a_log_that_knows_no_holds_leaves_those_that_were_seen(store: Engine, tmp_path: Path) -> None:
    day = 1772380800

    def at(one: QueueEvent) -> QueueEvent:
        exact = (f"{day + float(one.data[0]):.6f}", *one.data[1:]) if one.kind in (HOLD, UNHOLD) else one.data
        return QueueEvent(day + one.at, one.kind, one.call, one.queue, one.agent, exact)

    # The listener died while the caller was on hold for the second time.
    seen = [at(one) for one in [*ANSWER, hold(120), hold(125, UNHOLD), hold(140)]]
    with session_scope(store) as session:
        records = list(call_records(build_calls(seen), caller_numbers(seen)))
        store_calls(session, records, directory=Directory(session, create=True))
    log = tmp_path / "queue_log"
    told = ([str(one.at), one.call, one.queue, one.agent, one.kind, *one.data] for one in map(at, [*ANSWER, END]))
    log.write_text("".join("|".join(line) + "\n" for line in told))
    for _ in range(2):
        _, summary = reconcile(store, [log], rejected=tmp_path)
        spans = [(kind, start, end) for kind, start, end in _stored(store)]
        assert spans == [
            (kind, datetime.fromtimestamp(day + start, UTC), datetime.fromtimestamp(day + end, UTC))
            for kind, start, end in (
                ("talk", 114, 120),
                ("hold", 120, 125),
                ("talk", 125, 140),
                ("hold", 140, 150),
            )
        ]
    assert (summary.calls.added, summary.calls.changed, summary.agent_states) == (0, 0, 0)


def test_holds_that_a_dialplan_wrote_into_its_log_are_read() -> None:
    bad: list[BadLine] = []
    lines = [
        "110|a|crm-general|NONE|ENTERQUEUE||139|1\n",
        "114|a|crm-general|7001|CONNECT|4|b|3\n",
        "120|a|crm-general|7001|HOLD\n",
        "125|a|crm-general|7001|UNHOLD|whatever\n",
        "150|a|crm-general|7001|COMPLETECALLER|4|36|1\n",
    ]
    assert _segments(list(parse(lines, bad))) == "talk 114-120, hold 120-125, talk 125-150"
    assert bad == []
