"""Telephony: events journalled and interpreted against stock pyst2, screen pops, IVR answers, memory over many events.

One made-up manager stream serves all three readers in the same run: stock pyst2 parsing it, ours with journal and call
model, and a bare split of the socket's bytes as the physical yardstick.
"""

import contextlib
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CALLS = {"small": 1_500, "province": 12_000}
_STOCK_CALLS = 150
_MEMORY_EVENTS = {"small": 200_000, "province": 1_000_000}
_POPS_A_SECOND, _POP_SECONDS = 20, 15
_IVR_CALLS, _IVR_CALLERS = 400, 8
_BEGIN = 1_772_380_800

_NOISE = (
    "Newchannel", "Newexten", "Newstate", "VarSet", "VarSet", "VarSet", "DialBegin", "DialState", "RTCPSent",
    "RTCPReceived", "BridgeCreate", "NewConnectedLine", "DeviceStateChange", "ExtensionStatus", "MusicOnHoldStart",
)  # fmt: skip


def _event(name: str, at: int, call: str, **fields: object) -> str:
    # As many headers as Asterisk sends of a channel.
    channel = "".join(
        f"{key}: {value}\r\n"
        for key, value in {
            "Privilege": "agent,all",
            "Timestamp": f"{at}.123456",
            "Channel": f"PJSIP/trunk-{call}",
            "ChannelState": 6,
            "ChannelStateDesc": "Up",
            "CallerIDNum": "13891230000",
            "CallerIDName": "<unknown>",
            "ConnectedLineNum": "<unknown>",
            "ConnectedLineName": "<unknown>",
            "Language": "zh",
            "AccountCode": "",
            "Context": "queues",
            "Exten": "general",
            "Priority": 5,
            "Uniqueid": call,
            "Linkedid": call,
        }.items()
    )
    return f"Event: {name}\r\n{channel}" + "".join(f"{key}: {value}\r\n" for key, value in fields.items()) + "\r\n"


def _call(number: int) -> list[str]:
    """The about 79 events of one call through a queue, six of which matter."""
    at, call, agent = _BEGIN + number // 4, f"{_BEGIN}.{number}", f"{7000 + number % 50}"
    held = {"Queue": "crm-general", "MemberName": agent, "Interface": f"PJSIP/{agent}"}
    noise = [_event(_NOISE[n % len(_NOISE)], at, call, Variable="X", Value=n) for n in range(73)]
    told = [
        _event("QueueCallerJoin", at, call, Queue="crm-general", Position=1, Count=1),
        _event("AgentCalled", at, call, **held),
        _event("AgentConnect", at + 7, call, HoldTime=7, RingTime=2, DestUniqueid="x", **held),
        _event("QueueMemberStatus", at + 7, call, Status=2, **held),
        _event("AgentComplete", at + 97, call, HoldTime=7, TalkTime=90, Reason="caller", **held),
        _event("Hangup", at + 97, call, Cause=16),
    ]
    return noise[:20] + told[:2] + noise[20:50] + told[2:4] + noise[50:] + told[4:]


def _stream(calls: int) -> bytes:
    return "".join(one for number in range(calls) for one in _call(number)).encode()


@contextlib.contextmanager
def _sender(content: bytes) -> Iterator[tuple[int, threading.Event]]:
    """A manager interface that answers a login and, when told to, sends the stream."""
    listener, go = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        connection.sendall(b"Asterisk Call Manager/9.0.0\r\n")
        go.wait()
        with contextlib.suppress(OSError):
            connection.sendall(content)
            connection.sendall(b"Event: TheEnd\r\nUniqueid: end\r\n\r\n")
            time.sleep(5)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], go
    finally:
        listener.close()


def _bare(content: bytes) -> float:
    """Seconds in which a socket's bytes are read and cut into frames, nothing else."""
    with _sender(content) as (port, go):
        connection, rest, frames = socket.create_connection(("127.0.0.1", port)), b"", 0
        go.set()
        began = time.perf_counter()
        while b"TheEnd" not in rest:
            *found, rest = (rest + connection.recv(262144)).split(b"\r\n\r\n")
            frames += len(found)
            if found and found[-1].startswith(b"Event: TheEnd"):
                break
        taken = time.perf_counter() - began
        connection.close()
        return taken


def _stock(content: bytes) -> float:
    """Seconds in which pyst2's own manager reads the stream and gives each event to a callback."""
    from asterisk import manager as pyst2

    done = threading.Event()
    with _sender(content) as (port, go):
        manager = pyst2.Manager()
        manager.connect("127.0.0.1", port)
        manager.register_event("TheEnd", lambda event, _: done.set())
        go.set()
        began = time.perf_counter()
        done.wait(300)
        taken = time.perf_counter() - began
        manager.connected = lambda: False
    return taken


def _ours(content: bytes, folder: Path) -> tuple[float, float]:
    """(seconds, longest wait from receipt to being durable and interpreted) of our manager, journal and call model."""
    from telephony.ami_events import EventReader
    from telephony.ami_wire import Message
    from telephony.asterisk.render import EVENTS
    from telephony.journal import Journal, Record
    from telephony.live import LiveModel
    from telephony.manager import Manager

    done, reader, model = threading.Event(), EventReader(), LiveModel()
    waits: list[float] = []

    def interpret(records: "list[Record] | Any") -> None:
        messages = [Message(record.frame) for record in records]
        model.feed(event for one in messages if (event := reader.read(one, 0)) is not None)
        waits.append(time.time() - records[0].received_at)
        if messages[-1].name == "TheEnd":
            done.set()

    with _sender(content) as (port, go):
        journal = Journal(folder, interpret)
        manager = Manager(events=(*EVENTS, "TheEnd"))
        manager.register_raw(journal.append)
        manager.connect("127.0.0.1", port)
        go.set()
        began = time.perf_counter()
        done.wait(300)
        model.changed_calls(_BEGIN + 10)
        taken = time.perf_counter() - began
        manager.close()
        journal.close()
    return taken, max(waits)


_MEMORY = """
import sys
sys.path.insert(0, ".")
from benchmarks.telephony import _call, _BEGIN
from telephony.ami_events import EventReader
from telephony.ami_wire import Message, Splitter
from telephony.live import LiveModel
def most():
    # The peak of this program alone: what getrusage tells begins with that of whoever started it.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
reader, model, splitter, events, peak = EventReader(), LiveModel(), Splitter(), 0, []
list(splitter.feed(b"Asterisk Call Manager/9.0.0\\r\\n"))
for number in range(int(sys.argv[1]) // 79):
    for frame in splitter.feed("".join(_call(number)).encode()):
        events += 1
        event = reader.read(Message(frame), 0)
        if event is not None:
            model.feed([event])
    if number % 200 == 199:
        model.changed_calls(_BEGIN + number // 4 + 98)
        model.changed_states(_BEGIN + number // 4 + 98)
    if events >= int(sys.argv[1]) // 4 and not peak:
        peak.append(most())
print(events, peak[0] / 1024, most() / 1024)
"""


def _memory(events: int) -> tuple[int, float, float]:
    done = subprocess.run([sys.executable, "-c", _MEMORY, str(events)], capture_output=True, text=True, check=True)
    count, early, late = done.stdout.split()
    return int(count), float(early), float(late)


def _store(folder: Path) -> Any:
    from core.database import make_engine, session_scope
    from crm_api.reference.service import load_reference
    from crm_api.store import migrate

    engine = make_engine(url=f"sqlite:///{folder / 'crm.sqlite'}")
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    return engine


def _pops(engine: Any) -> list[float]:
    """Seconds from a phone's ring to the bus message that a browser is sent, at 20 rings a second."""
    from sqlalchemy import select

    from core.database import session_scope
    from crm_api.bus.service import listen
    from crm_api.identity.models import User
    from crm_api.identity.service import create_demo_users
    from crm_api.routing.phones import assign
    from telephony.ami_wire import Message
    from telephony.screen_pop import ScreenPops

    with session_scope(engine) as session:
        create_demo_users(session)
        username = session.scalars(select(User.username).where(User.role == "agent")).first()
        code = assign(session, username=str(username), agent_code=None, kind="webrtc", queues=()).agent.code
    rung: dict[str, float] = {}
    waits: queue.SimpleQueue[float] = queue.SimpleQueue()
    ready = threading.Event()

    def hear() -> None:
        for message in listen(engine, seconds=_POP_SECONDS + 4):
            ready.set()
            if message is not None and message[1] == "screen_pop":
                waits.put(time.perf_counter() - rung[message[2]["number"]])

    hearing = threading.Thread(target=hear, daemon=True)
    hearing.start()
    ready.wait(3)
    pops = ScreenPops(engine)
    began = time.perf_counter()
    for number in range(_POPS_A_SECOND * _POP_SECONDS):
        time.sleep(max(0.0, began + number / _POPS_A_SECOND - time.perf_counter()))
        caller = f"138{number:08}"
        frame = _event("AgentCalled", _BEGIN, f"1.{number}", Queue="crm-general", MemberName=code)
        rung[caller] = time.perf_counter()
        pops(Message(frame.replace("13891230000", caller).encode()))
    hearing.join()
    return [waits.get() for _ in range(waits.qsize())]


def _ivr_answers(engine: Any) -> tuple[float, float]:
    """(callers led to a queue a second, 95th percentile of the seconds until the first prompt)."""
    from telephony.agi import AgiServer
    from telephony.ivr.conversation import Ivr
    from telephony.ivr.menu import load
    from telephony.ivr.store_access import Lookups, Writer, impatient_engine

    writer = Writer(engine)
    server = AgiServer(("127.0.0.1", 0), Ivr(load(), Lookups(impatient_engine(str(engine.url))), writer).handle)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = ("127.0.0.1", int(server.server_address[1]))
    first: list[float] = []

    def call(number: int) -> None:
        began = time.perf_counter()
        with socket.create_connection(address) as one:
            environment = {"network_script": "route", "uniqueid": f"b.{number}", "callerid": f"138{number:08}"}
            lines = "".join(f"agi_{name}: {value}\n" for name, value in environment.items())
            one.sendall((lines + "agi_arg_1: /s\n\n").encode())
            reader, keys = one.makefile("rb"), iter("11")
            for line in reader:
                if line.startswith(b"GET OPTION"):
                    first.append(time.perf_counter() - began)
                    one.sendall(f"200 result={ord(next(keys))} endpos=1\n".encode())
                    began = time.perf_counter()
                    continue
                one.sendall(b"200 result=1 (0)\n")

    def caller(start: int) -> None:
        for number in range(start, _IVR_CALLS, _IVR_CALLERS):
            call(number)

    began = time.perf_counter()
    threads = [threading.Thread(target=caller, args=(start,)) for start in range(_IVR_CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    server.shutdown()
    server.server_close()
    writer.close(seconds=30)
    return _IVR_CALLS / taken, statistics.quantiles(first[::2], n=20)[-1]


def run(size: str) -> list[dict[str, Any]]:
    """The figures of this machine."""
    rows: list[dict[str, Any]] = []

    def add(name: str, value: float, unit: str, aim: str = "", note: str = "") -> None:
        rows.append({"name": name, "value": value, "unit": unit, "aim": aim, "note": note})

    calls = _CALLS[size]
    content, short = _stream(calls), _stream(_STOCK_CALLS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stock = _STOCK_CALLS * 79 / _stock(short)
        bare = calls * 79 / _bare(content)
        seconds, longest = _ours(content, folder / "journal")
        ours = calls * 79 / seconds
        add("events/s, stock pyst2 (read only)", stock, "events/s", note=f"{_STOCK_CALLS * 79:,} events")
        add("events/s, journalled and interpreted", ours, "events/s", note=f"{calls * 79:,} events")
        add("… times stock pyst2", ours / stock, "×", "≥ 20")
        add("events/s, bare socket split", bare, "events/s", note="the yardstick")
        add("… share of the bare split", ours / bare, "ratio")
        add("longest wait for the journal", longest * 1000, "ms", note="under full load")
        engine = _store(folder)
        waits = sorted(_pops(engine))
        cuts = statistics.quantiles(waits, n=20)
        add("screen pop p50", cuts[9] * 1000, "ms", "< 300", f"{len(waits)} rings at {_POPS_A_SECOND}/s")
        add("screen pop p95", cuts[18] * 1000, "ms", "< 300")
        a_second, wait = _ivr_answers(engine)
        add("IVR callers led to a queue", a_second, "calls/s", note=f"{_IVR_CALLERS} at once, store on SQLite")
        add("IVR first prompt p95", wait * 1000, "ms", "< 500", "look-up included")
        engine.dispose()
    events, early, late = _memory(_MEMORY_EVENTS[size])
    add("memory after all events", late, "MB", note=f"{events:,} events")
    add("… grown since a quarter of them", late - early, "MB", "flat")
    return rows
