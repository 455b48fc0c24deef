"""The fourteen defects of pyst2 0.5.1: each scenario fails on the stock classes and passes on ours."""

import importlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from asterisk import agi as stock_agi
from asterisk import manager as stock

from core.errors import BadInputError
from telephony.agi import AgiServer, Conversation
from telephony.manager import CONNECTION_LOST, Manager, ManagerTimeoutError

Reply = Callable[[dict[str, str]], bytes]


def _ok(action: dict[str, str]) -> bytes:
    return f"Response: Success\r\nActionID: {action['ActionID']}\r\nMessage: {action['Action']}\r\n\r\n".encode()


class Peer:
    """A manager interface on loopback whose replies the test writes; remembers the actions it got."""

    def __init__(self, reply: Reply = _ok) -> None:
        self.reply, self.actions = reply, list[dict[str, str]]()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = list[socket.socket]()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            connection.sendall(b"Asterisk Call Manager/9.0.0\r\n")
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        rest = b""
        while True:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                return
            *frames, rest = (rest + data).split(b"\r\n\r\n")
            for frame in frames:
                lines = [line.split(": ", 1) for line in frame.decode().split("\r\n") if ": " in line]
                action = {line[0]: line[1] for line in lines}
                self.actions.append(action)
                threading.Thread(target=self._answer, args=(connection, action), daemon=True).start()

    def _answer(self, connection: socket.socket, action: dict[str, str]) -> None:
        content = self.reply(action)
        if content:
            connection.sendall(content)

    def say(self, content: bytes) -> None:
        self.connections[-1].sendall(content)

    def drop(self) -> None:
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def close(self) -> None:
        self.listener.close()
        self.drop() if self.connections else None


@contextmanager
def peer(reply: Reply = _ok) -> Iterator[Peer]:
    one = Peer(reply)
    try:
        yield one
    finally:
        with suppress(OSError):
            one.close()


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """The result of `work`, or the exception it raised, or TimeoutError if it hangs."""
    box: list[Any] = []

    def run() -> None:
        try:
            box.append(work())
        except Exception as error:  # noqa: BLE001 - the scenario's outcome, whatever it is
            box.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return box[0] if box else TimeoutError()


def _eventually(condition: Callable[[], bool], seconds: float = 2.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


Make = Callable[[], Any]


def reconnects(make: Make) -> bool:
    with peer() as one:
        manager = make()
        manager.connect("127.0.0.1", one.port)
        one.drop()
        _eventually(lambda: not manager.connected())
        outcome = _within(2, lambda: manager.connect("127.0.0.1", one.port))
        return not isinstance(outcome, Exception) and bool(manager.connected())


def survives_channel_variables(make: Make) -> bool:
    with peer() as one:
        manager, got = make(), []
        manager.register_event("*", lambda event, _: got.append(event.name))
        manager.connect("127.0.0.1", one.port)
        one.say(b"Event: Hangup\r\nChanVariable(SIP/1): city=baoji\r\nChanVariable(SIP/1): level=gold\r\n\r\n")
        one.say(b"Event: After\r\nUniqueid: 1\r\n\r\n")
        return _eventually(lambda: "After" in got, 1.5)


def matches_replies(make: Make) -> bool:
    def late_first(action: dict[str, str]) -> bytes:
        if action.get("Command") == "slow":
            time.sleep(0.4)
        return (
            f"Response: Success\r\nActionID: {action['ActionID']}\r\nMessage: {action.get('Command')}\r\n\r\n".encode()
        )

    with peer(late_first) as one:
        manager = make()
        manager.connect("127.0.0.1", one.port)
        answers: dict[str, Any] = {}

        def ask(word: str) -> None:
            reply = _within(3, lambda: manager.send_action({"Action": "Command", "Command": word}))
            answers[word] = reply.get_header("Message") if hasattr(reply, "get_header") else reply

        threads = [threading.Thread(target=ask, args=(word,)) for word in ("slow", "quick")]
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        for thread in threads:
            thread.join(4)
        return answers == {"slow": "slow", "quick": "quick"}


def forgets_the_last_action(make: Make) -> bool:
    with peer() as one:
        manager = make()
        manager.connect("127.0.0.1", one.port)
        _within(2, lambda: manager.send_action(Action="Originate", Channel="PJSIP/7001"))
        _within(2, lambda: manager.send_action(Action="Ping"))
        first, second = one.actions
        return "Channel" not in second and first["ActionID"] != second["ActionID"]


def does_not_hang(make: Make) -> bool:
    with peer(lambda action: b"") as one:
        manager = make()
        manager.timeout = 0.3
        manager.connect("127.0.0.1", one.port)
        return isinstance(_within(2, manager.ping), ManagerTimeoutError)


def tells_of_a_dropped_connection(make: Make) -> bool:
    with peer() as one:
        manager, got = make(), []
        manager.register_event("*", lambda event, _: got.append(event.name))
        manager.connect("127.0.0.1", one.port)
        one.drop()
        return _eventually(lambda: CONNECTION_LOST in got, 1.5)


def survives_a_failing_callback(make: Make) -> bool:
    with peer() as one:
        manager, got = make(), []

        def fail(event: Any, _: Any) -> None:
            raise RuntimeError("a callback's own fault")

        manager.register_event("First", fail)
        manager.register_event("Second", lambda event, _: got.append(event.name))
        manager.connect("127.0.0.1", one.port)
        one.say(b"Event: First\r\nA: 1\r\n\r\nEvent: Second\r\nA: 1\r\n\r\n")
        return _eventually(lambda: got == ["Second"], 1.5)


def refuses_injection(make: Make) -> bool:
    with peer() as one:
        manager = make()
        manager.connect("127.0.0.1", one.port)
        harm = "PJSIP/7001\r\n\r\nAction: Originate\r\nApplication: System"
        outcome = _within(2, lambda: manager.hangup(harm))
        return isinstance(outcome, BadInputError) and one.actions == []


def keeps_repeated_headers(make: Make) -> bool:
    with peer() as one:
        manager, got = make(), []
        manager.register_event("*", lambda event, _: got.append(event))
        manager.connect("127.0.0.1", one.port)
        one.say(b"Event: Several\r\nVariable: a=1\r\nVariable: b=2\r\n\r\n")
        _eventually(lambda: bool(got), 1.5)
        return bool(got) and getattr(got[0], "all", lambda _: [])("Variable") == ["a=1", "b=2"]


def keeps_a_commands_output(make: Make) -> bool:
    def output(action: dict[str, str]) -> bytes:
        lines = "".join(f"Output: line {n}: of three\r\n" for n in range(3))
        return f"Response: Success\r\nActionID: {action['ActionID']}\r\n{lines}\r\n".encode()

    with peer(output) as one:
        manager = make()
        manager.connect("127.0.0.1", one.port)
        reply = _within(2, lambda: manager.command("core show channels"))
        return all(f"line {n}: of three" in reply.data for n in range(3))


MANAGER_SCENARIOS = [
    reconnects,
    survives_channel_variables,
    matches_replies,
    forgets_the_last_action,
    does_not_hang,
    tells_of_a_dropped_connection,
    survives_a_failing_callback,
    refuses_injection,
    keeps_repeated_headers,
    keeps_a_commands_output,
]


@pytest.fixture
def stock_manager(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Stock managers; their destructor would hang the test on the very defects that are shown."""
    monkeypatch.setattr(stock.Manager, "__del__", lambda self: None)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    return stock.Manager


@pytest.mark.parametrize("scenario", MANAGER_SCENARIOS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_stock_manager_fails(scenario: Callable[[Make], bool], stock_manager: Make) -> None:
    assert not scenario(stock_manager)


@pytest.mark.parametrize("scenario", MANAGER_SCENARIOS)
def test_our_manager_passes(scenario: Callable[[Make], bool]) -> None:
    assert scenario(Manager)


ENVIRONMENT = b"agi_network: yes\nagi_callerid: 13800000001\nagi_arg_1: general\n\n"


def _stock(replies: bytes) -> Any:
    return stock_agi.AGI(io.BytesIO(ENVIRONMENT + replies), io.StringIO(), io.StringIO())


def _ours(replies: bytes) -> Conversation:
    return Conversation(io.BytesIO(ENVIRONMENT + replies), io.BytesIO())


def test_the_stock_fastagi_does_not_import() -> None:
    with pytest.raises(ImportError):
        importlib.import_module("asterisk.fastagi")


def test_our_server_answers_a_call() -> None:
    seen = []

    def handler(conversation: Conversation) -> None:
        seen.append((conversation.env["agi_callerid"], conversation.arguments))
        conversation.answer()

    with AgiServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_connection(server.server_address, timeout=5) as call:
            call.sendall(ENVIRONMENT)
            assert call.recv(100) == b"ANSWER\n"
            call.sendall(b"200 result=0\n")
            assert call.recv(100) == b""
        server.shutdown()
    assert seen == [("13800000001", ["general"])]


def test_agi_outside_the_main_thread() -> None:
    assert isinstance(_within(2, lambda: _stock(b"")), ValueError)
    assert _within(2, lambda: _ours(b"").env["agi_callerid"]) == "13800000001"


@pytest.mark.parametrize("replies", [b"HANGUP\n", b""])
def test_a_hangup_is_a_hangup(replies: bytes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        _stock(replies).answer()
    with pytest.raises(stock_agi.AGIHangup):
        _ours(replies).answer()


def test_quoting_escapes() -> None:
    assert _stock(b"")._quote('say "hi"') == '"say "hi""'
    assert _ours(b"")._quote('say "hi"\nEXEC System') == '"say \\"hi\\" EXEC System"'
