"""What the phone itself tells of its agent: ringing, calls beside the queues, holds."""

import pytest

from telephony.agent_time import agent_states
from telephony.ami_events import EventReader, device_event
from telephony.ami_wire import Message
from telephony.call_model import build_calls
from telephony.queue_log import HOLD, UNHOLD, QueueEvent

QUEUE = "crm-general"
FREE, BUSY, RINGING = "1", "3", "6"


def login(at: int) -> QueueEvent:
    return QueueEvent(at, "ADDMEMBER", "NONE", QUEUE, "7001", ())


def phone(at: float, status: str) -> QueueEvent:
    return device_event(int(at), f"{at:.6f}", "7001", status)


def hold(at: float, kind: str = HOLD, channel: str = "PJSIP/7001-00000001") -> QueueEvent:
    return QueueEvent(int(at), kind, "NONE", "NONE", "7001", (f"{at:.6f}", channel))


def queue(at: int, kind: str, *data: str) -> QueueEvent:
    return QueueEvent(at, kind, "a", QUEUE, "NONE" if kind == "ENTERQUEUE" else "7001", data)


CALL = [
    queue(110, "ENTERQUEUE", "", "139", "1"),
    phone(111.2, RINGING),
    phone(114.1, BUSY),
    queue(114, "CONNECT", "4", "b", "3"),
]
END = [queue(150, "COMPLETECALLER", "4", "36", "1"), phone(150.3, FREE)]


@pytest.mark.parametrize(
    ("what", "events", "until", "expected"),
    [
        (
            "a phone that rings is not available",
            [login(100), queue(110, "ENTERQUEUE", "", "139", "1"), phone(111.2, RINGING)],
            113,
            ["available 100-111", "alerting 111-113"],
        ),
        (
            "a caller who gives up leaves the agent available",
            [login(100), phone(111.2, RINGING), phone(115.0, FREE)],
            120,
            ["available 100-111", "alerting 111-115", "available 115-120"],
        ),
        (
            "two changes within one second keep their order",
            [login(100), phone(111.9, BUSY), phone(111.2, RINGING)],
            120,
            ["available 100-111", "talk 111-120"],
        ),
        (
            "a queue's call is told by the queue's events alone",
            [login(100), *CALL, *END],
            170,
            ["available 100-111", "alerting 111-114", "talk 114-150", "wrap_up 150-160", "available 160-170"],
        ),
        (
            "a call beside the queues is talk, in a pause too",
            [
                login(100),
                QueueEvent(105, "PAUSE", "NONE", QUEUE, "7001", ("rest",)),
                phone(120.0, BUSY),
                phone(130.0, FREE),
            ],
            140,
            ["available 100-105", "pause 105-120", "talk 120-130", "pause 130-140"],
        ),
        (
            "a hold is cut out of its talk",
            [login(100), *CALL, hold(120.1), hold(125.4, UNHOLD), *END],
            155,
            [
                "available 100-111",
                "alerting 111-114",
                "talk 114-120",
                "hold 120-125",
                "talk 125-150",
                "wrap_up 150-160",
            ],
        ),
        (
            "who hangs up on hold ends the hold with the talk",
            [login(100), *CALL, hold(140.1), *END, phone(170.1, BUSY)],
            175,
            [
                "available 100-111",
                "alerting 111-114",
                "talk 114-140",
                "hold 140-150",
                "wrap_up 150-160",
                "available 160-170",
                "talk 170-175",
            ],
        ),
        (
            "a phone that is used while its agent is signed out is no agent's time",
            [login(100), QueueEvent(110, "REMOVEMEMBER", "NONE", QUEUE, "7001", ()), phone(112.0, BUSY)],
            120,
            ["available 100-110"],
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_what_the_phone_tells(what: str, events: list[QueueEvent], until: int, expected: list[str]) -> None:
    for order in (events, events[::-1]):
        found = agent_states(
            order,
            build_calls(order).visits,
            window=(100, until),
            still_talking=True,
            wrap_up_seconds={QUEUE: 10},
        )
        assert [f"{one.state} {one.started_at}-{one.ended_at}" for one in found] == expected, what


def test_asterisks_words_are_read() -> None:
    reader = EventReader()
    member = b"Event: QueueMemberStatus\r\nTimestamp: 111.200000\r\nQueue: crm-general\r\nMemberName: 7001\r\nStatus: 6"
    assert reader.read(Message(member), 0) == phone(111.2, RINGING)
    held = b"Event: Hold\r\nTimestamp: 120.100000\r\nChannel: PJSIP/7001-00000001\r\nLinkedid: a"
    assert reader.read(Message(held), 0) == hold(120.1)
    named = held + b"\r\nUniqueid: b"
    assert reader.read(Message(named), 0) == QueueEvent(
        120, HOLD, "NONE", "NONE", "7001", ("120.100000", "PJSIP/7001-00000001", "b")
    )
    trunk = b"Event: Hold\r\nTimestamp: 120.100000\r\nChannel: Local/7001@x-1;1"
    assert reader.read(Message(trunk), 0) is None
