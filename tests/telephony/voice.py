"""A telephone in this process: SIP over UDP, A-law sound. It plays a tone and knows which tones and keys it hears."""

import hashlib
import re
import secrets
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telephony.asterisk.plan import PbxPlan
from tests.browser import until

RATE, FRAME = 8000, 160
_ALAW, _EVENTS = 8, 101
_KEYS = "0123456789*#"
_LOUDNESS = 8000
_SILENCE = b"\xd5" * FRAME


def _decoded() -> NDArray[np.float64]:
    """The amplitude of each A-law octet (ITU-T G.711)."""
    octet = np.arange(256) ^ 0x55
    exponent, mantissa = (octet >> 4) & 7, octet & 15
    step = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 264) << np.maximum(exponent - 1, 0))
    return np.where(octet & 0x80, step, -step).astype(float)


_LEVELS = _decoded()
_ORDER = np.argsort(_LEVELS)


def _encode(samples: NDArray[np.float64]) -> bytes:
    """Each sample as the A-law octet whose amplitude is next below it."""
    places = np.searchsorted(_LEVELS[_ORDER], samples).clip(0, 255)
    return _ORDER[places].astype(np.uint8).tobytes()


@dataclass
class _Message:
    """A SIP message; header names in lower case, the first of each."""

    start: str
    headers: dict[str, str]
    body: str
    vias: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes) -> "_Message":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        vias = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
            if name.strip().lower() in ("via", "v"):
                vias.append(value.strip())
        return cls(start, headers, body, vias)

    @property
    def status(self) -> int:
        """The status of an answer; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request that is answered."""
        return self.headers["cseq"].split()[1]


class Voice:
    """One telephone with one call at a time.

    Args:
        plan: of the PBX that it belongs to.
        name: the agent's code, or a caller's number.
        secret: the agent's; empty for a caller, who comes by the trunk.
        tone: Hz, what is said all the time; 0: silence.
        port: of its signalling; 0: any that is free.
        refuses: how every call to it is answered, such as `404 Not Found`; empty: it rings.
    """

    def __init__(
        self, plan: PbxPlan, name: str, secret: str = "", *, tone: int = 0, port: int = 0, refuses: str = ""
    ) -> None:
        self.name, self._secret, self.refuses = name, secret, refuses
        self._server = (plan.ports.host, plan.ports.sip)
        self._host = plan.ports.host
        self._sip, self._rtp = self._bound(port), self._bound(0)
        self._tag, self._cseq, self._call_id = secrets.token_hex(4), 0, ""
        self._local = f"<sip:{name}@{self._host}:{self._port(self._sip)}>"
        self._remote, self._target = "", ""
        self._far: tuple[str, int] | None = None
        self._answers: dict[tuple[str, str], _Message] = {}
        self._ringing: _Message | None = None
        self._sent_for: dict[str, bytes] = {}
        self._heard: deque[tuple[float, bytes]] = deque(maxlen=40)
        self._events: set[bytes] = set()
        self._pressing: deque[str] = deque()
        self.is_talking, self.is_held, self.keys, self.received, self.status = False, False, "", 0, 0
        #: The address at which somebody called last.
        self.called = ""
        self._tone = _encode(_LOUDNESS * np.sin(2 * np.pi * tone * np.arange(RATE) / RATE))
        self._open = True
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._speak, self._listen, self._hear)]
        for thread in self._threads:
            thread.start()

    def _bound(self, port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((self._host, port))
        made.settimeout(0.2)
        return made

    @staticmethod
    def _port(bound: socket.socket) -> int:
        return int(bound.getsockname()[1])

    def close(self) -> None:
        """Hang up and put the telephone away."""
        self.hang_up()
        self._open = False
        for thread in self._threads:
            thread.join(20)
        self._sip.close()
        self._rtp.close()

    def __enter__(self) -> "Voice":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What a person does

    def register(self) -> None:
        """Tell the PBX where this phone is."""
        self._call_id, self._remote = secrets.token_hex(8), f"<sip:{self.name}@{self._host}>"
        uri = f"sip:{self._host}:{self._server[1]}"
        answer = self._ask("REGISTER", uri, {"Contact": self._local, "Expires": "3600"})
        assert answer.status == 200, answer.start

    def call(self, number: str, *, seconds: float = 20) -> int:
        """Call and wait for the answer; the final status, 200 if somebody answered."""
        self._call_id, self._remote = secrets.token_hex(8), f"<sip:{number}@{self._host}>"
        self._target = f"sip:{number}@{self._host}:{self._server[1]}"
        answer = self._ask("INVITE", self._target, {"Contact": self._local}, self._offer(), seconds=seconds)
        self.status = answer.status
        if answer.status == 200:
            self._remote = answer.headers["to"]
            self._talk(answer)
        return answer.status

    @property
    def rings(self) -> bool:
        """Whether somebody calls."""
        return self._ringing is not None

    @property
    def caller(self) -> str:
        """What the one who calls is named, or who called last."""
        return self._remote

    def answer(self) -> None:
        """Take the call, awaited."""
        until(lambda: self._ringing, f"{self.name} to ring", 30)
        ringing, self._ringing = self._ringing, None
        assert ringing is not None
        self._reply(ringing, "200 OK", self._offer())
        self._talk(ringing)

    def hold(self, on: bool = True) -> None:
        """Put the other side on hold, or take it back."""
        way = "sendonly" if on else "sendrecv"
        answer = self._ask("INVITE", self._target, {"Contact": self._local}, self._offer(way))
        assert answer.status == 200, answer.start
        self.is_held = on

    def transfer(self, number: str) -> int:
        """Hand the other side on; the PBX's first word: 202, or why not."""
        answer = self._ask("REFER", self._target, {"Contact": self._local, "Refer-To": f"<sip:{number}@{self._host}>"})
        return answer.status

    def press(self, keys: str) -> None:
        """Press keys (RFC 4733); they go out one after the other."""
        self._pressing.extend(keys)

    def hang_up(self) -> None:
        """End the call, if there is one."""
        if self._ringing is not None:
            ringing, self._ringing = self._ringing, None
            self._reply(ringing, "486 Busy Here")
        elif self.is_talking:
            self.is_talking = False
            self._ask("BYE", self._target, {})

    def hears(self, tone: int) -> bool:
        """Whether the tone was in the last half second of what came."""
        return self.loudness(tone) > _LOUDNESS / 8

    def loudness(self, tone: int) -> float:
        """The tone's amplitude in the last half second of what came; 0 while too little came."""
        recent = time.monotonic() - 0.6
        octets = b"".join([content for at, content in list(self._heard) if at > recent][-25:])
        if len(octets) < 20 * FRAME:
            return 0.0
        samples = _LEVELS[np.frombuffer(octets, np.uint8)]
        return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * tone * np.arange(len(samples)) / RATE))))

    # Signalling

    def _offer(self, way: str = "sendrecv") -> str:
        port = self._port(self._rtp)
        return (
            f"v=0\r\no=- 1 {self._cseq + 1} IN IP4 {self._host}\r\ns=-\r\nc=IN IP4 {self._host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {_ALAW} {_EVENTS}\r\na=rtpmap:{_ALAW} PCMA/8000\r\n"
            f"a=rtpmap:{_EVENTS} telephone-event/8000\r\na=fmtp:{_EVENTS} 0-15\r\na={way}\r\n"
        )

    def _send(self, start: str, headers: dict[str, str], body: str = "") -> bytes:
        lines = [start, *(f"{name}: {value}" for name, value in headers.items())]
        if body:
            lines.append("Content-Type: application/sdp")
        data = ("\r\n".join([*lines, f"Content-Length: {len(body.encode())}"]) + "\r\n\r\n" + body).encode()
        self._sip.sendto(data, self._server)
        return data

    def _ask(self, method: str, uri: str, more: dict[str, str], body: str = "", *, seconds: float = 10) -> _Message:
        """Send a request and wait for its final answer; once more with the secret if that is asked for."""
        authorization = ""
        for _ in range(2):
            self._cseq += 1
            branch = "z9hG4bK" + secrets.token_hex(6)
            headers = {
                "Via": f"SIP/2.0/UDP {self._host}:{self._port(self._sip)};branch={branch};rport",
                "From": f"<sip:{self.name}@{self._host}>;tag={self._tag}",
                "To": self._remote,
                "Call-ID": self._call_id,
                "CSeq": f"{self._cseq} {method}",
                "Max-Forwards": "70",
            } | more
            if authorization:
                headers["Authorization"] = authorization
            key = (self._call_id, headers["CSeq"])
            self._send(f"{method} {uri} SIP/2.0", headers, body)
            end = time.monotonic() + seconds
            while key not in self._answers and time.monotonic() < end:
                time.sleep(0.01)
            answer = self._answers.pop(key, None)
            assert answer is not None, f"no answer to {method} of {self.name}"
            if method == "INVITE":
                # Of an answered call the acknowledgement is a transaction of its own.
                fresh = headers["Via"].replace(branch, branch + "a") if answer.status == 200 else headers["Via"]
                kept = {name: headers[name] for name in ("From", "Call-ID", "Max-Forwards")}
                kept |= {"Via": fresh, "To": answer.headers["to"], "CSeq": f"{self._cseq} ACK"}
                self._send(f"ACK {self._contact(answer) or uri} SIP/2.0", kept)
            if answer.status != 401:
                return answer
            authorization = self._proof(answer.headers["www-authenticate"], method, uri)
        return answer

    def _proof(self, challenge: str, method: str, uri: str) -> str:
        """The answer to a digest challenge (RFC 2617, MD5 with qop=auth)."""
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))

        def digest(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        own = digest(f"{self.name}:{asked['realm']}:{self._secret}")
        count, cnonce = "00000001", secrets.token_hex(4)
        said = digest(f"{own}:{asked['nonce']}:{count}:{cnonce}:auth:{digest(f'{method}:{uri}')}")
        quoted = {"username": self.name, "uri": uri, "response": said, "cnonce": cnonce}
        quoted |= {name: asked[name] for name in ("realm", "nonce", "opaque") if name in asked}
        told = ", ".join(f'{name}="{value}"' for name, value in quoted.items())
        return f"Digest {told}, qop=auth, nc={count}, algorithm=MD5"

    @staticmethod
    def _contact(message: _Message) -> str:
        found = re.search(r"<([^>]+)>", message.headers.get("contact", ""))
        return found[1] if found else ""

    def _talk(self, message: _Message) -> None:
        self._target = self._contact(message) or self._target
        self._aim(message.body)
        self.is_talking = True

    def _aim(self, body: str) -> None:
        host, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
        if host and port:
            self._far = host[1], int(port[1])

    def _reply(self, request: _Message, status: str, body: str = "") -> None:
        to = request.headers["to"]
        headers = {
            "Via": ", ".join(request.vias),
            "From": request.headers["from"],
            "To": to if "tag=" in to else f"{to};tag={self._tag}",
            "Call-ID": request.headers["call-id"],
            "CSeq": request.headers["cseq"],
            "Contact": self._local,
        }
        self._sent_for[request.headers["call-id"] + request.headers["cseq"]] = self._send(
            f"SIP/2.0 {status}", headers, body
        )

    def _listen(self) -> None:
        while self._open:
            try:
                message = _Message.parse(self._sip.recv(65535))
            except (TimeoutError, OSError):
                continue
            if not message.status:
                self._take(message)
            elif message.status >= 200:
                key = message.headers["call-id"], message.headers["cseq"]
                self._answers[key] = message

    def _take(self, request: _Message) -> None:
        """A request of the PBX."""
        method = request.start.split(" ")[0]
        again = self._sent_for.get(request.headers["call-id"] + request.headers["cseq"])
        if again is not None and method != "ACK":
            self._sip.sendto(again, self._server)
        elif method == "INVITE" and self.is_talking and request.headers["call-id"] == self._call_id:
            self._aim(request.body)
            self._reply(request, "200 OK", self._offer())
        elif method == "INVITE" and self.refuses:
            self.called = request.start.split(" ")[1]
            self._reply(request, self.refuses)
        elif method == "INVITE" and (self.is_talking or self._ringing):
            self._reply(request, "486 Busy Here")
        elif method == "INVITE":
            self._call_id, self._remote = request.headers["call-id"], request.headers["from"]
            self.called = request.start.split(" ")[1]
            self._reply(request, "180 Ringing")
            del self._sent_for[request.headers["call-id"] + request.headers["cseq"]]
            self._ringing = request
        elif method == "CANCEL":
            self._reply(request, "200 OK")
            ringing, self._ringing = self._ringing, None
            if ringing is not None:
                self._reply(ringing, "487 Request Terminated")
        elif method == "BYE":
            self.is_talking = False
            self._reply(request, "200 OK")
        elif method != "ACK":
            self._reply(request, "200 OK")

    # Sound

    def _speak(self) -> None:
        source, number, at, place, due = secrets.token_bytes(4), 0, 0, 0, time.monotonic()

        def packet(kind: int, stamp: int, content: bytes, marked: bool = False) -> None:
            nonlocal number
            number = (number + 1) % 65536
            head = struct.pack("!BBHI", 0x80, kind | (0x80 if marked else 0), number, stamp) + source
            if self._far is not None:
                self._rtp.sendto(head + content, self._far)

        key: tuple[int, int, int] | None = None
        while self._open:
            due += FRAME / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            if not (self.is_talking and self._far):
                continue
            at, place = (at + FRAME) % 2**32, (place + FRAME) % RATE
            if key is None and self._pressing:
                key = (_KEYS.index(self._pressing.popleft()), at, 0)
            if key is None:
                packet(_ALAW, at, _SILENCE if self.is_held else (self._tone * 2)[place : place + FRAME])
                continue
            event, began, frames = key
            ends = frames >= 6
            told = struct.pack("!BBH", event, (0x80 if ends else 0) | 10, (frames + 1) * FRAME)
            packet(_EVENTS, began, told, marked=frames == 0)
            # Told thrice that it ended, then silence between two keys.
            key = (event, began, frames + 1) if frames < 8 else None
            if key is None:
                due += 0.1

    def _hear(self) -> None:
        while self._open:
            try:
                data = self._rtp.recv(2048)
            except (TimeoutError, OSError):
                continue
            kind, stamp, content = data[1] & 0x7F, data[4:8], data[12:]
            if kind == _ALAW:
                self.received += 1
                self._heard.append((time.monotonic(), content))
            elif kind == _EVENTS and content[1] & 0x80 and stamp not in self._events:
                self._events.add(stamp)
                self.keys += _KEYS[content[0]] if content[0] < len(_KEYS) else "?"


def deaf(voice: Voice, tone: int, seconds: float = 1.0) -> bool:
    """Whether the tone stays unheard for so long while sound comes."""
    end, before = time.monotonic() + seconds, voice.received
    while time.monotonic() < end:
        if voice.hears(tone):
            return False
        time.sleep(0.05)
    return voice.received > before


def hang_up_all(*voices: Any) -> None:
    """End every call."""
    for voice in voices:
        voice.hang_up()
