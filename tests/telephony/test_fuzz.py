"""Whatever arrives (half messages, rubbish, a conversation that breaks off) ends in our own errors or in nothing."""

import io
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from asterisk.agi import AGIException
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigurationError
from crm_api.routing.callers import Caller, Outage
from telephony import cdr, cel
from telephony.agent_time import agent_states
from telephony.agi import AgiServer, Conversation
from telephony.ami_events import EventReader
from telephony.ami_wire import Message, Splitter
from telephony.call_model import build_calls
from telephony.dialler import read_agents
from telephony.fax import read_told, to_pdf
from telephony.ivr import menu
from telephony.ivr.conversation import Ivr
from telephony.ivr.numbers import LARGEST, say_integer, say_yuan
from telephony.ivr.prompts import prompt_names
from telephony.live import LiveModel
from telephony.queue_log import BadLine, parse
from telephony.to_store import call_records, caller_numbers
from tests.telephony.test_dialler import Reading
from tests.telephony.test_fax import AT

#: Busy machines are slow; the long form looks further.
calm = settings(deadline=None, max_examples=2000 if os.environ.get("CRM_TEST_FULL") else 60)

NAMES = (
    "QueueCallerJoin",
    "QueueCallerAbandon",
    "AgentConnect",
    "AgentComplete",
    "AgentRingNoAnswer",
    "QueueMemberAdded",
    "QueueMemberPause",
    "UserEvent",
    "Hangup",
    ".CallLost",
)
HEADERS = ("Queue", "Uniqueid", "Linkedid", "MemberName", "HoldTime", "TalkTime", "Timestamp", "Reason", "Status")
_word = st.one_of(
    st.sampled_from(
        ["crm-general", "1.1", "1.2", "7001", "NONE", "-1", "9" * 30, "", "TIMEOUT", "KEY", "1772380800.5"]
    ),
    st.text(max_size=12),
)
_event = st.builds(
    lambda name, fields: (
        f"Event: {name}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields) + "\r\n"
    ).encode(),
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.sampled_from([*HEADERS, "ChanVariable(x)", "UserEvent", ""]), _word), max_size=9),
)
_stream = st.lists(st.one_of(_event, st.binary(max_size=60)), max_size=12).map(b"".join)


def _chunks(content: bytes, cuts: list[int]) -> Iterator[bytes]:
    at = 0
    for cut in sorted({one % (len(content) + 1) for one in cuts}):
        yield content[at:cut]
        at = cut
    yield content[at:]


@calm
@given(_stream, st.lists(st.integers(0, 5000), max_size=8))
def test_a_manager_stream_is_cut_and_read_the_same_however_it_arrives(stream: bytes, cuts: list[int]) -> None:
    whole = b"Asterisk Call Manager/9.0.0\r\n" + stream
    at_once, in_pieces = Splitter(), Splitter()
    frames = list(at_once.feed(whole))
    assert [frame for chunk in _chunks(whole, cuts) for frame in in_pieces.feed(chunk)] == frames
    reader, model = EventReader(), LiveModel()
    events = [event for frame in frames if (event := reader.read(Message(frame), 1772380800.0)) is not None]
    model.feed(events)
    model.changed_calls(1772380900)
    model.changed_states(1772380900)
    model.lose_all_but(set(), 1772380900)
    model.changed_calls(1772390900)


_KINDS = (
    "ENTERQUEUE|CONNECT|COMPLETEAGENT|COMPLETECALLER|ABANDON|EXITWITHTIMEOUT|EXITWITHKEY|EXITEMPTY|BLINDTRANSFER|"
    "ATTENDEDTRANSFER|TRANSFER|RINGNOANSWER|RINGCANCELED|ADDMEMBER|REMOVEMEMBER|PAUSE|UNPAUSE|PAUSEALL|AGENTLOGIN|"
    "CONFIGRELOAD|QUEUESTART|SYSCOMPAT"
)
_second = st.one_of(st.sampled_from(["1772380800", "1772380807", "99999999999", "-5", "1e9", "٣"]), _word)
_line = st.builds(
    lambda at, call, queue, agent, kind, rest: "|".join([at, call, queue, agent, kind, *rest]) + "\n",
    _second,
    st.sampled_from(["1.1", "1.2", "NONE", ""]),
    st.sampled_from(["general", "fault", "NONE"]),
    st.sampled_from(["7001", "7002", "NONE"]),
    st.sampled_from(_KINDS.split("|")),
    st.lists(_second, max_size=6),
)


@calm
@given(st.lists(st.one_of(_line, st.text(max_size=60).map(lambda text: text + "\n")), max_size=14))
def test_queue_log_lines_are_calls_and_states_or_kept_aside(lines: list[str]) -> None:
    bad: list[BadLine] = []
    events = list(parse(lines, bad))
    calls = build_calls(events)
    assert all(one.reason for one in bad)
    for record in call_records(calls, caller_numbers(events)):
        assert record.ended_at is None or record.ended_at >= record.started_at
    for one in agent_states(events, calls.visits):
        assert one.ended_at >= one.started_at


_PEOPLE = ("QueueMember", "QueueEntry", "AgentCalled", "OriginateResponse", "DialEnd", "AgentConnect", "Hangup", "x")
_of_people = st.builds(
    lambda name, fields: Message((f"Event: {name}\r\n" + "".join(f"{a}: {b}\r\n" for a, b in fields)).encode()),
    st.sampled_from(_PEOPLE),
    st.lists(
        st.tuples(
            st.sampled_from([*HEADERS, "LastCall", "Wrapuptime", "Wait", "Name", "InCall", "Paused", "DestUniqueid"]),
            st.one_of(_word, st.sampled_from(["k", "1", "0", "٣", "1e9"])),
        ),
        max_size=10,
    ),
)


@calm
@given(st.lists(_of_people, max_size=12), st.booleans())
def test_a_dialler_takes_whatever_asterisk_says_of_phones_and_calls(said: list[Message], preview: bool) -> None:
    """Every call is settled at most once, with a word that the store knows."""
    read_agents(said, 1772380800.0)
    dialler = Reading(preview=preview)
    for one in said:
        dialler._take(one)
    assert len(dialler.settled) <= 1
    assert set(dialler.settled) <= {"connected", "abandoned", "no_answer", "busy", "failed", "agent_away"}


@calm
@given(st.lists(st.one_of(st.text(max_size=60), st.lists(_word, max_size=22).map(",".join))))
def test_cel_and_cdr_lines_are_events_or_kept_aside(lines: list[str]) -> None:
    bad: list[BadLine] = []
    build_calls(cel.queue_events(cel.parse(lines, bad)))
    build_calls(cdr.parse(lines, bad))
    assert all(one.reason for one in bad)


class _Answers:
    """The store of the fuzzed IVR: always the same caller."""

    def within(self, read: object) -> Caller:
        return Caller("13800000001", customer_id=1, outage=Outage(1, "西安", "Xi'an"), reasons=("big_customer",))


class _Nothing:
    """Takes what the fuzzed IVR would write."""

    def put(self, work: object) -> None:
        assert callable(work)


_reply = st.one_of(
    st.sampled_from(
        b"200 result=0|200 result=49|200 result=50 endpos=8|200 result=1 (3)|HANGUP|200 result=-1|510 Invalid|511 dead|"
        b"200 result=|520-usage|520 end|".replace(b"|", b"\n").splitlines(keepends=True)
    ),
    st.binary(max_size=40),
)
_environment = st.one_of(
    st.just(b"agi_network_script: route\nagi_uniqueid: 1.1\nagi_callerid: 13800000001\nagi_arg_1: /s\n\n"),
    st.just(b"agi_network_script: survey\nagi_uniqueid: 1.1\n\n"),
    st.just(b"agi_network_script: callback\nagi_callerid: 1\nagi_arg_1: /s\nagi_arg_2: q\nagi_arg_3: 99999999999\n\n"),
    st.binary(max_size=80),
)
_IVR = Ivr(menu.load(), _Answers(), _Nothing())  # type: ignore[arg-type]  # nothing but the reading is tried


@calm
@given(_environment, st.lists(_reply, max_size=60).map(b"".join))
def test_a_conversation_ends_by_its_own_rules_whatever_asterisk_says(environment: bytes, replies: bytes) -> None:
    with suppress(AGIException, OSError):
        _IVR.handle(Conversation(io.BytesIO(environment + replies), io.BytesIO()))


def test_the_server_goes_on_after_rubbish() -> None:
    import threading

    server = AgiServer(("127.0.0.1", 0), _IVR.handle, timeout=2)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for content in (b"\xff" * 9000, b"agi_x: 1\n\n200", b"\n" * 50, b""):
        with socket.create_connection(server.server_address[:2]) as one:
            one.sendall(content)
    with socket.create_connection(server.server_address[:2], timeout=5) as one:
        one.sendall(b"agi_network_script: survey\nagi_uniqueid: 1.1\n\n")
        assert one.recv(100).startswith(b"GET OPTION")
    server.shutdown()
    server.server_close()


_value: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.sampled_from(["menu", "queue", "main"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["nodes", "first", "kind", "options", "default", "then", "main"]), inner),
    ),
    max_leaves=12,
)


@calm
@given(_value)
def test_a_menu_is_whole_or_refused(content: object) -> None:
    with suppress(ValueError, TypeError, AttributeError, KeyError):
        menu.parse(content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: {}", "which is no node"),
        ("first: a\nnodes: {a: {kind: menu, prompt: main_menu, options: {'1': a}, default: a}}", "never leaves"),
        ("first: a\nnodes: {a: {kind: queue}}", "lacks queue"),
        ("first: a\nnodes: {a: {kind: menu, prompt: none, options: {'1': a}, default: a}}", "not in prompts.yml"),
        (
            "first: a\nnodes: {a: {kind: menu, prompt: main_menu, options: {'x': a}, default: a}}",
            "a key of a telephone",
        ),
        ("[", "cannot be read"),
    ],
)
def test_a_wrong_menu_is_told_in_words(tmp_path: Any, text: str, said: str) -> None:
    path = tmp_path / "menu.yml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        menu.load(path)


@calm
@given(st.integers(0, LARGEST), st.sampled_from(["zh", "en"]))
def test_every_number_is_said_with_prompts_that_exist(number: int, language: str) -> None:
    assert set(say_integer(number, language)) | set(say_yuan(-number, language)) <= prompt_names() | {
        "d10000",
        *(f"d{n}" for n in (*range(11, 20), *range(20, 100, 10))),
    }


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (10, ["d10"], ["d10"]),
        (110, ["d1", "d100", "d1", "d10"], ["d1", "d100", "d10"]),
        (1005, ["d1", "d1000", "d0", "d5"], ["d1", "d1000", "d5"]),
        (20300, ["d2", "d10000", "d0", "d3", "d100"], ["d20", "d1000", "d3", "d100"]),
    ],
)
def test_numbers_are_said_as_people_say_them(number: int, zh: list[str], en: list[str]) -> None:
    assert (say_integer(number, "zh"), say_integer(number, "en")) == (zh, en)


@calm
@given(st.text(max_size=60), st.binary(max_size=200))
def test_a_fax_report_and_its_pages_are_read_or_refused(text: str, pages: bytes) -> None:
    read_told(text)
    with suppress(ValueError):
        to_pdf(pages, AT)
