"""Conversations with Asterisk over FastAGI: pyst2's AGI with its defects mended, and one threaded server.

pyst2's own `asterisk.fastagi` does not import on Python 3; its AGI works only in the main thread, takes `HANGUP`
and a closed connection for a reply, and does not escape what it quotes.
"""

import logging
import socketserver
from collections.abc import Callable
from io import BufferedIOBase
from typing import Any

from asterisk import agi as pyst2

log = logging.getLogger(__name__)

#: Longest line and longest list of variables that are read: more is not Asterisk.
MAX_LINE = 8192
MAX_VARIABLES = 200

Handler = Callable[["Conversation"], None]


class Conversation(pyst2.AGI):
    """One AGI session over a pair of binary streams; usable in any thread.

    Raises:
        AGIHangup: the caller hung up, or the connection was closed; at any command.
        AGIError: Asterisk's reply could not be understood.
    """

    def __init__(self, reader: BufferedIOBase, writer: BufferedIOBase) -> None:
        self.stdin, self.stdout = reader, writer
        self.env: dict[str, str] = {}
        self._got_sighup = False
        self._get_agi_env()

    @property
    def arguments(self) -> list[str]:
        """The arguments of the AGI application: agi_arg_1, agi_arg_2 …"""
        found: list[str] = []
        while (value := self.env.get(f"agi_arg_{len(found) + 1}")) is not None:
            found.append(value)
        return found

    def _line(self) -> str:
        raw = self.stdin.readline(MAX_LINE)
        if not raw.endswith(b"\n"):
            raise pyst2.AGIHangup("The connection was closed" if len(raw) < MAX_LINE else "A line without an end")
        return raw.decode("utf-8", "replace").rstrip("\r\n")

    def _get_agi_env(self) -> None:
        for _ in range(MAX_VARIABLES):
            line = self._line()
            if not line:
                return
            name, _, value = line.partition(":")
            self.env[name.strip()] = value.strip()
        raise pyst2.AGIError(f"more than {MAX_VARIABLES} variables: this is not Asterisk")

    def _quote(self, string: object) -> str:
        escaped = str(string).replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(" " if mark in "\r\n\0" else mark for mark in escaped) + '"'

    def send_command(self, command: str, *args: object) -> None:
        """Send one line; a line break inside is refused, since it would be a second command."""
        line = " ".join([command.strip(), *(str(one) for one in args)]).strip()
        if any(mark in line for mark in "\r\n\0"):
            raise pyst2.AGIError(f"a line break inside the command {line[:60]!r}")
        try:
            self.stdout.write(line.encode() + b"\n")
            self.stdout.flush()
        except (OSError, ValueError) as error:
            raise pyst2.AGIHangup("The connection was closed") from error

    def get_result(self, stdin: Any = None) -> dict[str, tuple[str, str]]:
        """The reply to the last command: name -> (value, data)."""
        line = self._line()
        if line == "HANGUP":
            # Asterisk says this out of turn; nobody needs the reply to the command any more.
            self._got_sighup = True
            raise pyst2.AGIHangup("The caller hung up")
        code, _, response = line.partition(" ")
        if code == "200":
            return self._parse(response)
        if code.startswith("520"):
            self._skip_usage(line)
            raise pyst2.AGIUsageError(line)
        if code == "510":
            raise pyst2.AGIInvalidCommand(response)
        if code == "511":
            raise pyst2.AGIHangup("The channel is dead")
        raise pyst2.AGIUnknownError(code, f"not a reply: {line[:80]!r}")

    def _skip_usage(self, line: str) -> None:
        if not line.startswith("520-"):
            return
        for _ in range(MAX_VARIABLES):
            if self._line().startswith("520"):
                return

    @staticmethod
    def _parse(response: str) -> dict[str, tuple[str, str]]:
        result: dict[str, tuple[str, str]] = {"result": ("", "")}
        for key, value, data in pyst2.re_kv.findall(response):
            result[key] = (value, data)
        if result["result"][1] == "hangup":
            raise pyst2.AGIResultHangup("The caller hung up during the command")
        if result["result"][0] == "-1":
            raise pyst2.AGIAppError("The command failed, or the caller hung up")
        return result


class AgiServer(socketserver.ThreadingTCPServer):
    """A FastAGI server: each call is handled in a thread of its own by `handler(conversation)`.

    Args:
        timeout: seconds without a byte from Asterisk after which a conversation is given up.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Handler, *, timeout: float = 60.0) -> None:
        self.handler = handler
        self.conversation_timeout = timeout
        super().__init__(address, _Request)


class _Request(socketserver.StreamRequestHandler):
    server: AgiServer

    def setup(self) -> None:
        self.request.settimeout(self.server.conversation_timeout)
        super().setup()

    def handle(self) -> None:
        try:
            self.server.handler(Conversation(self.rfile, self.wfile))
        except pyst2.AGIHangup:
            log.debug("The caller hung up")
        except (pyst2.AGIException, OSError) as error:
            log.warning("A conversation ended early: %s", error)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            log.debug("The connection was closed before the last bytes were sent")
